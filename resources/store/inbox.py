"""The inbox: every webhook is kept, and applied to its consultation in the same transaction.

All merges are joins of a lattice (earliest start, latest end, union of tracks, one row per SID or file), so duplicates and any
order end in the same state. An event whose room nobody knows waits in the inbox and is applied when its room becomes known.
"""

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import Connection, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from domain import call_events
from domain.call_events import CallEvent, EgressSeen, FileSeen
from domain.consultations import name_of_later_room, type_from_room
from domain.failures import Reason
from domain.media_checks import egress_flags
from domain.parties import Party
from resources.livekit import read_stored
from resources.tables import Moment, consultations, failures, recordings, webhook_events

LEFT = frozenset({"participant_left", "participant_connection_aborted"})


class Outcome(StrEnum):
    APPLIED = "applied"
    WAITING = "waiting"
    DUPLICATE = "duplicate"


def receive(connection: Connection, event: CallEvent, body: str) -> Outcome:
    """Store and apply one verified event. Raises SQLAlchemy's errors; then nothing of it was stored."""
    consultation_id = _consultation_of(connection, event)
    values = {
        "event_id": event.id,
        "event_type": event.type,
        "room_sid": event.room.sid if event.room else None,
        "room_name": event.room.name if event.room else None,
        "egress_id": event.egress.id if event.egress else None,
        "egress_status": event.egress.status.value if event.egress else None,
        "sent_at": event.sent_at,
        "consultation_id": consultation_id,
        "applied_at": datetime.now(UTC) if consultation_id else None,
        "body": body,
    }
    if connection.execute(_STORE, values).first() is None:
        return Outcome.DUPLICATE
    if consultation_id is None:
        return Outcome.WAITING
    _apply(connection, event, consultation_id)
    return Outcome.APPLIED


def apply_waiting(connection: Connection, room_sid: str, consultation_id: UUID) -> int:
    """Apply the events that waited for this room to become known; returns how many."""
    waiting = connection.execute(
        select(webhook_events.c.id, webhook_events.c.body)
        .where(webhook_events.c.room_sid == room_sid, webhook_events.c.applied_at.is_(None))
        .order_by(webhook_events.c.id)
    ).all()
    for row in waiting:
        event = read_stored(row.body)
        _merge_times(connection, event)
        _apply(connection, event, consultation_id)
        connection.execute(
            update(webhook_events).where(webhook_events.c.id == row.id).values(applied_at=func.now(), consultation_id=consultation_id)
        )
    return len(waiting)


def _consultation_of(connection: Connection, event: CallEvent) -> UUID | None:
    """The consultation of the event's room, adopted if the room is recognisably ours; None if it is not known (yet)."""
    if event.room is None or not event.room.sid:
        return None
    known = _merge_times(connection, event)
    if known is None:
        # From here on one at a time per room name, so that two first events make one consultation and no waiting event is overlooked.
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(event.room.name, 0))))
        known = _merge_times(connection, event)
    if known is not None:
        consultation_id, room_name = known
        if room_name != event.room.name:
            _earliest_room_keeps_name(connection, event.room.name)
        return consultation_id
    adopted = _bind(connection, event) or _adopt(connection, event)
    if adopted is not None:
        apply_waiting(connection, event.room.sid, adopted)
        _earliest_room_keeps_name(connection, event.room.name)
    return adopted


def _merge_times(connection: Connection, event: CallEvent) -> tuple[UUID, str] | None:
    assert event.room is not None
    row = connection.execute(
        _MERGE_TIMES,
        {"sid": event.room.sid, "started": call_events.call_started_at(event), "ended": call_events.call_ended_at(event)},
    ).first()
    return (row.id, row.room_name) if row else None


def _bind(connection: Connection, event: CallEvent) -> UUID | None:
    """A consultation that was created before its room was opened gets the first room of its name."""
    assert event.room is not None
    bound: UUID | None = connection.execute(
        update(consultations)
        .where(consultations.c.room_name == event.room.name, consultations.c.room_sid.is_(None))
        .values(room_sid=event.room.sid)
        .returning(consultations.c.id)
    ).scalar()
    if bound is not None:
        _merge_times(connection, event)
    return bound


def _adopt(connection: Connection, event: CallEvent) -> UUID | None:
    assert event.room is not None
    kind = type_from_room(event.room.name, event.room.metadata)
    if kind is None:
        return None
    consultation_id = uuid4()
    values = {
        "id": consultation_id,
        "room_sid": event.room.sid,
        "consultation_type": kind.value,
        "started_at": call_events.call_started_at(event),
        "ended_at": call_events.call_ended_at(event),
    }
    for name in (event.room.name, name_of_later_room(event.room.name, event.room.sid)):
        made = connection.execute(
            insert(consultations).values(**values, room_name=name).on_conflict_do_nothing().returning(consultations.c.id)
        ).first()
        if made is not None:
            return consultation_id
    raise AssertionError("a room's SID names one consultation, and it was not there a moment ago under the lock")


