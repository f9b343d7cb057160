"""What the routes of handoffs answer. Nobody's name is in it, and what the assistant summed up only for the agent who accepts."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from domain.consultations import ConsultationType
from domain.handoff import AgentStatus, Callback, HandoffReason, Waiting
from resources.store.handoffs import Stored, state_name

StateName = Literal["waiting", "offered", "accepted", "callback", "cancelled"]
CALL, HANDOFF, CUSTOMER, AGENT = (
    "0b6f2c1e-6a6a-4d39-9c0e-3f5d4f0f9a11",
    "7c0b86a0-52f1-4f0e-a0e3-3c9f6a1d2b44",
    "9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e",
    "3e7a1f0c-2b4d-4c1e-9f60-1a2b3c4d5e6f",
)
IN_QUEUE: JsonDict = {
    "id": HANDOFF,
    "consultation_id": CALL,
    "type": "claims",
    "reason": "requested",
    "since": "2025-03-03T15:02:10Z",
    "state": "offered",
    "agent": AGENT,
    "offered_until": "2025-03-03T15:02:41Z",
}


TO_CALL: JsonDict = {
    "id": HANDOFF,
    "consultation_id": CALL,
    "customer_id": CUSTOMER,
    "reason": "requested",
    "callback_start": "2025-03-04T17:00:00Z",
    "callback_end": "2025-03-04T19:00:00Z",
}


class HandoffOut(BaseModel):
    """``nobody_left``: no agent can be asked now, so the customer may choose to be called back. Times in UTC."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": HANDOFF,
                "consultation_id": CALL,
                "state": "waiting",
                "reason": "requested",
                "since": "2025-03-03T15:02:10Z",
                "nobody_left": False,
                "callback_start": None,
                "callback_end": None,
            }
        }
    )

    id: UUID
    consultation_id: UUID
    state: StateName
    reason: HandoffReason
    since: datetime
    nobody_left: bool
    callback_start: datetime | None
    callback_end: datetime | None

    @classmethod
    def of(cls, stored: Stored, *, nobody_left: bool) -> "HandoffOut":
        one = stored.handoff
        window = one.state.window if isinstance(one.state, Callback) else None
        return cls.model_validate(
            {
                "id": one.id,
                "consultation_id": one.consultation_id,
                "state": state_name(one.state),
                "reason": one.reason,
                "since": one.since,
                "nobody_left": nobody_left and isinstance(one.state, Waiting),
                "callback_start": window.start if window else None,
                "callback_end": window.end if window else None,
            }
        )


class QueuedOut(BaseModel):
    """An open handoff. ``agent`` is being asked until ``offered_until``."""

    model_config = ConfigDict(json_schema_extra={"example": IN_QUEUE})

    id: UUID
    consultation_id: UUID
    type: ConsultationType
    reason: HandoffReason
    since: datetime
    state: StateName
    agent: str | None
    offered_until: datetime | None


class QueueOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"number": 1042, "handoffs": [IN_QUEUE], "available_agents": 3}})

    number: int
    handoffs: list[QueuedOut]
    available_agents: int


class DutyOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"status": "available", "offer": IN_QUEUE}})

    status: AgentStatus
    offer: QueuedOut | None


class ContextOut(BaseModel):
    """What an agent knows of the customer on taking over. ``summary`` is the assistant's."""

    consultation_id: UUID
    customer_id: UUID | None
    type: ConsultationType
    reason: HandoffReason
    waited_seconds: int
    summary: str | None


class AcceptedOut(BaseModel):
    """``token`` lets the agent into ``room_name`` at ``url``."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
                "url": "wss://livekit.example",
                "room_name": "consultation_claims_20250303T150000Z_0123456789abcdef0123456789abcdef",
                "expires_at": "2025-03-03T16:02:30Z",
                "context": {
                    "consultation_id": CALL,
                    "customer_id": CUSTOMER,
                    "type": "claims",
                    "reason": "requested",
                    "waited_seconds": 20,
                    "summary": "Wants to know whether hail damage is covered.",
                },
            }
        }
    )

    token: str
    url: str
    room_name: str
    expires_at: datetime
    context: ContextOut


class CallbackOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": TO_CALL})

    id: UUID
    consultation_id: UUID
    customer_id: UUID | None
    reason: HandoffReason
    callback_start: datetime
    callback_end: datetime


class CallbacksOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"callbacks": [TO_CALL]}})

    callbacks: list[CallbackOut]
