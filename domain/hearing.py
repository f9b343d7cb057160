"""From a recording's layout and its call's participants to what attribution and the flags need to know. Pure; times in ms of the recording."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.attribution import Candidate, Layout
from domain.egress_layout import EgressLayout, LayoutKind, Listed, channel_members


@dataclass(frozen=True, slots=True)
class Person:
    """A participant of the recording's call. Times are ms from the recording's first sample and can be negative; None: not known."""

    listed: Listed
    joined_ms: int | None
    left_ms: int | None
    microphone_ms: int | None


def layout_of(asked: EgressLayout, channel_count: int, people: Sequence[Person], recording_ms: int) -> Layout:
    """Whose voice each channel can carry. Whoever was not in the room while it was recorded is left out."""
    there = [p for p in people if _overlaps(p, recording_ms)]
    by_sid = {p.listed.sid: p for p in there}
    channels = channel_members(asked, channel_count, [p.listed for p in there])
    candidates = tuple(
        tuple(Candidate(m.sid, m.role, by_sid[m.sid].joined_ms, by_sid[m.sid].left_ms) for m in members) for members in channels
    )
    return Layout(candidates, one_participant=asked.kind is LayoutKind.ONE_PARTICIPANT)


def live_ms(asked: EgressLayout, channel_count: int, people: Sequence[Person], recording_ms: int) -> list[int]:
    """For each channel, how long somebody whose only channel it is had a live track while it was recorded; 0 where nobody can say."""
    sides = channel_members(asked, channel_count, [p.listed for p in people])
    by_sid = {p.listed.sid: p for p in people}
    result = []
    for members in sides:
        spans = [_live_span(by_sid[m.sid], recording_ms) for m in members if sum(m in side for side in sides) == 1 or channel_count == 1]
        result.append(max((end - start for start, end in spans if end > start), default=0))
    return result


def _live_span(person: Person, recording_ms: int) -> tuple[int, int]:
    if person.microphone_ms is None:
        return (0, 0)
    end = recording_ms if person.left_ms is None else min(recording_ms, person.left_ms)
    return (max(0, person.microphone_ms), end)


def _overlaps(person: Person, recording_ms: int) -> bool:
    after_start = person.left_ms is None or person.left_ms > 0
    return after_start and (person.joined_ms is None or person.joined_ms < recording_ms)
