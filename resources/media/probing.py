"""What a recording is: container, codec, channels and its real length, or the reason why it is no recording.

Every length is measured from the packets; a header's claim is only compared with it. Turning a file into sound belongs to
resources.media.decoding.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from domain.failures import Reason, RecordingError
from resources.media.containers import check_complete, kind_of

MAX_CHANNELS = 8
"""Every channel of a file is heard; a file with more than this is no recording of a call."""

_CLAIM_TOLERANCE_MS = 1_000
_CLAIM_TOLERANCE_SHARE = 0.02
_EXACT_CLAIMS = ("mp4", "flac", "matroska")
"""Containers whose header states the length exactly. MP3 without a tag only estimates it; Ogg and WAV do not state it."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """``codec``, ``channels`` and ``sample_rate_hz`` are the first audio stream's. ``container`` is FFmpeg's name for it."""

    container: str
    codec: str
    channels: int
    sample_rate_hz: int
    duration_ms: int
    has_video: bool
    size_bytes: int


def probe(path: Path, *, announced_bytes: int | None = None) -> MediaInfo:
    """Reads every packet's header, no sound. ``announced_bytes``: the size that egress or the store stated.

    Raises RecordingError: EMPTY, NOT_MEDIA, NO_MEDIA (a container without a packet of sound), NO_AUDIO (pictures alone) or
    TRUNCATED (its end is missing, or it is smaller than announced).
    """
    size = path.stat().st_size
    if size == 0:
        raise RecordingError(Reason.EMPTY, "the file has 0 bytes")
    kind = kind_of(path)
    if announced_bytes is not None and size < announced_bytes:
        raise RecordingError(Reason.TRUNCATED, f"{announced_bytes} bytes were announced, {size} are there")
    if kind is None:
        raise RecordingError(Reason.NOT_MEDIA, "the file is none of Ogg, WAV, MP4, MP3, FLAC and Matroska")
    info = _read(path, kind, size)
    check_complete(path, kind)
    return info


def _read(path: Path, kind: str, size: int) -> MediaInfo:
    try:
        with av.open(f"file:{path.resolve()}", format=kind, metadata_errors="ignore") as container:
            return _measure(container, kind, size)
    except (av.error.FFmpegError, EOFError) as error:
        check_complete(path, kind)
        if kind == "wav" and size <= 44:
            raise RecordingError(Reason.NO_MEDIA, f"{size} bytes of WAV header, no sound") from error
        raise RecordingError(Reason.NOT_MEDIA, f"it begins like {kind}, but FFmpeg cannot read it") from error


def _measure(container: InputContainer, kind: str, size: int) -> MediaInfo:
    if not container.streams.audio:
        has_pictures = bool(container.streams.video)
        raise RecordingError(Reason.NO_AUDIO if has_pictures else Reason.NO_MEDIA, f"the {kind} has no sound")
    stream = container.streams.audio[0]
    codec, channels, rate = stream.codec.canonical_name, stream.codec_context.channels, stream.codec_context.sample_rate
    pictures = [video for video in container.streams.video if not video.disposition & av.stream.Disposition.attached_pic]
    claimed_ms = round(stream.duration * stream.time_base * 1000) if stream.duration and stream.time_base else None
    start, end, packets = Fraction(0), Fraction(0), 0
    for packet in container.demux(stream):
        if packet.size and packet.pts is not None and packet.time_base is not None:
            start = packet.pts * packet.time_base if packets == 0 else start
            end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            packets += 1
    if packets == 0 or rate == 0 or channels == 0:
        raise RecordingError(Reason.NO_MEDIA, f"the {kind} has not a single packet of sound")
    if channels > MAX_CHANNELS:
        raise RecordingError(Reason.NOT_MEDIA, f"{channels} channels; at most {MAX_CHANNELS} are taken")
    begin: Fraction = max(Fraction(0), min(Fraction(container.start_time or 0, 1_000_000), start))
    measured_ms = max(1, round((end - begin) * 1000))
    _compare_claim(kind, claimed_ms, round((end - start) * 1000))
    return MediaInfo(kind, codec, channels, rate, measured_ms, bool(pictures), size)


def _compare_claim(kind: str, claimed_ms: int | None, measured_ms: int) -> None:
    if claimed_ms is None or kind not in _EXACT_CLAIMS:
        return
    tolerance = max(_CLAIM_TOLERANCE_MS, round(claimed_ms * _CLAIM_TOLERANCE_SHARE))
    if measured_ms < claimed_ms - tolerance:
        raise RecordingError(Reason.TRUNCATED, f"the {kind} states {claimed_ms} ms of sound, {measured_ms} ms are there")
