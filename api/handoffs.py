"""Handing a customer over to an agent: asking for one, being offered one, taking it, and calling back when nobody is left.

What may follow what: domain.handoff. The live view of the queue: api.handoff_live.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api.access import deed_of
from api.agents import REFUSED, agent_id, not_an_agent
from api.consultations import ONE, Prose, store_is_down, visible
from api.handoff_bodies import AcceptedOut, ContextOut, HandoffOut
from api.moments import Moment, example_from_tomorrow
from api.problems import problem
from api.refusals import refuse
from api.rooms import STORE_IS_DOWN, in_store, livekit, livekit_is_down, no_livekit, room_token, stored
from domain.audit import Outcome
from domain.consultations import ConsultationType
from domain.grants import ParticipantType
from domain.handoff import (
    Handoff,
    HandoffReason,
    HandoffRefused,
    Window,
    WrongWindow,
    accept,
    cancel,
    decline,
    has_accepted,
    nobody_left,
    waited_seconds,
)
from domain.handoff import schedule_callback as with_callback
from domain.roles import Role
from resources.livekit_rooms import LiveKitRefused, LiveKitUnreachable
from resources.livekit_tokens import TTL
from resources.store import audit, calls, duty, handoffs
from resources.store.handoffs import Stored

router = APIRouter(tags=["handoff"])


class Asking(BaseModel):
    """``summary``: what the agent should know before they take over. Only who accepts is shown it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reason": "requested", "summary": "Wants to know whether hail damage is covered."}}
    )

    reason: HandoffReason
    summary: Annotated[Prose | None, Field(max_length=4_000)] = None


