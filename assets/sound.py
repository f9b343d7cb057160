"""What of a recording's sound is silenced, for what is kept and for what is played; and writing it to the archive.

Which words are personal is in the store's redactions, which stretches that makes in domain.redaction.muting, silencing in resources.media.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sqlalchemy import RowMapping

from assets.services import Services
from domain.failures import Reason, RecordingError
from domain.media_checks import Flag
from domain.redaction.kept import KNOWN_AGAIN
from domain.redaction.muting import merged, muted
from domain.redaction.shapes import CARD_DATA, Redaction
from domain.rules.intervals import before, since, without
from domain.rules.shapes import Interval, Publication
from domain.transcripts import Turn
from resources.media.muting import Spans
from resources.store import evaluations, redactions
from resources.store import transcripts as versions
from resources.store.call_times import call_start, offset_ms
from resources.store.media import Kept, Recording

TYPES = {"ogg": "audio/ogg", "mp4": "video/mp4", "mp3": "audio/mpeg", "wav": "audio/wav"}


@dataclass(frozen=True, slots=True)
class Sound:
    """``kept``: what still has to be silenced in the archive's copy. ``played``: what is silent for whoever may not hear everything.
    ``silent``: what is silent in the archive's copy once ``kept`` is, too.

    Channel -> stretches in ms of the recording. ``lost``: of these nothing may be kept, neither sound nor words, on any of them.
    """

    kept: Spans
    played: Spans
    silent: Spans
    lost: tuple[Interval, ...] = ()


def sound_of(services: Services, recording: Recording, verdict: RowMapping) -> Sound:
    """By the recording's redaction, and as far as its consent goes."""
    assert recording.media is not None and recording.current_transcript_id is not None and recording.redaction_id is not None
    with services.engine.connect() as connection:
        spoken = versions.spoken(connection, recording.current_transcript_id)
        found = redactions.of(connection, recording.redaction_id)
    begin = call_start(recording.call_started_at, recording.started_at, recording.announced_at)
    offset, publication = offset_ms(recording.started_at, begin), Publication(verdict["publication"])
    withheld = evaluations.withheld(verdict) if publication is not Publication.QUARANTINED else ()
    hidden = _of_recording(withheld, offset)
    lost = _of_recording(services.without_consent.lost(publication, withheld), offset)
    card = [one for one in found if one.kind in CARD_DATA and not _is_silent(recording, one)]
    all_card = [one for one in found if one.kind in CARD_DATA]
    return Sound(
        kept=_union(_spans(recording, spoken, card), _everywhere(recording, without(lost, recording.lost))),
        played=_union(_spans(recording, spoken, found), _everywhere(recording, hidden)),
        silent=_union(_spans(recording, spoken, all_card), _everywhere(recording, lost)),
        lost=lost,
    )


def keep(services: Services, key: str, path: Path, sha256: str, content_type: str) -> Kept:
    """Write one object with its checksum and read it back. Raises RecordingError(ARCHIVE_MISMATCH), ObjectConflict."""
    info = services.archive.write(key, path, sha256=sha256, content_type=content_type)
    if services.archive.digest(key) != sha256:
        raise RecordingError(
            Reason.ARCHIVE_MISMATCH, f"the archive gave back other bytes than were written to {key}; the intake keeps its copy"
        )
    return Kept(key, info.version_id, sha256)


def extension_of(recording: Recording) -> str:
    return PurePosixPath(recording.intake_key or "").suffix.lstrip(".").lower()


def content_type_of(extension: str) -> str:
    return TYPES.get(extension, "application/octet-stream")


def _is_silent(recording: Recording, one: Redaction) -> bool:
    """Whether it is silent already in what the archive keeps."""
    return recording.archive_key is not None and (one.recogniser == KNOWN_AGAIN or recording.kept_redaction_id == recording.redaction_id)


def _spans(recording: Recording, spoken: Sequence[Turn], found: Sequence[Redaction]) -> dict[int, tuple[tuple[int, int], ...]]:
    """On the channel that each was heard on; on all of them where they carry the same sound, or nobody knows which one it was."""
    assert recording.media is not None
    stretches: dict[int, list[tuple[int, int]]] = {}
    for channel, where in muted(spoken, found).items():
        one = channel is not None and Flag.IDENTICAL_CHANNELS not in recording.flags
        for each in [channel] if one and channel is not None else range(recording.media.channels):
            stretches.setdefault(each, []).extend(where)
    return {channel: merged(where) for channel, where in stretches.items()}


def _union(*several: Spans) -> Spans:
    channels = sorted({channel for spans in several for channel in spans})
    return {channel: merged(stretch for spans in several for stretch in spans.get(channel, ())) for channel in channels}


def _of_recording(stretches: Sequence[Interval], offset: int) -> tuple[Interval, ...]:
    """Stretches of the call, in ms of a recording that begins ``offset`` ms into it."""
    moved = [Interval(one.start_ms - offset, None if one.end_ms is None else one.end_ms - offset) for one in stretches]
    return since(moved, 0)


def _everywhere(recording: Recording, stretches: Sequence[Interval]) -> Spans:
    """Stretches of the recording on every channel, as far as it goes."""
    assert recording.media is not None
    end = recording.media.duration_ms + 1_000
    spans = tuple((one.start_ms, end if one.end_ms is None else one.end_ms) for one in before(stretches, end))
    return dict.fromkeys(range(recording.media.channels), spans) if spans else {}
