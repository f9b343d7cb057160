"""Entering a training: what the holder of an invitation is told, and the token that consent to being recorded gets them.

Everybody who is in the room has consented before; so the recording begins by itself, and ends should somebody withdraw.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, Response
from limits import RateLimitItemPerMinute
from sqlalchemy import Connection, RowMapping, true
from sqlalchemy.exc import SQLAlchemyError

from api.access import origin_of
from api.consultations import ONE
from api.live_calls import TOKENS, TROUBLE, Entrance
from api.problems import Responses, described, problem
from api.recording import wake_recording
from api.refusals import refuse
from api.rooms import STORE_IS_DOWN, livekit, livekit_is_down, no_livekit, room_token, slow_down, store_is_down, stored, too_often
from api.training import CONFLICT
from api.training_bodies import Answering, DisclosureOut, EnteringAsPartner, Holding
from domain.audit import Deed, Outcome
from domain.consent import ConsentMethod, ConsentOutcome
from domain.grants import ParticipantType
from domain.parties import Party
from domain.roles import Role
from domain.training import OPENS_BEFORE, STAYS_OPEN, TrainingState
from resources.identity.invitations import Invitation, InvitationOver, Invitations, NotAnInvitation
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms, LiveKitUnreachable
from resources.livekit_tokens import TTL
from resources.policies import Disclosure, training_disclosure
from resources.settings import SettingMissing
from resources.store import audit, consents, trainings
from resources.store.consents import Said
from resources.store.trainings import training_of
from resources.training_door import TrainingDoor

partners = APIRouter(prefix="/api/training", tags=["training"])
"""Public: the invitation says who asks."""
trainers = APIRouter(prefix="/api/training", tags=["training"])

INVITED = RateLimitItemPerMinute(30)
"""Invitations that may be shown, for each address and process."""
BREAK = timedelta(minutes=15)
"""How long the room stays open when everybody has left it."""
HELD: Responses = TROUBLE | {
    403: described("Nobody enters without consent to being recorded"),
    404: described("Nobody here has given this invitation"),
    409: described("Not yet open, or the words have changed: says which"),
    410: described("The invitation has expired or was revoked, or the training is over"),
}


@asynccontextmanager
async def watching_the_door(app: FastAPI) -> AsyncIterator[None]:
    """While the block lasts, who is in a training without an invitation that counts is sent away. Nothing runs without LIVEKIT_URL."""
    if app.state.rooms is None:
        app.state.door = None
        yield
        return
    app.state.door = TrainingDoor(app.state.engine, app.state.rooms)
    running = asyncio.create_task(app.state.door.run())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def watch_door(app: FastAPI) -> None:
    """A partner came into some room."""
    if app.state.door is not None:
        app.state.door.wake()


@dataclass(frozen=True)
class Entering:
    """Somebody who wants to enter, and proved who they are. ``row`` is the session as it was then."""

    identity: str
    kind: ParticipantType
    party: Party
    row: RowMapping
    invite_id: UUID | None = None

    @property
    def trainer(self) -> bool:
        return self.kind is ParticipantType.PARTNER and bool(self.row["trainer"])

    def deed(self, request: Request, action: str, outcome: Outcome = Outcome.DONE, **details: str) -> Deed:
        subject = str(self.invite_id) if self.invite_id else None
        return Deed(
            self.identity,
            self.party.value,
            action,
            outcome,
            consultation_id=self.row["consultation_id"],
            subject=subject,
            origin=origin_of(request),
            details=tuple(details.items()),
        )


@partners.post("/disclosure", summary="What an invitation is for", response_model=DisclosureOut, responses=HELD)
async def disclose(request: Request, body: Holding) -> DisclosureOut | Response:
    """To be shown before anybody enters: that it is recorded, and what that means."""
    found = await _holder(request, body.invite)
    if isinstance(found, Response):
        return found
    return _told(found)


@partners.post("/enter", summary="Enter a training by invitation", response_model=Entrance, responses=HELD)
async def enter_invited(request: Request, body: EnteringAsPartner) -> Entrance | Response:
    """``consents: false`` declines, or withdraws what was granted: also after the invitation or the training is over."""
    found = await _holder(request, body.invite, withdrawing=not body.consents)
    return found if isinstance(found, Response) else await _enter(request, found, body)


@trainers.get("/{training_id}/disclosure", summary="What is told before one enters", response_model=DisclosureOut, responses=ONE)
async def disclose_own(request: Request, training_id: UUID) -> DisclosureOut | Response:
    """For who can sign in; who has nothing but an invitation asks with that."""
    found = await _own(request, training_id)
    return found if isinstance(found, Response) else _told(found)


@trainers.post("/{training_id}/enter", summary="Enter a training", response_model=Entrance, responses=ONE | HELD | CONFLICT)
async def enter_own(request: Request, training_id: UUID, body: Answering) -> Entrance | Response:
    """The agent who gives it, a partner who is invited to it, or an admin. ``consents: false`` declines, or withdraws what was granted."""
    found = await _own(request, training_id)
    if isinstance(found, Response):
        return found
    spent = _spent(found.row, datetime.now(UTC)) if body.consents else None
    if spent is not None:
        await _note(request, found.deed(request, "training.enter", Outcome.REFUSED, why="spent"))
    return spent or await _enter(request, found, body)


async def _own(request: Request, training_id: UUID) -> Entering | Response:
    """Who the caller is in a training."""
    try:
        found = await stored(request, lambda connection: _seen(connection, request, training_id))
    except STORE_IS_DOWN:
        return store_is_down()
    return found or problem(404, "No such training", "There is none with this id, or it is not yours.")


def _seen(connection: Connection, request: Request, training_id: UUID) -> Entering | None:
    caller, roles = request.state.caller, request.state.roles
    try:
        own = UUID(caller.subject)
    except ValueError:
        own = None
    if own is not None and Role.AGENT in roles:
        row = trainings.one(connection, training_id, trainings.visible_to(caller, Role.AGENT))
        if row is not None:
            return Entering(caller.subject, ParticipantType.AGENT, Party.AGENT, row)
    if own is not None and Role.PARTNER in roles:
        invitation = trainings.newest_invitation(connection, training_id, own)
        row = trainings.invited(connection, invitation) if invitation is not None else None
        if invitation is not None and row is not None:
            return _partner(invitation, row)
    row = trainings.one(connection, training_id, true()) if Role.ADMIN in roles else None
    return Entering(caller.subject, ParticipantType.ADMIN, Party.ADMIN, row) if row is not None else None


async def _holder(request: Request, invite: str, *, withdrawing: bool = False) -> Entering | Response:
    """Whom an invitation names, if it still counts, or they take their consent back."""
    if not request.app.state.limiter.hit(INVITED, "invite", origin_of(request) or ""):
        return slow_down()
    try:
        invitation = Invitations(request.app.state.settings).read(invite, expired=withdrawing)
    except SettingMissing as missing:
        return problem(503, "No invitations here", str(missing))
    except NotAnInvitation:
        await _note(request, _stranger(request, "forged"))
        return _unknown()
    except InvitationOver:
        await _note(request, _stranger(request, "expired"))
        return _over("This invitation has expired.")
    try:
        row = await stored(request, lambda connection: trainings.invited(connection, invitation))
    except STORE_IS_DOWN:
        return store_is_down()
    if row is None:
        await _note(request, _stranger(request, "unknown"))
        return _unknown()
    found = _partner(invitation, row)
    trouble = None if withdrawing else _spent(row, datetime.now(UTC))
    if trouble is not None:
        await _note(request, found.deed(request, "training.enter", Outcome.REFUSED, why="spent"))
    return trouble or found


async def _enter(request: Request, who: Entering, body: Answering) -> Entrance | Response:
    settings, rooms = livekit(request)
    told, session = training_disclosure(), who.row["consultation_id"]
    now = datetime.now(UTC)
    if not body.consents:
        return await _declined(request, who, body)
    if (held_up := await too_often(request, TOKENS, "enter", who.identity)) is not None:
        return held_up
    trouble = _closed(who.row, now)
    if trouble is not None:
        await _note(request, who.deed(request, "training.enter", Outcome.REFUSED, why=training_of(who.row).state_at(now).value))
    trouble = trouble or _answered_other(body, told)
    if trouble is not None:
        return trouble
    if rooms is None:
        return no_livekit()
    try:
        sid = await _room_of(rooms, who.row)
        if sid is None:
            return _cut_off()

        def entered(connection: Connection) -> str | Response:
            now = datetime.now(UTC)
            row = _latest(connection, who)
            trouble = (_spent(row, now) or _closed(row, now)) if row is not None else _unknown()
            if trouble is not None or row is None:
                return trouble or _unknown()
            if row["room_sid"] not in (None, sid):
                return _cut_off()
            trainings.entered(connection, session, sid, who.invite_id, now, driven=request.app.state.recording is not None)
            token = room_token(settings, row["room_name"], who.identity, who.kind, trainer=who.trainer)
            _consent(connection, request, who, body)
            audit.append(connection, who.deed(request, "training.enter"))
            audit.append(connection, who.deed(request, "token.issue", participant_type=who.kind.value, identity=who.identity))
            return token

        token = await stored(request, entered)
    except STORE_IS_DOWN:
        return store_is_down()
    except (LiveKitUnreachable, LiveKitRefused) as error:
        return livekit_is_down(error)
    if isinstance(token, Response):
        return token
    wake_recording(request.app, session)
    return Entrance(token=token, url=settings.client_url, expires_at=datetime.now(UTC) + TTL)


async def _declined(request: Request, who: Entering, body: Answering) -> Response:
    """A no counts at any time: before the training opens, in it, and after it. One that takes back a yes is never too often."""

    def noted(connection: Connection) -> Response | None:
        takes_back = consents.has_granted(connection, who.row["consultation_id"], who.identity)
        if not takes_back and not request.app.state.callers.hit_in(connection, TOKENS, "decline", who.identity):
            return slow_down()
        _consent(connection, request, who, body)
        refuse(request, connection, who.deed(request, "training.enter", Outcome.REFUSED, why="declined"))
        return None

    try:
        if (held_up := await stored(request, noted)) is not None:
            return held_up
    except STORE_IS_DOWN:
        return store_is_down()
    wake_recording(request.app, who.row["consultation_id"])
    return problem(403, "This training is recorded", "Nobody can enter without consent to being recorded. It was noted that you declined.")


def _told(who: Entering) -> DisclosureOut:
    told, state = training_disclosure(), training_of(who.row).state_at(datetime.now(UTC))
    return DisclosureOut.model_validate({**who.row, "state": state, "disclosure_version": told.version, "disclosure": told.text})


def _consent(connection: Connection, request: Request, who: Entering, body: Answering) -> None:
    outcome = ConsentOutcome.GRANTED if body.consents else ConsentOutcome.DECLINED
    if outcome is ConsentOutcome.DECLINED and consents.has_granted(connection, who.row["consultation_id"], who.identity):
        outcome = ConsentOutcome.REVOKED
    said = Said(who.identity, who.party, outcome, ConsentMethod.CLICK, body.disclosure_version, None, None, who.identity)
    consents.add(connection, who.row["consultation_id"], said, request.app.state.consent_table.version, datetime.now(UTC))
    audit.append(connection, who.deed(request, "consent.record", said=outcome.value, method="click", party=who.identity))


def _latest(connection: Connection, who: Entering) -> RowMapping | None:
    row = who.row
    if who.invite_id is None:
        return trainings.one(connection, row["consultation_id"], true(), for_update=True)
    invitation = Invitation(who.invite_id, row["consultation_id"], UUID(who.identity), row["invite_expires_at"])
    return trainings.invited(connection, invitation, for_update=True)


def _partner(invitation: Invitation, row: RowMapping) -> Entering:
    return Entering(str(invitation.partner_id), ParticipantType.PARTNER, Party.PARTNER, row, invitation.id)


def _spent(row: RowMapping, now: datetime) -> Response | None:
    """Whether an invitation no longer counts."""
    if "invite_revoked_at" in row and row["invite_revoked_at"] is not None:
        return _over("This invitation was revoked.")
    if "invite_expires_at" in row and row["invite_expires_at"] <= now:
        return _over("This invitation has expired.")
    return None


def _closed(row: RowMapping, now: datetime) -> Response | None:
    match training_of(row).state_at(now):
        case TrainingState.CANCELLED:
            return problem(410, "Cancelled", "This training was cancelled. Ask who invited you for another one.")
        case TrainingState.ENDED:
            return problem(410, "Over", "This training is over.")
        case TrainingState.SCHEDULED:
            opens = (row["starts_at"] - OPENS_BEFORE).isoformat()
            return problem(409, "Not yet", f"This training can be entered from {opens} on.")
        case _:
            return None


def _answered_other(body: Answering, told: Disclosure) -> Response | None:
    if body.disclosure_version == told.version:
        return None
    return problem(409, "The words have changed", "Show what POST /api/training/disclosure answers now, and send its disclosure_version.")


async def _room_of(rooms: LiveKitRooms, row: RowMapping) -> str | None:
    """The SID of the session's room, made where there is none yet. None where LiveKit has it no longer: it is not made twice."""
    if row["room_sid"] is not None:
        found = await rooms.room(row["room_name"])
        return found.sid if found is not None and found.sid == row["room_sid"] else None
    empty_s, left_s = _timeouts(row, datetime.now(UTC))
    made = await rooms.create_room(row["room_name"], metadata={"type": "training"}, empty_timeout_s=empty_s, departure_timeout_s=left_s)
    return made.sid


def _timeouts(row: RowMapping, now: datetime) -> tuple[int, int]:
    """(empty, departure) in seconds: the room waits for everybody until the end, and outlives a break, and that nobody is there yet."""
    until_over = row["ends_at"] + STAYS_OPEN - now
    until_begun = row["starts_at"] + BREAK - now
    return max(60, round(until_over.total_seconds())), max(round(BREAK.total_seconds()), round(until_begun.total_seconds()))


async def _note(request: Request, deed: Deed) -> None:
    with contextlib.suppress(SQLAlchemyError):
        await stored(request, lambda connection: refuse(request, connection, deed))


def _stranger(request: Request, why: str) -> Deed:
    return Deed("stranger", "none", "training.enter", Outcome.REFUSED, origin=origin_of(request), details=(("why", why),))


def _cut_off() -> Response:
    return problem(409, "It was cut off", "The room of this training was closed. Ask for another session.")


def _unknown() -> Response:
    return problem(404, "No such invitation", "Nobody here has given this invitation. Ask who invited you for a new one.")


def _over(why: str) -> Response:
    return problem(410, "The invitation is over", f"{why} Ask who invited you for a new one.")
