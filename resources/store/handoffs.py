"""The queue of handoffs in PostgreSQL: read, changed by one writer at a time, and every change numbered for whoever watches.

What may follow what is domain.handoff's; when to look again, and telling dashboards, resources.handoff_watch's. Whoever changes anything here
takes the queue's lock first of all, before any row, and gives it back with the transaction: so no two agents get one handoff, no agent two,
nobody waits in a circle, and the numbers of changes have the order of commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, insert, not_, or_, select, text, true, update

from domain.audit import Deed
from domain.handoff import (
    CUSTOMER_AWAY_SECONDS,
    Accepted,
    Agent,
    AgentStatus,
    Callback,
    Cancelled,
    Handoff,
    HandoffReason,
    Offered,
    Pass,
    State,
    Waiting,
    Window,
    cancel,
    choose_agent,
    expire,
    offer,
)
from domain.parties import Party
from resources.handoff_tables import handoff_changes, handoffs
from resources.store import audit
from resources.store.duty import KEPT, on_duty, set_status
from resources.tables import consultations, participants

CHANNEL = "verbatim_handoffs"
_TAKE_QUEUE = text("SELECT pg_advisory_xact_lock(6021873345)")
_IS_OPEN = handoffs.c.state.in_(("waiting", "offered"))
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A handoff with what the queue and the agent are told of it. ``entry`` is without anything that was said."""

    handoff: Handoff
    consultation_type: str
    room_name: str
    customer_id: UUID | None
    summary: str | None

    @property
    def entry(self) -> Entry:
        state, one = self.handoff.state, self.handoff
        entry: Entry = {
            "id": str(one.id),
            "consultation_id": str(one.consultation_id),
            "type": self.consultation_type,
            "reason": one.reason.value,
            "since": one.since.isoformat(),
            "state": state_name(state),
            "agent": state.agent if isinstance(state, Offered | Accepted) else None,
            "offered_until": state.until.isoformat() if isinstance(state, Offered) else None,
        }
        return entry


def take_queue(connection: Connection) -> None:
    """Wait for one's turn; it lasts until the transaction ends."""
    connection.execute(_TAKE_QUEUE)


def ask(connection: Connection, consultation_id: UUID, reason: HandoffReason, summary: str | None, asked_by: str, now: datetime) -> UUID:
    """A new handoff, or the one that is open already. Needs ``take_queue``."""
    found: UUID | None = connection.scalar(select(handoffs.c.id).where(handoffs.c.consultation_id == consultation_id, _IS_OPEN))
    if found is not None:
        return found
    one = Handoff(uuid4(), consultation_id, reason, now)
    values = {"id": one.id, "consultation_id": consultation_id, "reason": reason.value, "summary": summary, "requested_by": asked_by}
    connection.execute(insert(handoffs).values(**values, since=now, state="waiting"))
    _announce(connection, one.id, now)
    return one.id


def find(connection: Connection, handoff_id: UUID) -> Stored | None:
    row = connection.execute(_query().where(handoffs.c.id == handoff_id)).mappings().first()
    return _stored(row) if row else None


def queue(connection: Connection) -> tuple[int, list[Stored]]:
    """(number of the last change, every open handoff, the longest waiting first), as of one moment."""
    last = select(func.max(handoff_changes.c.number).label("number")).subquery()
    waiting = _query().where(_IS_OPEN).subquery()
    # One statement, which has one row at least: what is committed between two would be in neither the queue nor the changes after it.
    both = select(last.c.number, waiting).select_from(last.outerjoin(waiting, true())).order_by(waiting.c.since, waiting.c.id)
    found = connection.execute(both).mappings().all()
    return found[0]["number"] or 0, [_stored(row) for row in found if row["id"] is not None]


def save(connection: Connection, handoff: Handoff, now: datetime) -> None:
    """Needs ``take_queue``. Dashboards are told when the transaction commits."""
    state = handoff.state
    window = state.window if isinstance(state, Callback) else None
    connection.execute(
        update(handoffs)
        .where(handoffs.c.id == handoff.id)
        .values(
            state=state_name(state),
            agent=state.agent if isinstance(state, Offered | Accepted) else None,
            offered_until=state.until if isinstance(state, Offered) else None,
            over_at=state.at if isinstance(state, Accepted | Cancelled) else now if window else None,
            callback_start=window.start if window else None,
            callback_end=window.end if window else None,
            passes=[[one.agent, one.at.isoformat()] for one in handoff.passes],
        )
    )
    _announce(connection, handoff.id, now)


