"""Calls as they begin: POST /api/livekit/consultation opens a room, POST /api/livekit/token lets somebody in.

What a participant may do in a room: domain.grants. LiveKit's server: resources.livekit_rooms.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Request, Response
from limits import RateLimitItemPerMinute
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection, true

from api.access import PARTICIPANT_TYPES, deed_of
from api.consultations import Prose
from api.problems import Responses, described, problem
from api.refusals import refuse
from api.rooms import STORE_IS_DOWN, livekit, livekit_is_down, no_livekit, room_token, slow_down, store_is_down, stored, too_often
from domain.audit import Outcome
from domain.consultations import ConsultationType, new_room_name
from domain.grants import ParticipantType
from domain.parties import one_spelling
from domain.roles import Role
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms, LiveKitUnreachable
from resources.livekit_tokens import TTL
from resources.policies import training_disclosure
from resources.store import audit, consents, live_calls, promised_rooms, trainings
from resources.store.live_calls import CallOver, KeyReused, NewCall, NotTheirs
from resources.store.promised_rooms import PromiseBroken

T = TypeVar("T")
router = APIRouter(prefix="/api/livekit", tags=["live calls"])

BEGINNINGS, TOKENS = RateLimitItemPerMinute(10), RateLimitItemPerMinute(30)
"""For each caller."""

SPEAKING_IN_TRAININGS = frozenset({ParticipantType.AGENT, ParticipantType.PARTNER, ParticipantType.ADMIN})
"""Who is recorded there; the assistant consents to nothing, and a supervisor is neither seen nor heard."""

TROUBLE: Responses = {
    400: described("The body is not JSON"),
    409: described("The idempotency key stands for another request, or for a call that is over"),
    422: described("The body is wrong: says what"),
    429: described("Too many requests of this caller"),
    503: described("LiveKit or the store cannot be reached; nothing was begun"),
}


class Beginning(BaseModel):
    """``customer`` is needed from anybody but the customer. ``jurisdiction``: ISO 3166-2 code of where the customer is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"type": "claims", "claim_id": "5f1f4d4e-53b5-4f0c-8a43-90a5b4f0c2aa", "jurisdiction": "US-CA"}},
    )

    type: ConsultationType
    customer: UUID | None = None
    quote_id: UUID | None = None
    claim_id: UUID | None = None
    jurisdiction: Annotated[str | None, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None

    @model_validator(mode="after")
    def _fits(self) -> "Beginning":
        if self.quote_id and self.type is not ConsultationType.QUOTE:
            raise ValueError("quote_id belongs to a consultation of type quote")
        if self.claim_id and self.type is not ConsultationType.CLAIMS:
            raise ValueError("claim_id belongs to a consultation of type claims")
        return self


class Begun(BaseModel):
    """``token`` lets the customer into the room at ``url`` until ``expires_at``; both are null where somebody else began the call: then the
    customer asks for a token of its own.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "consultation_id": "0b6f2c1e-6a6a-4d39-9c0e-3f5d4f0f9a11",
                "room_name": "consultation_claims_20250303T150000Z_0123456789abcdef0123456789abcdef",
                "url": "wss://livekit.example",
                "token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
                "expires_at": "2025-03-03T16:00:00Z",
            }
        }
    )

    consultation_id: UUID
    room_name: str
    url: str
    token: str | None
    expires_at: datetime | None


class Entering(BaseModel):
    """``identity`` is the caller's own: the subject of its token."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "roomName": "consultation_claims_20250303T150000Z_0123456789abcdef0123456789abcdef",
                "identity": "9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e",
                "participantType": "customer",
            }
        },
    )

    room_name: Annotated[Prose, Field(alias="roomName", min_length=1, max_length=256)]
    identity: Annotated[Prose, Field(min_length=1, max_length=200), AfterValidator(one_spelling)]
    participant_type: Annotated[ParticipantType, Field(alias="participantType")]


class Entrance(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
                "url": "wss://livekit.example",
                "expires_at": "2025-03-03T16:00:00Z",
            }
        }
    )

    token: str
    url: str
    expires_at: datetime


