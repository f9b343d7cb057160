"""What LiveKit shows against what the store has: what must have happened without anybody telling, and what became of each call's recording.

Pure decisions over what was seen; time is an argument. Nothing is concluded from silence alone: only a LiveKit that has answered shows that
a room is gone, and what was heard of a moment ago is left alone, because its webhook may still be on the way.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Somebody:
    sid: str
    identity: str
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that has not ended as far as anybody was told. ``heard_at``: the latest evidence of it. ``people``: who has not left."""

    id: UUID
    room_sid: str
    room_name: str
    heard_at: datetime
    people: tuple[Somebody, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveRoom:
    """A room that is on LiveKit now; ``people`` are SIDs, None where they could not be asked for."""

    sid: str
    people: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody left a call, at ``at`` as nearly as anybody can tell."""

    call: OpenCall
    person: Somebody
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    call: OpenCall
    at: datetime


def corrections(calls: Iterable[OpenCall], rooms: Iterable[LiveRoom], now: datetime, grace: timedelta) -> tuple[Left | Ended, ...]:
    """What was missed. A call whose room is gone ended at its latest evidence, and with it everybody left; who is gone from a room that is
    there left by now."""
    there = {room.sid: room for room in rooms}
    found: list[Left | Ended] = []
    for call in calls:
        room = there.get(call.room_sid)
        if room is None:
            if now - call.heard_at >= grace:
                found += [Left(call, person, call.heard_at) for person in call.people]
                found.append(Ended(call, call.heard_at))
        elif room.people is not None:
            gone = [one for one in call.people if one.sid not in room.people and now - one.heard_at >= grace]
            found += [Left(call, person, now) for person in gone]
    return tuple(found)


class RecordingState(StrEnum):
    IN_PROGRESS = "in_progress"
    RECORDED = "recorded"
    FAILED = "failed"
    REFUSED = "refused"
    NOT_EXPECTED = "not_expected"


@dataclass(frozen=True, slots=True)
class Outcome:
    state: RecordingState
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an ended call's recording. ``files``: recordings that have one and were not given up; ``failures``: the reason of each
    that has none or was. ``orders``: how each order from here ended, None while it is open. ``unended``: egresses that began and of whose end
    nobody told. ``driven``: its recordings are started from here; ``refused``: somebody declined or revoked."""

    ended_at: datetime
    files: int
    failures: tuple[str, ...]
    orders: tuple[str | None, ...]
    unended: int
    driven: bool
    refused: bool


def outcome(seen: Evidence, now: datetime, deadline: timedelta) -> Outcome:
    """One of the four that are final; IN_PROGRESS only until ``deadline`` after the call's end. What comes later still counts: a file that
    arrives makes a failed call a recorded one."""
    if seen.files:
        return Outcome(RecordingState.RECORDED)
    if now - seen.ended_at < deadline and (seen.unended or None in seen.orders or _announced_soon(seen)):
        return Outcome(RecordingState.IN_PROGRESS)
    if seen.failures:
        return Outcome(RecordingState.FAILED, seen.failures[-1])
    if seen.orders:
        last = seen.orders[-1]
        return Outcome(RecordingState.FAILED, "never_announced" if last is None or last.startswith("EGRESS_") else last)
    if seen.unended:
        return Outcome(RecordingState.FAILED, "never_announced")
    if seen.driven:
        return Outcome(RecordingState.REFUSED) if seen.refused else Outcome(RecordingState.NOT_EXPECTED, "no_consent")
    return Outcome(RecordingState.NOT_EXPECTED, "recorded_elsewhere_or_not_at_all")


def _announced_soon(seen: Evidence) -> bool:
    """An egress that ended well has a file, of which the webhook is on its way."""
    return not seen.failures and any(one == "EGRESS_COMPLETE" for one in seen.orders)
