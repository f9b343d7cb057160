"""Handing a customer over to a human: the states of one handoff, who is asked next, and what may follow what. Pure decisions; time is an argument.

Storing a handoff, and letting only one of two callers change it, belong to the store: it locks the row, calls one function here and saves
what comes back. Roles belong to domain.roles, and what an agent is told about the customer to the API.

    waiting → offered → accepted                accepted, callback and cancelled are final
              offered → waiting                 declined, or not answered in time
    waiting → callback                          nobody is left to ask
    waiting, offered → cancelled                the customer left, or is away for CUSTOMER_AWAY_SECONDS, whoever else is still in the call
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

OFFER_SECONDS = 30
HEARTBEAT_STALE_SECONDS = 30
ASK_AGAIN_SECONDS = 30
"""How long an agent who has passed is left alone, so that the only one on duty is not asked again in the moment of declining."""
CUSTOMER_AWAY_SECONDS = 20
"""Who lost the connection, or loads the page anew, is back by then; a room of which everybody is gone stays open as long."""
CALLBACK_SHORTEST = timedelta(minutes=15)
CALLBACK_LONGEST = timedelta(hours=8)
CALLBACK_AHEAD = timedelta(days=14)


class HandoffReason(StrEnum):
    REQUESTED = "requested"
    COMPLEX = "complex"
    FRUSTRATION = "frustration"


class AgentStatus(StrEnum):
    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"


class HandoffRefused(Exception):
    """What was asked of a handoff cannot be. ``str()`` says why and what to do, and names nobody."""


class Gone(HandoffRefused):
    """The offer, or the whole handoff, is over."""


class NotYours(HandoffRefused):
    """The offer is not this agent's."""


class AlreadyTaken(HandoffRefused):
    """An agent has accepted: nothing changes any more."""


class StillOffered(HandoffRefused):
    """An agent has an open offer, and must answer or let it expire first."""


class NotFree(HandoffRefused):
    """The agent can be offered nothing now."""


class SomebodyFree(HandoffRefused):
    """No callback is needed: an agent can be asked."""


class WrongWindow(HandoffRefused):
    """Nobody can be called back in this window of time."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a customer wants to be called back, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    pass


@dataclass(frozen=True, slots=True)
class Offered:
    """Open until the moment ``until``, and no longer in it."""

    agent: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    agent: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Callback:
    window: Window


@dataclass(frozen=True, slots=True)
class Cancelled:
    at: datetime


State = Waiting | Offered | Accepted | Callback | Cancelled


@dataclass(frozen=True, slots=True)
class Pass:
    """An agent who declined, or whose offer expired, and when."""

    agent: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Handoff:
    """``passes``: the newest of each agent who has passed, oldest first."""

    id: UUID
    consultation_id: UUID
    reason: HandoffReason
    since: datetime
    state: State = Waiting()
    passes: tuple[Pass, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as the store knows them. ``offered_until``: the end of their offer, of whichever handoff; ``in_call``: a consultation is theirs
    and goes on. ``available_since`` is when their status last became available."""

    id: str
    status: AgentStatus
    available_since: datetime
    heartbeat_at: datetime
    offered_until: datetime | None = None
    in_call: bool = False

    def status_at(self, now: datetime) -> AgentStatus:
        """The stated status; away once the heartbeat is older than HEARTBEAT_STALE_SECONDS."""
        return AgentStatus.AWAY if now - self.heartbeat_at > timedelta(seconds=HEARTBEAT_STALE_SECONDS) else self.status

    def free_at(self, now: datetime) -> bool:
        offered = self.offered_until is not None and now < self.offered_until
        return self.status_at(now) is AgentStatus.AVAILABLE and not offered and not self.in_call


def choose_agent(agents: Iterable[Agent], handoff: Handoff, now: datetime) -> Agent | None:
    """Whom to offer it to: of the free agents who have not passed, the one available longest, by id where two are equal.

    Only where no such agent is free may somebody be asked again: who passed longest ago, and not within ASK_AGAIN_SECONDS. None where there
    is nobody, or where the handoff does not wait.
    """
    if not isinstance(handoff.state, Waiting):
        return None
    passed = _passed(handoff)
    free = [agent for agent in agents if agent.free_at(now)]
    fresh = [agent for agent in free if agent.id not in passed]
    if fresh:
        return min(fresh, key=lambda agent: (agent.available_since, agent.id))
    rested = [agent for agent in free if now - passed[agent.id] >= timedelta(seconds=ASK_AGAIN_SECONDS)]
    return min(rested, key=lambda agent: (passed[agent.id], agent.id), default=None)


def nobody_left(agents: Iterable[Agent], handoff: Handoff, now: datetime) -> bool:
    """Whether every free agent has passed, or none is free: the customer may then choose to be called back instead of waiting on."""
    passed = _passed(handoff)
    return all(agent.id in passed for agent in agents if agent.free_at(now))


