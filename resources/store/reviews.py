"""The review queue in PostgreSQL: what evaluations and redactions ask, who has it, what was decided. What may follow what: domain.review.

Whoever changes an item locks its row, so of two reviewers at once one wins and the other is told. Rows are locked in one order everywhere:
consultation, its recordings, item. Lists and single items for people are in resources.store.review_list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, and_, func, insert, select, update

from domain import review
from domain.audit import Deed, Outcome
from domain.redaction.shapes import CARD_DATA, Redaction, Sensitive
from domain.review import (
    About,
    Closed,
    ConsentSeen,
    Decision,
    Item,
    Overturned,
    Place,
    Reviewer,
    ReviewRefused,
    StateName,
    Step,
)
from domain.rules.shapes import Cause, Finding, Severity, Verdict
from resources.compliance_tables import evaluations as evaluation_table
from resources.compliance_tables import redaction_runs, redactions, review_items
from resources.live_tables import consent_records
from resources.store import audit, evaluations
from resources.store import redactions as redacted
from resources.store.call_times import call_start, offset_ms
from resources.store.review_rows import item_of, locked, save, write
from resources.tables import consultations, recordings

PIPELINE = "verbatim"
"""Who asks and takes back questions."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Who acts, as the audit trail names them: ``role`` need not be that in which they review."""

    reviewer: Reviewer
    role: str
    origin: str | None = None


def ask(connection: Connection, evaluation_id: UUID, now: datetime | None = None) -> None:
    """Asks about each finding of the evaluation that is not met or that nobody can tell, and about none that it no longer has.

    The same question as before is the same item, with its claim or its decision. An evaluation that is not the newest asks nothing.
    """
    evaluation = connection.execute(select(evaluation_table).where(evaluation_table.c.id == evaluation_id)).mappings().one()
    consultation_id: UUID = evaluation["consultation_id"]
    hold(connection, consultation_id)
    newest = evaluations.newest(connection, consultation_id)
    if newest is None or newest["id"] != evaluation_id:
        return
    seen = ConsentSeen(evaluation["consent"], evaluation["spoken"], evaluation["withdrawn_at_ms"], evaluation["consent_records"])
    asked = {
        review.question_of(_finding(row), seen): {
            "what": row["rule_id"],
            "severity": row["severity"],
            "finding_id": row["id"],
            "recording_id": row["recording_id"],
            "start_ms": row["start_ms"],
            "end_ms": row["end_ms"],
        }
        for row in evaluations.findings_of(connection, evaluation_id)
        if row["verdict"] != Verdict.MET.value and not row["overturned"]
    }
    _settle(connection, consultation_id, About.FINDING, asked, now or datetime.now(UTC))


def ask_about_redactions(connection: Connection, redaction_id: UUID, threshold: float, now: datetime | None = None) -> None:
    """Asks about each value of this redaction of which a piece was recognised with less confidence than ``threshold``; and about none of
    the recording's that it no longer has."""
    run = connection.execute(
        select(redaction_runs, recordings.c.consultation_id, recordings.c.started_at, recordings.c.announced_at)
        .select_from(redaction_runs.join(recordings, recordings.c.id == redaction_runs.c.recording_id))
        .where(redaction_runs.c.id == redaction_id)
    ).one()
    begin = hold(connection, run.consultation_id)
    offset = offset_ms(run.started_at, call_start(begin, run.started_at, run.announced_at))
    values: dict[tuple[Sensitive, int], list[Redaction]] = {}
    for one in redacted.of(connection, redaction_id):
        values.setdefault((one.kind, one.entity), []).append(one)
    asked = {}
    for (kind, entity), pieces in values.items():
        if min(one.confidence for one in pieces) < threshold:
            starts = [one.start_ms + offset for one in pieces if one.start_ms is not None]
            ends = [one.end_ms + offset for one in pieces if one.end_ms is not None]
            asked[review.question_of_value(run.transcript_id, map(Place.of, pieces))] = {
                "what": kind.value,
                "severity": Severity.REVIEW.value,
                "redaction_id": redaction_id,
                "recording_id": run.recording_id,
                "position": pieces[0].position,
                "entity": entity,
                "start_ms": min(starts, default=None),
                "end_ms": max(ends, default=None),
            }
    _settle(connection, run.consultation_id, About.REDACTION, asked, now or datetime.now(UTC), run.recording_id)


