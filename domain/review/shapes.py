"""One item of the review queue, and the states that it can be in. What may follow what: domain.review.steps."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.roles import Role
from domain.rules.shapes import Verdict

CLAIM_MINUTES = 30
"""How long an item is its reviewer's without a sign of life; claiming it again begins anew."""


class About(StrEnum):
    FINDING = "finding"
    REDACTION = "redaction"


class Decision(StrEnum):
    CONFIRMED = "confirmed"
    OVERTURNED = "overturned"


class StateName(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    ESCALATED = "escalated"
    CLOSED = "closed"
    GONE = "gone"


class Step(StrEnum):
    """What is written down of an item's history."""

    OPENED = "opened"
    CLAIMED = "claimed"
    RELEASED = "released"
    CONFIRMED = "confirmed"
    OVERTURNED = "overturned"
    ESCALATED = "escalated"
    CLOSED = "closed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """``id`` is opaque; ``role`` the one in which they review, compliance or admin."""

    id: str
    role: Role


@dataclass(frozen=True, slots=True)
class Open:
    pass


@dataclass(frozen=True, slots=True)
class Claimed:
    """The reviewer's until the moment ``until``, and no longer in it."""

    by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Escalated:
    """Waits for somebody else than ``Item.escalated_by``."""


@dataclass(frozen=True, slots=True)
class Closed:
    """``decision`` is None where it was closed without one; ``corrected``: the verdict of whoever overturned a finding."""

    by: str
    reason: str
    at: datetime
    decision: Decision | None = None
    corrected: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """No evaluation asks this any more."""


State = Open | Claimed | Escalated | Closed | Gone


@dataclass(frozen=True, slots=True)
class Item:
    """``verdict``: of the finding, not_met or cannot_tell; None for a redaction. ``escalated_by``: all who did, in order."""

    about: About
    verdict: Verdict | None
    state: State = Open()
    escalated_by: tuple[str, ...] = ()


def state_at(item: Item, now: datetime) -> StateName:
    """A claim that has ended is none: the item waits as it did before."""
    match item.state:
        case Claimed(until=until) if now < until:
            return StateName.CLAIMED
        case Closed():
            return StateName.CLOSED
        case Gone():
            return StateName.GONE
        case _:
            return StateName.ESCALATED if item.escalated_by else StateName.OPEN
