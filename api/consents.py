"""Consent to being recorded: POST adds a record, GET shows them all, and both say whether the call may be recorded now."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from api.access import deed_of
from api.consultations import ONE, Prose, store_is_down, visible
from api.problems import problem
from api.recording import wake_recording
from domain.consent import ConsentMethod, ConsentOutcome, ConsentRule, Gate
from domain.parties import Party, one_spelling
from domain.roles import Role
from resources.store import audit, consents, evaluations
from resources.store.consents import Said

router = APIRouter(prefix="/api/consultations", tags=["consent"])

FOR_ONESELF = {Role.CUSTOMER: Party.CUSTOMER, Role.PARTNER: Party.PARTNER}
"""Who records nobody's consent but their own, and as which party."""
PLACE = Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")


_SAID: JsonDict = {
    "party": "9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e",
    "role": "customer",
    "outcome": "granted",
    "method": "click",
    "script_version": "recording-2025-01",
    "jurisdiction": "US-CA",
    "jurisdiction_evidence": "address on file",
}
_TABLE = "2025-01+0123456789ab"
_RECORD: JsonDict = {
    **_SAID,
    "id": "7c0b86a0-52f1-4f0e-a0e3-3c9f6a1d2b44",
    "recorded_by": "9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e",
    "at": "2025-03-03T15:00:19.204Z",
    "table_version": _TABLE,
}
_GATE: JsonDict = {
    "open": True,
    "rule": "all_party",
    "required": ["9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e"],
    "missing": [],
    "refused": [],
    "table_version": _TABLE,
}


class ConsentIn(BaseModel):
    """``party``: the identity under which somebody is in the call. ``jurisdiction``: ISO 3166-2, left out where nobody knows."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": _SAID},
    )

    party: Annotated[Prose, Field(min_length=1, max_length=200), AfterValidator(one_spelling)]
    role: Party
    outcome: ConsentOutcome
    method: ConsentMethod
    script_version: Annotated[Prose, Field(min_length=1, max_length=100)]
    jurisdiction: Annotated[str | None, PLACE] = None
    jurisdiction_evidence: Annotated[Prose | None, Field(max_length=500)] = None


class GateOut(BaseModel):
    """``open``: the call may be recorded now. ``missing`` must still answer, ``refused`` have declined or revoked."""

    model_config = ConfigDict(json_schema_extra={"example": _GATE})

    open: bool
    rule: ConsentRule
    required: list[str]
    missing: list[str]
    refused: list[str]
    table_version: str


class ConsentOut(ConsentIn):
    """``table_version``: of the table of jurisdictions that counted then."""

    model_config = ConfigDict(json_schema_extra={"example": _RECORD})

    id: UUID
    recorded_by: str
    at: datetime
    table_version: str


class ConsentsOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"records": [_RECORD], "gate": _GATE}})

    records: list[ConsentOut]
    gate: GateOut


class Added(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"id": _RECORD["id"], "gate": _GATE}})

    id: UUID
    gate: GateOut


@router.post("/{consultation_id}/consent", status_code=201, summary="Record what a party said", response_model=Added, responses=ONE)
def add_consent(request: Request, consultation_id: UUID, body: ConsentIn) -> Added | Response:
    """Records are added and never changed: a withdrawal is another record. Customers and partners speak for themselves alone.

    Also when the call has ended: what was recorded stays as it is, and what a party says of it afterwards, a withdrawal above all, must be kept.
    """
    caller, now = request.state.caller, datetime.now(UTC)
    table = request.app.state.consent_table
    said = Said(**body.model_dump(), recorded_by=caller.subject)
    try:
        with request.app.state.engine.begin() as connection:
            if visible(request, connection, consultation_id, "consent.record", for_update=True) is None:
                return problem(404, "No such consultation", "There is none with this id, or it is not yours.")
            speaks_as = FOR_ONESELF.get(request.state.role)
            if speaks_as is not None and (body.party != caller.subject or body.role is not speaks_as):
                who = f"A {speaks_as} records its own consent: party must be the caller's own id and role {speaks_as}."
                return problem(422, "Only for oneself", who)
            record_id = consents.add(connection, consultation_id, said, table.version, now)
            gate = consents.gate_now(connection, consultation_id, table, now)
            evaluations.judge_again(connection, [consultation_id])  # where it has been judged: what is said after the call counts, too
            details = (("outcome", body.outcome.value), ("method", body.method.value), ("party", body.party), ("gate_open", gate.open))
            deed = deed_of(request, "consent.record", consultation_id=consultation_id, subject=str(record_id), details=details)
            audit.append(connection, deed)
    except (OperationalError, NoConnectionFree):
        return store_is_down()
    wake_recording(request.app, consultation_id)
    return Added(id=record_id, gate=_gate(gate))


@router.get("/{consultation_id}/consent", summary="What the parties said", response_model=ConsentsOut, responses=ONE)
def read_consents(request: Request, consultation_id: UUID) -> ConsentsOut | Response:
    try:
        with request.app.state.engine.begin() as connection:
            if visible(request, connection, consultation_id, "consent.read", for_update=False) is None:
                return problem(404, "No such consultation", "There is none with this id, or it is not yours.")
            records = consents.listed(connection, consultation_id)
            gate = consents.gate_now(connection, consultation_id, request.app.state.consent_table, datetime.now(UTC))
            audit.append(connection, deed_of(request, "consent.read", consultation_id=consultation_id))
    except (OperationalError, NoConnectionFree):
        return store_is_down()
    return ConsentsOut(records=[ConsentOut.model_validate({**row}, extra="ignore") for row in records], gate=_gate(gate))


def _gate(gate: Gate) -> GateOut:
    return GateOut(
        open=gate.open,
        rule=gate.rule,
        required=list(gate.required),
        missing=list(gate.missing),
        refused=list(gate.refused),
        table_version=gate.table_version,
    )
