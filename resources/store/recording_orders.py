"""Recordings that were asked for here, as rows: what a call's situation is, and what became of each order. What to order is decided in
domain.recording_control, and done in resources.call_recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, and_, case, func, insert, or_, select, text, update

from domain.audit import Deed, Outcome
from domain.consent import STAFF, ConsentTable
from domain.egress_layout import EgressLayout
from domain.parties import Party
from domain.recording_control import Order, Situation, StopReason
from resources.live_tables import consent_records, recording_orders
from resources.store import audit, consents
from resources.tables import consultations, participants, recordings

_LOCK_CALL = text("SELECT pg_try_advisory_lock(1917026425, hashtext(:call))")
_UNLOCK_CALL = text("SELECT pg_advisory_unlock(1917026425, hashtext(:call))")


@dataclass(frozen=True, slots=True)
class DrivenCall:
    """A call whose recordings are started and stopped from here."""

    consultation_id: UUID
    room_name: str
    situation: Situation


def try_lock(connection: Connection, consultation_id: UUID) -> bool:
    """Whether this connection now has the call to itself, until ``unlock`` or its end."""
    return bool(connection.scalar(_LOCK_CALL, {"call": str(consultation_id)}))


def unlock(connection: Connection, consultation_id: UUID) -> None:
    connection.execute(_UNLOCK_CALL, {"call": str(consultation_id)})


def to_look_after(connection: Connection) -> list[UUID]:
    """Driven calls that could be recorded, and all that have an order open. Nothing is to be done for a call in which nobody is, or in which
    neither has anybody consented nor is anybody who need not be asked."""
    somebody = select(participants.c.sid).where(participants.c.consultation_id == consultations.c.id, participants.c.left_at.is_(None))
    staff = somebody.where(participants.c.role.in_([party.value for party in STAFF]))
    said = consent_records.c
    yes = select(said.id).where(said.consultation_id == consultations.c.id, said.outcome.in_(("granted", "implied")))
    going_on = select(consultations.c.id).where(
        consultations.c.recording_driven, consultations.c.ended_at.is_(None), somebody.exists(), or_(yes.exists(), staff.exists())
    )
    asked = select(recording_orders.c.consultation_id).where(recording_orders.c.ended_at.is_(None))
    return list(connection.scalars(going_on.union(asked)))


def call_of_room(connection: Connection, room_sid: str) -> UUID | None:
    """The driven call of a room, if there is one."""
    found = select(consultations.c.id).where(consultations.c.room_sid == room_sid, consultations.c.recording_driven)
    return connection.scalar(found)


def shown(connection: Connection, consultation_id: UUID) -> Sequence[RowMapping]:
    """Everything that was or is recorded of a call, by the time of its order or of its file: orders from here, and recordings of others."""
    asked = select(recording_orders).where(recording_orders.c.consultation_id == consultation_id).subquery()
    come = select(recordings).where(recordings.c.consultation_id == consultation_id).subquery()
    orders, files = asked.c, come.c
    began = func.coalesce(orders.ordered_at, files.started_at)
    query = select(
        func.coalesce(orders.egress_id, files.egress_id).label("egress_id"),
        orders.ordered_at, func.coalesce(orders.active_at, files.started_at).label("active_at"), orders.stop_ordered_at, orders.stop_because,
        orders.refused_at,
        func.coalesce(files.ended_at, orders.ended_at).label("ended_at"), func.coalesce(files.egress_status, orders.ended_as).label("ended_as"),
        files.id.label("recording_id"), files.stage, files.gave_up_at, files.duration_ms, files.flags,
    ).select_from(asked.join(come, orders.egress_id == files.egress_id, full=True))  # fmt: skip
    return connection.execute(query.order_by(began, orders.id, files.id)).mappings().all()


def read(connection: Connection, consultation_id: UUID, table: ConsentTable, now: datetime) -> DrivenCall | None:
    """None where the call's recordings are not this system's to start, and none was."""
    call = connection.execute(select(consultations).where(consultations.c.id == consultation_id)).one_or_none()
    if call is None:
        return None
    asked = connection.execute(select(recording_orders).where(recording_orders.c.consultation_id == consultation_id)).all()
    if not call.recording_driven and not asked:
        return None
    gate = consents.gate_now(connection, consultation_id, table, now)
    here = select(participants.c.identity, participants.c.role).where(
        participants.c.consultation_id == consultation_id, participants.c.left_at.is_(None)
    )
    situation = Situation(
        going_on=call.ended_at is None and call.recording_driven,
        gate_open=gate.open,
        refused=bool(gate.refused),
        refused_at=gate.refused_at,
        customer=str(call.customer_id) if call.customer_id else None,
        people={row.identity: Party(row.role) for row in connection.execute(here)},
        orders=tuple(_order(row._mapping) for row in asked if row.ended_at is None),
        failed_at=tuple(row.ended_at for row in asked if row.ended_at and not row.stop_ordered_at),
    )
    return DrivenCall(consultation_id, call.room_name, situation)


def ask(connection: Connection, consultation_id: UUID, layout: EgressLayout, now: datetime) -> UUID:
    """Write down that a recording is about to be asked for. Commit before asking: so none runs that nobody knows of."""
    order_id = uuid4()
    row = {"id": order_id, "consultation_id": consultation_id, "layout": layout.to_json(), "ordered_at": now}
    connection.execute(insert(recording_orders).values(**row))
    return order_id


def answered(connection: Connection, call: DrivenCall, order_id: UUID, egress_id: str) -> None:
    """LiveKit has taken the order: known from its answer or from its list, whichever came first, and also where it was given up meanwhile."""
    table = recording_orders.c
    given_up = table.ended_as == "unanswered"
    values = {"egress_id": egress_id, "ended_at": case((given_up, None), else_=table.ended_at)}
    values["ended_as"] = case((given_up, None), else_=table.ended_as)
    row = update(recording_orders).where(table.id == order_id, table.egress_id.is_(None)).values(**values)
    if connection.execute(row).rowcount == 0:
        return
    _record(connection, call, order_id, "recording.start", Outcome.DONE, (("egress", egress_id),))


def failed(connection: Connection, call: DrivenCall, order_id: UUID, ended_as: str, why: str, now: datetime) -> None:
    """Nothing came of the order, unless it is known to have been taken."""
    open_one = and_(recording_orders.c.id == order_id, recording_orders.c.egress_id.is_(None), recording_orders.c.ended_at.is_(None))
    if connection.execute(update(recording_orders).where(open_one).values(ended_at=now, ended_as=ended_as)).rowcount == 0:
        return
    _record(connection, call, order_id, "recording.start", Outcome.FAILED, (("why", why),))


def active(connection: Connection, order_id: UUID, at: datetime) -> None:
    _change(connection, order_id, active_at=at)


def stop_asked(connection: Connection, call: DrivenCall, order_id: UUID, because: StopReason, now: datetime) -> None:
    """LiveKit has been told to stop. Where a party refused, the moment of that is the mark: what was said before may be kept, later nothing,
    however long LiveKit took."""
    refused_at = call.situation.refused_at if because is StopReason.REFUSED else None
    _change(connection, order_id, stop_ordered_at=now, stop_because=because.value, refused_at=refused_at)
    details = (("why", because.value), *((("refused_at", refused_at.isoformat()),) if refused_at else ()))
    _record(connection, call, order_id, "recording.stop", Outcome.DONE, details)


def stop_failed(connection: Connection, call: DrivenCall, order_id: UUID, because: StopReason, why: str) -> None:
    _record(connection, call, order_id, "recording.stop", Outcome.FAILED, (("why", because.value), ("trouble", why)))


def ended(connection: Connection, order_id: UUID, ended_as: str, at: datetime) -> None:
    """The egress is over."""
    _change(connection, order_id, ended_at=at, ended_as=ended_as)


def _change(connection: Connection, order_id: UUID, **values: object) -> None:
    connection.execute(update(recording_orders).where(recording_orders.c.id == order_id).values(**values))


def _record(
    connection: Connection, call: DrivenCall, order_id: UUID, action: str, outcome: Outcome, details: tuple[tuple[str, str], ...]
) -> None:
    deed = Deed("verbatim", "service", action, outcome, consultation_id=call.consultation_id, subject=str(order_id), details=details)
    audit.append(connection, deed)


def _order(row: RowMapping) -> Order:
    return Order(
        id=row["id"],
        layout=EgressLayout.from_json(row["layout"]),
        ordered_at=row["ordered_at"],
        egress_id=row["egress_id"],
        active=row["active_at"] is not None,
        stop_asked_at=row["stop_ordered_at"],
        stop_because=StopReason(row["stop_because"]) if row["stop_because"] else None,
    )
