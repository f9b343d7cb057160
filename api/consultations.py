"""Consultations: list, read, and what people write on them. What was said in them is not shown here; which callers see which: resources.store.calls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from api.access import deed_of
from api.moments import Moment
from api.problems import Responses, described, problem
from api.refusals import refuse
from domain.audit import Outcome
from domain.consultations import ConsultationType
from domain.prose import storable
from domain.reconciliation import RecordingState
from domain.roles import Role
from resources.store import audit, calls
from resources.store.calls import CallState, Filters

router = APIRouter(prefix="/api/consultations", tags=["consultations"])

LARGEST_PAGE = 100
LONGEST_TEXT = 20_000
PROBLEMS: Responses = {
    400: described("The body is not JSON, or the cursor none of this list"),
    422: described("A parameter or the body is missing or wrong"),
    503: described("The store is down"),
}
ONE: Responses = PROBLEMS | {404: described("There is no such consultation, or it is not the caller's")}


NO_NUL: JsonDict = {"pattern": r"^[^\u0000]*$"}
"""Of ``storable``, what a description can say."""
Prose = Annotated[str, Field(max_length=LONGEST_TEXT, json_schema_extra=NO_NUL), AfterValidator(storable)]


_EXAMPLE: JsonDict = {
    "id": "0b6f2c1e-6a6a-4d39-9c0e-3f5d4f0f9a11",
    "type": "claims",
    "room_name": "consultation_claims_20250303T150000Z_0123456789abcdef01234567",
    "customer_id": "9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e",
    "agent_id": None,
    "partner_id": None,
    "quote_id": None,
    "claim_id": "5f1f4d4e-53b5-4f0c-8a43-90a5b4f0c2aa",
    "ai_handled": True,
    "escalated_to_human": False,
    "started_at": "2025-03-03T15:00:00Z",
    "ended_at": "2025-03-03T15:07:30Z",
    "duration_seconds": 450,
    "ai_summary": "Asked how to send in photos of the damage.",
    "agent_notes": None,
    "customer_rating": 5,
    "jurisdictions": {"customer": "US-CA"},
    "archived": False,
    "recording_state": "recorded",
    "recording_reason": None,
    "created_at": "2025-03-03T14:59:58Z",
}


class ConsultationOut(BaseModel):
    """Times in UTC. ``jurisdictions``: party to ISO 3166-2 code of where that party is. ``agent_notes`` is null for customers and partners."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    id: UUID
    type: ConsultationType
    room_name: str
    customer_id: UUID | None
    agent_id: UUID | None
    partner_id: UUID | None
    quote_id: UUID | None
    claim_id: UUID | None
    ai_handled: bool
    escalated_to_human: bool
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None
    ai_summary: str | None
    agent_notes: str | None
    customer_rating: int | None
    jurisdictions: dict[str, str]
    archived: bool
    recording_state: RecordingState | None
    recording_reason: str | None
    created_at: datetime


class ConsultationPage(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"consultations": [_EXAMPLE], "next_cursor": None}})

    consultations: list[ConsultationOut]
    next_cursor: str | None


class Written(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": "Called back about the photos."}})

    text: Prose


class Rating(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"stars": 5}})

    stars: Annotated[int, Field(ge=1, le=5, strict=True)]


class Archiving(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"archived": True, "reason": "Entered twice."}})

    archived: bool
    reason: Annotated[Prose, Field(min_length=1, max_length=500)]


