"""Which recordings a call should have at this moment, against those that it has. Pure decisions; time is an argument.

Whether it may be recorded at all is domain.consent's decision, starting and stopping resources.call_recording's.

With a customer, one file: the customer left, everybody else right. Without one, as in a training, a file of each party. Whoever joins later
and has no place in a running file is given one by another: the new one runs before the old one stops, so that no second is lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.egress_layout import EgressLayout, LayoutKind, Route
from domain.parties import Party

UNANSWERED = timedelta(seconds=30)
"""After that a start that LiveKit did not answer, and does not list, has come to nothing; and a stop that did not stop is asked for anew."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(seconds=60)


class StopReason(StrEnum):
    REFUSED = "refused"
    CONSENT_MISSING = "consent_missing"
    REPLACED = "replaced"
    CALL_ENDED = "call_ended"


@dataclass(frozen=True, slots=True)
class Order:
    """A recording that was asked for and has not ended, as far as anybody knows. ``egress_id`` is None until LiveKit has answered."""

    id: UUID
    layout: EgressLayout
    ordered_at: datetime
    egress_id: str | None = None
    active: bool = False
    stop_asked_at: datetime | None = None
    stop_because: StopReason | None = None

    @property
    def stopping(self) -> bool:
        return self.stop_asked_at is not None


@dataclass(frozen=True, slots=True)
class Situation:
    """``people``: who is in the call now, identity to role; nobody's own helpers. ``customer``: the identity, also while away.

    ``failed_at``: when recordings of this call ended unasked, or could not be started; ``refused_at``: when the refusal that stands was said.
    """

    going_on: bool
    gate_open: bool
    refused: bool
    customer: str | None
    people: dict[str, Party]
    orders: Sequence[Order] = ()
    failed_at: Sequence[datetime] = ()
    refused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    start: tuple[EgressLayout, ...] = ()
    stop: tuple[tuple[Order, StopReason], ...] = ()


def customer_apart(customer: str, others: Iterable[str] = ()) -> EgressLayout:
    """One file: the customer left; the others and the AI worker right, by identity and kind.

    A person who is not named is not lost but lands on both channels, until a recording that names them has taken over.
    """
    right = [Route("right", identity=identity) for identity in others]
    return EgressLayout(LayoutKind.ROUTES, (Route("left", identity=customer), *right, Route("right", kind="AGENT")))


def one_party(identity: str) -> EgressLayout:
    """A file of one participant alone."""
    return EgressLayout(LayoutKind.ONE_PARTICIPANT, (Route("both", identity=identity),))


def plan(situation: Situation, now: datetime) -> Plan:
    """What to start and what to stop now. Nothing is started in an empty room, nor sooner than ``not_before`` after a failure."""
    running = [order for order in situation.orders if not order.stopping]
    if not (situation.going_on and situation.gate_open):
        return Plan(stop=tuple((order, _why(situation)) for order in running if order.egress_id is not None))
    if not situation.people:
        return Plan()
    groups = _parties(situation)
    takers = [_taker(running, group) for group in groups]
    start = [_layout(situation, group) for group, taker in zip(groups, takers, strict=True) if taker is None]
    kept = {taker.id for taker in takers if taker is not None}
    covered = not start and all(taker is not None and taker.active for taker in takers)
    spare = [order for order in running if order.id not in kept and order.egress_id is not None] if covered else []
    if start and now < not_before(situation.failed_at):
        start = []
    return Plan(tuple(start), tuple((order, StopReason.REPLACED) for order in spare))


def look_again_s(situation: Situation, now: datetime) -> float | None:
    """In how many seconds something may have to be done without anybody saying so; None where everything will be heard of."""
    if any(order.egress_id is None or not order.active or order.stopping for order in situation.orders):
        return 5.0
    if situation.going_on and situation.gate_open and situation.people and not situation.orders and situation.failed_at:
        return max(0.1, (not_before(situation.failed_at) - now).total_seconds())
    return None


def not_before(failed_at: Iterable[datetime]) -> datetime:
    """When to try again: 2 s after the first failure, doubling to a minute. BEGINNING where nothing has failed."""
    failures = sorted(failed_at)
    if not failures:
        return BEGINNING
    doubled: timedelta = FIRST_WAIT * (1 << min(len(failures) - 1, 10))
    return failures[-1] + min(doubled, LONGEST_WAIT)


def _why(situation: Situation) -> StopReason:
    if not situation.going_on:
        return StopReason.CALL_ENDED
    return StopReason.REFUSED if situation.refused else StopReason.CONSENT_MISSING


def _parties(situation: Situation) -> list[frozenset[str]]:
    """Who must be in one file together: with a customer everybody, else each alone. The AI worker is in every file that has routes."""
    if situation.customer is not None:
        return [frozenset(name for name, role in situation.people.items() if role is not Party.ASSISTANT) | {situation.customer}]
    return [frozenset({name}) for name in sorted(situation.people)]


def _taker(running: Iterable[Order], group: frozenset[str]) -> Order | None:
    """The recording in which these have their places: an active one rather than one that starts, then the one asked for first."""
    fits = [order for order in running if group <= {route.identity for route in order.layout.routes}]
    return min(fits, key=lambda order: (not order.active, order.ordered_at, order.id), default=None)


def _layout(situation: Situation, group: frozenset[str]) -> EgressLayout:
    if situation.customer is None:
        return one_party(min(group))
    return customer_apart(situation.customer, sorted(group - {situation.customer}))
