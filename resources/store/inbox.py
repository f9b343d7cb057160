"""The inbox: every webhook is kept, and applied to its consultation in the same transaction.

All merges are joins of a lattice (earliest start, latest end, union of tracks, one row per SID or file), so duplicates and any
order end in the same state. An event whose room nobody knows waits in the inbox and is applied when its room becomes known.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Engine, Row, case, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from domain import call_events
from domain.call_events import CallEvent, EgressSeen, FileSeen
from domain.consultations import name_of_later_room, type_from_room
from domain.failures import Reason
from domain.media_checks import egress_flags
from domain.parties import Party
from resources.livekit import read_stored
from resources.store import promised_rooms
from resources.store.room_names import earliest_room_keeps_name
from resources.tables import failures, recordings, webhook_events

LEFT = frozenset({"participant_left", "participant_connection_aborted"})


class Outcome(StrEnum):
    APPLIED = "applied"
    WAITING = "waiting"
    DUPLICATE = "duplicate"


class Inbox:
    """Takes webhooks in, on connections of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._one_statement = engine.execution_options(isolation_level="AUTOCOMMIT")

    def receive(self, event: CallEvent, body: str) -> Outcome:
        """Store and apply one verified event in one transaction. Raises SQLAlchemy's errors; then nothing of it was stored."""
        if event.room is not None and event.type != "room_started":
            if event.type == "egress_ended" and self._ended_in_known_room(event, body):
                return Outcome.APPLIED
            if event.type != "egress_ended" and self._stored_for_known_room(event, body):
                return Outcome.APPLIED
        with self._engine.begin() as connection:
            if event.room is not None and event.room.sid:
                # First of all, for whoever waits for a lock must hold no row: one at a time per room name, so that two
                # first events make one consultation and no waiting event is overlooked.
                connection.exec_driver_sql(_LOCK_NAME, {"name": event.room.name})
                make_room_known(connection, event)
            stored = _store_and_merge(connection, event, body, _STORE, _STORE_PERSON)
            return Outcome.DUPLICATE if stored is None else _finish(connection, event, stored)

    def _stored_for_known_room(self, event: CallEvent, body: str) -> bool:
        """Nearly every event: its room is known, and one statement, a transaction of its own, says it all."""
        with self._one_statement.connect() as connection:
            stored = _store_and_merge(connection, event, body, _STORE_KNOWN, _STORE_KNOWN_PERSON)
        if stored is None or event.room is None:
            return False
        if stored.room_name != event.room.name:
            with self._engine.begin() as connection:
                connection.exec_driver_sql(_LOCK_NAME, {"name": event.room.name})
                earliest_room_keeps_name(connection, event.room.name)
        return True

    def _ended_in_known_room(self, event: CallEvent, body: str) -> bool:
        """Recordings of a known room need no lock on its name: the call's row is locked. What turns out otherwise leaves nothing behind."""
        with self._engine.connect() as connection, connection.begin() as transaction:
            stored = _store_and_merge(connection, event, body, _STORE_KNOWN, _STORE_KNOWN_PERSON)
            if stored is None or event.room is None or stored.room_name != event.room.name:
                transaction.rollback()
                return False
            _add_recordings(connection, event, stored.consultation_id)
        return True


def apply_waiting(connection: Connection, room_sid: str, consultation_id: UUID) -> int:
    """Apply the events that waited for this room to become known; returns how many."""
    waiting = connection.execute(
        select(webhook_events.c.id, webhook_events.c.body)
        .where(webhook_events.c.room_sid == room_sid, webhook_events.c.applied_at.is_(None))
        .order_by(webhook_events.c.id)
    ).all()
    for row in waiting:
        event = read_stored(row.body)
        _merge(connection, event)
        _add_recordings(connection, event, consultation_id)
        applied = {"applied_at": func.now(), "consultation_id": consultation_id}
        connection.execute(update(webhook_events).where(webhook_events.c.id == row.id).values(**applied))
    return len(waiting)


def make_room_known(connection: Connection, event: CallEvent) -> None:
    """Find or make the consultation of the event's room, if it is recognisably ours, and apply what waited for it."""
    assert event.room is not None
    kind = type_from_room(event.room.name, event.room.metadata)
    values = {"id": uuid4(), "name": event.room.name, "sid": event.room.sid, "type": kind.value if kind else None}
    values["asked"] = event.room.name
    bound = connection.exec_driver_sql(_BIND if kind is None else _BIND_OR_ADOPT, values).first()
    if bound is None and kind is None:  # a name that somebody wrote down as ours stays ours, also for a room that takes it again
        values["type"] = connection.exec_driver_sql(_TYPE_OF_NAME, values).scalar()
    if bound is None and values["type"] is not None and connection.exec_driver_sql(_KNOWN, {"sid": event.room.sid}).first() is None:
        later = {**values, "name": name_of_later_room(event.room.name, event.room.sid)}
        bound = connection.exec_driver_sql(_BIND_OR_ADOPT, later).first()
    if bound is not None and bound.waited_for:
        apply_waiting(connection, event.room.sid, bound.id)