def decisions(connection: Connection, consultation_id: UUID) -> Overturned:
    """What people overturned of a consultation's verdicts. Hold the consultation before, so that none is decided meanwhile."""
    rows = connection.execute(
        select(review_items.c.fingerprint, review_items.c.corrected).where(
            review_items.c.consultation_id == consultation_id,
            review_items.c.about == About.FINDING.value,
            review_items.c.decision == Decision.OVERTURNED.value,
        )
    )
    taken = select(func.count()).where(consent_records.c.consultation_id == consultation_id)
    return Overturned({row.fingerprint: Verdict(row.corrected) for row in rows}, int(connection.execute(taken).scalar_one()))


def overturned_redactions(connection: Connection, transcript_id: UUID) -> frozenset[Place]:
    """The words of a transcript that people found not to be personal data: for domain.review.leave_readable."""
    mine = and_(
        review_items.c.redaction_id == redaction_runs.c.id,
        review_items.c.entity == redactions.c.entity,
        review_items.c.what == redactions.c.kind,
        review_items.c.decision == Decision.OVERTURNED.value,
        redaction_runs.c.transcript_id == transcript_id,
    )
    found = connection.execute(
        select(redactions).select_from(redactions.join(redaction_runs).join(review_items, review_items.c.redaction_id == redaction_runs.c.id))
        .where(mine)
    )  # fmt: skip
    return frozenset(Place(Sensitive(row.kind), row.position, row.first_word, row.last_word) for row in found)


def claim(connection: Connection, item_id: UUID, hand: Hand, now: datetime) -> ReviewRefused | None:
    return _act(connection, item_id, hand, Step.CLAIMED, None, now, lambda item: review.claim(item, hand.reviewer, now))


def release(connection: Connection, item_id: UUID, hand: Hand, now: datetime) -> ReviewRefused | None:
    return _act(connection, item_id, hand, Step.RELEASED, None, now, lambda item: review.release(item, hand.reviewer, now))


def confirm(connection: Connection, item_id: UUID, hand: Hand, reason: str, now: datetime) -> ReviewRefused | None:
    return _act(connection, item_id, hand, Step.CONFIRMED, reason, now, lambda item: review.confirm(item, hand.reviewer, reason, now))


def overturn(
    connection: Connection, item_id: UUID, hand: Hand, reason: str, corrected: Verdict | None, now: datetime
) -> ReviewRefused | None:
    """The next run judges the call anew or, where a redaction was overturned, looks through the recording's transcript."""

    def change(item: Item) -> Item:
        return review.overturn(item, hand.reviewer, reason, corrected, now)

    return _act(connection, item_id, hand, Step.OVERTURNED, reason, now, change)


def escalate(connection: Connection, item_id: UUID, hand: Hand, reason: str, now: datetime) -> ReviewRefused | None:
    return _act(connection, item_id, hand, Step.ESCALATED, reason, now, lambda item: review.escalate(item, hand.reviewer, reason, now))


def close(connection: Connection, item_id: UUID, hand: Hand, reason: str, now: datetime) -> ReviewRefused | None:
    return _act(connection, item_id, hand, Step.CLOSED, reason, now, lambda item: review.close(item, hand.reviewer, reason, now))


