"""Trainings as who gives them plans them: sessions, invitations, materials, attendance. Entering one is in api.training_entrance."""

import contextlib
import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response
from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import SQLAlchemyError

from api.access import deed_of
from api.consultations import LARGEST_PAGE, ONE, PROBLEMS
from api.problems import Responses, described, problem
from api.refusals import refuse
from api.rooms import in_store, stored
from api.training_bodies import (
    AttendanceOut,
    InviteIssued,
    InviteOut,
    Inviting,
    MaterialOut,
    Rescheduling,
    Scheduling,
    Sharing,
    TrainingOut,
    TrainingPage,
    TrainingWhole,
)
from domain.attendance import attendance
from domain.audit import Outcome
from domain.consultations import ConsultationType, new_room_name
from domain.roles import Role
from domain.training import TrainingState, WrongTime, invitation_ends, require_sound
from resources.identity.invitations import Invitations
from resources.livekit_rooms import LiveKitRefused, LiveKitUnreachable
from resources.policies import training_disclosure
from resources.settings import SettingMissing
from resources.store import audit, live_calls, trainings
from resources.store.calls import WrongCursor, decoded, encoded
from resources.store.live_calls import CallOver, KeyReused
from resources.store.trainings import AlreadyInvited, Plan, training_of

router = APIRouter(prefix="/api/training", tags=["training"])

T = TypeVar("T")
CONFLICT: Responses = {409: described("It cannot be, as things are now: says why, and what to do")}
GONE_PAST = (TrainingState.ENDED, TrainingState.CANCELLED)


@router.post("", status_code=201, summary="Schedule a training", response_model=TrainingOut, responses=PROBLEMS | CONFLICT)
def schedule(
    request: Request,
    body: Scheduling,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")] = None,
) -> TrainingOut | Response:
    """Sent again with the same Idempotency-Key, it is the same session. Its room opens 15 minutes before the start, with whoever enters first."""
    now, caller = datetime.now(UTC), request.state.caller.subject
    trainer = _trainer(request, body.trainer)
    if trainer is None:
        return problem(422, "Whose training is it?", "trainer must be an agent's UUID; an agent schedules only their own.")
    plan = Plan(body.title, body.starts_at, body.ends_at, trainer, body.max_partners, training_disclosure().version)

    def work(connection: Connection) -> TrainingOut:
        name = new_room_name(ConsultationType.TRAINING, now, secrets.token_hex(16))
        session, room_name = uuid4(), name
        if idempotency_key is not None:
            wanted = hashlib.sha256(repr(("training", body)).encode()).hexdigest()
            session, room_name = live_calls.remember(connection, caller, idempotency_key, wanted, name)
        if room_name == name:  # else it was scheduled with this key before, when its time had not passed
            require_sound(body.starts_at, body.ends_at, now)
            trainings.schedule(connection, session, room_name, plan)
            audit.append(connection, deed_of(request, "training.schedule", consultation_id=session))
        found = trainings.one(connection, session, trainings.visible_to(request.state.caller, request.state.role))
        assert found is not None
        return _out(found, now)

    try:
        return in_store(request, work)
    except WrongTime as wrong:
        return problem(422, "Not a time for a training", str(wrong))
    except KeyReused:
        return problem(409, "The key stands for another request", "Send a new Idempotency-Key with a request that differs.")
    except CallOver:
        return problem(
            409, "That training is over", "What this key scheduled has ended. Send a new Idempotency-Key to schedule another one."
        )


@router.get("", summary="List trainings by their start", response_model=TrainingPage, responses=PROBLEMS)
def list_trainings(
    request: Request,
    past: Annotated[bool, Query(description="Those that are over, too")] = False,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 20,
    cursor: Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")] = None,
) -> TrainingPage | Response:
    now = datetime.now(UTC)

    def work(connection: Connection) -> TrainingPage:
        after = decoded(cursor) if cursor is not None else None
        try:
            theirs = trainings.visible_to(request.state.caller, request.state.role)
        except ValueError:
            return TrainingPage(trainings=[], next_cursor=None)
        rows = trainings.listed(connection, theirs, since=None if past else now, after=after, limit=limit + 1)
        more = encoded(rows[limit - 1]["starts_at"], rows[limit - 1]["consultation_id"]) if len(rows) > limit else None
        return TrainingPage(trainings=[_out(row, now) for row in rows[:limit]], next_cursor=more)

    try:
        return in_store(request, work)
    except WrongCursor:
        return problem(400, "Not a cursor", "The cursor is not one that this list has given: begin without one.")