def _finish(connection: Connection, event: CallEvent, stored: Row[Any]) -> Outcome:
    if stored.consultation_id is None:
        if event.room is not None and event.type != "room_finished":
            promised_rooms.note(connection, [(event.room.name, event.room.sid)], datetime.now(UTC))
        return Outcome.WAITING
    if event.room is not None and stored.room_name != event.room.name:
        earliest_room_keeps_name(connection, event.room.name)
    _add_recordings(connection, event, stored.consultation_id)
    return Outcome.APPLIED


def _store_and_merge(connection: Connection, event: CallEvent, body: str, plain: str, with_person: str) -> Row[Any] | None:
    """(consultation_id or None, room_name) of the stored event; None if it was there before or, in the quick way, its room is not known."""
    person = _person(event)
    values = {
        "event_id": event.id,
        "event_type": event.type,
        "room_name": event.room.name if event.room else None,
        "egress_id": event.egress.id if event.egress else None,
        "egress_status": event.egress.status.value if event.egress else None,
        "sent_at": event.sent_at,
        "body": body,
        **_times(event),
    }
    if person is None:
        return connection.exec_driver_sql(plain, values).first()
    return connection.exec_driver_sql(with_person, {**values, **person}).first()


def _merge(connection: Connection, event: CallEvent) -> UUID | None:
    """Merge what the event says about call and participant without storing it; returns the consultation, None if it is not known."""
    person = _person(event)
    values = _times(event)
    found = (
        connection.exec_driver_sql(_MERGE, values) if person is None else connection.exec_driver_sql(_MERGE_PERSON, {**values, **person})
    )
    consultation_id: UUID | None = found.scalar()
    return consultation_id


def _times(event: CallEvent) -> dict[str, Any]:
    party = call_events.party_of(event.participant) if event.participant else None
    return {
        "room_sid": event.room.sid if event.room else None,
        "started": call_events.call_started_at(event),
        "ended": call_events.call_ended_at(event),
        "by_assistant": party is Party.ASSISTANT,
        "by_agent": party is Party.AGENT,
    }


def _person(event: CallEvent) -> dict[str, Any] | None:
    """What the event says about a participant who is a party of the call."""
    person = event.participant
    party = call_events.party_of(person) if person else None
    if person is None or party is None or not person.sid:
        return None
    audio = event.audio_track_sid if event.type == "track_published" else None
    return {
        "sid": person.sid,
        "identity": person.identity,
        "role": party.value,
        "joined": person.joined_at,
        "left": event.sent_at if event.type in LEFT else None,
        "microphone": event.sent_at if audio else None,
        "tracks": [audio] if audio else [],
    }


def _add_recordings(connection: Connection, event: CallEvent, consultation_id: UUID) -> None:
    if event.egress is not None and event.type == "egress_ended":
        for file, reason in call_events.endings(event.egress):
            _add_recording(connection, event.egress, file, reason, consultation_id)


def _add_recording(connection: Connection, egress: EgressSeen, file: FileSeen, reason: Reason | None, consultation_id: UUID) -> None:
    """A file beats the news that there is none, and of two endings of one egress the better one counts, whichever came first."""
    if reason is not None and connection.exec_driver_sql(_HAS_FILE, {"egress_id": egress.id}).first() is not None:
        return
    recording_id = uuid4()
    values = {
        "id": recording_id,
        "consultation_id": consultation_id,
        "egress_id": egress.id,
        "file_name": file.name or file.location,
        "location": file.location,
        "egress_status": egress.status.value,
        "layout": egress.layout.to_json(),
        "started_at": file.started_at or egress.started_at,
        "ended_at": file.ended_at or egress.ended_at,
        "announced_bytes": file.size_bytes,
        "announced_duration_ms": file.duration_ms,
        "flags": [flag.value for flag in egress_flags(egress.status)],
        "gave_up_at": datetime.now(UTC) if reason else None,
    }
    added = connection.execute(_ADD_RECORDING, values).first()
    if reason is None:
        if added is not None and added.id == recording_id and added.news_of_none:
            connection.exec_driver_sql(_FORGET_MISSING_FILE, {"egress_id": egress.id})
    elif added is not None and added.id == recording_id:
        detail = f"egress {egress.id} ended as {egress.status.value} and left no file"
        failed = {"stage": "recordings", "attempt": 1, "reason": reason.value, "detail": detail, "gave_up": True}
        connection.execute(insert(failures), {"recording_id": recording_id, **failed})


def _rank(status: ColumnElement[str]) -> ColumnElement[int]:
    better = ("EGRESS_FAILED", "EGRESS_ABORTED", "EGRESS_LIMIT_REACHED", "EGRESS_COMPLETE")
    return case({name: place for place, name in enumerate(better, 1)}, value=status, else_=0)


# The statements of every webhook are one round trip each, and written out: building and compiling them anew costs more than running them.
_CALL = """
    call AS (
        UPDATE video_consultations SET
            started_at = LEAST(started_at, %(started)s::timestamptz),
            ended_at = GREATEST(ended_at, %(ended)s::timestamptz),
            ai_handled = ai_handled OR %(by_assistant)s,
            escalated_to_human = escalated_to_human OR (%(by_agent)s AND ai_handled) OR (%(by_assistant)s AND EXISTS (
                SELECT FROM participants WHERE consultation_id = video_consultations.id AND role = 'agent'))
        WHERE room_sid = %(room_sid)s
        RETURNING id, room_name
    )"""
