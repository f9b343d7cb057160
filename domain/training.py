"""When a training can be entered, and until when an invitation counts. Pure decisions; time is an argument."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

OPENS_BEFORE = timedelta(minutes=15)
"""How long before its start a session can be entered."""
STAYS_OPEN = timedelta(hours=1)
"""How long after its planned end, for those that run late."""
LONGEST = timedelta(hours=12)
FURTHEST = timedelta(days=365)


class TrainingState(StrEnum):
    SCHEDULED = "scheduled"
    OPEN = "open"
    ENDED = "ended"
    CANCELLED = "cancelled"


class WrongTime(ValueError):
    """A session cannot be planned like this. ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Training:
    """A planned session. ``call_ended_at``: when its room was closed, None while it was not."""

    starts_at: datetime
    ends_at: datetime
    cancelled_at: datetime | None = None
    call_ended_at: datetime | None = None

    def state_at(self, now: datetime) -> TrainingState:
        if self.cancelled_at is not None:
            return TrainingState.CANCELLED
        if self.call_ended_at is not None or now >= self.ends_at + STAYS_OPEN:
            return TrainingState.ENDED
        return TrainingState.OPEN if now >= self.starts_at - OPENS_BEFORE else TrainingState.SCHEDULED


def require_sound(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raises WrongTime."""
    if ends_at <= starts_at:
        raise WrongTime("A training must end after it starts.")
    if ends_at <= now:
        raise WrongTime("A training must end in the future.")
    if ends_at - starts_at > LONGEST:
        raise WrongTime("A training lasts 12 hours at most.")
    if starts_at - now > FURTHEST:
        raise WrongTime("A training starts within the next 365 days.")


def invitation_ends(ends_at: datetime, wanted: datetime | None) -> datetime:
    """When an invitation ends: with the session, or sooner where that is wanted."""
    last = ends_at + STAYS_OPEN
    return last if wanted is None else min(wanted, last)
