"""Transcripts as versions: saved once, superseded, never overwritten. Reading them for people belongs to resources.store.reading."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, insert, select, update

from domain.parties import Party
from domain.transcripts import Attribution, Turn, Word
from resources.store import work
from resources.tables import participants, recordings, transcripts, turns


@dataclass(frozen=True, slots=True)
class NewTranscript:
    """What one run of the speech model made of one recording. Counts are words, lengths milliseconds."""

    fingerprint: str
    model: str
    language: str | None
    media_sha256: str
    speech_ms: int
    dropped_words: int
    wordless: tuple[tuple[int, int], ...]
    turns: tuple[Turn, ...]
    run_id: str | None


def exists(connection: Connection, recording_id: UUID, fingerprint: str) -> UUID | None:
    """The transcript that this model with these settings already made of the recording."""
    found: UUID | None = connection.execute(
        select(transcripts.c.id).where(transcripts.c.recording_id == recording_id, transcripts.c.fingerprint == fingerprint)
    ).scalar()
    return found


def save(connection: Connection, recording_id: UUID, owner: str, new: NewTranscript, flags: Sequence[str]) -> UUID:
    """Add a version and make it the current one; the one before is superseded. Raises LeaseLost.

    Saving what is already there changes nothing, so a repeated run adds no second version.
    """
    work.hold(connection, recording_id, owner)
    transcript_id = exists(connection, recording_id, new.fingerprint)
    if transcript_id is None:
        transcript_id = _insert(connection, recording_id, new)
    make_current(connection, recording_id, transcript_id)
    connection.execute(update(recordings).where(recordings.c.id == recording_id).values(flags=sorted(set(flags))))
    return transcript_id


def make_current(connection: Connection, recording_id: UUID, transcript_id: UUID) -> None:
    others = (transcripts.c.recording_id == recording_id) & (transcripts.c.id != transcript_id)
    connection.execute(update(transcripts).where(others, transcripts.c.superseded_at.is_(None)).values(superseded_at=func.now()))
    connection.execute(update(transcripts).where(transcripts.c.id == transcript_id).values(superseded_at=None))
    connection.execute(update(recordings).where(recordings.c.id == recording_id).values(current_transcript_id=transcript_id))


def _insert(connection: Connection, recording_id: UUID, new: NewTranscript) -> UUID:
    transcript_id = uuid4()
    confidences = [word.confidence for turn in new.turns for word in turn.words]
    connection.execute(
        insert(transcripts).values(
            id=transcript_id,
            recording_id=recording_id,
            fingerprint=new.fingerprint,
            model=new.model,
            language=new.language,
            media_sha256=new.media_sha256,
            speech_ms=new.speech_ms,
            word_count=len(confidences),
            turn_count=len(new.turns),
            dropped_words=new.dropped_words,
            mean_confidence=sum(confidences) / len(confidences) if confidences else None,
            wordless=[list(stretch) for stretch in new.wordless],
            run_id=new.run_id,
        )
    )
    if new.turns:
        connection.execute(insert(turns), [_turn_row(transcript_id, position, turn) for position, turn in enumerate(new.turns)])
    return transcript_id


def _turn_row(transcript_id: UUID, position: int, turn: Turn) -> dict[str, Any]:
    return {
        "transcript_id": transcript_id,
        "position": position,
        "role": turn.role.value,
        "participant_sid": turn.participant_sid,
        "channel": turn.channel,
        "start_ms": turn.start_ms,
        "end_ms": turn.end_ms,
        "text": turn.text,
        "words": [[w.text, w.start_ms, w.end_ms, w.confidence] for w in turn.words],
        "confidence": turn.confidence,
        "attribution": turn.attribution.value,
        "attribution_confidence": turn.attribution_confidence,
    }


def spoken(connection: Connection, transcript_id: UUID) -> tuple[Turn, ...]:
    """A transcript's turns, each at its position."""
    rows = connection.execute(select(turns).where(turns.c.transcript_id == transcript_id).order_by(turns.c.position)).mappings()
    return tuple(
        Turn(
            role=Party(row["role"]),
            participant_sid=row["participant_sid"],
            channel=row["channel"],
            start_ms=row["start_ms"],
            end_ms=row["end_ms"],
            text=row["text"],
            words=tuple(Word(*word) for word in row["words"]),
            confidence=row["confidence"],
            attribution=Attribution(row["attribution"]),
            attribution_confidence=row["attribution_confidence"],
        )
        for row in rows
    )


def document_sha256(connection: Connection, transcript_id: UUID) -> str | None:
    """Of the document in the archive, as it was written last."""
    found: str | None = connection.execute(select(transcripts.c.document_sha256).where(transcripts.c.id == transcript_id)).scalar_one()
    return found


def document(connection: Connection, transcript_id: UUID) -> dict[str, Any]:
    """The transcript as it goes to the archive: JSON types only, times in ms from the recording's first sample."""
    head = (
        connection.execute(
            select(transcripts, recordings.c.consultation_id, recordings.c.started_at.label("recording_started_at"), recordings.c.flags)
            .select_from(transcripts.join(recordings, recordings.c.id == transcripts.c.recording_id))
            .where(transcripts.c.id == transcript_id)
        )
        .mappings()
        .one()
    )
    people = connection.execute(
        select(participants).where(participants.c.consultation_id == head["consultation_id"]).order_by(participants.c.sid)
    ).mappings()
    said = connection.execute(select(turns).where(turns.c.transcript_id == transcript_id).order_by(turns.c.position)).mappings()
    started = head["recording_started_at"]
    return {
        "format": "verbatim-transcript/1",
        "transcript_id": str(transcript_id),
        "consultation_id": str(head["consultation_id"]),
        "recording_id": str(head["recording_id"]),
        "media_sha256": head["media_sha256"],
        "recording_started_at": started.isoformat() if started else None,
        "model": head["model"],
        "fingerprint": head["fingerprint"],
        "language": head["language"],
        "created_at": head["created_at"].isoformat(),
        "dropped_words": head["dropped_words"],
        "flags": list(head["flags"]),
        "participants": [{"sid": p["sid"], "identity": p["identity"], "role": p["role"]} for p in people],
        "turns": [
            {
                key: turn[key]
                for key in (
                    "position",
                    "role",
                    "participant_sid",
                    "channel",
                    "start_ms",
                    "end_ms",
                    "text",
                    "confidence",
                    "attribution",
                    "attribution_confidence",
                    "words",
                )
            }
            for turn in said
        ],
    }
