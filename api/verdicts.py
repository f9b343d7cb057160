"""What was said in a consultation and what the compliance rules find in it, as JSON. Deciding about findings belongs to api.reviews."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict
from sqlalchemy import RowMapping
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from api.access import deed_of
from api.consultations import ONE, Prose
from api.problems import described, problem
from api.refusals import refuse
from api.rooms import store_is_down
from domain.audit import Outcome
from domain.consent import ConsentOutcome
from domain.roles import Role
from domain.rules.intervals import touches
from domain.rules.shapes import Cause, Publication, Severity, Verdict
from resources.store import audit, evaluations
from resources.store.reading import Reader, TurnShown

router = APIRouter(prefix="/api/consultations", tags=["compliance"])

LONGEST_REASON = 500


class TurnOut(BaseModel):
    """Times are ms from the call's start."""

    turn_id: int
    speaker: str
    start_ms: int
    end_ms: int
    text: str
    attribution: str


class TranscriptOut(BaseModel):
    """``publication``: whether it is in search; null before the call was judged. ``withdrawn_at_ms``: consent ended there. ``withheld``:
    [from, to] in ms of the call, a refusal stood there: but for compliance officers no turn of it is shown. ``decided_by``: review where a person
    has overturned what the rules make of ``consent``."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "consultation_id": "0b6f2c1e-6a6a-4d39-9c0e-3f5d4f0f9a11",
                "redacted": True,
                "publication": "published",
                "consent": "granted",
                "decided_by": "rules",
                "withdrawn_at_ms": None,
                "withheld": [],
                "turns": [
                    {
                        "turn_id": 12,
                        "speaker": "customer",
                        "start_ms": 31200,
                        "end_ms": 34800,
                        "text": "It is [card_number]",
                        "attribution": "channel",
                    }
                ],
            }
        }
    )

    consultation_id: UUID
    redacted: bool
    publication: Publication | None
    consent: ConsentOutcome | None
    decided_by: Literal["rules", "review"] | None
    withdrawn_at_ms: int | None
    withheld: list[tuple[int, int | None]]
    turns: list[TurnOut]


class FindingOut(BaseModel):
    """``start_ms`` to ``end_ms``: from the call's start, the words it rests on or the window that lacks them. ``quote`` is redacted."""

    id: UUID
    rule_id: str
    rule_version: str
    severity: Severity
    verdict: Verdict
    cause: Cause | None
    confidence: float
    recording_id: UUID | None
    turn_id: int | None
    start_ms: int | None
    end_ms: int | None
    quote: str | None
    overturned: bool


class ChangeOut(BaseModel):
    """What the evaluation found otherwise than the one before."""

    rule_id: str
    before: Verdict | None
    after: Verdict | None
    why: list[str]


_EVALUATION: JsonDict = {
    "id": "7b0f0d58-8a2f-45d4-a4a3-9a60f6d0f9d1",
    "number": 1,
    "at": "2025-03-03T15:12:04Z",
    "rules_version": "2025-1+0123456789ab",
    "consent": "granted",
    "spoken": "granted",
    "publication": "published",
    "decided_by": "rules",
    "withdrawn_at_ms": None,
    "recorded_before": [[0, 6900]],
    "recorded_after": [],
    "withheld": [],
    "changes": [],
    "findings": [],
}


