"""The review queue as people see it: pages of it, and one item with its history and the redacted words. Nothing here changes anything."""

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, case, func, literal, select, tuple_

from domain.review import About, StateName
from domain.rules.intervals import touches
from domain.rules.shapes import Interval, Severity
from resources.compliance_tables import findings, redacted_turns, redactions, review_items, review_steps
from resources.store.call_times import call_start, offset_ms
from resources.store.calls import WrongCursor
from resources.store.evaluations import newest, withheld
from resources.tables import consultations, recordings, turns

WAITING = (StateName.OPEN, StateName.CLAIMED, StateName.ESCALATED)
_ORDER = (review_items.c.severity, review_items.c.created_at, review_items.c.id)
"""The severest first, then the oldest. The names of severities are in the order of the alphabet, which the index relies on."""


@dataclass(frozen=True, slots=True)
class Filters:
    """``state`` None: all that waits for a decision. ``mine``: claimed by this reviewer, for as long as the claim lasts."""

    state: StateName | None = None
    about: About | None = None
    what: str | None = None
    severity: Severity | None = None
    mine: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[RowMapping, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Detail:
    """``item``: as in the list. ``turn_*``: where its turn lies in the call, ms; None where it rests on no turn, or that is not kept any more.
    ``quote``: redacted; ``publication``: of the consultation now, None before it was judged; ``withheld``: the words lie where a
    refusal stood, so they may not be quoted though the rest is published."""

    item: RowMapping
    steps: tuple[RowMapping, ...]
    quote: str | None
    turn_id: int | None
    turn_start_ms: int | None
    turn_end_ms: int | None
    publication: str | None
    withheld: bool


def listed(connection: Connection, filters: Filters, now: datetime, *, limit: int, cursor: str | None) -> Page:
    """Raises WrongCursor."""
    state = _state(now)
    wanted: list[ColumnElement[bool]] = []
    if filters.state is None:
        wanted.append(review_items.c.state.in_([one.value for one in WAITING]))
    else:
        wanted.append(state == filters.state.value)
    if filters.about is not None:
        wanted.append(review_items.c.about == filters.about.value)
    if filters.what is not None:
        wanted.append(review_items.c.what == filters.what)
    if filters.severity is not None:
        wanted.append(review_items.c.severity == filters.severity.value)
    if filters.mine is not None:
        wanted += [state == StateName.CLAIMED.value, review_items.c.claimed_by == filters.mine]
    if cursor is not None:
        wanted.append(tuple_(*_ORDER) > tuple_(*map(literal, _decoded(cursor))))
    rows = connection.execute(_shown(now).where(*wanted).order_by(*_ORDER).limit(limit + 1)).mappings().all()
    more = len(rows) > limit
    return Page(tuple(rows[:limit]), _encoded(rows[limit - 1]) if more else None)


def one(connection: Connection, item_id: UUID, now: datetime) -> RowMapping | None:
    """As the list has it."""
    return connection.execute(_shown(now).where(review_items.c.id == item_id)).mappings().first()


def detail(connection: Connection, item_id: UUID, now: datetime) -> Detail | None:
    item = one(connection, item_id, now)
    if item is None:
        return None
    steps = connection.execute(select(review_steps).where(review_steps.c.item_id == item_id).order_by(review_steps.c.id)).mappings()
    evaluation = newest(connection, item["consultation_id"])
    publication = evaluation["publication"] if evaluation else None
    places = [(item["start_ms"], item["end_ms"])]
    turn = _turn(connection, item)
    quote = item["quote"]
    if turn is None:
        return Detail(item, tuple(steps), quote, None, None, None, publication, _lies_in(withheld(evaluation), places))
    offset = offset_ms(turn.started_at, call_start(turn.call_started_at, turn.started_at, turn.announced_at))
    if item["about"] == About.REDACTION.value:
        quote = turn.redacted
    start, end = turn.start_ms + offset, turn.end_ms + offset
    hidden = _lies_in(withheld(evaluation), [*places, (start, end)])
    return Detail(item, tuple(steps), quote, turn.id, start, end, publication, hidden)


def _lies_in(stretches: Sequence[Interval], places: Iterable[tuple[int | None, int | None]]) -> bool:
    return any(start is not None and end is not None and touches(stretches, start, end) for start, end in places)


def _turn(connection: Connection, item: RowMapping) -> Any:
    """The turn that an item is about: the finding's, or the first of the redacted value."""
    columns = [turns.c.id, turns.c.start_ms, turns.c.end_ms, recordings.c.started_at, recordings.c.announced_at]
    query = (
        select(*columns, consultations.c.started_at.label("call_started_at"), redacted_turns.c.text.label("redacted"))
        .select_from(
            recordings.join(consultations)
            .join(turns, turns.c.transcript_id == recordings.c.current_transcript_id)
            .outerjoin(
                redacted_turns,
                and_(redacted_turns.c.redaction_id == item["redaction_id"], redacted_turns.c.position == turns.c.position),
            )
        )
        .where(recordings.c.id == item["recording_id"])
    )
    if item["about"] == About.FINDING.value:
        return connection.execute(query.where(turns.c.id == item["turn_id"])).first()
    return connection.execute(query.where(turns.c.position == item["position"], redacted_turns.c.text.is_not(None))).first()


def _state(now: datetime) -> ColumnElement[str]:
    """domain.review.state_at, for the rows of a list."""
    over = and_(review_items.c.state == StateName.CLAIMED.value, review_items.c.claim_expires_at <= now)
    escalated = func.cardinality(review_items.c.escalated_by) > 0
    return case(
        (and_(over, escalated), StateName.ESCALATED.value),
        (over, StateName.OPEN.value),
        else_=review_items.c.state,
    )


def _shown(now: datetime) -> Select[Any]:
    held = and_(review_items.c.state == StateName.CLAIMED.value, review_items.c.claim_expires_at > now)
    confidence = (
        select(func.min(redactions.c.confidence))
        .where(
            redactions.c.redaction_id == review_items.c.redaction_id,
            redactions.c.entity == review_items.c.entity,
            redactions.c.kind == review_items.c.what,
        )
        .scalar_subquery()
    )
    return select(
        *(column for column in review_items.c if column.name not in ("state", "claimed_by", "claim_expires_at")),
        _state(now).label("state"),
        case((held, review_items.c.claimed_by)).label("claimed_by"),
        case((held, review_items.c.claim_expires_at)).label("claim_expires_at"),
        findings.c.verdict,
        findings.c.cause,
        findings.c.rule_version,
        findings.c.turn_id,
        findings.c.quote,
        func.coalesce(findings.c.confidence, confidence).label("confidence"),
    ).select_from(review_items.outerjoin(findings, findings.c.id == review_items.c.finding_id))


def _encoded(row: RowMapping) -> str:
    return base64.urlsafe_b64encode(json.dumps([row["severity"], row["created_at"].isoformat(), str(row["id"])]).encode()).decode()


def _decoded(cursor: str) -> tuple[str, datetime, UUID]:
    """Raises WrongCursor."""
    try:
        severity, at, item_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("without a zone")
        return Severity(severity).value, moment, UUID(item_id)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise WrongCursor from None
