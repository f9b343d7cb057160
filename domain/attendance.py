"""Who attended, from when to when, by the stays that LiveKit tells of: one for each time somebody joined, under an id (SID) of its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Stay:
    """``left_at`` is None while it goes on, or where nobody told of the end. Either time may be unknown."""

    sid: str
    identity: str
    joined_at: datetime | None
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attendance:
    """``seconds`` counts every moment once, however many devices somebody came with. ``present``: a stay goes on."""

    identity: str
    stays: tuple[Stay, ...]
    first_joined_at: datetime | None
    last_left_at: datetime | None
    seconds: int
    present: bool


def attendance(stays: Iterable[Stay], now: datetime, call_ended_at: datetime | None = None) -> tuple[Attendance, ...]:
    """For each identity, by who came first. A stay without an end goes on until now; once the call is over it lasted until then, and none longer."""
    over_at = now if call_ended_at is None else call_ended_at
    people: dict[str, list[Stay]] = {}
    for stay in stays:
        people.setdefault(stay.identity, []).append(stay)
    found = [_of(identity, theirs, over_at, going_on=call_ended_at is None) for identity, theirs in people.items()]
    return tuple(sorted(found, key=lambda one: (one.first_joined_at or over_at, one.identity)))


def _of(identity: str, stays: list[Stay], over_at: datetime, *, going_on: bool) -> Attendance:
    ordered = sorted(stays, key=lambda stay: (stay.joined_at or over_at, stay.sid))
    joined = [stay.joined_at for stay in ordered if stay.joined_at]
    left = [stay.left_at or over_at for stay in ordered]
    present = going_on and any(stay.left_at is None for stay in ordered)
    return Attendance(
        identity,
        tuple(ordered),
        min(joined, default=None),
        None if present else max(left, default=None),
        _seconds(ordered, over_at),
        present,
    )


def _seconds(ordered: list[Stay], over_at: datetime) -> int:
    """The length of the union of the stays. A leave without a join shows that somebody was there, not for how long."""
    total, until = timedelta(), None
    for stay in ordered:
        if stay.joined_at is None:
            continue
        end = min(stay.left_at or over_at, over_at)
        begin = stay.joined_at if until is None else max(stay.joined_at, until)
        if end > begin:
            total += end - begin
        until = end if until is None else max(until, end)
    return round(total.total_seconds())
