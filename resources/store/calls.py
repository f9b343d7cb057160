"""Consultations as the live-call API lists, reads and changes them. Whoever may not see one finds nothing, as if it were not there."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, false, func, or_, select, true, tuple_, update

from domain.consultations import ConsultationType
from domain.reconciliation import RecordingState
from domain.roles import Caller, Role
from resources.tables import consultations
from resources.training_tables import training_invites

COLUMNS = (
    "id", "consultation_type", "room_name", "customer_id", "agent_id", "partner_id", "quote_id", "claim_id", "ai_handled", "escalated_to_human",
    "started_at", "ended_at", "duration_seconds", "ai_summary", "agent_notes", "customer_rating", "jurisdictions", "archived", "created_at",
    "recording_state", "recording_reason",
)  # fmt: skip
"""What a list and a single one show. What was said is no part of it: transcripts have readers of their own."""

_SHOWN = [consultations.c[name] for name in COLUMNS]
_ORDER = (consultations.c.created_at, consultations.c.id)


class CallState(StrEnum):
    PLANNED = "planned"
    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Filters:
    """``since`` and ``until`` bound the call's start, UTC, the second one excluded. Archived ones only where they are asked for."""

    kind: ConsultationType | None = None
    state: CallState | None = None
    customer_id: UUID | None = None
    agent_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    archived: bool = False
    recording_state: RecordingState | None = None


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[RowMapping, ...]
    next_cursor: str | None


class WrongCursor(Exception):
    """No cursor of this list."""


def listed(connection: Connection, caller: Caller, roles: Sequence[Role], filters: Filters, *, limit: int, cursor: str | None) -> Page:
    """What a caller sees in any of these roles, the newest first. Raises WrongCursor. What is added while somebody pages is not in the way:
    pages go from the cursor backwards.
    """
    wanted = [or_(*(visible_to(caller, role) for role in roles)), *_conditions(filters)]
    if cursor is not None:
        wanted.append(tuple_(*_ORDER) < tuple_(*decoded(cursor)))
    query = select(*_SHOWN).where(*wanted).order_by(*(column.desc() for column in _ORDER)).limit(limit + 1)
    rows = connection.execute(query).mappings().all()
    more = len(rows) > limit
    return Page(tuple(rows[:limit]), encoded(rows[limit - 1]["created_at"], rows[limit - 1]["id"]) if more else None)


def one(connection: Connection, caller: Caller, role: Role, consultation_id: UUID, *, for_update: bool = False) -> RowMapping | None:
    """The consultation, if it is there and this caller may see it."""
    query = select(*_SHOWN).where(consultations.c.id == consultation_id, visible_to(caller, role))
    return connection.execute(query.with_for_update() if for_update else query).mappings().first()


def count(connection: Connection, state: CallState) -> int:
    """How many calls are in this state now, those put away left out."""
    query = select(func.count()).select_from(consultations).where(_in_state(state), consultations.c.archived.is_(False))
    return int(connection.execute(query).scalar_one())


def change(connection: Connection, consultation_id: UUID, **values: Any) -> None:
    connection.execute(update(consultations).where(consultations.c.id == consultation_id).values(**values))


def visible_to(caller: Caller, role: Role) -> ColumnElement[bool]:
    """Which rows a caller sees in a role: officers and the assistant all, the parties of a call their own, everybody else none.

    A partner's own are also the trainings that it is invited to, or was in.
    """
    if role in (Role.ADMIN, Role.COMPLIANCE, Role.ASSISTANT):
        return true()
    try:
        own = UUID(caller.subject)
    except ValueError:
        return false()
    match role:
        case Role.CUSTOMER:
            return consultations.c.customer_id == own
        case Role.AGENT:
            return consultations.c.agent_id == own
        case Role.PARTNER:
            invites = training_invites.c
            counts = or_(invites.revoked_at.is_(None), invites.entered_at.is_not(None))
            trainings = select(invites.consultation_id).where(invites.partner_id == own, counts)
            return or_(consultations.c.partner_id == own, consultations.c.id.in_(trainings))
        case _:
            return false()


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    table = consultations.c
    chosen: list[ColumnElement[bool]] = [table.archived.is_(filters.archived)]
    if filters.kind is not None:
        chosen.append(table.consultation_type == filters.kind.value)
    if filters.customer_id is not None:
        chosen.append(table.customer_id == filters.customer_id)
    if filters.agent_id is not None:
        chosen.append(table.agent_id == filters.agent_id)
    if filters.since is not None:
        chosen.append(table.started_at >= filters.since)
    if filters.until is not None:
        chosen.append(table.started_at < filters.until)
    if filters.recording_state is not None:
        chosen.append(table.recording_state == filters.recording_state.value)
    if filters.state is not None:
        chosen.append(_in_state(filters.state))
    return chosen


def _in_state(state: CallState) -> ColumnElement[bool]:
    table = consultations.c
    match state:
        case CallState.PLANNED:
            return and_(table.started_at.is_(None), table.ended_at.is_(None))
        case CallState.OPEN:
            return and_(table.started_at.is_not(None), table.ended_at.is_(None))
        case CallState.ENDED:
            return table.ended_at.is_not(None)


def encoded(at: datetime, last: UUID) -> str:
    """A cursor: the place of the last one that was shown."""
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), str(last)]).encode()).decode()


def decoded(cursor: str) -> tuple[datetime, UUID]:
    """Raises WrongCursor."""
    try:
        at, consultation_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("without a zone")
        return moment, UUID(consultation_id)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise WrongCursor from None