@router.get("/{training_id}", summary="One training, with invitations and materials", response_model=TrainingWhole, responses=ONE)
def read(request: Request, training_id: UUID) -> TrainingWhole | Response:
    return _with_session(request, training_id, "training.read", lambda connection, row, now: _whole(connection, row, now))


@router.put("/{training_id}", summary="Reschedule it", response_model=TrainingWhole, responses=ONE | CONFLICT)
def reschedule(request: Request, training_id: UUID, body: Rescheduling) -> TrainingWhole | Response:
    """Before it opens. Invitations keep their own ends: issue new ones where they would end too soon."""

    def work(connection: Connection, row: RowMapping, now: datetime) -> TrainingWhole | Response:
        if training_of(row).state_at(now) is not TrainingState.SCHEDULED:
            return problem(409, "Too late", "This training is open or over, so it stays as it is. Schedule another one.")
        try:
            require_sound(body.starts_at, body.ends_at, now)
        except WrongTime as wrong:
            return problem(422, "Not a time for a training", str(wrong))
        trainings.change(connection, training_id, title=body.title, starts_at=body.starts_at, ends_at=body.ends_at)
        return _whole(connection, _again(connection, request, training_id), now)

    return _with_session(request, training_id, "training.reschedule", work, for_update=True)


@router.delete("/{training_id}", summary="Cancel it", response_model=TrainingWhole, responses=ONE | CONFLICT)
def cancel(request: Request, training_id: UUID) -> TrainingWhole | Response:
    """Nobody can enter any more. A session whose room is open cannot be cancelled: somebody may be in it, or have a token."""

    def work(connection: Connection, row: RowMapping, now: datetime) -> TrainingWhole | Response:
        if row["room_sid"] is not None or training_of(row).state_at(now) in GONE_PAST:
            return problem(409, "Too late", "This training has begun, is over, or was cancelled before.")
        trainings.change(connection, training_id, cancelled_at=now)
        return _whole(connection, _again(connection, request, training_id), now)

    return _with_session(request, training_id, "training.cancel", work, for_update=True)


@router.post("/{training_id}/invites", status_code=201, summary="Invite a partner", response_model=InviteIssued, responses=ONE | CONFLICT)
def invite(request: Request, training_id: UUID, body: Inviting) -> InviteIssued | Response:
    """One for each partner. It is shown once; who loses it needs a new one, after this one is revoked."""
    try:
        signer = Invitations(request.app.state.settings)
    except SettingMissing as missing:
        return problem(503, "No invitations here", str(missing))

    def work(connection: Connection, row: RowMapping, now: datetime) -> InviteIssued | Response:
        ends = invitation_ends(row["ends_at"], body.expires_at)
        if training_of(row).state_at(now) in GONE_PAST:
            return problem(409, "It is over", "This training has ended or was cancelled: nobody can be invited any more.")
        if ends <= now:
            return problem(422, "Over before it begins", "expires_at must be in the future.")
        counting = [one for one in trainings.invitations(connection, training_id) if one["revoked_at"] is None]
        if len(counting) >= row["max_partners"] and all(one["partner_id"] != body.partner for one in counting):
            return problem(409, "It is full", f"{row['max_partners']} partners are invited already: revoke an invitation first.")
        try:
            made = trainings.invite(connection, training_id, body.partner, ends, trainer=body.trainer)
        except AlreadyInvited:
            return problem(409, "Invited already", "This partner has an invitation. Revoke it to issue another one.")
        signed = signer.sign(made)
        # Behind the #, because browsers keep that to themselves: it is in no server's log, and in no Referer.
        url = f"{request.app.state.settings.public_address}/training#invite={signed}"
        return InviteIssued(id=made.id, invite=signed, url=url, expires_at=ends)

    return _with_session(request, training_id, "training.invite", work, for_update=True, details=(("partner", str(body.partner)),))


@router.delete("/{training_id}/invites/{invite_id}", summary="Revoke an invitation", response_model=TrainingWhole, responses=ONE)
async def revoke(request: Request, training_id: UUID, invite_id: UUID) -> TrainingWhole | Response:
    """It lets nobody in any more, and whom it has let in is sent away: now, where LiveKit answers, or else as soon as it does, and again
    should they come back with the token that they have.
    """

    def work(connection: Connection, row: RowMapping, now: datetime) -> TrainingWhole | Response:
        if not trainings.revoke(connection, training_id, invite_id, now):
            return problem(404, "No such invitation", "This training has no such invitation that still counts.")
        return _whole(connection, row, now)

    def revoked() -> TrainingWhole | Response:
        return _with_session(request, training_id, "training.revoke", work, details=(("invite", str(invite_id)),))

    answer = await to_thread.run_sync(revoked)
    door = request.app.state.door
    if not isinstance(answer, Response) and door is not None:
        with contextlib.suppress(LiveKitUnreachable, LiveKitRefused, SQLAlchemyError):  # then the door sees to it
            for who in await stored(request, lambda connection: trainings.unwelcome(connection, training_id)):
                await door.send_away(who)
        door.wake()
    return answer


