"""A recording with stretches of single channels silenced: same length, same container, so that every time in it stays valid.

Which stretches is decided in domain.redaction. Sound passes through as samples, so that a stretch is silent to the sample; what was
compressed is compressed again, at a rate at which speech loses nothing to the ear. Pictures are copied.
"""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import ffmpeg
import numpy as np

from domain.failures import Reason, RecordingError
from resources.media.decoding import ffmpeg_path
from resources.media.probing import MediaInfo, probe

Spans = Mapping[int, Sequence[tuple[int, int]]]
"""Channel, from 0, -> [start_ms, end_ms) of the file's own time, in any order. Channels that are not named stay as they are."""

_CHUNK_S = 1
_TOLERANCE_MS = 60  # a frame of whatever codec, at either end
_KBIT_PER_CHANNEL = 96
_ENCODERS = {"opus": "libopus", "vorbis": "libvorbis", "mp3": "libmp3lame", "aac": "aac", "flac": "flac", "alac": "alac"}


def mute(path: Path, target: Path, info: MediaInfo, spans: Spans) -> MediaInfo:
    """Writes ``target`` and returns what it is. The same input gives the same bytes.

    Raises RecordingError(NOT_MEDIA) if it cannot be read, RecordingError(UNEXPECTED) if what came out has another length or other
    channels; MediaToolMissing.
    """
    if unknown := [channel for channel in spans if not 0 <= channel < info.channels]:
        raise ValueError(f"the recording has {info.channels} channels, none numbered {min(unknown)}")
    deep = info.codec.startswith("pcm_") and not info.codec.startswith(("pcm_s16", "pcm_u8", "pcm_mulaw", "pcm_alaw"))
    with tempfile.TemporaryFile(dir=target.parent) as messages:
        reader = _start(_reading(path, info, deep), messages, stdout=subprocess.PIPE)
        writer = _start(_writing(path, target, info, deep), messages, stdin=subprocess.PIPE)
        try:
            assert reader.stdout is not None and writer.stdin is not None
            _silence(reader.stdout, writer.stdin, info, spans, np.dtype("<i4" if deep else "<i2"))
        except BrokenPipeError:
            pass  # the writer has ended: its exit status says so below
        finally:
            for child in (reader, writer):
                for pipe in (child.stdin, child.stdout):
                    if pipe is not None:
                        _close(pipe)
            reader.wait()
            writer.wait()
    if reader.returncode != 0 or writer.returncode != 0:
        raise RecordingError(Reason.NOT_MEDIA, f"ffmpeg could not silence parts of the {info.container} ({info.codec})")
    made = probe(target)
    if made.channels != info.channels or abs(made.duration_ms - info.duration_ms) > _TOLERANCE_MS:
        raise RecordingError(
            Reason.UNEXPECTED,
            f"silencing made {made.channels} channels of {made.duration_ms} ms out of {info.channels} of {info.duration_ms} ms",
        )
    return made


def _silence(source: IO[bytes], sink: IO[bytes], info: MediaInfo, spans: Spans, kind: "np.dtype[np.signedinteger]") -> None:
    rate, channels = info.sample_rate_hz, info.channels
    frame_bytes = kind.itemsize * channels
    begin = 0
    while data := _read_exactly(source, rate * _CHUNK_S * frame_bytes):
        count = len(data) // frame_bytes
        frames = np.frombuffer(data, dtype=kind, count=count * channels).reshape(count, channels).copy()
        for channel, stretches in spans.items():
            for start_ms, end_ms in stretches:
                first, last = max(0, start_ms * rate // 1000 - begin), -(-end_ms * rate // 1000) - begin
                if first < count and last > 0:
                    frames[first:last, channel] = 0
        sink.write(frames.tobytes())
        begin += count


def _read_exactly(source: IO[bytes], size: int) -> bytes:
    parts = []
    while size and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _reading(path: Path, info: MediaInfo, deep: bool) -> list[str]:
    sound = ffmpeg.input(f"file:{path.resolve()}", f=info.container, protocol_whitelist="file", threads=1)["a:0"]
    timed = sound.filter("aresample", info.sample_rate_hz, osf="s32" if deep else "s16", **{"async": 1, "first_pts": 0})
    raw = timed.output("pipe:1", f="s32le" if deep else "s16le", acodec="pcm_s32le" if deep else "pcm_s16le", ac=info.channels)
    return _command(raw)


def _writing(path: Path, target: Path, info: MediaInfo, deep: bool) -> list[str]:
    sound = ffmpeg.input("pipe:0", f="s32le" if deep else "s16le", ar=info.sample_rate_hz, ac=info.channels)
    streams = [sound["a:0"]]
    options: dict[str, str | int] = {"acodec": _encoder(info), "fflags": "+bitexact", "flags:a": "+bitexact", "map_metadata": -1}
    if options["acodec"] in ("libopus", "libvorbis", "libmp3lame", "aac"):
        options["audio_bitrate"] = f"{min(_KBIT_PER_CHANNEL * info.channels, 256)}k"
    if info.has_video:
        streams.insert(0, ffmpeg.input(f"file:{path.resolve()}", f=info.container, protocol_whitelist="file")["v:0"])
        options["vcodec"] = "copy"
    return _command(ffmpeg.output(*streams, f"file:{target.resolve()}", f=info.container, **options))


def _encoder(info: MediaInfo) -> str:
    if info.codec.startswith("pcm_"):
        return info.codec
    return _ENCODERS.get(info.codec, "flac" if info.container in ("ogg", "flac", "matroska") else "aac")


def _command(output: "ffmpeg.nodes.OutputStream") -> list[str]:
    quietly = output.global_args("-nostdin", "-loglevel", "error").overwrite_output()
    return [str(argument) for argument in quietly.compile(cmd=ffmpeg_path())]


def _start(
    command: list[str], messages: IO[bytes], *, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=messages)


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        pass  # what was left to be written has nobody to read it