def take_over(connection: Connection, handoff: Handoff, agent: UUID, now: datetime, *, room_sid: str | None = None) -> bool:
    """The consultation is the agent's from now on, and the agent busy. False, and nothing has changed, where the call is over: ended,
    archived, or ``room_sid``, the room that is open under its name, is another's. Needs ``take_queue``."""
    row = update(consultations).where(_goes_on(handoff, room_sid)).values(agent_id=agent, escalated_to_human=True)
    if connection.execute(row).rowcount == 0:
        return False
    set_status(connection, agent, AgentStatus.BUSY, now)
    return True


def still_has(connection: Connection, handoff: Handoff, agent: UUID, *, room_sid: str) -> bool:
    """Whether the consultation that this agent has taken over goes on in that room, and is nobody else's by now."""
    theirs = and_(_goes_on(handoff, room_sid), consultations.c.agent_id == agent)
    return connection.scalar(select(consultations.c.id).where(theirs)) is not None


def _goes_on(handoff: Handoff, room_sid: str | None) -> ColumnElement[bool]:
    call = consultations.c
    goes_on = and_(call.id == handoff.consultation_id, call.ended_at.is_(None), call.archived.is_(False))
    return goes_on if room_sid is None else and_(goes_on, or_(call.room_sid.is_(None), call.room_sid == room_sid))


def offer_to(connection: Connection, agent: UUID) -> Stored | None:
    """What this agent is being asked."""
    row = connection.execute(_query().where(handoffs.c.state == "offered", handoffs.c.agent == str(agent))).mappings().first()
    return _stored(row) if row else None


def something_to_do(connection: Connection, now: datetime) -> bool:
    """Whether ``settle`` could change anything; asked without the lock."""
    over = and_(handoffs.c.state == "offered", handoffs.c.offered_until <= now)
    query = select(handoffs.c.id).where(or_(handoffs.c.state == "waiting", over, _OVER, _away(now)))
    return bool(connection.scalar(query.limit(1)))


def settle(connection: Connection, now: datetime) -> int:
    """What time has brought: calls that are over, customers who left, offers that ran out; then an offer for whoever waits longest. How many
    changes. Needs ``take_queue``."""
    gone: list[tuple[Handoff, str]] = []
    for why, which in (("the call is over", _OVER), ("the customer has left", _away(now))):
        for row in connection.execute(_query().where(_IS_OPEN, which)).mappings().all():
            left = _stored(row).handoff
            save(connection, cancel(left, now), now)
            gone.append((left, why))
    late = _query().where(handoffs.c.state == "offered", handoffs.c.offered_until <= now)
    expired = [_stored(row) for row in connection.execute(late).mappings()]
    for one in expired:
        save(connection, expire(one.handoff, now), now)
    waiting = [_stored(row) for row in connection.execute(_query().where(handoffs.c.state == "waiting").order_by("since", "id")).mappings()]
    changes = len(gone) + len(expired)
    offers: list[tuple[Handoff, Agent]] = []
    agents = on_duty(connection) if waiting else []
    for one in waiting:
        chosen = choose_agent(agents, one.handoff, now)
        if chosen is not None:
            save(connection, offer(one.handoff, chosen, now), now)
            offers.append((one.handoff, chosen))
            agents = [agent for agent in agents if agent.id != chosen.id]
    deeds = [_by_itself("handoff.cancel", handoff, why=why) for handoff, why in gone]
    deeds += [_by_itself("handoff.expire", one.handoff, agent=_asked(one.handoff)) for one in expired]
    deeds += [_by_itself("handoff.offer", handoff, agent=agent.id) for handoff, agent in offers]
    for deed in deeds:  # last of all: everybody else waits for the trail
        audit.append(connection, deed, now)
    return changes + len(offers)


