"""What the routes of the review queue take and answer. Who is heard in a call is no part of it; what was said only redacted, in one item."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.consultations import Prose
from domain.review import About, Decision, StateName, Step
from domain.rules.shapes import Cause, Severity, Verdict
from resources.store.review_list import Detail

LONGEST_REASON = 500
CALL, ITEM, RECORDING, OFFICER = (
    "0b6f2c1e-6a6a-4d39-9c0e-3f5d4f0f9a11",
    "5d1d6d5e-0f0b-4c57-8f43-3a0c8e1f7a90",
    "2f3a8e0c-77a4-4a2f-9a55-64b1c0d2e3f4",
    "8c7d1f2a-1b3c-4d5e-8f60-7a8b9c0d1e2f",
)
EXAMPLE: JsonDict = {
    "id": ITEM,
    "consultation_id": CALL,
    "about": "finding",
    "what": "coverage_promise",
    "severity": "major",
    "state": "claimed",
    "verdict": "not_met",
    "cause": None,
    "confidence": 0.87,
    "rule_version": "3",
    "recording_id": RECORDING,
    "start_ms": 71200,
    "end_ms": 73400,
    "claimed_by": OFFICER,
    "claim_expires_at": "2025-03-03T16:12:04Z",
    "escalated": False,
    "decision": None,
    "corrected": None,
    "closed_at": None,
    "created_at": "2025-03-03T15:12:04Z",
    "version": 2,
}


class Reasoned(BaseModel):
    """``reason``: what you heard or read that decides it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reason": "The agent reads out the customer's question and denies it."}}
    )

    reason: Annotated[Prose, Field(min_length=1, max_length=LONGEST_REASON)]


class Overturning(Reasoned):
    """``corrected``: the right verdict, needed where nobody could tell. What was found not met is met; a redaction has none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"reason": "The disclosure is there, under the ringing tone.", "corrected": "met"}},
    )

    corrected: Literal["met", "not_met"] | None = None


class ReviewOut(BaseModel):
    """``what``: the rule, or the kind of what was redacted. ``start_ms`` to ``end_ms``: from the call's start, where to listen. A claim that
    has ended is not shown. ``corrected``: the verdict that a person gave in the place of ``verdict``."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    id: UUID
    consultation_id: UUID
    about: About
    what: str
    severity: Severity
    state: StateName
    verdict: Verdict | None
    cause: Cause | None
    confidence: float | None
    rule_version: str | None
    recording_id: UUID | None
    start_ms: int | None
    end_ms: int | None
    claimed_by: str | None
    claim_expires_at: datetime | None
    escalated: bool
    decision: Decision | None
    corrected: Verdict | None
    closed_at: datetime | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, row: Any) -> "ReviewOut":
        return cls.model_validate(_shown(row))


class ReviewsOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"reviews": [EXAMPLE], "next_cursor": None}})

    reviews: list[ReviewOut]
    next_cursor: str | None


class StepOut(BaseModel):
    """``actor``: the reviewer's id, or "verbatim" for what an evaluation did."""

    at: datetime
    actor: str
    step: Step
    reason: str | None


class ReviewDetailOut(ReviewOut):
    """``quote``: the words it rests on or the turn of the value, redacted; null where it rests on none, or they are not for the caller.
    ``turn_start_ms`` and ``turn_end_ms``: from the call's start."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **EXAMPLE,
                "quote": "this policy covers everything",
                "turn_id": 12,
                "turn_start_ms": 70100,
                "turn_end_ms": 75900,
                "steps": [
                    {"at": "2025-03-03T15:12:04Z", "actor": "verbatim", "step": "opened", "reason": None},
                    {"at": "2025-03-03T15:42:04Z", "actor": OFFICER, "step": "claimed", "reason": None},
                ],
            }
        }
    )

    quote: str | None
    turn_id: int | None
    turn_start_ms: int | None
    turn_end_ms: int | None
    steps: list[StepOut]

    @classmethod
    def with_history(cls, found: Detail, *, quoted: bool) -> "ReviewDetailOut":
        turn = {"turn_id": found.turn_id, "turn_start_ms": found.turn_start_ms, "turn_end_ms": found.turn_end_ms}
        return cls.model_validate(
            {**_shown(found.item), **turn, "quote": found.quote if quoted else None, "steps": [dict(step) for step in found.steps]}
        )


def _shown(row: Any) -> dict[str, Any]:
    return {**row, "escalated": bool(row["escalated_by"])}