class EvaluationOut(BaseModel):
    """``recorded_before`` and ``recorded_after``: [from, to] in ms of the call, recorded before consent was there or after it was refused.
    ``withheld``: where a refusal stood, so that nothing of it is found, heard or quoted, though the rest may be published.
    ``consent`` is what the rules make of it; ``decided_by``: review where a person has overturned that, and so decided the publication."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": _EVALUATION,
        }
    )

    id: UUID
    number: int
    at: datetime
    rules_version: str
    consent: ConsentOutcome
    spoken: ConsentOutcome
    publication: Publication
    decided_by: Literal["rules", "review"]
    withdrawn_at_ms: int | None
    recorded_before: list[tuple[int, int | None]]
    recorded_after: list[tuple[int, int | None]]
    withheld: list[tuple[int, int | None]]
    changes: list[ChangeOut]
    findings: list[FindingOut]


class EvaluationsOut(BaseModel):
    """The newest first: it counts. Those before it are what it was found to be at the time."""

    model_config = ConfigDict(json_schema_extra={"example": {"evaluations": [_EVALUATION]}})

    evaluations: list[EvaluationOut]


@router.get(
    "/{consultation_id}/transcript",
    summary="What was said",
    response_model=TranscriptOut,
    responses=ONE | {403: described("The original is for compliance officers, with a reason")},
)
def transcript(
    request: Request,
    consultation_id: UUID,
    original: bool = False,
    verbatim_reason: Annotated[Prose | None, Header(max_length=LONGEST_REASON, description="Why the original is needed")] = None,
) -> TranscriptOut | Response:
    """Redacted. ``original``: with personal data in it, for compliance officers; card numbers and security codes are kept nowhere."""
    officer = Role.COMPLIANCE in request.state.caller.roles
    refused = original and not (officer and verbatim_reason and verbatim_reason.strip())
    try:
        with request.app.state.engine.begin() as connection:
            details = (("original", original),)
            if refused:
                deed = deed_of(request, "transcript.read", outcome=Outcome.REFUSED, subject=str(consultation_id), details=details)
                refuse(request, connection, deed)
                shown = None
            else:
                shown = Reader(request.app.state.engine).transcript_page(consultation_id, everything=officer, original=original)
            if shown is not None:
                reason = verbatim_reason if original else None
                deed = deed_of(request, "transcript.read", consultation_id=consultation_id, details=details, reason=reason)
                audit.append(connection, deed)
    except (OperationalError, NoConnectionFree):
        return store_is_down()
    if refused:
        return problem(403, "Not without a reason", "The original is for compliance officers, with a reason in the header Verbatim-Reason.")
    if shown is None:
        return problem(404, "No such consultation", "There is none with this id.")
    return TranscriptOut(
        consultation_id=shown.id,
        redacted=not original,
        publication=shown.publication,
        consent=ConsentOutcome(shown.consent) if shown.consent else None,
        decided_by=shown.decided_by,
        withdrawn_at_ms=shown.withdrawn_at_ms,
        withheld=[(one.start_ms, one.end_ms) for one in shown.withheld],
        turns=[_turn(turn) for turn in shown.turns],
    )


@router.get("/{consultation_id}/findings", summary="What the compliance rules find", response_model=EvaluationsOut, responses=ONE)
def findings(request: Request, consultation_id: UUID) -> EvaluationsOut | Response:
    """Every evaluation with its verdicts. Where the call is in quarantine or cut, or they were said while a refusal stood, the words they rest on
    are for compliance officers alone."""
    officer = Role.COMPLIANCE in request.state.caller.roles
    try:
        with request.app.state.engine.begin() as connection:
            if Reader(request.app.state.engine).transcript_page(consultation_id) is None:
                return problem(404, "No such consultation", "There is none with this id.")
            found = [(row, evaluations.findings_of(connection, row["id"])) for row in evaluations.listed(connection, consultation_id)]
            audit.append(connection, deed_of(request, "findings.read", consultation_id=consultation_id))
    except (OperationalError, NoConnectionFree):
        return store_is_down()
    newest = found[0][0] if found else None
    hidden = newest is not None and newest["publication"] != Publication.PUBLISHED.value
    withheld = evaluations.withheld(newest)

    def shown(one: RowMapping) -> dict[str, object]:
        said_there = one["start_ms"] is not None and one["end_ms"] is not None and touches(withheld, one["start_ms"], one["end_ms"])
        return {**one, "quote": None if not officer and (hidden or said_there) else one["quote"]}

    return EvaluationsOut(
        evaluations=[
            EvaluationOut.model_validate({**row, "at": row["created_at"], "findings": [shown(one) for one in rows]}) for row, rows in found
        ]
    )


def _turn(turn: TurnShown) -> TurnOut:
    return TurnOut(
        turn_id=turn.turn_id, speaker=turn.role, start_ms=turn.start_ms, end_ms=turn.end_ms, text=turn.text, attribution=turn.attribution
    )