@router.post("/consultation", status_code=201, summary="Begin a consultation", response_model=Begun, responses=TROUBLE)
async def begin(
    request: Request,
    body: Beginning,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")] = None,
) -> Begun | Response:
    """Opens a room on LiveKit and returns what its customer needs to enter it. Sent again with the same Idempotency-Key, it is the same call."""
    settings, rooms = livekit(request)
    if rooms is None:
        return no_livekit()
    if (held_up := await too_often(request, BEGINNINGS, "begin")) is not None:
        return held_up
    customer = _customer(request, body)
    if customer is None:
        return problem(422, "Whose call is it?", "customer must be the id of the customer; a customer begins only calls of their own.")
    theirs = request.state.role is Role.CUSTOMER
    call = NewCall(body.type, customer, body.quote_id, body.claim_id, body.jurisdiction)
    actor = request.state.caller.subject
    wanted = new_room_name(body.type, datetime.now(UTC), secrets.token_hex(16))

    def remembered(connection: Connection) -> tuple[UUID, str, str | None]:
        """(consultation id, room name, SID of its room if it was begun before)."""
        live_calls.require_theirs(connection, call)
        found, name = uuid4(), wanted
        if idempotency_key is not None:
            digest = hashlib.sha256(repr(call).encode()).hexdigest()
            found, name = live_calls.remember(connection, actor, idempotency_key, digest, wanted)
        sid = live_calls.sid_of_begun(connection, name)
        if sid is None:
            promised_rooms.promise(connection, name)
        return found, name, sid

    def begun(connection: Connection, sid: str) -> tuple[UUID, str | None]:
        row = live_calls.begin(connection, consultation_id, room_name, sid, call, driven=request.app.state.recording is not None)
        found: UUID = row["id"]
        audit.append(connection, deed_of(request, "consultation.begin", consultation_id=found, details=(("type", body.type.value),)))
        if not theirs:
            return found, None
        details = (("participant_type", "customer"), ("identity", str(customer)))
        audit.append(connection, deed_of(request, "token.issue", consultation_id=found, details=details))
        return found, room_token(settings, room_name, str(customer), ParticipantType.CUSTOMER)

    try:
        consultation_id, room_name, before = await stored(request, remembered)
    except NOT_BEGUN as error:
        return _not_begun(error)
    try:
        if before is None:
            sid = await _opened(request, rooms, room_name, body.type)
        else:
            there = await rooms.room(room_name)
            if there is None or there.sid != before:  # LiveKit has started anew since: that call is no more, and its room is not made twice
                raise CallOver
            sid = before
        found, token = await stored(request, lambda connection: begun(connection, sid))
    except Exception as error:
        if before is None:
            shared = idempotency_key is not None and not isinstance(error, CallOver)
            at_once = not isinstance(error, LiveKitUnreachable)  # it may have opened the room all the same
            await request.app.state.promises.give_up(room_name, shared=shared, at_once=at_once)
        if not isinstance(error, NOT_BEGUN):
            raise
        return _not_begun(error)
    ends = datetime.now(UTC) + TTL if token is not None else None
    return Begun(consultation_id=found, room_name=room_name, url=settings.client_url, token=token, expires_at=ends)


async def _opened(request: Request, rooms: LiveKitRooms, room_name: str, kind: ConsultationType) -> str:
    """The SID of the room, which LiveKit has from now on."""
    settings = request.app.state.settings
    room = await rooms.create_room(
        room_name,
        metadata={"type": kind.value},
        empty_timeout_s=settings.room_empty_timeout_seconds,
        departure_timeout_s=settings.room_departure_timeout_seconds,
        agent_name=settings.assistant_agent_name,
    )
    return room.sid


NOT_BEGUN = (NotTheirs, KeyReused, CallOver, PromiseBroken, LiveKitUnreachable, LiveKitRefused, *STORE_IS_DOWN)


def _not_begun(error: Exception) -> Response:
    """Why, for each of NOT_BEGUN."""
    match error:
        case NotTheirs():
            return problem(422, "Not this customer's", f"There is no such {error} of this customer.")
        case KeyReused():
            return problem(409, "The key stands for another request", "Send a new Idempotency-Key with a request that differs.")
        case CallOver():
            words = "The Idempotency-Key stands for a call that has ended: send a new one to begin another."
            return problem(409, "That call is over", words)
        case PromiseBroken():
            words = "The room was given up before the call had begun; nothing was begun. Try again."
            return problem(503, "It took too long", words, headers={"Retry-After": "1"})
        case LiveKitUnreachable() | LiveKitRefused():
            return livekit_is_down(error)
        case _:
            return store_is_down()


