"""Handing a customer over: whom to ask, what may follow what, and that no order of events gives one customer to two agents."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.handoff import (
    ASK_AGAIN_SECONDS,
    HEARTBEAT_STALE_SECONDS,
    OFFER_SECONDS,
    Accepted,
    Agent,
    AgentStatus,
    AlreadyTaken,
    Callback,
    Cancelled,
    Gone,
    Handoff,
    HandoffReason,
    HandoffRefused,
    NotFree,
    NotYours,
    Offered,
    Pass,
    SomebodyFree,
    StillOffered,
    Waiting,
    Window,
    WrongWindow,
    accept,
    cancel,
    choose_agent,
    decline,
    expire,
    has_accepted,
    nobody_left,
    offer,
    schedule_callback,
    waited_seconds,
)

NOW = datetime(2025, 3, 3, 15, tzinfo=UTC)
NEW = Handoff(UUID(int=1), UUID(int=2), HandoffReason.COMPLEX, NOW)
WINDOW = Window(NOW + timedelta(hours=1), NOW + timedelta(hours=2))


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def agent(name: str, waited: float = 60, **known: object) -> Agent:
    """Available for so many seconds, with a heartbeat of this moment."""
    return replace(Agent(name, AgentStatus.AVAILABLE, after(-waited), NOW), **known)  # type: ignore[arg-type]


def passed_by(*passes: tuple[str, float]) -> Handoff:
    return replace(NEW, passes=tuple(Pass(name, after(-ago)) for name, ago in passes))


def chosen(agents: list[Agent], handoff: Handoff = NEW) -> str | None:
    found = choose_agent(agents, handoff, NOW)
    return found.id if found else None


OFFERED = offer(NEW, agent("ann"), NOW)
ACCEPTED = accept(OFFERED, "ann", after(5))
CANCELLED = cancel(NEW, NOW)
CALLED_BACK = schedule_callback(NEW, WINDOW, [], NOW)


@pytest.mark.parametrize(
    ("agents", "expected"),
    [
        ([], None),
        ([agent("ann", 10), agent("bob", 20)], "bob"),
        ([agent("bob", 20), agent("ann", 20)], "ann"),
        ([agent("ann", 20, status=AgentStatus.BUSY), agent("bob", 10)], "bob"),
        ([agent("ann", 20, status=AgentStatus.AWAY)], None),
        ([agent("ann", 20, in_call=True)], None),
        ([agent("ann", 20, offered_until=after(1))], None),
        ([agent("ann", 20, offered_until=NOW)], "ann"),
        ([agent("ann", 99, heartbeat_at=after(-HEARTBEAT_STALE_SECONDS))], "ann"),
        ([agent("ann", 99, heartbeat_at=after(-HEARTBEAT_STALE_SECONDS - 0.001))], None),
    ],
)
def test_the_free_agent_who_has_been_available_longest_is_asked(agents: list[Agent], expected: str | None) -> None:
    assert chosen(agents) == expected


def test_who_passed_is_asked_again_only_when_everybody_else_was_asked() -> None:
    ann, bob = agent("ann", 500), agent("bob", 10)
    assert chosen([ann, bob], passed_by(("ann", 400))) == "bob"
    assert chosen([ann, bob], passed_by(("bob", 400), ("ann", 300))) == "bob"
    assert chosen([ann, bob], passed_by(("ann", 400), ("bob", 300))) == "ann"
    assert chosen([ann, replace(bob, in_call=True)], passed_by(("ann", 400))) == "ann"


def test_the_only_agent_on_duty_is_left_alone_for_a_while_after_declining() -> None:
    assert chosen([agent("ann")], passed_by(("ann", ASK_AGAIN_SECONDS - 1))) is None
    assert chosen([agent("ann")], passed_by(("ann", ASK_AGAIN_SECONDS))) == "ann"


@pytest.mark.parametrize("handoff", [OFFERED, ACCEPTED, CANCELLED, CALLED_BACK])
def test_nobody_is_asked_where_nobody_waits(handoff: Handoff) -> None:
    assert chosen([agent("bob")], handoff) is None


def test_an_offer_is_open_for_thirty_seconds() -> None:
    assert OFFERED.state == Offered("ann", after(30)) and OFFER_SECONDS == 30
    assert accept(OFFERED, "ann", after(29.999)).state == Accepted("ann", after(29.999))
    with pytest.raises(Gone, match="ran out at 2025-03-03T15:00:30"):
        accept(OFFERED, "ann", after(30))
    with pytest.raises(Gone, match="ran out"):
        decline(OFFERED, "ann", after(30))
    with pytest.raises(StillOffered):
        expire(OFFERED, after(29.999))
    assert expire(OFFERED, after(45)) == replace(NEW, passes=(Pass("ann", after(30)),))


def test_declining_returns_it_to_the_queue_where_it_was() -> None:
    declined = decline(OFFERED, "ann", after(5))
    assert declined == replace(NEW, passes=(Pass("ann", after(5)),))
    assert declined.since == NEW.since


def test_only_the_newest_pass_of_an_agent_is_kept() -> None:
    once = decline(OFFERED, "ann", after(5))
    twice = decline(offer(once, agent("ann", heartbeat_at=after(40)), after(40)), "ann", after(50))
    assert twice.passes == (Pass("ann", after(50)),)


def test_an_agent_who_is_not_free_is_offered_nothing() -> None:
    for busy in (agent("ann", in_call=True), agent("ann", offered_until=after(9)), agent("ann", status=AgentStatus.AWAY)):
        with pytest.raises(NotFree):
            offer(NEW, busy, NOW)


@pytest.mark.parametrize(
    ("handoff", "step", "refusal"),
    [
        (NEW, lambda h: accept(h, "ann", NOW), NotYours),
        (NEW, lambda h: decline(h, "ann", NOW), NotYours),
        (NEW, lambda h: expire(h, NOW), Gone),
        (OFFERED, lambda h: accept(h, "bob", NOW), NotYours),
        (OFFERED, lambda h: decline(h, "bob", NOW), NotYours),
        (OFFERED, lambda h: offer(h, agent("bob"), NOW), StillOffered),
        (OFFERED, lambda h: schedule_callback(h, WINDOW, [], NOW), StillOffered),
        (decline(OFFERED, "ann", NOW), lambda h: accept(h, "ann", NOW), Gone),
        (expire(OFFERED, after(30)), lambda h: accept(h, "ann", after(31)), Gone),
        (offer(decline(OFFERED, "ann", NOW), agent("bob"), NOW), lambda h: accept(h, "ann", NOW), Gone),
    ],
)
def test_what_cannot_follow_is_refused(handoff: Handoff, step: Callable[[Handoff], Handoff], refusal: type[HandoffRefused]) -> None:
    with pytest.raises(refusal) as refused:
        step(handoff)
    assert "ann" not in str(refused.value) and "bob" not in str(refused.value)


@pytest.mark.parametrize(("handoff", "refusal"), [(ACCEPTED, AlreadyTaken), (CANCELLED, Gone), (CALLED_BACK, Gone)])
def test_accepted_cancelled_and_called_back_are_final(handoff: Handoff, refusal: type[HandoffRefused]) -> None:
    steps: list[Callable[[], Handoff]] = [
        lambda: offer(handoff, agent("bob"), NOW),
        lambda: accept(handoff, "ann", NOW),
        lambda: accept(handoff, "bob", NOW),
        lambda: decline(handoff, "ann", NOW),
        lambda: expire(handoff, after(60)),
        lambda: schedule_callback(handoff, WINDOW, [], NOW),
        lambda: cancel(handoff, NOW),
    ]
    for step in steps:
        with pytest.raises(refusal):
            step()


def test_only_who_accepted_has_it_and_waiting_ended_then() -> None:
    assert has_accepted(ACCEPTED, "ann") and not has_accepted(ACCEPTED, "bob")
    assert not any(has_accepted(one, "ann") for one in (NEW, OFFERED, CANCELLED, CALLED_BACK))
    assert waited_seconds(ACCEPTED) == round((after(5) - NEW.since).total_seconds())
    assert waited_seconds(OFFERED) == 0


def test_a_customer_who_leaves_while_an_agent_is_asked_takes_the_offer_along() -> None:
    gone = cancel(OFFERED, after(3))
    assert gone.state == Cancelled(after(3))
    with pytest.raises(Gone, match="customer has left"):
        accept(gone, "ann", after(4))


def test_a_callback_is_for_when_nobody_is_left() -> None:
    with pytest.raises(SomebodyFree):
        schedule_callback(NEW, WINDOW, [agent("ann")], NOW)
    assert nobody_left([agent("ann", in_call=True), agent("bob")], passed_by(("bob", 400)), NOW)
    passed = passed_by(("bob", 400))
    assert schedule_callback(passed, WINDOW, [agent("bob")], NOW) == replace(passed, state=Callback(WINDOW))


def test_a_window_is_kept_in_utc() -> None:
    pacific = timezone(timedelta(hours=-8))
    local = Window(WINDOW.start.astimezone(pacific), WINDOW.end.astimezone(pacific))
    state = schedule_callback(NEW, local, [], NOW).state
    assert isinstance(state, Callback) and state.window.start.tzinfo is UTC and state.window == WINDOW


HOUR, DAY, BIT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW + BIT, NOW + BIT + timedelta(minutes=15)),
        (NOW + HOUR, NOW + 9 * HOUR),
        (NOW + 14 * DAY - HOUR, NOW + 14 * DAY),
    ],
)
def test_windows_up_to_the_limits_are_taken(start: datetime, end: datetime) -> None:
    assert schedule_callback(NEW, Window(start, end), [], NOW).state == Callback(Window(start, end))


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (NOW, NOW + HOUR, "in the future"),
        (NOW - DAY, NOW - DAY + HOUR, "in the future"),
        (NOW + HOUR, NOW + HOUR, "end after"),
        (NOW + 2 * HOUR, NOW + HOUR, "end after"),
        (NOW + HOUR, NOW + HOUR + timedelta(minutes=15) - BIT, "15 minutes"),
        (NOW + HOUR, NOW + 9 * HOUR + BIT, "8 hours"),
        (NOW + 14 * DAY - HOUR, NOW + 14 * DAY + BIT, "14 days"),
        (NOW.replace(tzinfo=None) + HOUR, NOW + 2 * HOUR, "time zone"),
        (NOW + HOUR, NOW.replace(tzinfo=None) + 2 * HOUR, "time zone"),
        (datetime.min.replace(tzinfo=timezone(HOUR)), datetime.max.replace(tzinfo=timezone(-HOUR)), "in the future"),
        (NOW + HOUR, datetime.max.replace(tzinfo=timezone(-HOUR)), "14 days"),
    ],
)
def test_windows_beyond_the_limits_are_refused(start: datetime, end: datetime, said: str) -> None:
    with pytest.raises(WrongWindow, match=said):
        schedule_callback(NEW, Window(start, end), [], NOW)


names = st.sampled_from(["ann", "bob", "cy", "dee"])
crowd = st.lists(
    st.builds(
        agent,
        names,
        st.integers(0, 90),
        status=st.sampled_from(AgentStatus),
        heartbeat_at=st.integers(0, 60).map(lambda ago: after(-ago)),
        in_call=st.booleans(),
    ),
    unique_by=lambda one: one.id,
)
histories = st.lists(st.tuples(names, st.integers(0, 90)), unique_by=lambda one: one[0]).map(
    lambda passes: passed_by(*sorted(passes, key=lambda one: -one[1]))
)


@given(crowd, histories)
def test_whoever_is_chosen_is_free_and_nobody_unasked_is_passed_over(agents: list[Agent], handoff: Handoff) -> None:
    found = choose_agent(agents, handoff, NOW)
    passed = {one.agent for one in handoff.passes}
    unasked = [one for one in agents if one.free_at(NOW) and one.id not in passed]
    assert nobody_left(agents, handoff, NOW) == (not unasked)
    if found is not None:
        assert found.free_at(NOW)
        assert found in unasked if unasked else found.id in passed
    else:
        assert not unasked
    assert choose_agent(reversed(agents), handoff, NOW) == found


class Desk(RuleBasedStateMachine):
    """A few agents and handoffs, and a book of its own about who was offered what, which the handoffs are held against."""

    AGENTS = ("ann", "bob", "cy")
    HANDOFFS = range(3)

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.agents = {name: agent(name) for name in self.AGENTS}
        self.handoffs = {number: replace(NEW, id=UUID(int=number)) for number in self.HANDOFFS}
        self.offers: dict[int, tuple[str, datetime]] = {}
        self.taken: dict[int, Handoff] = {}
        self.talking: dict[str, int] = {}

    def seen(self, name: str) -> Agent:
        """An agent as the store would read them from all handoffs."""
        ends = [one.state.until for one in self.handoffs.values() if isinstance(one.state, Offered) and one.state.agent == name]
        return replace(self.agents[name], offered_until=max(ends, default=None), in_call=name in self.talking)

    def everybody(self) -> list[Agent]:
        return [self.seen(name) for name in self.AGENTS]

    def ask(self, number: int, one: Agent) -> None:
        held = [until for by, until in self.offers.values() if by == one.id and self.now < until]
        self.handoffs[number] = offer(self.handoffs[number], one, self.now)
        assert not held and one.id not in self.talking
        self.offers[number] = (one.id, self.now + timedelta(seconds=OFFER_SECONDS))

    @rule(seconds=st.sampled_from([1, 5, 29, 30, 31]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(name=st.sampled_from(AGENTS), status=st.sampled_from(AgentStatus))
    def an_agent_says_how_they_are(self, name: str, status: AgentStatus) -> None:
        self.agents[name] = replace(self.agents[name], status=status, available_since=self.now, heartbeat_at=self.now)

    @rule()
    def everybody_is_there(self) -> None:
        for name, one in self.agents.items():
            self.agents[name] = replace(one, status=AgentStatus.AVAILABLE, heartbeat_at=self.now)

    @rule(number=st.sampled_from(HANDOFFS))
    def the_next_agent_is_asked(self, number: int) -> None:
        found = choose_agent(self.everybody(), self.handoffs[number], self.now)
        if found is not None:
            self.ask(number, found)

    @rule(number=st.sampled_from(HANDOFFS), name=st.sampled_from(AGENTS))
    def somebody_is_asked(self, number: int, name: str) -> None:
        try:
            self.ask(number, self.seen(name))
        except HandoffRefused:
            pass

    @rule(number=st.sampled_from(HANDOFFS), name=st.sampled_from(AGENTS))
    def an_agent_accepts(self, number: int, name: str) -> None:
        self.accepts(number, name)

    def accepts(self, number: int, name: str) -> None:
        by, until = self.offers.get(number, ("", NOW))
        open_to_them = by == name and self.now < until
        try:
            self.handoffs[number] = accept(self.handoffs[number], name, self.now)
        except HandoffRefused:
            assert not open_to_them
            return
        assert open_to_them and number not in self.taken
        del self.offers[number]
        self.taken[number], self.talking[name] = self.handoffs[number], number

    @precondition(lambda self: self.offers)
    @rule(data=st.data())
    def an_agent_who_was_asked_accepts(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.offers)))
        self.accepts(number, self.offers[number][0])

    @rule(number=st.sampled_from(HANDOFFS), name=st.sampled_from(AGENTS))
    def an_agent_declines(self, number: int, name: str) -> None:
        by, until = self.offers.get(number, ("", NOW))
        try:
            self.handoffs[number] = decline(self.handoffs[number], name, self.now)
        except HandoffRefused:
            assert not (by == name and self.now < until)
            return
        assert by == name and self.now < until
        del self.offers[number]

    @rule(number=st.sampled_from(HANDOFFS))
    def the_sweeper_comes(self, number: int) -> None:
        try:
            self.handoffs[number] = expire(self.handoffs[number], self.now)
        except HandoffRefused:
            assert number not in self.offers or self.now < self.offers[number][1]
            return
        assert self.offers.pop(number)[1] <= self.now

    @rule(number=st.sampled_from(HANDOFFS))
    def the_customer_leaves(self, number: int) -> None:
        try:
            self.handoffs[number] = cancel(self.handoffs[number], self.now)
        except HandoffRefused:
            return
        self.offers.pop(number, None)

    @rule(number=st.sampled_from(HANDOFFS))
    def the_customer_wants_to_be_called_back(self, number: int) -> None:
        window = Window(self.now + timedelta(hours=1), self.now + timedelta(hours=2))
        try:
            self.handoffs[number] = schedule_callback(self.handoffs[number], window, self.everybody(), self.now)
        except HandoffRefused:
            return
        assert number not in self.offers

    @precondition(lambda self: self.talking)
    @rule(data=st.data())
    def a_consultation_ends(self, data: st.DataObject) -> None:
        del self.talking[data.draw(st.sampled_from(sorted(self.talking)))]

    @rule(number=st.sampled_from(HANDOFFS))
    def another_customer_comes(self, number: int) -> None:
        """In place of one whose handoff is over."""
        if isinstance(self.handoffs[number].state, Cancelled | Callback):
            self.handoffs[number] = replace(NEW, id=self.handoffs[number].id, since=self.now)

    @invariant()
    def no_agent_has_two_open_offers(self) -> None:
        held = [one.state.agent for one in self.handoffs.values() if isinstance(one.state, Offered) and self.now < one.state.until]
        assert len(held) == len(set(held))

    @invariant()
    def offers_are_what_the_book_says(self) -> None:
        states = {number: one.state for number, one in self.handoffs.items()}
        found = {number: (state.agent, state.until) for number, state in states.items() if isinstance(state, Offered)}
        assert found == self.offers

    @invariant()
    def what_was_accepted_never_changes(self) -> None:
        assert all(self.handoffs[number] == then for number, then in self.taken.items())
        assert {number for number, one in self.handoffs.items() if isinstance(one.state, Accepted)} == set(self.taken)

    @invariant()
    def only_who_passed_is_noted_and_once(self) -> None:
        for one in self.handoffs.values():
            assert len({each.agent for each in one.passes}) == len(one.passes)
            assert isinstance(one.state, Waiting | Offered | Accepted | Callback | Cancelled)


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
