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
from domain.rules.shapes import Publication
from domain.transcripts import Turn
from resources.media.muting import Spans
from resources.store import redactions
from resources.store import transcripts as versions
from resources.store.call_times import call_start, offset_ms
from resources.store.media import Kept, Recording

TYPES = {"ogg": "audio/ogg", "mp4": "video/mp4", "mp3": "audio/mpeg", "wav": "audio/wav"}


@dataclass(frozen=True, slots=True)
class Sound:
    """``kept``: what still has to be silenced in the archive's copy. ``played``: what is silent for whoever may not hear everything.
    ``silent``: what is silent in the archive's copy once ``kept`` is, too.

    Channel -> stretches in ms of the recording. ``lost_from_ms``: from there on nothing of it may be kept, neither sound nor words.
    """

    kept: Spans
    played: Spans
    silent: Spans
    lost_from_ms: int | None = None


def sound_of(services: Services, recording: Recording, verdict: RowMapping) -> Sound:
    """By the recording's redaction, and as far as its consent goes."""
    assert recording.media is not None and recording.current_transcript_id is not None and recording.redaction_id is not None
    with services.engine.connect() as connection:
        spoken = versions.spoken(connection, recording.current_transcript_id)
        found = redactions.of(connection, recording.redaction_id)
    begin = call_start(recording.call_started_at, recording.started_at, recording.announced_at)
    offset, publication = offset_ms(recording.started_at, begin), Publication(verdict["publication"])
    withdrawn_at_ms = verdict["withdrawn_at_ms"]
    lost_from = services.without_consent.silenced_from_ms(publication, withdrawn_at_ms)
    hidden_from = withdrawn_at_ms if publication is Publication.CUT else None
    card = [one for one in found if one.kind in CARD_DATA and not _is_silent(recording, one)]
    lost_from_ms = None if lost_from is None else max(0, lost_from - offset)
    lost = lost_from_ms is not None and (recording.kept_until_ms is None or lost_from_ms < recording.kept_until_ms)
    all_card = [one for one in found if one.kind in CARD_DATA]
    return Sound(
        kept=_union(_spans(recording, spoken, card), _rest(recording, lost_from if lost else None, offset)),
        played=_union(_spans(recording, spoken, found), _rest(recording, hidden_from, offset)),
        silent=_union(_spans(recording, spoken, all_card), _rest(recording, lost_from, offset)),
        lost_from_ms=lost_from_ms,
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


def _rest(recording: Recording, from_ms: int | None, offset: int) -> Spans:
    """From a moment of the call to the recording's end, on every channel."""
    if from_ms is None:
        return {}
    assert recording.media is not None
    end = recording.media.duration_ms + 1_000
    return {channel: ((max(0, from_ms - offset), end),) for channel in range(recording.media.channels) if from_ms - offset < end}