def offer(handoff: Handoff, agent: Agent, now: datetime) -> Handoff:
    """Offer it to an agent for OFFER_SECONDS. Raises NotFree, StillOffered, AlreadyTaken, Gone."""
    _require_waiting(handoff)
    if not agent.free_at(now):
        raise NotFree("This agent is not available, has another offer, or is in a consultation. Choose another agent.")
    return replace(handoff, state=Offered(agent.id, now + timedelta(seconds=OFFER_SECONDS)))


def accept(handoff: Handoff, agent: str, now: datetime) -> Handoff:
    """The agent takes it, once and for all. Raises Gone where the offer has expired, NotYours, AlreadyTaken."""
    _require_own_offer(handoff, agent, now)
    return replace(handoff, state=Accepted(agent, now))


def has_accepted(handoff: Handoff, agent: str) -> bool:
    """Whether this very agent has taken it: who has lost the answer may ask for it again."""
    return isinstance(handoff.state, Accepted) and handoff.state.agent == agent


def waited_seconds(handoff: Handoff) -> int:
    """How long the customer waited for the agent who accepted; 0 where nobody has."""
    return max(0, round((handoff.state.at - handoff.since).total_seconds())) if isinstance(handoff.state, Accepted) else 0


def decline(handoff: Handoff, agent: str, now: datetime) -> Handoff:
    """Back to waiting, with the agent's pass. Raises what accept raises."""
    _require_own_offer(handoff, agent, now)
    return _passed_on(handoff, agent, now)


def expire(handoff: Handoff, now: datetime) -> Handoff:
    """Back to waiting where the offer was not answered in time. Raises StillOffered before its end, Gone where there is none, AlreadyTaken."""
    _require_not_over(handoff)
    state = handoff.state
    if not isinstance(state, Offered):
        raise Gone("There is no offer that could expire: it was answered, or has expired already.")
    if now < state.until:
        raise StillOffered(f"The offer is open until {state.until.isoformat()}.")
    return _passed_on(handoff, state.agent, state.until)


def schedule_callback(handoff: Handoff, window: Window, agents: Iterable[Agent], now: datetime) -> Handoff:
    """The customer is called back in a window, and no longer waits. Raises WrongWindow, SomebodyFree, StillOffered, AlreadyTaken, Gone."""
    _require_waiting(handoff)
    if not nobody_left(agents, handoff, now):
        raise SomebodyFree("An agent is free and will be asked now. Wait for the answer, or try again in a minute.")
    return replace(handoff, state=Callback(_sound(window, now)))


def cancel(handoff: Handoff, now: datetime) -> Handoff:
    """The customer left. Raises AlreadyTaken, and Gone where it was cancelled before, or a callback is due: leaving does not undo that."""
    _require_not_over(handoff)
    return replace(handoff, state=Cancelled(now))


def _passed(handoff: Handoff) -> dict[str, datetime]:
    return {one.agent: one.at for one in handoff.passes}


def _passed_on(handoff: Handoff, agent: str, at: datetime) -> Handoff:
    others = tuple(one for one in handoff.passes if one.agent != agent)
    return replace(handoff, state=Waiting(), passes=(*others, Pass(agent, at)))


def _require_not_over(handoff: Handoff) -> None:
    match handoff.state:
        case Accepted():
            raise AlreadyTaken("This handoff has been accepted already. Reload the queue and choose another.")
        case Cancelled():
            raise Gone("The customer has left, so this handoff is over. Reload the queue.")
        case Callback():
            raise Gone("The customer chose to be called back, so this handoff is over. Look for it among the callbacks.")


def _require_waiting(handoff: Handoff) -> None:
    _require_not_over(handoff)
    if isinstance(handoff.state, Offered):
        raise StillOffered(f"An agent is being asked until {handoff.state.until.isoformat()}. Try again after that.")


def _require_own_offer(handoff: Handoff, agent: str, now: datetime) -> None:
    _require_not_over(handoff)
    state = handoff.state
    if not isinstance(state, Offered) or state.agent != agent:
        if agent in _passed(handoff):
            raise Gone("Your offer of this handoff is over: you declined it, or its time ran out.")
        raise NotYours("This handoff is not offered to you. Wait for an offer.")
    if now >= state.until:
        raise Gone(f"Your offer of this handoff ran out at {state.until.isoformat()}. It goes to somebody else.")


def _sound(window: Window, now: datetime) -> Window:
    """The window in UTC. All of it lies within the next CALLBACK_AHEAD."""
    if window.start.utcoffset() is None or window.end.utcoffset() is None:
        raise WrongWindow("The window needs a time zone. Give both times with their offset from UTC.")
    start, end = window.start, window.end
    if end <= start:
        raise WrongWindow("The window must end after it starts.")
    if start <= now:
        raise WrongWindow("The window must start in the future.")
    if end - now > CALLBACK_AHEAD:
        raise WrongWindow(f"The window must end within the next {CALLBACK_AHEAD.days} days.")
    if not CALLBACK_SHORTEST <= end - start <= CALLBACK_LONGEST:
        raise WrongWindow("The window must be between 15 minutes and 8 hours long.")
    return Window(start.astimezone(UTC), end.astimezone(UTC))  # last: far outside the checks above a conversion can overflow
