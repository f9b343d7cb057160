"""Which recordings a call should have: by example, and for any history of people, consents, egresses and time."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import hypothesis.strategies as st
from hypothesis import given

from domain.parties import Party
from domain.recording_control import Order, Plan, Situation, StopReason, customer_apart, not_before, one_party, plan

NOW = datetime(2025, 3, 3, 15, tzinfo=UTC)
CUSTOMER, AGENT, PARTNER, BOT = "cu", "ag", "pa", "bot"
TWO = {CUSTOMER: Party.CUSTOMER, BOT: Party.ASSISTANT}
THREE = {**TWO, AGENT: Party.AGENT}


def order(layout: object, *, age_s: float = 60, egress: str | None = "EG_1", active: bool = True, stopping: bool = False) -> Order:
    return Order(uuid4(), layout, NOW - timedelta(seconds=age_s), egress, active, NOW if stopping else None)  # type: ignore[arg-type]


def situation(people: dict[str, Party], *orders: Order, **more: object) -> Situation:
    values: dict[str, object] = {"going_on": True, "gate_open": True, "refused": False, "customer": CUSTOMER, **more}
    return Situation(people=people, orders=orders, **values)  # type: ignore[arg-type]


def test_an_open_gate_starts_one_file_with_the_customer_apart() -> None:
    assert plan(situation(TWO), NOW) == Plan(start=(customer_apart(CUSTOMER),))
    assert plan(situation(THREE), NOW) == Plan(start=(customer_apart(CUSTOMER, [AGENT]),))


def test_a_running_recording_is_left_alone_while_it_has_a_place_for_everybody() -> None:
    running = order(customer_apart(CUSTOMER, [AGENT]))
    assert plan(situation(THREE, running), NOW) == Plan()
    assert plan(situation(TWO, running), NOW) == Plan(), "the agent left"
    assert plan(situation({AGENT: Party.AGENT}, running), NOW) == Plan(), "the customer is away for a moment"
    assert plan(situation({}, running), NOW) == Plan(), "everybody is"


def test_nothing_is_started_in_an_empty_room_nor_twice() -> None:
    assert plan(situation({}), NOW) == Plan()
    asked = order(customer_apart(CUSTOMER), egress=None, active=False)
    assert plan(situation(TWO, asked), NOW) == Plan()


def test_a_newcomer_gets_a_new_recording_before_the_old_one_stops() -> None:
    old = order(customer_apart(CUSTOMER))
    assert plan(situation(THREE, old), NOW) == Plan(start=(customer_apart(CUSTOMER, [AGENT]),))
    starting = order(customer_apart(CUSTOMER, [AGENT]), age_s=1, egress="EG_2", active=False)
    assert plan(situation(THREE, old, starting), NOW) == Plan()
    active = order(customer_apart(CUSTOMER, [AGENT]), age_s=1, egress="EG_2")
    assert plan(situation(THREE, old, active), NOW) == Plan(stop=((old, StopReason.REPLACED),))


def test_a_closed_gate_stops_everything_and_says_why() -> None:
    one, two = order(customer_apart(CUSTOMER)), order(customer_apart(CUSTOMER, [AGENT]), egress="EG_2", active=False)
    closed = {"gate_open": False}
    assert plan(situation(THREE, one, two, **closed, refused=True), NOW).stop == ((one, StopReason.REFUSED), (two, StopReason.REFUSED))
    assert plan(situation(THREE, one, **closed), NOW).stop == ((one, StopReason.CONSENT_MISSING),)
    assert plan(situation(THREE, one, going_on=False), NOW).stop == ((one, StopReason.CALL_ENDED),)
    stopping = order(customer_apart(CUSTOMER), stopping=True)
    assert plan(situation(THREE, stopping, **closed), NOW) == Plan(), "it was told already"


def test_without_a_customer_everybody_has_a_file() -> None:
    people = {AGENT: Party.AGENT, PARTNER: Party.PARTNER}
    assert plan(situation(people, customer=None), NOW).start == (one_party(AGENT), one_party(PARTNER))
    running = order(one_party(AGENT))
    assert plan(situation(people, running, customer=None), NOW) == Plan(start=(one_party(PARTNER),))


def test_after_failures_it_waits_longer_each_time_up_to_a_minute() -> None:
    failed = [NOW - timedelta(seconds=1)]
    assert plan(situation(TWO, failed_at=failed), NOW) == Plan()
    assert plan(situation(TWO, failed_at=failed), NOW + timedelta(seconds=1)).start
    assert [not_before([NOW] * n) - NOW for n in (1, 2, 3, 7, 2000)] == [timedelta(seconds=s) for s in (2, 4, 8, 60, 60)]


layouts = st.sampled_from(
    [customer_apart(CUSTOMER), customer_apart(CUSTOMER, [AGENT]), customer_apart(CUSTOMER, [AGENT, PARTNER]), one_party(AGENT)]
)
moments = st.integers(0, 86_400).map(lambda second: NOW + timedelta(seconds=second))
orders = st.lists(
    st.builds(
        Order,
        id=st.uuids(),
        layout=layouts,
        ordered_at=moments,
        egress_id=st.none() | st.uuids().map(str),
        active=st.booleans(),
        stop_asked_at=st.none() | moments,
    ),
    max_size=5,
    unique_by=lambda one: one.id,
)
situations = st.builds(
    Situation,
    going_on=st.booleans(),
    gate_open=st.booleans(),
    refused=st.booleans(),
    customer=st.sampled_from([CUSTOMER, None]),
    people=st.sets(st.sampled_from(sorted({**THREE, PARTNER: Party.PARTNER}))).map(
        lambda names: {name: {**THREE, PARTNER: Party.PARTNER}[name] for name in names}
    ),
    orders=orders,
    failed_at=st.lists(moments, max_size=4),
)


@given(situations)
def test_whatever_happened_before(now: Situation) -> None:
    planned = plan(now, NOW)
    stopped = {order.id for order, _ in planned.stop}
    if not (now.going_on and now.gate_open):
        assert not planned.start
        assert stopped == {order.id for order in now.orders if order.egress_id and not order.stopping}, "nothing may run on"
    else:
        assert not (planned.start and planned.stop), "the new one runs before the old one stops"
        assert all(because is StopReason.REPLACED for _, because in planned.stop)
        if stopped:
            left = [order for order in now.orders if order.id not in stopped and not order.stopping and order.active]
            named = {route.identity for order in left for route in order.layout.routes}
            assert named >= {name for name, role in now.people.items() if now.customer is None or role is not Party.ASSISTANT}


@given(situations)
def test_doing_what_is_planned_comes_to_rest(now: Situation) -> None:
    """Every start becomes active and every stop ends: after a few rounds nothing is left to do."""
    at, state = NOW + timedelta(days=2), now
    for _ in range(4):
        planned = plan(state, at)
        if planned == Plan():
            break
        stopped = {order.id for order, _ in planned.stop}
        running = [order for order in state.orders if order.id not in stopped]
        begun = [Order(uuid4(), layout, at, str(uuid4()), True) for layout in planned.start]
        # What was asked for before has been answered by now, too.
        answered = [Order(one.id, one.layout, one.ordered_at, one.egress_id or str(one.id), True, one.stop_asked_at) for one in running]
        state = Situation(
            state.going_on, state.gate_open, state.refused, state.customer, state.people, (*answered, *begun), state.failed_at
        )
    assert plan(state, at) == Plan()