_SOMEBODY = """,
    somebody AS (
        INSERT INTO participants AS p (sid, consultation_id, identity, role, joined_at, left_at, microphone_at, audio_tracks)
        SELECT %(sid)s, id, %(identity)s, %(role)s, %(joined)s::timestamptz, %(left)s::timestamptz, %(microphone)s::timestamptz, %(tracks)s::text[]
        FROM call
        ON CONFLICT (sid) DO UPDATE SET
            role = CASE WHEN p.role = 'unknown' THEN excluded.role ELSE p.role END,
            joined_at = LEAST(p.joined_at, excluded.joined_at),
            left_at = GREATEST(p.left_at, excluded.left_at),
            microphone_at = LEAST(p.microphone_at, excluded.microphone_at),
            audio_tracks = CASE WHEN p.audio_tracks @> excluded.audio_tracks THEN p.audio_tracks
                           ELSE ARRAY(SELECT unnest(p.audio_tracks || excluded.audio_tracks) ORDER BY 1) END
    )"""
_INTO_INBOX = """
    INSERT INTO webhook_events
        (event_id, event_type, room_sid, room_name, egress_id, egress_status, sent_at, body, consultation_id, applied_at)
    SELECT %(event_id)s, %(event_type)s, %(room_sid)s, %(room_name)s, %(egress_id)s, %(egress_status)s, %(sent_at)s, %(body)s,
           call.id, CASE WHEN call.id IS NOT NULL THEN now() END
    FROM {source}
    ON CONFLICT DO NOTHING
    RETURNING consultation_id, (SELECT room_name FROM call) AS room_name"""
_ALWAYS, _IF_KNOWN = _INTO_INBOX.format(source="(SELECT) AS one LEFT JOIN call ON true"), _INTO_INBOX.format(source="call")
_STORE = f"WITH {_CALL} {_ALWAYS}"
_STORE_PERSON = f"WITH {_CALL} {_SOMEBODY} {_ALWAYS}"
_STORE_KNOWN = f"WITH {_CALL} {_IF_KNOWN}"
_STORE_KNOWN_PERSON = f"WITH {_CALL} {_SOMEBODY} {_IF_KNOWN}"
_MERGE = f"WITH {_CALL} SELECT id FROM call"
_MERGE_PERSON = f"WITH {_CALL} {_SOMEBODY} SELECT id FROM call"
_LOCK_NAME = "SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))"
_KNOWN = "SELECT id FROM video_consultations WHERE room_sid = %(sid)s"
# A room that is known yields no row, and neither does a name that is taken, or one that was promised. A consultation that was created
# before its room was opened gets the first room of its name.
_TYPE_OF_NAME = "SELECT consultation_type FROM video_consultations WHERE room_name = %(name)s"
_WAITED_FOR = "EXISTS (SELECT FROM webhook_events WHERE room_sid = %(sid)s AND applied_at IS NULL) AS waited_for"
_PROMISED = "SELECT FROM promised_rooms WHERE room_name = %(asked)s"
_BIND = f"""
    UPDATE video_consultations SET room_sid = %(sid)s
    WHERE room_name = %(name)s AND room_sid IS NULL AND NOT EXISTS ({_KNOWN})
    RETURNING id, {_WAITED_FOR}"""
_BIND_OR_ADOPT = f"""
    INSERT INTO video_consultations AS c (id, room_name, room_sid, consultation_type)
    SELECT %(id)s::uuid, %(name)s, %(sid)s, %(type)s WHERE NOT EXISTS ({_KNOWN}) AND NOT EXISTS ({_PROMISED})
    ON CONFLICT (room_name) DO UPDATE SET room_sid = excluded.room_sid WHERE c.room_sid IS NULL
    RETURNING id, {_WAITED_FOR}"""
_HAS_FILE = "SELECT FROM recordings WHERE egress_id = %(egress_id)s AND file_name <> '' LIMIT 1"
_FORGET_MISSING_FILE = """
    WITH gone AS (DELETE FROM failures USING recordings r
                  WHERE r.id = recording_id AND r.egress_id = %(egress_id)s AND r.file_name = '' RETURNING recording_id)
    DELETE FROM recordings WHERE egress_id = %(egress_id)s AND file_name = '' AND id IN (SELECT recording_id FROM gone)"""
_add = insert(recordings)
_missing = recordings.alias("missing")
_ADD_RECORDING = _add.on_conflict_do_update(
    index_elements=["egress_id", "file_name"],
    set_={"egress_status": _add.excluded.egress_status, "flags": _add.excluded.flags},
    where=_rank(_add.excluded.egress_status) > _rank(recordings.c.egress_status),
).returning(
    recordings.c.id, exists().where(_missing.c.egress_id == recordings.c.egress_id, _missing.c.file_name == "").label("news_of_none")
)