@router.post("/{training_id}/materials", status_code=201, summary="List what was shared", response_model=MaterialOut, responses=ONE)
def share(request: Request, training_id: UUID, body: Sharing) -> MaterialOut | Response:
    def work(connection: Connection, row: RowMapping, now: datetime) -> MaterialOut:
        by = request.state.caller.subject
        made = trainings.add_material(connection, training_id, body.title, str(body.url), body.sha256, by, now)
        return MaterialOut(id=made, title=body.title, url=str(body.url), sha256=body.sha256, shared_at=now)

    return _with_session(request, training_id, "training.share", work)


@router.delete("/{training_id}/materials/{material_id}", summary="List it no longer", response_model=TrainingWhole, responses=ONE)
def unshare(request: Request, training_id: UUID, material_id: UUID) -> TrainingWhole | Response:
    def work(connection: Connection, row: RowMapping, now: datetime) -> TrainingWhole | Response:
        if not trainings.remove_material(connection, training_id, material_id, now):
            return problem(404, "No such material", "This training lists no such material.")
        return _whole(connection, row, now)

    return _with_session(request, training_id, "training.unshare", work, details=(("material", str(material_id)),))


@router.get("/{training_id}/attendance", summary="Who attended, and how long", response_model=AttendanceOut, responses=ONE)
def read_attendance(request: Request, training_id: UUID) -> AttendanceOut | Response:
    """From LiveKit's join and leave events, each stay by its own SID."""

    def work(connection: Connection, row: RowMapping, now: datetime) -> AttendanceOut:
        people = attendance(trainings.stays(connection, training_id), now, row["ended_at"])
        return AttendanceOut.model_validate({"attendees": people}, from_attributes=True)

    return _with_session(request, training_id, "training.attendance", work)


def _trainer(request: Request, named: UUID | None) -> UUID | None:
    """Whose session it is: an agent's own, also where that agent is an admin, or the one whom an admin names."""
    try:
        own = UUID(request.state.caller.subject) if Role.AGENT in request.state.roles else None
    except ValueError:
        own = None
    return own if named in (None, own) else named if request.state.role is not Role.AGENT else None


def _with_session(
    request: Request,
    training_id: UUID,
    action: str,
    work: Callable[[Connection, RowMapping, datetime], T | Response],
    *,
    for_update: bool = False,
    **deed: Any,
) -> T | Response:
    """``work`` on a session that the caller may see, and the entry in the trail; refused where it answers with a problem."""

    def run(connection: Connection) -> T | Response:
        row = _session(connection, request, training_id, for_update=for_update)
        if row is None:
            why = (("why", "none that is the caller's"),)
            refuse(request, connection, deed_of(request, action, outcome=Outcome.REFUSED, subject=str(training_id), details=why))
            return problem(404, "No such training", "There is none with this id, or it is not yours.")
        answer = work(connection, row, datetime.now(UTC))
        if isinstance(answer, Response):
            refuse(request, connection, deed_of(request, action, outcome=Outcome.REFUSED, consultation_id=training_id, **deed))
        else:
            audit.append(connection, deed_of(request, action, consultation_id=training_id, **deed))
        return answer

    return in_store(request, run)


def _session(connection: Connection, request: Request, training_id: UUID, *, for_update: bool = False) -> RowMapping | None:
    try:
        theirs = trainings.visible_to(request.state.caller, request.state.role)
    except ValueError:
        return None
    return trainings.one(connection, training_id, theirs, for_update=for_update)


def _again(connection: Connection, request: Request, training_id: UUID) -> RowMapping:
    row = _session(connection, request, training_id)
    assert row is not None
    return row


def _out(row: RowMapping, now: datetime) -> TrainingOut:
    return TrainingOut.model_validate(_fields(row, now))


def _whole(connection: Connection, row: RowMapping, now: datetime) -> TrainingWhole:
    session = row["consultation_id"]
    invites = [InviteOut.model_validate({**one, "partner": one["partner_id"]}) for one in trainings.invitations(connection, session)]
    materials = [MaterialOut.model_validate(dict(one)) for one in trainings.materials(connection, session)]
    return TrainingWhole.model_validate({**_fields(row, now), "invites": invites, "materials": materials})


def _fields(row: RowMapping, now: datetime) -> dict[str, object]:
    return {**row, "id": row["consultation_id"], "trainer": row["agent_id"], "state": training_of(row).state_at(now)}
