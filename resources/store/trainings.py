"""Trainings in the store: sessions, invitations, materials, attendance. When one can be entered is decided in domain.training.

A session is a consultation of type training from the moment it is scheduled; its room is opened on LiveKit by who enters first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    RowMapping,
    Text,
    and_,
    cast,
    exists,
    insert,
    not_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from domain.attendance import Stay
from domain.roles import Caller, Role
from domain.training import Training
from resources.identity.invitations import Invitation
from resources.store import promised_rooms
from resources.tables import consultations, participants, partners, users
from resources.training_tables import training_invites, training_materials, training_sessions

_SHOWN = (
    training_sessions, consultations.c.room_name, consultations.c.room_sid, consultations.c.agent_id, consultations.c.started_at,
    consultations.c.ended_at,
)  # fmt: skip
_ORDER = (training_sessions.c.starts_at, training_sessions.c.consultation_id)


class AlreadyInvited(Exception):
    """This partner has an invitation that counts."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``trainer``: the agent who gives it, or is answerable for a partner who does."""

    title: str
    starts_at: datetime
    ends_at: datetime
    trainer: UUID
    max_partners: int
    disclosure_version: str


@dataclass(frozen=True, slots=True)
class Unwelcome:
    """Somebody who is in a training and must not be. ``identity`` is the one under which LiveKit knows them."""

    consultation_id: UUID
    room_name: str
    identity: str


def training_of(row: RowMapping | Row[Any]) -> Training:
    fields = row if isinstance(row, RowMapping) else row._mapping
    return Training(fields["starts_at"], fields["ends_at"], fields["cancelled_at"], fields["ended_at"])


def schedule(connection: Connection, consultation_id: UUID, room_name: str, plan: Plan) -> None:
    """Its recordings are nobody's until it begins: what is months ahead, or never held, is not looked after."""
    connection.execute(upsert(users).values(id=plan.trainer, role="agent").on_conflict_do_nothing())
    call = {"id": consultation_id, "room_name": room_name, "consultation_type": "training", "agent_id": plan.trainer}
    connection.execute(insert(consultations).values(**call))
    row = {"consultation_id": consultation_id, "title": plan.title, "starts_at": plan.starts_at, "ends_at": plan.ends_at}
    more = {"max_partners": plan.max_partners, "disclosure_version": plan.disclosure_version}
    connection.execute(insert(training_sessions).values(**row, **more))


def one(connection: Connection, consultation_id: UUID, theirs: ColumnElement[bool], *, for_update: bool = False) -> RowMapping | None:
    query = _sessions().where(training_sessions.c.consultation_id == consultation_id, theirs)
    return connection.execute(query.with_for_update(of=training_sessions) if for_update else query).mappings().first()


