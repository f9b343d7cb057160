"""What reconciliation reads and writes in the store; what became of each call's recording is in resources.store.recording_outcomes. What follows
from it is decided in domain.reconciliation; LiveKit and the intake are asked in resources.reconciliation.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Row, and_, func, insert, or_, select, text, update

from domain.reconciliation import OpenCall, Somebody
from resources.live_tables import recording_orders
from resources.reconciliation_tables import reconciliation_runs
from resources.tables import consultations, participants, recordings, webhook_events

_TRY_LOCK = text("SELECT pg_try_advisory_lock(4419083327)")
_UNLOCK = text("SELECT pg_advisory_unlock(4419083327)")


def try_lock(connection: Connection) -> bool:
    """Whether nobody else is at it; until ``unlock`` or the connection's end."""
    return bool(connection.scalar(_TRY_LOCK))


def unlock(connection: Connection) -> None:
    connection.execute(_UNLOCK)


def open_calls(connection: Connection, room_sid: str | None = None) -> list[OpenCall]:
    """Every call whose room has been opened and which has not ended; or that of this room alone."""
    call = consultations.c
    heard = select(func.max(webhook_events.c.sent_at)).where(webhook_events.c.consultation_id == call.id).scalar_subquery()
    filmed = select(func.max(recordings.c.ended_at)).where(recordings.c.consultation_id == call.id).scalar_subquery()
    latest = func.greatest(heard, call.started_at, filmed)
    query = select(call.id, call.room_sid, call.room_name, func.coalesce(latest, call.created_at).label("heard_at"))
    wanted = and_(call.ended_at.is_(None), call.room_sid.is_not(None) if room_sid is None else call.room_sid == room_sid)
    rows = connection.execute(query.where(wanted)).all()
    people: dict[UUID, list[Somebody]] = {}
    here = select(participants).join(consultations).where(participants.c.left_at.is_(None), wanted)
    for row in connection.execute(here):
        heard_at = max(filter(None, (row.joined_at, row.microphone_at)), default=None)
        if heard_at is not None:
            people.setdefault(row.consultation_id, []).append(Somebody(row.sid, row.identity, heard_at))
    return [OpenCall(row.id, row.room_sid, row.room_name, row.heard_at, tuple(people.get(row.id, ()))) for row in rows]


def unheard(connection: Connection, egress_ids: Iterable[str]) -> set[str]:
    """Those of these egresses of whose end nobody has told."""
    wanted = set(egress_ids)
    told = select(webhook_events.c.egress_id).where(webhook_events.c.event_type == "egress_ended", webhook_events.c.egress_id.in_(wanted))
    return wanted - set(connection.scalars(told))


def waiting_files(connection: Connection) -> Sequence[Any]:
    """(intake_key, file_name, location) of every recording whose file may still be in the intake."""
    columns = (recordings.c.intake_key, recordings.c.file_name, recordings.c.location)
    return connection.execute(select(*columns).where(recordings.c.intake_cleared_at.is_(None), recordings.c.file_name != "")).all()


def order(connection: Connection, order_id: UUID, consultation_id: UUID) -> Row[Any] | None:
    """(the order, and its call's room_name, room_sid, ended_at), if this order is of this call."""
    call = consultations.c
    query = select(recording_orders, call.room_name, call.room_sid, call.ended_at.label("call_ended_at")).join(consultations)
    wanted = and_(recording_orders.c.id == order_id, recording_orders.c.consultation_id == consultation_id)
    return connection.execute(query.where(wanted)).first()


def call_named(connection: Connection, names: Iterable[str]) -> Any:
    """The one call whose room has one of these names, or one of these as its SID; None also where several have."""
    call, wanted = consultations.c, list(names)
    query = select(call.id, call.room_name, call.room_sid, call.started_at, call.ended_at)
    found = connection.execute(query.where(or_(call.room_name.in_(wanted), call.room_sid.in_(wanted)), call.room_sid.is_not(None))).all()
    return found[0] if len(found) == 1 else None


def close_lost_orders(connection: Connection, now: datetime, deadline: timedelta, alive: set[str]) -> list[UUID]:
    """Orders of calls that ended longer ago than ``deadline`` and of which LiveKit lists no running egress."""
    over = select(consultations.c.id).where(consultations.c.ended_at < now - deadline)
    lost = and_(
        recording_orders.c.ended_at.is_(None),
        recording_orders.c.consultation_id.in_(over),
        or_(recording_orders.c.egress_id.is_(None), recording_orders.c.egress_id.not_in(alive)),
    )
    closed = update(recording_orders).where(lost).values(ended_at=now, ended_as="lost").returning(recording_orders.c.consultation_id)
    return list(connection.scalars(closed))


def save_run(connection: Connection, started_at: datetime, now: datetime, counts: dict[str, int], trouble: Sequence[str]) -> None:
    row = {"id": uuid4(), "started_at": started_at, "finished_at": now, "counts": counts, "trouble": list(trouble)}
    connection.execute(insert(reconciliation_runs).values(**row))


def last_whole_run_began(engine: Engine) -> datetime | None:
    """When the latest began of the reconciliations that are finished and could ask everybody."""
    query = select(func.max(reconciliation_runs.c.started_at)).where(func.cardinality(reconciliation_runs.c.trouble) == 0)
    with engine.connect() as connection:
        found: datetime | None = connection.scalar(query)
        return found
