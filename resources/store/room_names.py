"""Several rooms of one name: the one that began first is the consultation of that name, whichever webhook came first."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, exists, or_, select, text, update

from domain.consultations import name_of_later_room
from resources.tables import consultations, recordings

_BUSINESS = ("customer_id", "agent_id", "partner_id", "quote_id", "claim_id", "ai_summary", "agent_notes", "customer_rating")
_FROM_LIVEKIT = ("room_sid", "started_at", "ended_at", "ai_handled", "escalated_to_human", "transcript", "recording_url")


def earliest_room_keeps_name(connection: Connection, name: str) -> None:
    """Whoever calls holds the lock on the name."""
    later = consultations.c.room_name.startswith(f"{name}~", autoescape=True)
    rows = connection.execute(
        select(consultations)
        .where((consultations.c.room_name == name) | later)
        .order_by(consultations.c.started_at.nulls_last(), consultations.c.room_sid)
        .with_for_update()
    ).all()
    if len(rows) < 2 or rows[0].room_name == name:
        return
    first, holder = rows[0], next((row for row in rows if row.room_name == name), None)
    if holder is not None and _was_written_down_before(holder) and not _archived(connection, first.id, holder.id):
        _exchange(connection, first, holder, name)
        return
    for row in [*rows[1:], first]:  # the name must be free before the first one takes it
        wanted = name if row is first else name_of_later_room(name, row.room_sid)
        connection.execute(update(consultations).where(consultations.c.id == row.id).values(room_name=wanted))


def _was_written_down_before(row: Row[Any]) -> bool:
    """Whether somebody made this consultation before its room was opened: then it is meant for the first room of its name."""
    return bool(row.jurisdictions) or any(getattr(row, column) is not None for column in _BUSINESS)


def _archived(connection: Connection, *consultation_ids: UUID) -> bool:
    """What is archived under a consultation stays there."""
    found = exists().where(recordings.c.consultation_id.in_(consultation_ids), recordings.c.archived_at.is_not(None))
    return bool(connection.scalar(select(found)))


def _exchange(connection: Connection, first: Row[Any], holder: Row[Any], name: str) -> None:
    """The two keep their ids and what people wrote on them, and change places in everything that came from LiveKit."""
    both = or_(consultations.c.id == first.id, consultations.c.id == holder.id)
    connection.execute(update(consultations).where(both).values(room_sid=None))
    for row, other, called in ((holder, first, name), (first, holder, name_of_later_room(name, holder.room_sid))):
        values = {column: getattr(other, column) for column in _FROM_LIVEKIT}
        connection.execute(update(consultations).where(consultations.c.id == row.id).values(room_name=called, **values))
    for table in ("participants", "recordings", "webhook_events"):
        connection.execute(
            text(
                f"UPDATE {table} SET consultation_id = CASE WHEN consultation_id = :one THEN CAST(:two AS uuid) ELSE CAST(:one AS uuid) END"
                " WHERE consultation_id IN (:one, :two)"
            ).bindparams(bindparam("one", first.id), bindparam("two", holder.id))
        )
