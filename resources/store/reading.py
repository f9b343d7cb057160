"""What people look at: a consultation's transcript, the state of the whole. Nothing here changes anything."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, Engine, and_, case, exists, func, select

from domain.rules.intervals import touches
from domain.rules.shapes import Interval, Publication
from resources.compliance_tables import redacted_turns, redaction_runs
from resources.live_tables import promised_rooms
from resources.store import evaluations
from resources.store.call_times import call_start, offset_ms
from resources.tables import consultations, recordings, turns, webhook_events


@dataclass(frozen=True, slots=True)
class RecordingShown:
    """``offset_ms``: how far into the call it begins. ``archived``: whether there is something to play."""

    id: UUID
    stage: str
    flags: tuple[str, ...]
    offset_ms: int
    archived: bool


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
    """``publication`` is None before the call was judged; ``withdrawn_at_ms``: from there on in the call it may not be used; ``withheld``: nor may
    these stretches, though the rest is published; ``decided_by``: whether a person overturned what the rules made of ``consent``."""

    id: UUID
    type: str
    started_at: datetime | None
    duration_seconds: int | None
    publication: Publication | None
    consent: str | None
    decided_by: Literal["rules", "review"] | None
    withdrawn_at_ms: int | None
    withheld: tuple[Interval, ...]
    recordings: tuple[RecordingShown, ...]
    turns: tuple[TurnShown, ...]


class Reader:
    """Reads on connections of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transcript_page(self, consultation_id: UUID, *, everything: bool = False, original: bool = False) -> ConsultationTranscript | None:
        """The turns of a consultation as they may be shown, in order of time: redacted, and as far as consent goes.

        With ``everything`` also what is in quarantine, for compliance officers alone; with ``original`` the words themselves, of which card
        numbers and security codes are not kept.
        """
        with self._engine.connect() as connection:
            call = connection.execute(select(consultations).where(consultations.c.id == consultation_id)).mappings().first()
            if call is None:
                return None
            verdict = evaluations.newest(connection, consultation_id)
            media = connection.execute(
                select(recordings)
                .where(recordings.c.consultation_id == consultation_id)
                .order_by(recordings.c.announced_at, recordings.c.id)
            ).all()
            newest = recordings.c.redacted_transcript_id == recordings.c.current_transcript_id
            shown_to_others = recordings.c.searchable_transcript_id
            transcript = case((newest, recordings.c.current_transcript_id), else_=shown_to_others) if everything else shown_to_others
            # Of the transcript that is shown, and not of one that is on its way to take its place.
            redaction = (
                select(redaction_runs.c.id)
                .where(redaction_runs.c.transcript_id == transcript)
                .order_by((redaction_runs.c.id == recordings.c.redaction_id).desc(), redaction_runs.c.created_at.desc())
                .limit(1)
                .correlate(recordings)
                .scalar_subquery()
            )
            redacted = and_(redacted_turns.c.redaction_id == redaction, redacted_turns.c.position == turns.c.position)
            said = connection.execute(
                select(turns, redacted_turns.c.text.label("redacted"), recordings.c.started_at, recordings.c.announced_at)
                .select_from(recordings.join(turns, turns.c.transcript_id == transcript).outerjoin(redacted_turns, redacted))
                .where(recordings.c.consultation_id == consultation_id, redaction.is_not(None))
            ).all()
        withheld = evaluations.withheld(verdict)
        shown = []
        for turn in said:
            offset = offset_ms(turn.started_at, call_start(call["started_at"], turn.started_at, turn.announced_at))
            if not everything and touches(withheld, turn.start_ms + offset, turn.end_ms + offset):
                continue
            text = turn.text if original or turn.redacted is None else turn.redacted
            shown.append(TurnShown(turn.id, turn.role, turn.start_ms + offset, turn.end_ms + offset, text, turn.attribution))
        return ConsultationTranscript(
            id=consultation_id,
            type=call["consultation_type"],
            started_at=call["started_at"],
            duration_seconds=call["duration_seconds"],
            publication=Publication(verdict["publication"]) if verdict else None,
            consent=verdict["consent"] if verdict else None,
            decided_by=verdict["decided_by"] if verdict else None,
            withdrawn_at_ms=verdict["withdrawn_at_ms"] if verdict else None,
            withheld=withheld,
            recordings=tuple(
                RecordingShown(
                    row.id, row.stage, tuple(row.flags), offset_ms(row.started_at, call["started_at"]), row.archive_key is not None
                )
                for row in media
            ),
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
