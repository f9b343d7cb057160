"""When the sensor asks for a run of a day. Reading the store and Dagster's run history belongs to pipelines.sensors.

A run key is used once for ever, so it carries the revision of the pending work: every claim, failure or result makes a new one. A
run that ended without touching its work (its model was missing, its machine died) leaves the revision as it was; then the number
of such runs goes into the key, after a delay that doubles from one minute to one hour.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that was asked for with a revision. ``ended_at`` is None while it is queued or running."""

    revision: str
    asked_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Request:
    day: date
    revision: str
    run_key: str


def next_request(day: date, revision: str, past: Iterable[PastRun], now: datetime, lost_after: timedelta) -> Request | None:
    """The run to ask for now, if any.

    ``past`` are the runs of this day. One that has neither ended nor claimed anything ``lost_after`` its request counts as lost: a
    worker whose host dies leaves its run STARTED for ever.
    """
    same = [run for run in past if run.revision == revision]
    ends = []
    for run in same:
        if run.ended_at is None:
            if now < run.asked_at + lost_after:
                return None
            ends.append(run.asked_at + lost_after)
        else:
            ends.append(run.ended_at)
    if ends and now < max(ends) + delay_after(len(ends)):
        return None
    return Request(day, revision, f"{day.isoformat()}:{revision}:{len(ends)}")


def delay_after(fruitless_runs: int) -> timedelta:
    """How long to wait after that many runs which changed nothing: 1, 2, 4, … 60 minutes."""
    doublings: int = 2 ** min(max(fruitless_runs, 1) - 1, 16)
    return min(FIRST_DELAY * doublings, LONGEST_DELAY)
