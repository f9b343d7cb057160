"""What people look at: a consultation's transcript, the state of the whole. Nothing here changes anything."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, exists, func, select

from resources.live_tables import promised_rooms
from resources.tables import consultations, recordings, turns, webhook_events


@dataclass(frozen=True, slots=True)
class RecordingShown:
    id: UUID
    stage: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TurnShown:
    """Times are ms from the call's start."""

    turn_id: int
    role: str
    start_ms: int
    end_ms: int
    text: str
    attribution: str


@dataclass(frozen=True, slots=True)
class ConsultationTranscript:
    id: UUID
    type: str
    started_at: datetime | None
    duration_seconds: int | None
    recordings: tuple[RecordingShown, ...]
    turns: tuple[TurnShown, ...]


class Reader:
    """Reads on connections of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transcript_page(self, consultation_id: UUID) -> ConsultationTranscript | None:
        """What search may show of a consultation: the turns of its searchable transcripts, in order of time."""
        with self._engine.connect() as connection:
            call = connection.execute(select(consultations).where(consultations.c.id == consultation_id)).mappings().first()
            if call is None:
                return None
            media = (
                connection.execute(
                    select(recordings)
                    .where(recordings.c.consultation_id == consultation_id)
                    .order_by(recordings.c.announced_at, recordings.c.id)
                )
                .mappings()
                .all()
            )
            said = (
                connection.execute(
                    select(turns, recordings.c.started_at)
                    .select_from(recordings.join(turns, turns.c.transcript_id == recordings.c.searchable_transcript_id))
                    .where(recordings.c.consultation_id == consultation_id)
                )
                .mappings()
                .all()
            )
        began = call["started_at"]
        shown = []
        for turn in said:
            offset = turn["started_at"] - began if turn["started_at"] and began else None
            offset_ms = max(0, round(offset.total_seconds() * 1000)) if offset else 0
            shown.append(
                TurnShown(
                    turn["id"], turn["role"], turn["start_ms"] + offset_ms, turn["end_ms"] + offset_ms, turn["text"], turn["attribution"]
                )
            )
        return ConsultationTranscript(
            id=consultation_id,
            type=call["consultation_type"],
            started_at=began,
            duration_seconds=call["duration_seconds"],
            recordings=tuple(RecordingShown(row["id"], row["stage"], tuple(row["flags"])) for row in media),
            turns=tuple(sorted(shown, key=lambda turn: (turn.start_ms, turn.turn_id))),
        )


def unknown_rooms(connection: Connection) -> dict[str, int]:
    """Room name -> webhooks that wait for the room to become known. Rooms in which nothing was begun here never do, and are left out."""
    name = func.coalesce(webhook_events.c.room_name, webhook_events.c.room_sid)
    rows = connection.execute(
        select(name.label("name"), func.count().label("n"))
        .where(webhook_events.c.applied_at.is_(None), name.is_not(None), ~exists().where(promised_rooms.c.room_name == name))
        .group_by(name)
        .order_by(name)
    )
    return {row.name: row.n for row in rows}


def active_egresses(connection: Connection) -> int:
    """How many egresses have started and, as far as we heard, not ended."""
    ended = select(webhook_events.c.egress_id).where(webhook_events.c.event_type == "egress_ended", webhook_events.c.egress_id.is_not(None))
    return int(
        connection.execute(
            select(func.count(webhook_events.c.egress_id.distinct())).where(
                webhook_events.c.event_type == "egress_started", webhook_events.c.egress_id.not_in(ended)
            )
        ).scalar_one()
    )
