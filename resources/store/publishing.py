"""What of a consultation goes to search: the turns of its archived transcripts. Finding them again belongs to resources.search."""

from uuid import UUID

from sqlalchemy import Connection, func, select

from domain.parties import Party
from resources.search import Document
from resources.tables import consultations, publication_versions, recordings, turns


def lock(connection: Connection, consultation_id: UUID) -> int:
    """Hold the consultation until the transaction ends and return this publication's number: later ones have higher numbers."""
    connection.execute(select(consultations.c.id).where(consultations.c.id == consultation_id).with_for_update())
    return int(connection.execute(select(func.nextval(publication_versions.name))).scalar_one())


def documents(connection: Connection, consultation_id: UUID) -> tuple[list[Document], list[tuple[UUID, UUID]]]:
    """The consultation's turns as documents, and which recordings with which transcripts they come from (also those without turns)."""
    sources = connection.execute(
        select(
            recordings.c.id,
            recordings.c.archived_transcript_id,
            recordings.c.started_at,
            recordings.c.announced_at,
            consultations.c.consultation_type,
            consultations.c.started_at.label("call_started_at"),
        )
        .select_from(recordings.join(consultations))
        .where(recordings.c.consultation_id == consultation_id, recordings.c.archived_transcript_id.is_not(None))
        .order_by(recordings.c.started_at.nulls_last(), recordings.c.id)
    ).all()
    found = []
    for source in sources:
        call_started_at = source.call_started_at or source.started_at or source.announced_at
        offset = source.started_at - call_started_at if source.started_at else None
        offset_ms = max(0, round(offset.total_seconds() * 1000)) if offset else 0
        said = connection.execute(
            select(turns.c.id, turns.c.role, turns.c.start_ms, turns.c.end_ms, turns.c.text)
            .where(turns.c.transcript_id == source.archived_transcript_id)
            .order_by(turns.c.position)
        )
        found += [
            Document(
                turn_id=turn.id,
                consultation_id=consultation_id,
                recording_id=source.id,
                transcript_id=source.archived_transcript_id,
                consultation_type=source.consultation_type,
                speaker=Party(turn.role),
                call_started_at=call_started_at,
                start_ms=turn.start_ms + offset_ms,
                end_ms=turn.end_ms + offset_ms,
                text=turn.text,
            )
            for turn in said
        ]
    return found, [(source.id, source.archived_transcript_id) for source in sources]