def changes_after(connection: Connection, number: int) -> Sequence[RowMapping] | None:
    """(number, entry) of every change after this one; None where some of them are not kept any more, or it is from the future."""
    query = select(handoff_changes.c.number, handoff_changes.c.entry).where(handoff_changes.c.number > number)
    found = connection.execute(query.order_by(handoff_changes.c.number)).mappings().all()
    oldest = select(func.coalesce(func.min(handoff_changes.c.number), 0)).scalar_subquery()  # after them: they may be forgotten meanwhile
    bounds = connection.execute(select(oldest.label("oldest"), _last_number().label("newest"))).one()
    kept = number <= (bounds.newest or 0) and (not bounds.oldest or number >= bounds.oldest - 1)
    return found if kept else None


def forget_changes(connection: Connection, now: datetime) -> None:
    """Remove what is older than KEPT, but never the last one: numbers go on from it."""
    old = and_(handoff_changes.c.at < now - KEPT, handoff_changes.c.number < _last_number())
    connection.execute(delete(handoff_changes).where(old))


def callbacks(connection: Connection, since: datetime, limit: int) -> Sequence[RowMapping]:
    """Callbacks whose window ends later than ``since``, the next one first."""
    table = handoffs.c
    query = select(table.id, table.consultation_id, table.reason, table.callback_start, table.callback_end, consultations.c.customer_id)
    both = query.select_from(handoffs.join(consultations, consultations.c.id == table.consultation_id))
    due = both.where(table.state == "callback", table.callback_end > since).order_by(table.callback_start, table.id)
    return connection.execute(due.limit(limit)).mappings().all()


def state_name(state: State) -> str:
    return type(state).__name__.lower()


_OVER = and_(
    _IS_OPEN,
    select(consultations.c.id)
    .where(consultations.c.id == handoffs.c.consultation_id, or_(consultations.c.ended_at.is_not(None), consultations.c.archived))
    .correlate(handoffs)
    .exists(),
)


def _away(now: datetime) -> ColumnElement[bool]:
    """Open, but the customer, who was in the call, is in it no longer, and has not come back. Who else is there waits for nobody."""
    people = participants.c
    customer = and_(people.consultation_id == handoffs.c.consultation_id, people.role == Party.CUSTOMER.value)
    since = now - timedelta(seconds=CUSTOMER_AWAY_SECONDS)
    was, still = (select(people.sid).where(customer, more).correlate(handoffs) for more in (true(), _is_there(since)))
    return and_(_IS_OPEN, was.exists(), not_(still.exists()))


def _is_there(since: datetime) -> ColumnElement[bool]:
    return or_(participants.c.left_at.is_(None), participants.c.left_at > since)


def _query() -> Any:
    call = consultations.c
    shown = select(handoffs, call.consultation_type, call.room_name, call.customer_id)
    return shown.select_from(handoffs.join(consultations, call.id == handoffs.c.consultation_id))


def _last_number() -> Any:
    return select(func.max(handoff_changes.c.number)).scalar_subquery()


def _announce(connection: Connection, handoff_id: UUID, now: datetime) -> None:
    stored = find(connection, handoff_id)
    assert stored is not None
    number = (connection.scalar(select(_last_number())) or 0) + 1
    connection.execute(insert(handoff_changes).values(number=number, at=now, handoff_id=handoff_id, entry=stored.entry))
    connection.execute(text("SELECT pg_notify(:channel, :number)"), {"channel": CHANNEL, "number": str(number)})


def _stored(row: RowMapping) -> Stored:
    passes = tuple(Pass(agent, datetime.fromisoformat(at)) for agent, at in row["passes"])
    handoff = Handoff(row["id"], row["consultation_id"], HandoffReason(row["reason"]), row["since"], _state(row), passes)
    return Stored(handoff, row["consultation_type"], row["room_name"], row["customer_id"], row["summary"])


def _state(row: RowMapping) -> State:
    match row["state"]:
        case "waiting":
            return Waiting()
        case "offered":
            return Offered(row["agent"], row["offered_until"])
        case "accepted":
            return Accepted(row["agent"], row["over_at"])
        case "callback":
            return Callback(Window(row["callback_start"], row["callback_end"]))
        case _:
            return Cancelled(row["over_at"])


def _by_itself(action: str, handoff: Handoff, **details: str) -> Deed:
    return Deed(
        "verbatim", "service", action, consultation_id=handoff.consultation_id, subject=str(handoff.id), details=tuple(details.items())
    )


def _asked(handoff: Handoff) -> str:
    assert isinstance(handoff.state, Offered)
    return handoff.state.agent
