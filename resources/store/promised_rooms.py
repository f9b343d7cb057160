"""Rooms that were promised: LiveKit is about to be asked for them, and may open one without ever saying so.

A promise is kept in the transaction that makes the consultation, by the room that LiveKit opened then; or it is broken, and then no call begins
in that room any more. A room whose promise is not kept is no consultation, whatever its webhooks tell; what is told of it waits. Neither is
another room of a name whose promise was kept: whoever has a token of the call makes LiveKit open one, after the call's end or when LiveKit
started anew. Who asks LiveKit, and closes all these: resources.room_promises.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Text, and_, column, delete, exists, func, select, text, update, values
from sqlalchemy.dialects.postgresql import insert

from resources.live_tables import idempotency_keys, promised_rooms
from resources.tables import consultations

_LOCK_NAME = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_PROMISE = promised_rooms.c


class PromiseBroken(Exception):
    """No call can begin in this room any more."""


def promise(connection: Connection, room_name: str) -> None:
    """Before LiveKit is asked, in a transaction of its own. Raises PromiseBroken."""
    added = insert(promised_rooms).values(room_name=room_name, promised_at=func.now())
    again = {"promised_at": added.excluded.promised_at}
    made = added.on_conflict_do_update(index_elements=["room_name"], set_=again, where=_PROMISE.broken_at.is_(None))
    if connection.execute(made.returning(_PROMISE.room_name)).first() is None:
        raise PromiseBroken


def lock(connection: Connection, room_name: str) -> None:
    """Until the transaction's end: one at a time begins a call in this room, gives it up, or takes in a first webhook of it."""
    connection.execute(_LOCK_NAME, {"name": room_name})


def keep(connection: Connection, room_name: str, room_sid: str) -> None:
    """In the transaction that makes the consultation, which holds the lock. Raises PromiseBroken."""
    open_one = and_(_PROMISE.room_name == room_name, _PROMISE.broken_at.is_(None), _PROMISE.room_sid.is_(None))
    kept = connection.execute(update(promised_rooms).where(open_one).values(room_sid=room_sid)).rowcount
    if not kept and not is_begun(connection, room_name):  # else somebody who sent the same key was faster
        raise PromiseBroken


def keep_unasked(connection: Connection, room_name: str, room_sid: str) -> None:
    """For a consultation that was there before its room, which nobody needed to promise. Its first room is the one."""
    added = insert(promised_rooms).values(room_name=room_name, promised_at=func.now(), room_sid=room_sid)
    connection.execute(added.on_conflict_do_nothing())


def give_up(connection: Connection, room_name: str, now: datetime) -> bool:
    """Whether the promise is broken from now on: not where the call was begun after all. Who sends its idempotency key again gets another room."""
    lock(connection, room_name)
    if is_begun(connection, room_name):
        in_which = select(consultations.c.room_sid).where(consultations.c.room_name == room_name).scalar_subquery()
        kept = update(promised_rooms).where(_PROMISE.room_name == room_name, _PROMISE.room_sid.is_(None)).values(room_sid=in_which)
        connection.execute(kept)
        return False
    broken = update(promised_rooms).where(_PROMISE.room_name == room_name).values(broken_at=func.coalesce(_PROMISE.broken_at, now))
    if connection.execute(broken).rowcount == 0:
        return False
    connection.execute(delete(idempotency_keys).where(idempotency_keys.c.room_name == room_name))
    return True


def is_begun(connection: Connection, room_name: str) -> bool:
    return bool(connection.scalar(select(exists().where(consultations.c.room_name == room_name))))


def overdue(connection: Connection, now: datetime, patience: timedelta) -> Sequence[str]:
    """Promises that nobody can be about to keep: whoever made them is gone."""
    open_one = and_(_PROMISE.broken_at.is_(None), _PROMISE.room_sid.is_(None))
    late = select(_PROMISE.room_name).where(open_one, _PROMISE.promised_at < now - patience)
    return connection.scalars(late.order_by(_PROMISE.promised_at)).all()


def to_close(connection: Connection) -> Sequence[tuple[str, datetime]]:
    """(room name, when its promise was broken) of each that LiveKit may still have."""
    broken = select(_PROMISE.room_name, _PROMISE.broken_at).where(_PROMISE.broken_at.is_not(None), _PROMISE.closed_at.is_(None))
    return [(row.room_name, row.broken_at) for row in connection.execute(broken.order_by(_PROMISE.promised_at))]


def closed(connection: Connection, room_name: str, now: datetime) -> None:
    """LiveKit has it no longer. The row stays, so that no late webhook makes a consultation of it."""
    connection.execute(update(promised_rooms).where(_PROMISE.room_name == room_name).values(closed_at=now))


def note(connection: Connection, seen: Iterable[tuple[str, str]], now: datetime) -> int:
    """(name, SID) of rooms that LiveKit has, or had a moment ago. How many are others than those in which the calls of their names were begun."""
    found = list(seen)
    if not found:
        return 0
    rooms = values(column("name", Text), column("sid", Text), name="seen").data(found)
    again = update(promised_rooms).where(_PROMISE.room_name == rooms.c.name, _PROMISE.room_sid != rooms.c.sid).values(came_again_at=now)
    return connection.execute(again).rowcount


def came_again(connection: Connection) -> Sequence[tuple[str, str, datetime]]:
    """(name, SID of the room in which the call was begun, since when another may be open) of each."""
    query = select(_PROMISE.room_name, _PROMISE.room_sid, _PROMISE.came_again_at).where(_PROMISE.came_again_at.is_not(None))
    return [(row.room_name, row.room_sid, row.came_again_at) for row in connection.execute(query.order_by(_PROMISE.came_again_at))]


def closed_again(connection: Connection, room_name: str, came_again_at: datetime) -> None:
    """LiveKit has it no longer, unless it was heard of anew meanwhile."""
    same = and_(_PROMISE.room_name == room_name, _PROMISE.came_again_at == came_again_at)
    connection.execute(update(promised_rooms).where(same).values(came_again_at=None))