def listed(
    connection: Connection, theirs: ColumnElement[bool], *, since: datetime | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[RowMapping]:
    """By their start. ``since`` leaves out what ended before; ``after`` is the last one of the page before."""
    wanted = [theirs]
    if since is not None:
        wanted.append(training_sessions.c.ends_at > since)
    if after is not None:
        wanted.append(tuple_(*_ORDER) > tuple_(*after))
    return connection.execute(_sessions().where(*wanted).order_by(*_ORDER).limit(limit)).mappings().all()


def visible_to(caller: Caller, role: Role) -> ColumnElement[bool]:
    """Admins and compliance officers see all sessions, an agent those that are theirs."""
    if role in (Role.ADMIN, Role.COMPLIANCE):
        return true()
    return consultations.c.agent_id == UUID(caller.subject)


def change(connection: Connection, consultation_id: UUID, **values: object) -> None:
    connection.execute(update(training_sessions).where(training_sessions.c.consultation_id == consultation_id).values(**values))


def invite(connection: Connection, session: UUID, partner: UUID, expires_at: datetime, *, trainer: bool) -> Invitation:
    """Raises AlreadyInvited."""
    connection.execute(upsert(partners).values(id=partner).on_conflict_do_nothing())
    made = Invitation(uuid4(), session, partner, expires_at)
    row = {"id": made.id, "consultation_id": session, "partner_id": partner, "trainer": trainer, "expires_at": expires_at}
    try:
        with connection.begin_nested():
            connection.execute(insert(training_invites).values(**row))
    except IntegrityError:
        raise AlreadyInvited from None
    return made


def invitations(connection: Connection, session: UUID) -> Sequence[RowMapping]:
    query = select(training_invites).where(training_invites.c.consultation_id == session)
    return connection.execute(query.order_by(training_invites.c.created_at, training_invites.c.id)).mappings().all()


def revoke(connection: Connection, session: UUID, invite_id: UUID, now: datetime) -> bool:
    """Whether there was one to revoke."""
    table = training_invites.c
    open_one = and_(table.id == invite_id, table.consultation_id == session, table.revoked_at.is_(None))
    return connection.execute(update(training_invites).where(open_one).values(revoked_at=now)).rowcount == 1


def invited(connection: Connection, invitation: Invitation, *, for_update: bool = False) -> RowMapping | None:
    """(the session, and ``invite_revoked_at``, ``invite_expires_at``, ``trainer`` of an invitation); None where it was never given."""
    table = training_invites.c
    query = _sessions().add_columns(table.trainer, table.revoked_at.label("invite_revoked_at"), table.expires_at.label("invite_expires_at"))
    both = and_(table.id == invitation.id, table.partner_id == invitation.partner_id)
    joined = query.join(training_invites, and_(table.consultation_id == training_sessions.c.consultation_id, both))
    found = joined.where(training_sessions.c.consultation_id == invitation.consultation_id)
    return connection.execute(found.with_for_update(of=training_sessions) if for_update else found).mappings().first()


def unwelcome(connection: Connection, session: UUID | None = None) -> list[Unwelcome]:
    """Partners whose only invitations were revoked, and who are in the room by all that is known; of one training, or of all that go on.

    Of one training also those of whom nobody has told that they are in it.
    """
    invites, calls, people, again = training_invites.c, consultations.c, participants.c, training_invites.alias().c
    query = select(calls.id, calls.room_name, cast(invites.partner_id, Text)).join_from(
        consultations, training_invites, invites.consultation_id == calls.id
    )
    counts = exists().where(again.consultation_id == calls.id, again.partner_id == invites.partner_id, again.revoked_at.is_(None))
    there = exists().where(people.consultation_id == calls.id, people.identity == cast(invites.partner_id, Text), people.left_at.is_(None))
    wanted = [calls.ended_at.is_(None), calls.room_sid.is_not(None), invites.revoked_at.is_not(None), not_(counts)]
    wanted.append(there if session is None else calls.id == session)
    return [Unwelcome(*row) for row in connection.execute(query.where(*wanted).distinct())]


def newest_invitation(connection: Connection, session: UUID, partner: UUID) -> Invitation | None:
    """The one of a partner that counts, or else the last that did."""
    table = training_invites.c
    query = select(training_invites).where(table.consultation_id == session, table.partner_id == partner)
    row = connection.execute(query.order_by(table.revoked_at.desc().nulls_first()).limit(1)).first()
    return Invitation(row.id, session, partner, row.expires_at) if row is not None else None


def is_invited(connection: Connection, session: UUID, partner: UUID, now: datetime) -> bool:
    """Whether this partner has an invitation that counts now."""
    table = training_invites.c
    found = select(table.id).where(table.consultation_id == session, table.partner_id == partner)
    return connection.execute(found.where(table.revoked_at.is_(None), table.expires_at > now)).first() is not None


def entered(connection: Connection, session: UUID, room_sid: str, invite_id: UUID | None, now: datetime, *, driven: bool) -> None:
    """The room is open, and the invitation was used. ``driven``: its recordings are started and stopped from here."""
    row = update(consultations).where(consultations.c.id == session).values(room_sid=room_sid, recording_driven=driven)
    promised_rooms.keep_unasked(connection, connection.execute(row.returning(consultations.c.room_name)).scalar_one(), room_sid)
    if invite_id is not None:
        first = and_(training_invites.c.id == invite_id, training_invites.c.entered_at.is_(None))
        connection.execute(update(training_invites).where(first).values(entered_at=now))


def add_material(connection: Connection, session: UUID, title: str, url: str, sha256: str | None, shared_by: str, now: datetime) -> UUID:
    material = uuid4()
    row = {"id": material, "consultation_id": session, "title": title, "url": url, "sha256": sha256, "shared_by": shared_by}
    connection.execute(insert(training_materials).values(**row, shared_at=now))
    return material


def materials(connection: Connection, session: UUID) -> Sequence[RowMapping]:
    table = training_materials.c
    query = select(training_materials).where(table.consultation_id == session, table.removed_at.is_(None))
    return connection.execute(query.order_by(table.shared_at, table.id)).mappings().all()


def remove_material(connection: Connection, session: UUID, material: UUID, now: datetime) -> bool:
    table = training_materials.c
    shown = and_(table.id == material, table.consultation_id == session, table.removed_at.is_(None))
    return connection.execute(update(training_materials).where(shown).values(removed_at=now)).rowcount == 1


def stays(connection: Connection, session: UUID) -> list[Stay]:
    query = select(participants.c.sid, participants.c.identity, participants.c.joined_at, participants.c.left_at)
    return [Stay(*row) for row in connection.execute(query.where(participants.c.consultation_id == session))]


def _sessions() -> Any:
    return select(*_SHOWN).join(consultations, consultations.c.id == training_sessions.c.consultation_id)