class CallingBack(BaseModel):
    """When the customer wants to be called: 15 minutes to 8 hours long, within the next 14 days, with offsets from UTC."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=example_from_tomorrow("start", "end", 2))

    start: Moment
    end: Moment


@router.post(
    "/api/consultations/{consultation_id}/handoff",
    status_code=201,
    summary="Ask for a human",
    response_model=HandoffOut,
    responses=ONE | REFUSED,
)
def ask(request: Request, consultation_id: UUID, body: Asking) -> HandoffOut | Response:
    """Asked again while it is open, it is the same handoff."""
    now = datetime.now(UTC)

    def work(connection: Connection) -> HandoffOut | Response:
        handoffs.take_queue(connection)
        call = visible(request, connection, consultation_id, "handoff.request", for_update=False)
        if call is None:
            return problem(404, "No such consultation", "There is none with this id, or it is not yours.")
        if call["ended_at"] is not None or call["archived"]:
            return problem(409, "The call is over", "Nobody can be handed over any more: begin another consultation.")
        if call["consultation_type"] == ConsultationType.TRAINING.value:
            return problem(409, "A training", "There is no customer in it to hand over, and whoever enters answers its disclosure first.")
        handoff_id = handoffs.ask(connection, consultation_id, body.reason, body.summary, request.state.caller.subject, now)
        details = (("reason", body.reason.value),)
        audit.append(
            connection, deed_of(request, "handoff.request", consultation_id=consultation_id, subject=str(handoff_id), details=details)
        )
        handoffs.settle(connection, now)
        return _shown(connection, handoff_id, now)

    return in_store(request, work)


@router.get("/api/handoffs/{handoff_id}", summary="How it stands", response_model=HandoffOut, responses=ONE)
def read(request: Request, handoff_id: UUID) -> HandoffOut | Response:
    def work(connection: Connection) -> HandoffOut | Response:
        if _theirs(request, connection, handoff_id) is None:
            return _unknown()
        return _shown(connection, handoff_id, datetime.now(UTC))

    return in_store(request, work)


@router.delete("/api/handoffs/{handoff_id}", summary="Wait no longer", response_model=HandoffOut, responses=ONE | REFUSED)
def withdraw(request: Request, handoff_id: UUID) -> HandoffOut | Response:
    return _change(request, handoff_id, "handoff.cancel", lambda one, _, now: cancel(one, now))


@router.post("/api/handoffs/{handoff_id}/decline", summary="Pass it on", response_model=HandoffOut, responses=ONE | REFUSED)
def pass_on(request: Request, handoff_id: UUID) -> HandoffOut | Response:
    """It goes to somebody else; who has passed is asked again only where nobody else is left."""
    agent = request.state.caller.subject
    return _change(request, handoff_id, "handoff.decline", lambda one, _, now: decline(one, agent, now))


@router.post("/api/handoffs/{handoff_id}/callback", summary="Be called back", response_model=HandoffOut, responses=ONE | REFUSED)
def call_back(request: Request, handoff_id: UUID, body: CallingBack) -> HandoffOut | Response:
    """Only where nobody is left to ask: as ``nobody_left`` says."""
    window = Window(body.start, body.end)

    def change(one: Handoff, connection: Connection, now: datetime) -> Handoff:
        return with_callback(one, window, duty.on_duty(connection), now)

    return _change(request, handoff_id, "handoff.callback", change)


@router.post("/api/handoffs/{handoff_id}/accept", summary="Take the customer", response_model=AcceptedOut, responses=ONE | REFUSED)
async def take(request: Request, handoff_id: UUID) -> AcceptedOut | Response:
    """The call is the agent's from then on. Of several who accept at once one gets it, and the others are told so. Who has it and asks again,
    because the answer was lost, is answered as before, with a token of then.
    """
    settings, rooms = livekit(request)
    if rooms is None:
        return no_livekit()
    agent = agent_id(request)
    if agent is None:
        return not_an_agent()

    def looked(connection: Connection) -> Stored | Response:
        found = handoffs.find(connection, handoff_id)
        if found is None:
            return _unknown()
        try:
            if not has_accepted(found.handoff, str(agent)):
                accept(found.handoff, str(agent), datetime.now(UTC))
        except HandoffRefused as refused:
            return _refused(request, connection, "handoff.accept", found, refused)
        return found

    def over(connection: Connection, found: Stored) -> Response:
        _record_refused(request, connection, "handoff.accept", found, "the call is over")
        return problem(409, "The call is over", "Nobody can take it any more, or somebody else has it by now. Reload the queue.")

    def taken(connection: Connection, room_sid: str) -> AcceptedOut | Response:
        handoffs.take_queue(connection)
        now = datetime.now(UTC)
        found = handoffs.find(connection, handoff_id)
        assert found is not None
        call, again = found.handoff.consultation_id, has_accepted(found.handoff, str(agent))
        try:
            accepted = found.handoff if again else accept(found.handoff, str(agent), now)
        except HandoffRefused as refused:
            return _refused(request, connection, "handoff.accept", found, refused)
        if again:
            if not handoffs.still_has(connection, accepted, agent, room_sid=room_sid):
                return over(connection, found)
        elif handoffs.take_over(connection, accepted, agent, now, room_sid=room_sid):
            handoffs.save(connection, accepted, now)
            audit.append(connection, deed_of(request, "handoff.accept", consultation_id=call, subject=str(handoff_id)))
        else:
            return over(connection, found)
        token = room_token(settings, found.room_name, str(agent), ParticipantType.AGENT)
        details = (("participant_type", "agent"), ("identity", str(agent)))
        audit.append(connection, deed_of(request, "token.issue", consultation_id=call, details=details))
        handoffs.settle(connection, now)
        context = ContextOut(
            consultation_id=call,
            customer_id=found.customer_id,
            type=found.consultation_type,
            reason=accepted.reason,
            waited_seconds=waited_seconds(accepted),
            summary=found.summary,
        )
        return AcceptedOut(token=token, url=settings.client_url, room_name=found.room_name, expires_at=now + TTL, context=context)

    try:
        found = await stored(request, looked)
        if isinstance(found, Response):
            return found
        room, looked_at = await rooms.room(found.room_name), found
        if room is None:
            return await stored(request, lambda connection: over(connection, looked_at))
        return await stored(request, lambda connection: taken(connection, room.sid))
    except STORE_IS_DOWN:
        return store_is_down()
    except (LiveKitUnreachable, LiveKitRefused) as error:
        return livekit_is_down(error)


def _change(
    request: Request, handoff_id: UUID, action: str, change: Callable[[Handoff, Connection, datetime], Handoff]
) -> HandoffOut | Response:
    """One step of the state machine, by its caller."""

    def work(connection: Connection) -> HandoffOut | Response:
        handoffs.take_queue(connection)
        now = datetime.now(UTC)
        found = _theirs(request, connection, handoff_id)
        if found is None:
            return _unknown()
        try:
            changed = change(found.handoff, connection, now)
        except HandoffRefused as refused:
            return _refused(request, connection, action, found, refused)
        handoffs.save(connection, changed, now)
        audit.append(connection, deed_of(request, action, consultation_id=changed.consultation_id, subject=str(handoff_id)))
        handoffs.settle(connection, now)
        return _shown(connection, handoff_id, now)

    return in_store(request, work)


def _theirs(request: Request, connection: Connection, handoff_id: UUID) -> Stored | None:
    """Agents see the whole queue, everybody else the handoffs of calls that they see."""
    found = handoffs.find(connection, handoff_id)
    if found is None:
        return None
    for role in request.state.roles:
        if role is Role.AGENT or calls.one(connection, request.state.caller, role, found.handoff.consultation_id) is not None:
            request.state.role, request.state.consultation_id = role, found.handoff.consultation_id
            return found
    return None


def _refused(request: Request, connection: Connection, action: str, found: Stored, refused: HandoffRefused) -> Response:
    _record_refused(request, connection, action, found, type(refused).__name__)
    return problem(422 if isinstance(refused, WrongWindow) else 409, "Not as things are", str(refused))


def _record_refused(request: Request, connection: Connection, action: str, found: Stored, why: str) -> None:
    call, details = found.handoff.consultation_id, (("why", why),)
    deed = deed_of(request, action, outcome=Outcome.REFUSED, consultation_id=call, subject=str(found.handoff.id), details=details)
    refuse(request, connection, deed)


def _shown(connection: Connection, handoff_id: UUID, now: datetime) -> HandoffOut:
    found = handoffs.find(connection, handoff_id)
    assert found is not None
    return HandoffOut.of(found, nobody_left=nobody_left(duty.on_duty(connection), found.handoff, now))


def _unknown() -> Response:
    return problem(404, "No such handoff", "There is none with this id, or it is not yours.")
