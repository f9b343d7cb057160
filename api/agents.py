"""Agents on duty: stating whether one is available, and what is waiting: the queue and the callbacks. Handing over itself is in api.handoffs."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from api.access import deed_of
from api.consultations import PROBLEMS
from api.handoff_bodies import CallbackOut, CallbacksOut, DutyOut, QueueOut
from api.problems import Responses, described, problem
from api.rooms import in_store
from domain.handoff import AgentStatus
from resources.store import audit, duty, handoffs

router = APIRouter(tags=["handoff"])

REFUSED: Responses = {409: described("It cannot be, as things are now: says why, and what to do")}


class Duty(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"status": "available"}})

    status: AgentStatus


@router.put("/api/agents/me/status", summary="Say whether one is available", response_model=DutyOut, responses=PROBLEMS)
def state_duty(request: Request, body: Duty) -> DutyOut | Response:
    """It counts for 30 seconds, and longer with each heartbeat."""
    agent = agent_id(request)
    if agent is None:
        return not_an_agent()

    def work(connection: Connection) -> DutyOut:
        handoffs.take_queue(connection)
        now = datetime.now(UTC)
        duty.set_status(connection, agent, body.status, now)
        audit.append(connection, deed_of(request, "agent.status", details=(("status", body.status.value),)))
        handoffs.settle(connection, now)
        return _duty(connection, agent, body.status)

    return in_store(request, work)


@router.post("/api/agents/me/heartbeat", summary="Say that one is still there", response_model=DutyOut, responses=PROBLEMS | REFUSED)
def beat(request: Request) -> DutyOut | Response:
    """Every ten seconds or so. The answer has what the agent is being offered."""
    agent = agent_id(request)
    if agent is None:
        return not_an_agent()

    def work(connection: Connection) -> DutyOut | Response:
        status = duty.heartbeat(connection, agent, datetime.now(UTC))
        if status is None:
            return problem(409, "No status yet", "Say first whether you are available: PUT /api/agents/me/status.")
        return _duty(connection, agent, status)

    return in_store(request, work)


@router.get("/api/handoff/queue", summary="Who waits for an agent", response_model=QueueOut, responses=PROBLEMS)
def read_queue(request: Request) -> QueueOut | Response:
    """The longest waiting first. ``number`` is that of the last change: GET /api/handoff/live?after=number goes on from there."""

    def work(connection: Connection) -> QueueOut:
        number, waiting = handoffs.queue(connection)
        now = datetime.now(UTC)
        available = sum(agent.status_at(now) is AgentStatus.AVAILABLE for agent in duty.on_duty(connection))
        return QueueOut.model_validate({"number": number, "handoffs": [one.entry for one in waiting], "available_agents": available})

    return in_store(request, work)


@router.get("/api/handoff/callbacks", summary="Whom to call back, and when", response_model=CallbacksOut, responses=PROBLEMS)
def read_callbacks(request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> CallbacksOut | Response:
    """Windows that have not ended, the next one first."""

    def work(connection: Connection) -> CallbacksOut:
        rows = handoffs.callbacks(connection, datetime.now(UTC), limit)
        return CallbacksOut(callbacks=[CallbackOut.model_validate(dict(row)) for row in rows])

    return in_store(request, work)


def agent_id(request: Request) -> UUID | None:
    """The caller as an agent: consultations know agents by UUID."""
    try:
        return UUID(request.state.caller.subject)
    except ValueError:
        return None


def not_an_agent() -> Response:
    return problem(422, "Not an agent's id", "The token's subject must be the agent's UUID, as in the table of users.")


def _duty(connection: Connection, agent: UUID, status: AgentStatus) -> DutyOut:
    offered = handoffs.offer_to(connection, agent)
    return DutyOut.model_validate({"status": status, "offer": offered.entry if offered else None})


def _unknown() -> Response:
    return problem(404, "No such handoff", "There is none with this id, or it is not yours.")
