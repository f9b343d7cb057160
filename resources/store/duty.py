"""Which agents are on duty, and since when each waits for a customer. Whom to ask is decided in domain.handoff."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Text, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert

from domain.handoff import Agent, AgentStatus
from resources.handoff_tables import agents_on_duty, handoffs
from resources.tables import consultations, users

KEPT = timedelta(days=1)
"""How long somebody who says nothing is remembered, and how long changes of the queue are kept for dashboards that come back."""


def on_duty(connection: Connection) -> list[Agent]:
    """Every agent who has said something within a day."""
    duty = agents_on_duty.c
    offered = select(func.max(handoffs.c.offered_until)).where(handoffs.c.state == "offered", handoffs.c.agent == duty.agent)
    in_call = select(consultations.c.id).where(
        cast(consultations.c.agent_id, Text) == duty.agent,
        consultations.c.ended_at.is_(None),
        consultations.c.started_at.is_not(None),
    )
    query = select(agents_on_duty, offered.scalar_subquery().label("offered_until"), in_call.exists().label("in_call"))
    rows = connection.execute(query.where(duty.heartbeat_at > func.now() - KEPT)).all()
    return [
        Agent(row.agent, AgentStatus(row.status), row.available_since, row.heartbeat_at, row.offered_until, row.in_call) for row in rows
    ]


def set_status(connection: Connection, agent: UUID, status: AgentStatus, now: datetime) -> None:
    """Needs ``take_queue``. Whoever was available before and had not gone silent keeps their place."""
    connection.execute(insert(users).values(id=agent, role="agent").on_conflict_do_nothing())
    row = {"agent": str(agent), "status": status.value, "available_since": now, "heartbeat_at": now}
    made = insert(agents_on_duty).values(**row)
    before = next((one for one in on_duty(connection) if one.id == str(agent)), None)
    keeps = before is not None and status is AgentStatus.AVAILABLE and before.status_at(now) is AgentStatus.AVAILABLE
    changed = {name: value for name, value in row.items() if name != "agent" and not (keeps and name == "available_since")}
    connection.execute(made.on_conflict_do_update(index_elements=["agent"], set_=changed))


def heartbeat(connection: Connection, agent: UUID, now: datetime) -> AgentStatus | None:
    """The agent's status, None where none was ever stated. Back from silence one waits anew. Needs no lock: only the agent writes its row."""
    before = connection.execute(select(agents_on_duty).where(agents_on_duty.c.agent == str(agent)).with_for_update()).first()
    if before is None:
        return None
    status = AgentStatus(before.status)
    silent = Agent(str(agent), status, before.available_since, before.heartbeat_at).status_at(now) is not status
    values = {"heartbeat_at": now, **({"available_since": now} if silent else {})}
    connection.execute(update(agents_on_duty).where(agents_on_duty.c.agent == str(agent)).values(**values))
    return status
