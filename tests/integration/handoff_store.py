"""Handoffs put into the store directly: calls, agents on duty, and what they do, each in a transaction of its own."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, insert

from domain.handoff import AgentStatus, Handoff, HandoffReason, accept, decline
from resources.store import duty, handoffs
from resources.tables import consultations, users

SINCE = datetime(2025, 3, 3, 15, tzinfo=UTC)


def new_call(engine: Engine) -> UUID:
    """A call that goes on, of a customer of its own."""
    customer, call = uuid4(), uuid4()
    with engine.begin() as connection:
        connection.execute(insert(users).values(id=customer, role="customer"))
        row = {"id": call, "room_name": f"room-{call}", "consultation_type": "claims", "customer_id": customer}
        connection.execute(insert(consultations).values(**row, started_at=datetime.now(UTC)))
    return call


def wanted(engine: Engine, call: UUID, now: datetime | None = None) -> UUID:
    """A handoff of this call, offered where somebody is free."""
    moment = now or datetime.now(UTC)
    with engine.begin() as connection:
        handoffs.take_queue(connection)
        found = handoffs.ask(connection, call, HandoffReason.REQUESTED, None, "bot", moment)
        handoffs.settle(connection, moment)
    return found


def available(engine: Engine, agent: UUID, now: datetime | None = None, status: AgentStatus = AgentStatus.AVAILABLE) -> None:
    moment = now or datetime.now(UTC)
    with engine.begin() as connection:
        handoffs.take_queue(connection)
        duty.set_status(connection, agent, status, moment)
        handoffs.settle(connection, moment)


def settled(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        handoffs.take_queue(connection)
        handoffs.settle(connection, now)


def taken(engine: Engine, handoff_id: UUID, agent: UUID, now: datetime | None = None) -> None:
    """Raises HandoffRefused; then nothing has changed."""
    moment = now or datetime.now(UTC)
    with engine.begin() as connection:
        handoffs.take_queue(connection)
        found = handoffs.find(connection, handoff_id)
        assert found is not None
        accepted = accept(found.handoff, str(agent), moment)
        assert handoffs.take_over(connection, accepted, agent, moment)
        handoffs.save(connection, accepted, moment)
        handoffs.settle(connection, moment)


def declined(engine: Engine, handoff_id: UUID, agent: UUID, now: datetime) -> None:
    with engine.begin() as connection:
        handoffs.take_queue(connection)
        found = handoffs.find(connection, handoff_id)
        assert found is not None
        handoffs.save(connection, decline(found.handoff, str(agent), now), now)
        handoffs.settle(connection, now)


def open_handoffs(engine: Engine) -> list[Handoff]:
    with engine.connect() as connection:
        return [one.handoff for one in handoffs.queue(connection)[1]]


def replayed(entries: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The queue of a dashboard, after it was told of a change."""
    entry = change["handoff"]
    rest = {one: entries[one] for one in entries if one != entry["id"]}
    return rest | ({entry["id"]: entry} if entry["state"] in ("waiting", "offered") else {})


def later(seconds: float) -> datetime:
    return SINCE + timedelta(seconds=seconds)
