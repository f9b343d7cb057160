"""How long somebody attended, however often and with however many devices they came, and whatever LiveKit forgot to tell."""

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given

from domain.attendance import Stay, attendance

BEGIN = datetime(2025, 3, 5, 16, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def stay(sid: str, joined: float | None, left: float | None, identity: str = "p") -> Stay:
    return Stay(sid, identity, None if joined is None else at(joined), None if left is None else at(left))


def test_who_came_twice_attended_for_both_times() -> None:
    (one,) = attendance([stay("PA_2", 30, 40), stay("PA_1", 0, 10)], at(60))
    assert (one.seconds, one.first_joined_at, one.last_left_at, one.present) == (1200, at(0), at(40), False)
    assert [each.sid for each in one.stays] == ["PA_1", "PA_2"]


def test_two_devices_at_once_are_one_person() -> None:
    (one,) = attendance([stay("PA_1", 0, 30), stay("PA_2", 10, 40), stay("PA_3", 12, 20)], at(60))
    assert one.seconds == 40 * 60


def test_who_is_still_there_is_counted_until_now() -> None:
    (one,) = attendance([stay("PA_1", 0, 10), stay("PA_2", 20, None)], at(25))
    assert (one.seconds, one.present, one.last_left_at) == (900, True, None)


def test_a_leave_without_a_join_shows_who_but_not_how_long() -> None:
    (one,) = attendance([stay("PA_1", None, 10)], at(60))
    assert (one.seconds, one.first_joined_at, one.last_left_at) == (0, None, at(10))


def test_who_came_first_is_first() -> None:
    found = attendance([stay("PA_1", 5, 10, "late"), stay("PA_2", 0, 10, "early"), stay("PA_3", None, 3, "unknown")], at(60))
    assert [one.identity for one in found] == ["early", "late", "unknown"]


minutes = st.none() | st.integers(-30, 120)
stays = st.lists(st.tuples(st.sampled_from(["a", "b"]), minutes, minutes), max_size=8).map(
    lambda found: [stay(f"PA_{n}", joined, left, identity) for n, (identity, joined, left) in enumerate(found)]
)


@given(stays, st.integers(0, 90))
def test_the_seconds_are_the_minutes_in_which_somebody_was_there(found: list[Stay], over: int) -> None:
    """Counted another way: minute by minute."""
    people = attendance(found, at(over))
    assert {one.identity for one in people} == {one.identity for one in found}
    assert sorted(each.sid for one in people for each in one.stays) == sorted(one.sid for one in found)
    for one in people:
        there = [
            minute
            for minute in range(-30, over)
            if any(s.joined_at and s.joined_at <= at(minute) < (s.left_at or at(over)) for s in one.stays)
        ]
        assert one.seconds == len(there) * 60


@given(stays, st.randoms())
def test_the_order_in_which_events_came_does_not_matter(found: list[Stay], random: "st.DataObject") -> None:
    mixed = list(found)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert attendance(mixed, at(90)) == attendance(found, at(90))


@given(stays, st.integers(0, 90), st.integers(0, 90))
def test_a_call_that_is_over_counts_no_further_and_nobody_is_in_it(found: list[Stay], over: int, later: int) -> None:
    then, now = (attendance(found, at(minute), at(over)) for minute in (over, over + later))
    assert then == now
    assert not any(one.present for one in now)
    assert [one.seconds for one in now] == [one.seconds for one in attendance(found, at(over))]


def test_who_never_left_left_with_the_end_of_the_call() -> None:
    (one,) = attendance([stay("PA_1", 0, 10), stay("PA_2", 20, None)], at(90), at(60))
    assert (one.seconds, one.present, one.last_left_at) == (50 * 60, False, at(60))
