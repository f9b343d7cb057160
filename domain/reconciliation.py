"""What LiveKit shows against what the store has: what must have happened without anybody telling, and what became of each call's recording.

Pure decisions over what was seen; time is an argument. Nothing is concluded from silence alone: only a LiveKit that has answered shows that
a room is gone, and what was heard of a moment ago is left alone, because its webhook may still be on the way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.egress_layout import EgressLayout, LayoutKind

UNKNOWN = EgressLayout(LayoutKind.MIXED)
SHOWN = 5
"""Missing parts that a reason names at most."""


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
            latest = max([call.heard_at, *(person.heard_at for person in call.people)])  # people's times are finer than events'
            if now - latest >= grace:
                found += [Left(call, person, latest) for person in call.people]
                found.append(Ended(call, latest))
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
class Part:
    """One recording of a call: ordered from here, told of by egress, or both.

    ``which`` names it. ``arrived``: its file was fetched and probed, and not given up; else ``why`` not, and whether it ``may_come``.
    ``began``: it may have recorded something, which is then in no other file. ``layout``: whom it was to record.
    """

    which: str
    arrived: bool = False
    why: str = "not_fetched"
    may_come: bool = False
    began: bool = True
    layout: EgressLayout = UNKNOWN


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an ended call's recording. ``parts`` in order of time. ``driven``: its recordings are started from here; ``consented``:
    there was a moment at which it might have been recorded; ``empty``: LiveKit told of its beginning and its end, and of nobody in between;
    ``refused``: somebody declined or revoked."""

    ended_at: datetime
    parts: tuple[Part, ...] = ()
    driven: bool = False
    consented: bool = False
    empty: bool = False
    refused: bool = False


def outcome(seen: Evidence, now: datetime, deadline: timedelta) -> Outcome:
    """One of the four that are final; IN_PROGRESS only until ``deadline`` after the call's end. Recorded is a call of which no part is missing.
    What comes later still counts: a file that arrives makes a failed call a recorded one, and one that is given up a recorded one failed."""
    missing = [part for part in seen.parts if not part.arrived and not _made_good(part, seen.parts)]
    if missing and now - seen.ended_at < deadline and any(part.may_come for part in missing):
        return Outcome(RecordingState.IN_PROGRESS)
    if missing:
        return Outcome(RecordingState.FAILED, _why(seen.parts, missing))
    if seen.parts:
        return Outcome(RecordingState.RECORDED)
    if not seen.driven:
        return Outcome(RecordingState.NOT_EXPECTED, "recorded_elsewhere_or_not_at_all")
    if seen.consented and not seen.empty:
        return Outcome(RecordingState.FAILED, "never_started")
    if seen.refused:
        return Outcome(RecordingState.REFUSED)
    return Outcome(RecordingState.NOT_EXPECTED, "nobody_came" if seen.consented else "no_consent")


def _made_good(part: Part, parts: Iterable[Part]) -> bool:
    """It never recorded anything, and everybody whom it was to record is in a file that arrived."""
    return not part.began and any(other.arrived and _has_all(other.layout, part.layout) for other in parts)


def _has_all(file: EgressLayout, wanted: EgressLayout) -> bool:
    """A file with routes has everybody, also who is not named. Of a layout that names nobody, nothing is known."""
    named, has = ({route.identity for route in one.routes if route.identity} for one in (wanted, file))
    return bool(named) and (named <= has or file.kind is wanted.kind is LayoutKind.ROUTES)


def _why(parts: Iterable[Part], missing: Sequence[Part]) -> str:
    """Which parts are missing and why; without the which where all are."""
    if any(part.arrived for part in parts):
        more = f", and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        return ", ".join(f"{part.why} ({part.which})" for part in missing[:SHOWN]) + more
    return next((part.why for part in reversed(missing) if not part.may_come), missing[-1].why)
