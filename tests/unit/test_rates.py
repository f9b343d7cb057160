"""The limit on how often one caller may do something, whenever they come."""

import threading

from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond

from api.rates import SWEEP_S, MovingWindow

THREE = RateLimitItemPerMinute(3)
visits = st.lists(st.tuples(st.sampled_from([0, 1, 10, 19, 20, 30, 59, 60, 61]), st.sampled_from(["anna", "bert"])), max_size=60)


class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@given(visits)
def test_in_no_minute_there_are_more_than_allowed_and_nobody_is_refused_without_need(visits: list[tuple[int, str]]) -> None:
    clock = Clock()
    window, let_in = MovingWindow(clock), dict[str, list[float]](anna=[], bert=[])
    for pause, who in visits:
        clock.now += pause
        lately = [at for at in let_in[who] if at > clock.now - 60]
        assert window.hit(THREE, "enter", who) is (len(lately) < 3)
        if len(lately) < 3:
            let_in[who].append(clock.now)


def test_limits_and_callers_are_counted_apart() -> None:
    window = MovingWindow(Clock())
    assert [window.hit(THREE, "enter", "anna") for _ in range(4)] == [True, True, True, False]
    assert (
        window.hit(THREE, "begin", "anna") and window.hit(THREE, "enter", "bert") and window.hit(RateLimitItemPerSecond(1), "enter", "anna")
    )


def test_who_does_not_come_again_is_forgotten() -> None:
    clock = Clock()
    window = MovingWindow(clock)
    for number in range(1000):
        window.hit(THREE, "stranger", str(number))
        clock.now += 0.01
    assert len(window) == 1000
    clock.now += SWEEP_S + 60
    assert window.hit(THREE, "stranger", "last")
    assert len(window) == 1


def test_many_at_once_get_no_more_than_allowed() -> None:
    window, let_in = MovingWindow(), list[bool]()
    threads = [
        threading.Thread(target=lambda: let_in.extend(window.hit(RateLimitItemPerMinute(50), "enter", "anna") for _ in range(40)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(let_in), len(let_in)) == (50, 320)