@router.get(
    "",
    summary="List consultations, the newest first",
    response_model=ConsultationPage,
    responses=PROBLEMS,
)
def list_consultations(
    request: Request,
    type: ConsultationType | None = None,
    state: CallState | None = None,
    customer_id: UUID | None = None,
    agent_id: UUID | None = None,
    since: Annotated[Moment | None, Query(description="Calls that started at this moment or later")] = None,
    until: Annotated[Moment | None, Query(description="Calls that started before this moment")] = None,
    archived: bool = False,
    recording_state: Annotated[RecordingState | None, Query(description="What became of the recording, of calls that have ended")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 20,
    cursor: Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")] = None,
) -> ConsultationPage | Response:
    filters = Filters(type, state, customer_id, agent_id, since, until, archived, recording_state)
    try:
        with request.app.state.engine.connect() as connection:
            page = calls.listed(connection, request.state.caller, request.state.roles, filters, limit=limit, cursor=cursor)
    except calls.WrongCursor:
        return problem(400, "Not a cursor", "The cursor is not one that this list has given: begin without one.")
    except (OperationalError, NoConnectionFree):
        return store_is_down()
    return ConsultationPage(consultations=[_out(request, row) for row in page.rows], next_cursor=page.next_cursor)


@router.get("/{consultation_id}", summary="One consultation", response_model=ConsultationOut, responses=ONE)
def read_consultation(request: Request, consultation_id: UUID) -> ConsultationOut | Response:
    return _changed(request, consultation_id, "consultation.read", {})


@router.put("/{consultation_id}/notes", summary="Write the agent's notes", response_model=ConsultationOut, responses=ONE)
def write_notes(request: Request, consultation_id: UUID, body: Written) -> ConsultationOut | Response:
    return _changed(request, consultation_id, "consultation.notes", {"agent_notes": body.text or None})


@router.put("/{consultation_id}/summary", summary="Write the assistant's summary", response_model=ConsultationOut, responses=ONE)
def write_summary(request: Request, consultation_id: UUID, body: Written) -> ConsultationOut | Response:
    return _changed(request, consultation_id, "consultation.summary", {"ai_summary": body.text or None})


@router.put("/{consultation_id}/rating", summary="Rate a call, 1 to 5", response_model=ConsultationOut, responses=ONE)
def rate(request: Request, consultation_id: UUID, body: Rating) -> ConsultationOut | Response:
    """A later rating of the same customer takes the place of the earlier one; both are in the audit trail."""
    return _changed(request, consultation_id, "consultation.rating", {"customer_rating": body.stars}, details=(("stars", body.stars),))


@router.put("/{consultation_id}/archived", summary="Hide it from lists, or show it again", response_model=ConsultationOut, responses=ONE)
def archive(request: Request, consultation_id: UUID, body: Archiving) -> ConsultationOut | Response:
    """A soft delete: the consultation and its evidence stay, and so does the reason, in the audit trail."""
    deed = {"reason": body.reason, "details": (("archived", body.archived),)}
    return _changed(request, consultation_id, "consultation.archive", {"archived": body.archived}, **deed)


def _changed(request: Request, consultation_id: UUID, action: str, values: dict[str, object], **deed: object) -> ConsultationOut | Response:
    """Change it, write down who did, and show it; all in one transaction."""
    try:
        with request.app.state.engine.begin() as connection:
            row = visible(request, connection, consultation_id, action, for_update=bool(values))
            if row is None:
                return problem(404, "No such consultation", "There is none with this id, or it is not yours.")
            if values:
                calls.change(connection, consultation_id, **values)
            audit.append(connection, deed_of(request, action, consultation_id=consultation_id, **deed))
    except (OperationalError, NoConnectionFree):
        return store_is_down()
    return _out(request, {**row, **values})


def visible(request: Request, connection: Connection, consultation_id: UUID, action: str, *, for_update: bool) -> RowMapping | None:
    """The call, if the caller sees it in some role; from then on ``request.state.role`` is that one. Else the refusal is written down."""
    for role in request.state.roles:
        row = calls.one(connection, request.state.caller, role, consultation_id, for_update=for_update)
        if row is not None:
            request.state.role, request.state.consultation_id = role, consultation_id
            return row
    refused = deed_of(
        request, action, outcome=Outcome.REFUSED, subject=str(consultation_id), details=(("why", "none that is the caller's"),)
    )
    refuse(request, connection, refused)
    return None


def _out(request: Request, row: Mapping[str, Any] | RowMapping) -> ConsultationOut:
    shown = {name: row[name] for name in calls.COLUMNS if name != "consultation_type"}
    if not _reads_notes(request, row):
        shown["agent_notes"] = None
    return ConsultationOut(type=row["consultation_type"], **shown)


def _reads_notes(request: Request, row: Mapping[str, Any] | RowMapping) -> bool:
    """What an agent notes is for those who work here: not for the customer and the partner, of whom it may speak."""
    roles = set(request.state.roles)
    own_agent = Role.AGENT in roles and str(row["agent_id"]) == request.state.caller.subject.lower()
    return own_agent or bool(roles & {Role.ADMIN, Role.COMPLIANCE, Role.ASSISTANT})


def store_is_down() -> Response:
    return problem(503, "The store is down", "PostgreSQL cannot be reached; try again.", headers={"Retry-After": "5"})