def _earliest_room_keeps_name(connection: Connection, name: str) -> None:
    """Rooms that share a name: the one that began first is called by it, whichever webhook came first."""
    later = consultations.c.room_name.startswith(f"{name}~", autoescape=True)
    rows = connection.execute(
        select(consultations.c.id, consultations.c.room_name, consultations.c.room_sid)
        .where((consultations.c.room_name == name) | later)
        .order_by(consultations.c.started_at.nulls_last(), consultations.c.room_sid)
        .with_for_update()
    ).all()
    if len(rows) < 2 or rows[0].room_name == name:
        return
    for row in [*rows[1:], rows[0]]:  # the name must be free before the first one takes it
        wanted = name if row is rows[0] else name_of_later_room(name, row.room_sid)
        connection.execute(update(consultations).where(consultations.c.id == row.id).values(room_name=wanted))


def _apply(connection: Connection, event: CallEvent, consultation_id: UUID) -> None:
    if event.participant is not None:
        _merge_participant(connection, event, consultation_id)
    if event.egress is not None and event.type == "egress_ended":
        for file, reason in call_events.endings(event.egress):
            _add_recording(connection, event.egress, file, reason, consultation_id)


def _merge_participant(connection: Connection, event: CallEvent, consultation_id: UUID) -> None:
    person = event.participant
    assert person is not None
    party = call_events.party_of(person)
    if party is None or not person.sid:
        return
    audio = event.audio_track_sid if event.type == "track_published" else None
    connection.execute(
        _MERGE_PARTICIPANT,
        {
            "sid": person.sid,
            "consultation": consultation_id,
            "identity": person.identity,
            "role": party.value,
            "joined": person.joined_at,
            "left": event.sent_at if event.type in LEFT else None,
            "microphone": event.sent_at if audio else None,
            "tracks": [audio] if audio else [],
        },
    )
    if audio is None and party in (Party.ASSISTANT, Party.AGENT):
        connection.execute(_WHO_HANDLED, {"consultation": consultation_id})


def _add_recording(connection: Connection, egress: EgressSeen, file: FileSeen, reason: Reason | None, consultation_id: UUID) -> None:
    recording_id = uuid4()
    added = connection.execute(
        insert(recordings)
        .values(
            id=recording_id,
            consultation_id=consultation_id,
            egress_id=egress.id,
            file_name=file.name or file.location,
            location=file.location,
            egress_status=egress.status.value,
            layout=egress.layout.to_json(),
            started_at=file.started_at or egress.started_at,
            ended_at=file.ended_at or egress.ended_at,
            announced_bytes=file.size_bytes,
            announced_duration_ms=file.duration_ms,
            flags=[flag.value for flag in egress_flags(egress.status)],
            gave_up_at=func.now() if reason else None,
        )
        .on_conflict_do_nothing(index_elements=["egress_id", "file_name"])
        .returning(recordings.c.id)
    ).first()
    if added is not None and reason is not None:
        detail = f"egress {egress.id} ended as {egress.status.value} and left no file"
        connection.execute(
            insert(failures).values(
                recording_id=recording_id, stage="recordings", attempt=1, reason=reason.value, detail=detail, gave_up=True
            )
        )


# Built once: compiling them for every webhook would cost more than running them.
_MERGE_TIMES = (
    update(consultations)
    .where(consultations.c.room_sid == bindparam("sid"))
    .values(
        started_at=func.least(consultations.c.started_at, bindparam("started", type_=Moment)),
        ended_at=func.greatest(consultations.c.ended_at, bindparam("ended", type_=Moment)),
    )
    .returning(consultations.c.id, consultations.c.room_name)
)
_STORE = (
    insert(webhook_events)
    .values(
        {
            c: bindparam(c)
            for c in (
                "event_id",
                "event_type",
                "room_sid",
                "room_name",
                "egress_id",
                "egress_status",
                "sent_at",
                "consultation_id",
                "applied_at",
                "body",
            )
        }
    )
    .on_conflict_do_nothing()
    .returning(webhook_events.c.id)
)
_MERGE_PARTICIPANT = text(
    """
    INSERT INTO participants AS p (sid, consultation_id, identity, role, joined_at, left_at, microphone_at, audio_tracks)
    VALUES (:sid, :consultation, :identity, :role, :joined, :left, :microphone, :tracks)
    ON CONFLICT (sid) DO UPDATE SET
        role = CASE WHEN p.role = 'unknown' THEN excluded.role ELSE p.role END,
        joined_at = LEAST(p.joined_at, excluded.joined_at),
        left_at = GREATEST(p.left_at, excluded.left_at),
        microphone_at = LEAST(p.microphone_at, excluded.microphone_at),
        audio_tracks = CASE WHEN p.audio_tracks @> excluded.audio_tracks THEN p.audio_tracks
                       ELSE ARRAY(SELECT unnest(p.audio_tracks || excluded.audio_tracks) ORDER BY 1) END
    """
)
_WHO_HANDLED = text(
    """
    UPDATE video_consultations SET
        ai_handled = EXISTS (SELECT FROM participants WHERE consultation_id = :consultation AND role = 'assistant'),
        escalated_to_human = (SELECT count(DISTINCT role) = 2 FROM participants
                              WHERE consultation_id = :consultation AND role IN ('assistant', 'agent'))
    WHERE id = :consultation
    """
)
