"""Consultations as they begin: the row of a call whose room was just opened, and who may enter it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from domain.consultations import ConsultationType
from domain.roles import Caller, Role
from resources.live_tables import idempotency_keys
from resources.store import promised_rooms
from resources.store.calls import visible_to
from resources.store.inbox import apply_waiting
from resources.tables import claims, consultations, quotes, users


class KeyReused(Exception):
    """The caller's idempotency key stands for another request."""


class CallOver(Exception):
    """The call that the idempotency key stands for has ended, or its room is gone."""


class NotTheirs(Exception):
    """The quote or claim is unknown, or another customer's. ``str()`` says which of the two it is about."""


@dataclass(frozen=True, slots=True)
class NewCall:
    """``jurisdiction``: ISO 3166-2 code of where the customer says to be."""

    kind: ConsultationType
    customer_id: UUID
    quote_id: UUID | None = None
    claim_id: UUID | None = None
    jurisdiction: str | None = None


def remember(connection: Connection, actor: str, key: str, request_hash: str, room_name: str) -> tuple[UUID, str]:
    """(consultation id, room name) that the key stands for: those of its first use, else new ones. Raises KeyReused, CallOver."""
    values = {"actor": actor, "key": key, "request_hash": request_hash, "consultation_id": uuid4(), "room_name": room_name}
    connection.execute(insert(idempotency_keys).values(**values).on_conflict_do_nothing())
    table = idempotency_keys.c
    row = connection.execute(select(idempotency_keys).where(table.actor == actor, table.key == key)).one()
    if row.request_hash != request_hash:
        raise KeyReused
    ended = select(consultations.c.ended_at).where(consultations.c.room_name == row.room_name)
    if connection.scalar(ended) is not None:
        raise CallOver
    return row.consultation_id, row.room_name


def sid_of_begun(connection: Connection, room_name: str) -> str | None:
    """The SID of the room in which the call was begun before; None where it was not."""
    found: str | None = connection.scalar(select(consultations.c.room_sid).where(consultations.c.room_name == room_name))
    return found


def require_theirs(connection: Connection, call: NewCall) -> None:
    """Raises NotTheirs."""
    for table, found, what in ((quotes, call.quote_id, "quote"), (claims, call.claim_id, "claim")):
        if found is None:
            continue
        owner = connection.execute(select(table.c.customer_id).where(table.c.id == found)).first()
        if owner is None or owner.customer_id not in (None, call.customer_id):
            raise NotTheirs(what)


def begin(connection: Connection, consultation_id: UUID, room_name: str, room_sid: str, call: NewCall, *, driven: bool) -> RowMapping:
    """The consultation of a room that was promised and is open, with what its webhooks have told. Where somebody with the same key was faster
    it is theirs. Raises NotTheirs, PromiseBroken, and CallOver where the room is another one than that of the consultation.

    ``driven``: whether its recordings are started and stopped from here.
    """
    promised_rooms.lock(connection, room_name)
    promised_rooms.keep(connection, room_name, room_sid)
    connection.execute(insert(users).values(id=call.customer_id, role="customer").on_conflict_do_nothing())
    values: dict[str, Any] = {
        "consultation_type": call.kind.value,
        "customer_id": call.customer_id,
        "quote_id": call.quote_id,
        "claim_id": call.claim_id,
        "jurisdictions": {"customer": call.jurisdiction} if call.jurisdiction else {},
        "recording_driven": driven,
    }
    row = insert(consultations).values(id=consultation_id, room_name=room_name, room_sid=room_sid, **values)
    made = row.on_conflict_do_update(index_elements=["room_name"], set_=values).returning(*consultations.c)
    try:
        begun = connection.execute(made).mappings().one()
    except IntegrityError as error:
        raise NotTheirs("quote or claim") from error
    if begun["room_sid"] != room_sid:
        raise CallOver
    apply_waiting(connection, room_sid, begun["id"])
    return begun


def open_room(connection: Connection, caller: Caller, role: Role, room_name: str) -> RowMapping | None:
    """The consultation of a room, if it is going on and this caller belongs in it."""
    may_enter = true() if role is Role.SUPERVISOR else visible_to(caller, role)
    table = consultations.c
    query = select(consultations).where(table.room_name == room_name, table.ended_at.is_(None), table.archived.is_(False), may_enter)
    return connection.execute(query).mappings().first()
