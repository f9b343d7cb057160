"""Handoffs under many hands at once, and under any history: no customer with two agents, no agent with two customers, no number missing."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, event, insert, text, update

from domain.handoff import ASK_AGAIN_SECONDS, CUSTOMER_AWAY_SECONDS, OFFER_SECONDS, AgentStatus, HandoffRefused, Offered, Waiting
from resources.store import audit, duty, handoffs
from resources.store.database import engine_for
from resources.tables import participants
from tests.integration.handoff_store import available, declined, later, new_call, open_handoffs, settled, taken, wanted

SEVERAL = 8


def accepts(engine: Engine, handoff_id: UUID, agent: UUID) -> bool:
    try:
        taken(engine, handoff_id, agent)
    except HandoffRefused:
        return False
    return True


def test_of_many_who_accept_at_once_one_gets_it(engine: Engine) -> None:
    agents = [uuid4() for _ in range(4)]
    for agent in agents:
        available(engine, agent)
    offered = [wanted(engine, new_call(engine)) for _ in agents]
    tries = [(one, agent) for one in offered for agent in agents for _ in range(2)]
    start = Barrier(SEVERAL)

    def work(share: int) -> list[tuple[UUID, UUID]]:
        start.wait()
        return [(one, agent) for one, agent in tries[share::SEVERAL] if accepts(engine, one, agent)]

    with ThreadPoolExecutor(SEVERAL) as pool:
        won = [pair for share in pool.map(work, range(SEVERAL)) for pair in share]
    assert Counter(one for one, _ in won) == Counter(offered)
    assert len({agent for _, agent in won}) == len(agents), "and nobody has two"
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(DISTINCT agent_id) FROM video_consultations")).scalar_one() == len(agents)


def test_many_wishes_at_once_are_offered_once_each(engine: Engine) -> None:
    agents, calls = [uuid4() for _ in range(3)], [new_call(engine) for _ in range(12)]
    start = Barrier(SEVERAL)

    def work(share: int) -> None:
        start.wait()
        for call in calls[share::SEVERAL]:
            wanted(engine, call)
            wanted(engine, call)
        for agent in agents[share::SEVERAL]:
            available(engine, agent)

    with ThreadPoolExecutor(SEVERAL) as pool:
        list(pool.map(work, range(SEVERAL)))
    found = open_handoffs(engine)
    assert Counter(one.consultation_id for one in found) == Counter(calls)
    asked = [one.state.agent for one in found if isinstance(one.state, Offered)]
    assert Counter(asked) == Counter(map(str, agents)), "everybody is asked, and about one customer"
    with engine.connect() as connection:
        numbers = list(connection.scalars(text("SELECT number FROM handoff_changes ORDER BY number")))
        assert numbers == [*range(1, len(numbers) + 1)], "no change is without its number"


class Histories(RuleBasedStateMachine):
    """Agents come and go, customers wait and leave, time passes; all of it through the store."""

    engine: Engine
    agents, calls = Bundle("agents"), Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.away: dict[UUID, float] = {}
        with self.engine.begin() as connection:
            connection.execute(text("DELETE FROM handoff_changes"))
            connection.execute(text("DELETE FROM handoffs"))
            connection.execute(text("DELETE FROM agents_on_duty"))

    @rule(target=agents)
    def agent(self) -> UUID:
        found = uuid4()
        available(self.engine, found, later(self.now))
        return found

    @rule(target=calls)
    def customer(self) -> UUID:
        call = new_call(self.engine)
        wanted(self.engine, call, later(self.now))
        return call

    @rule(agent=agents, status=st.sampled_from(AgentStatus))
    def states(self, agent: UUID, status: AgentStatus) -> None:
        available(self.engine, agent, later(self.now), status)

    @rule(seconds=st.sampled_from([1, 5, OFFER_SECONDS - 1, OFFER_SECONDS, 120]), beats=st.booleans())
    def time_passes(self, seconds: int, beats: bool) -> None:
        self.now += seconds
        if beats:
            with self.engine.begin() as connection:
                for one in duty.on_duty(connection):
                    duty.heartbeat(connection, UUID(one.id), later(self.now))
        settled(self.engine, later(self.now))

    @rule(agent=agents, eager=st.booleans())
    def accepts(self, agent: UUID, eager: bool) -> None:
        for one in open_handoffs(self.engine):
            theirs = isinstance(one.state, Offered) and one.state.agent == str(agent) and later(self.now) < one.state.until
            try:
                taken(self.engine, one.id, agent, later(self.now))
                assert theirs
                if eager:  # says so while the call goes on
                    available(self.engine, agent, later(self.now))
            except HandoffRefused:
                assert not theirs

    @rule(agent=agents)
    def declines(self, agent: UUID) -> None:
        for one in open_handoffs(self.engine):
            if isinstance(one.state, Offered) and one.state.agent == str(agent) and later(self.now) < one.state.until:
                declined(self.engine, one.id, agent, later(self.now))

    @rule(call=calls)
    def ends(self, call: UUID) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE video_consultations SET ended_at = :at WHERE id = :id"), {"id": call, "at": later(self.now)})
        settled(self.engine, later(self.now))

    @rule(call=calls)
    def customer_comes(self, call: UUID) -> None:
        row = {
            "sid": f"PA_{uuid4().hex}",
            "consultation_id": call,
            "identity": "customer",
            "role": "customer",
            "joined_at": later(self.now),
        }
        with self.engine.begin() as connection:
            connection.execute(insert(participants).values(**row))
        self.away.pop(call, None)
        settled(self.engine, later(self.now))

    @rule(call=calls)
    def customer_goes(self, call: UUID) -> None:
        left = update(participants).where(participants.c.consultation_id == call, participants.c.left_at.is_(None))
        with self.engine.begin() as connection:
            if connection.execute(left.values(left_at=later(self.now))).rowcount:
                self.away[call] = self.now
        settled(self.engine, later(self.now))

    @invariant()
    def nobody_waits_for_a_customer_who_has_left(self) -> None:
        waiting = {one.consultation_id for one in open_handoffs(self.engine)}
        assert not {call for call in waiting & set(self.away) if self.now - self.away[call] >= CUSTOMER_AWAY_SECONDS}

    @invariant()
    def nobody_is_forgotten_or_shared(self) -> None:
        found, now = open_handoffs(self.engine), later(self.now)
        asked = [one.state.agent for one in found if isinstance(one.state, Offered)]
        assert len(asked) == len(set(asked)), "an agent is asked about one customer at a time"
        with self.engine.connect() as connection:
            agents = duty.on_duty(connection)
            free = {agent.id for agent in agents if agent.free_at(now)}
            talking = "SELECT agent_id FROM video_consultations WHERE ended_at IS NULL AND agent_id IS NOT NULL"
            busy = [str(one) for one in connection.scalars(text(talking))]
            assert len(busy) == len(set(busy)), "nobody talks with two customers"
            assert not set(busy) & set(asked)
            for one in found:
                if isinstance(one.state, Waiting):
                    rested = {one_pass.agent for one_pass in one.passes if (now - one_pass.at).total_seconds() < ASK_AGAIN_SECONDS}
                    assert free <= rested, "who waits has been refused by everybody who is free"
            numbers = list(connection.scalars(text("SELECT number FROM handoff_changes ORDER BY number")))
            assert numbers == [*range(1, len(numbers) + 1)]
            latest = "SELECT DISTINCT ON (handoff_id) handoff_id, entry FROM handoff_changes ORDER BY handoff_id, number DESC"
            newest = {row.handoff_id: row.entry for row in connection.execute(text(latest))}
            shown = {one.handoff.id: one.entry for one in handoffs.queue(connection)[1]}
            told = {one: entry for one, entry in newest.items() if entry["state"] in ("waiting", "offered")}
            assert told == shown


@pytest.mark.timeout(300)
def test_after_any_history(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    # On this machine's clock everybody's heartbeat would be old: what counts as on duty is asked of the history's own.
    monkeypatch.setattr(duty, "KEPT", datetime.now(UTC) - later(-86_400))

    monkeypatch.setattr(Histories, "engine", engine, raising=False)
    quiet = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Histories, settings=quiet)
    with engine.connect() as connection:
        assert [entry.number for entry in audit.entries(connection)], "and the trail was written"


def test_whoever_reads_the_queue_while_another_joins_it_learns_of_both(engine: Engine) -> None:
    """Of each handoff either the queue tells, or the changes after its number: also of one that is committed while it is read."""
    call, other = new_call(engine), engine_for(engine.url.render_as_string(hide_password=False))
    joined: list[UUID] = []

    def join(*_: object) -> None:
        if not joined:
            joined.append(wanted(other, call))

    with engine.connect() as connection:
        event.listen(connection, "after_cursor_execute", join)
        number, rows = handoffs.queue(connection)
    with engine.connect() as connection:
        changes = handoffs.changes_after(connection, number)
    other.dispose()
    assert changes is not None and joined
    assert {one.handoff.id for one in rows} | {UUID(change["entry"]["id"]) for change in changes} == set(joined)


def test_changes_that_are_forgotten_while_they_are_read_are_not_passed_over(engine: Engine) -> None:
    for _ in range(3):
        wanted(engine, new_call(engine))
    other = engine_for(engine.url.render_as_string(hide_password=False))

    def forget(*_: object) -> None:
        with other.begin() as connection:
            connection.execute(text("DELETE FROM handoff_changes WHERE number <= 2"))

    with engine.connect() as connection:
        event.listen(connection, "after_cursor_execute", forget)
        changes = handoffs.changes_after(connection, 0)
    other.dispose()
    assert changes is None or [change["number"] for change in changes] == [1, 2, 3]
