"""When a day's waiting work is asked for again, told by simulating a sensor over hours."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.run_requests import PastRun, delay_after, next_request

DAY = date(2025, 3, 3)
NOW = datetime(2025, 3, 3, 12, tzinfo=UTC)
LOST = timedelta(minutes=6)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def test_new_work_is_asked_for_at_once() -> None:
    request = next_request(DAY, "r1", [PastRun("r0", NOW - minutes(1), None)], NOW, LOST)
    assert request is not None
    assert request.run_key == "2025-03-03:r1:0"


def test_work_that_a_run_is_on_its_way_for_is_not_asked_for_twice() -> None:
    assert next_request(DAY, "r1", [PastRun("r1", NOW - minutes(5), None)], NOW, LOST) is None


def test_a_run_that_changed_nothing_is_followed_by_another_with_a_new_key() -> None:
    failed = [PastRun("r1", NOW - minutes(3), NOW - minutes(2))]
    request = next_request(DAY, "r1", failed, NOW, LOST)
    assert request is not None
    assert request.run_key == "2025-03-03:r1:1"
    assert next_request(DAY, "r1", failed, NOW - minutes(1.5), LOST) is None


def test_a_run_that_hangs_before_claiming_anything_counts_as_lost() -> None:
    hanging = [PastRun("r1", NOW - minutes(20), None)]
    request = next_request(DAY, "r1", hanging, NOW, LOST)
    assert request is not None
    assert request.run_key.endswith(":1")


def test_the_delay_doubles_up_to_an_hour() -> None:
    assert [delay_after(n) for n in (1, 2, 3, 6, 7, 1000)] == [minutes(m) for m in (1, 2, 4, 32, 60, 60)]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 600)), max_size=40), st.integers(5, 60))
def test_over_hours_no_key_repeats_and_work_is_never_forgotten(fates: list[tuple[bool, int]], tick_s: int) -> None:
    """Runs fail after a while or hang for ever, and none claims anything: the sensor goes on asking, with keys never used before."""
    now, past, keys = NOW, list[PastRun](), list[str]()
    for ends, seconds in fates:
        asked = None
        for _ in range(2 * 3600 // tick_s):
            asked = next_request(DAY, "r", past, now, LOST)
            if asked is not None:
                break
            now += timedelta(seconds=tick_s)
        assert asked is not None, "two hours without a request, though work waits"
        keys.append(asked.run_key)
        past.append(PastRun("r", now, now + timedelta(seconds=seconds) if ends else None))
        now += timedelta(seconds=seconds)
    assert len(set(keys)) == len(keys)