def _act(
    connection: Connection, item_id: UUID, hand: Hand, step: Step, reason: str | None, now: datetime, change: Callable[[Item], Item]
) -> ReviewRefused | None:
    """One step by one reviewer, and its entry in the audit trail, also where it is refused: commit either way. Raises KeyError for an
    unknown item. The last thing to do in a transaction."""
    consultation_id = connection.execute(select(review_items.c.consultation_id).where(review_items.c.id == item_id)).scalar()
    if consultation_id is None:
        raise KeyError(item_id)
    if step is Step.OVERTURNED:  # an evaluation that is at work must not end with the verdict as it was before
        hold(connection, consultation_id)
        held = select(recordings.c.id).where(recordings.c.consultation_id == consultation_id).order_by(recordings.c.id)
        connection.execute(held.with_for_update())
    row = locked(connection, review_items.c.id == item_id)[0]
    before = item_of(connection, row)
    refused = None
    after = before
    try:
        after = change(before)
    except ReviewRefused as error:
        refused = error
    if refused is None and after == before:  # the same request again
        return None
    if refused is None:
        save(connection, item_id, after)
        write(connection, [item_id], step, now, hand.reviewer.id, reason.strip() if reason else None)
        if step is Step.OVERTURNED:
            _have_it_applied(connection, row)
    why = {} if refused is None else {"why": type(refused).__name__}
    deed = Deed(
        hand.reviewer.id,
        hand.role,
        f"review.{_VERBS[step]}",
        Outcome.DONE if refused is None else Outcome.REFUSED,
        consultation_id,
        str(item_id),
        hand.origin,
        reason,
        tuple({"about": row["about"], "what": row["what"], **_corrected(after), **why}.items()),
    )
    audit.append(connection, deed, now)
    return refused


_VERBS = {
    Step.CLAIMED: "claim",
    Step.RELEASED: "release",
    Step.CONFIRMED: "confirm",
    Step.OVERTURNED: "overturn",
    Step.ESCALATED: "escalate",
    Step.CLOSED: "close",
}


def _corrected(item: Item) -> dict[str, str]:
    return {"corrected": item.state.corrected.value} if isinstance(item.state, Closed) and item.state.corrected else {}


def _have_it_applied(connection: Connection, row: RowMapping) -> None:
    if row["about"] == About.FINDING.value:
        evaluations.judge_again(connection, [row["consultation_id"]])
    elif Sensitive(row["what"]) not in CARD_DATA:  # of which nothing is kept that could be shown
        this = and_(
            recordings.c.id == row["recording_id"], recordings.c.redacted_transcript_id.is_not(None), recordings.c.destroyed_at.is_(None)
        )
        connection.execute(update(recordings).where(this).values(redacted_transcript_id=None, claims=recordings.c.claims + 1))


def _settle(
    connection: Connection,
    consultation_id: UUID,
    about: About,
    asked: Mapping[str, Mapping[str, Any]],
    now: datetime,
    recording_id: UUID | None = None,
) -> None:
    """``asked``: question -> columns. Everything else that waits of the consultation, or of the one recording, is no longer asked."""
    these = [review_items.c.consultation_id == consultation_id, review_items.c.about == about.value]
    if recording_id is not None:
        these.append(review_items.c.recording_id == recording_id)
    opened: list[UUID] = []
    dropped: list[UUID] = []
    known = set()
    for row in locked(connection, *these):
        known.add(row["fingerprint"])
        before = item_of(connection, row)
        wanted = asked.get(row["fingerprint"])
        after = review.drop(before) if wanted is None else review.ask_again(before)
        if after != before:
            (dropped if wanted is None else opened).append(row["id"])
            save(connection, row["id"], after)
        if wanted is not None and not isinstance(after.state, Closed):
            connection.execute(update(review_items).where(review_items.c.id == row["id"]).values(**wanted))
    for question, values in asked.items():
        if question not in known:
            opened.append(item_id := uuid4())
            state = {"state": StateName.OPEN.value, "fingerprint": question, "created_at": now}
            connection.execute(
                insert(review_items).values(id=item_id, consultation_id=consultation_id, about=about.value, **state, **values)
            )
    write(connection, opened, Step.OPENED, now, PIPELINE)
    write(connection, dropped, Step.GONE, now, PIPELINE)


def hold(connection: Connection, consultation_id: UUID) -> datetime | None:
    """Lock the consultation for this transaction, before any of its recordings; returns when it began."""
    query = select(consultations.c.started_at).where(consultations.c.id == consultation_id).with_for_update()
    began: datetime | None = connection.execute(query).scalar_one()
    return began


def _finding(row: RowMapping) -> Finding:
    plain = (
        "rule_id",
        "rule_version",
        "confidence",
        "turn_id",
        "recording_id",
        "first_word",
        "last_word",
        "start_ms",
        "end_ms",
        "overturned",
    )
    return Finding(
        severity=Severity(row["severity"]),
        verdict=Verdict(row["verdict"]),
        cause=Cause(row["cause"]) if row["cause"] else None,
        **{name: row[name] for name in plain},
    )
