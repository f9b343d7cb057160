"""Rows of the review queue as domain.review knows them, and back. Which steps there are, and their transactions: resources.store.reviews."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, insert, select, update

from domain.review import About, Claimed, Closed, Decision, Escalated, Gone, Item, Open, State, StateName, Step
from domain.rules.shapes import Verdict
from resources.compliance_tables import findings, review_items, review_steps

LAST_WORDS = (Step.CONFIRMED, Step.OVERTURNED, Step.CLOSED)
_NAMES = {Open: StateName.OPEN, Claimed: StateName.CLAIMED, Escalated: StateName.ESCALATED, Closed: StateName.CLOSED, Gone: StateName.GONE}


def locked(connection: Connection, *these: Any) -> list[RowMapping]:
    """Items with the verdict they are about, locked."""
    query = (
        select(review_items, findings.c.verdict)
        .select_from(review_items.outerjoin(findings, findings.c.id == review_items.c.finding_id))
        .where(*these)
        .order_by(review_items.c.id)
        .with_for_update(of=review_items)
    )
    return list(connection.execute(query).mappings())


def item_of(connection: Connection, row: RowMapping) -> Item:
    about = About(row["about"])
    verdict = Verdict(row["verdict"]) if row["verdict"] else None
    state: State
    match StateName(row["state"]):
        case StateName.OPEN:
            state = Open()
        case StateName.CLAIMED:
            state = Claimed(row["claimed_by"], row["claim_expires_at"])
        case StateName.ESCALATED:
            state = Escalated()
        case StateName.GONE:
            state = Gone()
        case StateName.CLOSED:
            last = connection.execute(
                select(review_steps)
                .where(review_steps.c.item_id == row["id"], review_steps.c.step.in_([step.value for step in LAST_WORDS]))
                .order_by(review_steps.c.id.desc())
                .limit(1)
            ).one()
            decision = Decision(row["decision"]) if row["decision"] else None
            corrected = Verdict(row["corrected"]) if row["corrected"] else None
            state = Closed(last.actor, last.reason, row["closed_at"], decision, corrected)
    return Item(about, verdict, state, tuple(row["escalated_by"]))


def save(connection: Connection, item_id: UUID, item: Item) -> None:
    state = item.state
    claimed = state if isinstance(state, Claimed) else None
    closed = state if isinstance(state, Closed) else None
    values = {
        "state": _NAMES[type(state)].value,
        "claimed_by": claimed and claimed.by,
        "claim_expires_at": claimed and claimed.until,
        "escalated_by": list(item.escalated_by),
        "decision": closed and closed.decision and closed.decision.value,
        "corrected": closed and closed.corrected and closed.corrected.value,
        "closed_at": closed and closed.at,
        "version": review_items.c.version + 1,
    }
    connection.execute(update(review_items).where(review_items.c.id == item_id).values(**values))


def write(connection: Connection, item_ids: Iterable[UUID], step: Step, now: datetime, actor: str, reason: str | None = None) -> None:
    rows = [{"item_id": item_id, "at": now, "actor": actor, "step": step.value, "reason": reason} for item_id in item_ids]
    if rows:
        connection.execute(insert(review_steps), rows)