@router.post(
    "/token",
    summary="Enter a room",
    response_model=Entrance,
    responses=TROUBLE | {404: described("There is no such room, or it is not the caller's")},
)
async def enter(request: Request, body: Entering) -> Entrance | Response:
    """A token for one room and for what the caller's role may be there: good for an hour, and its holder cannot change the role in it."""
    settings, rooms = livekit(request)
    if rooms is None:
        return no_livekit()
    subject: str = request.state.caller.subject
    if not request.app.state.limiter.hit(TOKENS, "enter", subject):  # this process alone spares LiveKit, and whoever looks into the store
        return slow_down()
    kind, role = body.participant_type, _role_for(request, body.participant_type)

    def counted(work: Callable[[Connection], T]) -> Callable[[Connection], T | Response]:
        """And all processes together count in the transaction that there is anyway: one of its own would cost a quarter of the route."""
        within = request.app.state.callers.hit_in
        return lambda connection: work(connection) if within(connection, TOKENS, "enter", subject) else slow_down()

    def refused(connection: Connection, why: str) -> None:
        details = (("participant_type", kind.value), ("why", why))
        refuse(request, connection, deed_of(request, "token.issue", outcome=Outcome.REFUSED, details=details))

    def entered(connection: Connection, sid: str) -> str | Response:
        row = live_calls.open_room(connection, request.state.caller, role, body.room_name) if role else None
        if row is None or row["room_sid"] not in (None, sid):
            refused(connection, "no open room of the caller's")
            return _no_room()
        if kind in SPEAKING_IN_TRAININGS and (why := _kept_out(connection, row["id"], kind, body.identity)) is not None:
            refused(connection, why)
            return problem(403, "This training is recorded", "Enter it by POST /api/training/{id}/enter, which asks for consent first.")
        details = (("participant_type", kind.value), ("identity", body.identity))
        audit.append(connection, deed_of(request, "token.issue", consultation_id=row["id"], details=details))
        return room_token(settings, body.room_name, body.identity, kind)

    try:
        if role is None or body.identity != subject:
            why = "the role does not allow this type" if role is None else "another's identity"
            held_up = await stored(request, counted(lambda connection: refused(connection, why)))
            return held_up or problem(
                403, "Not for this caller", f"The caller may not enter as {kind.value}, or not under another's identity."
            )
        room = await rooms.room(body.room_name)
        if room is None:
            held_up = await stored(request, counted(lambda connection: refused(connection, "no such room on LiveKit")))
            return held_up or _no_room()
        token = await stored(request, counted(lambda connection: entered(connection, room.sid)))
    except STORE_IS_DOWN:
        return store_is_down()
    except (LiveKitUnreachable, LiveKitRefused) as error:
        return livekit_is_down(error)
    if isinstance(token, Response):
        return token
    return Entrance(token=token, url=settings.client_url, expires_at=datetime.now(UTC) + TTL)


def _customer(request: Request, body: Beginning) -> UUID | None:
    """Whose call it is: a customer's own, also where that customer has other roles, or the one whom somebody else names. Sets the role in which
    it is begun.
    """
    try:
        own = UUID(request.state.caller.subject) if Role.CUSTOMER in request.state.roles else None
    except ValueError:
        own = None
    if own is not None and body.customer in (None, own):
        request.state.role = Role.CUSTOMER
        return own
    return None if request.state.role is Role.CUSTOMER else body.customer


def _role_for(request: Request, kind: ParticipantType) -> Role | None:
    """In which of the caller's roles it may enter as ``kind``."""
    allowed = frozenset(role for role, kinds in PARTICIPANT_TYPES.items() if kind in kinds)
    role: Role | None = request.state.caller.acting(allowed)
    return role


def _kept_out(connection: Connection, session: UUID, kind: ParticipantType, identity: str) -> str | None:
    """Why somebody may not come back into a training that everybody enters by answering its disclosure; None where they may, or it is none."""
    if trainings.one(connection, session, true()) is None:
        return None
    if kind is ParticipantType.PARTNER and not trainings.is_invited(connection, session, UUID(identity), datetime.now(UTC)):
        return "no invitation that counts"
    answered = consents.granted_with(connection, session, identity, training_disclosure().version)
    return None if answered else "the disclosure is not answered"


def _no_room() -> Response:
    return problem(404, "No such room", "There is no open call of this name, or it is not the caller's.")
