"""The limit on how often one caller may do something, counted for all processes together in a real PostgreSQL."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from sqlalchemy import Engine, text

from api.rates import SHARED_SWEEP_S, SharedWindow
from resources.store import rates
from resources.store.database import engine_for

MINUTE = timedelta(minutes=1)
visits = st.lists(st.tuples(st.sampled_from([0, 1, 10, 19, 20, 30, 59, 60, 61]), st.sampled_from(["anna", "bert"])), max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visits)
def test_in_no_minute_there_are_more_than_allowed_and_nobody_is_refused_without_need(
    engine: Engine, visits: Sequence[tuple[int, str]]
) -> None:
    now, what = datetime(2025, 3, 3, 15, tzinfo=UTC), uuid4().hex
    let_in: dict[str, list[datetime]] = {"anna": [], "bert": []}
    with engine.begin() as connection:
        for pause, who in visits:
            now += timedelta(seconds=pause)
            lately = [at for at in let_in[who] if at > now - MINUTE]
            assert rates.hit(connection, what, who, 3, MINUTE, now) is (len(lately) < 3)
            if len(lately) < 3:
                let_in[who].append(now)


def test_many_at_once_through_several_processes_get_no_more_than_allowed(engine: Engine) -> None:
    url, start = engine.url.render_as_string(hide_password=False), Barrier(8)

    def ask(_: int) -> list[bool]:
        own = engine_for(url)
        window = SharedWindow(own)
        start.wait()
        found = [window.hit(RateLimitItemPerMinute(50), "enter", "anna") for _ in range(20)]
        own.dispose()
        return found

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for some in pool.map(ask, range(8)) for answer in some]
    assert (sum(answers), len(answers)) == (50, 160)


def test_limits_and_callers_are_counted_apart(engine: Engine) -> None:
    window, three = SharedWindow(engine), RateLimitItemPerMinute(3)
    assert [window.hit(three, "enter", "anna") for _ in range(4)] == [True, True, True, False]
    assert window.hit(three, "begin", "anna") and window.hit(three, "enter", "bert")


def test_who_does_not_come_again_is_forgotten(engine: Engine) -> None:
    now = 0.0
    window = SharedWindow(engine, lambda: now)
    for who in ("anna", "bert"):
        window.hit(RateLimitItemPerMinute(3), "enter", who)
    with engine.begin() as connection:
        connection.execute(text("UPDATE caller_rates SET hits = ARRAY[now() - interval '61 minutes'] WHERE caller = 'anna'"))
    now = SHARED_SWEEP_S
    window.hit(RateLimitItemPerMinute(3), "enter", "carla")
    with engine.connect() as connection:
        assert set(connection.scalars(text("SELECT caller FROM caller_rates"))) == {"bert", "carla"}
