"""What rules found in a consultation: evaluations with their findings, added and never changed; the newest counts. Judging: domain.rules."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, and_, func, insert, select, update

from domain.rules.changes import Basis, Ruled, changes, ruled
from domain.rules.shapes import Finding, Interval, Judgement, Publication, Verdict
from resources.compliance_tables import evaluations, findings, review_items
from resources.store.heard_calls import Heard
from resources.store.work import call_day
from resources.tables import consultations, recordings


def save(connection: Connection, heard: Heard, judgement: Judgement, run_id: str | None) -> UUID:
    """Add the judgement as the consultation's newest; every recording that was heard is judged by it. Hold the consultation before."""
    consultation_id = heard.call.consultation_id
    before = newest(connection, consultation_id)
    evaluation_id = uuid4()
    basis = _basis(connection, heard, judgement.rules_version)
    consent = judgement.consent
    connection.execute(
        insert(evaluations).values(
            id=evaluation_id,
            consultation_id=consultation_id,
            number=before["number"] + 1 if before else 1,
            rules_version=judgement.rules_version,
            redaction_ids=sorted(heard.redactions.values()),
            consent=consent.outcome.value,
            spoken=consent.spoken.value,
            publication=consent.publication.value,
            withdrawn_at_ms=consent.withdrawn_at_ms,
            recorded_before=_stretches(consent.recorded_before),
            recorded_after=_stretches(consent.recorded_after),
            withheld=_stretches(consent.withheld),
            consent_records=basis.consent_records,
            reviews=basis.reviews,
            jurisdictions=basis.jurisdictions,
            people=basis.people,
            decided_by=("review" if consent.overturned else "rules"),
            changes=_changes(connection, before, judgement, basis),
            run_id=run_id,
        )
    )
    if judgement.findings:
        connection.execute(insert(findings), [_row(evaluation_id, finding, heard.shown) for finding in judgement.findings])
    for recording_id, redaction_id in heard.redactions.items():
        this = and_(recordings.c.id == recording_id, recordings.c.redaction_id == redaction_id)
        connection.execute(update(recordings).where(this).values(judged_redaction_id=redaction_id, evaluation_id=evaluation_id))
    return evaluation_id


def newest(connection: Connection, consultation_id: UUID) -> RowMapping | None:
    """The evaluation that counts, None before the first."""
    query = select(evaluations).where(evaluations.c.consultation_id == consultation_id).order_by(evaluations.c.number.desc()).limit(1)
    return connection.execute(query).mappings().first()


def withheld(evaluation: RowMapping | None) -> tuple[Interval, ...]:
    """Where in the call nothing may be found, heard or quoted, though the rest is published. Of what is in quarantine nothing may be."""
    return tuple(Interval(start, end) for start, end in evaluation["withheld"]) if evaluation else ()


def listed(connection: Connection, consultation_id: UUID) -> Sequence[RowMapping]:
    """Every evaluation of a consultation, the newest first."""
    query = select(evaluations).where(evaluations.c.consultation_id == consultation_id).order_by(evaluations.c.number.desc())
    return connection.execute(query).mappings().all()


def findings_of(connection: Connection, evaluation_id: UUID) -> Sequence[RowMapping]:
    """In the order of the call, what has no place in it first."""
    query = select(findings).where(findings.c.evaluation_id == evaluation_id)
    return connection.execute(query.order_by(findings.c.start_ms.nulls_first(), findings.c.rule_id, findings.c.id)).mappings().all()


def changed(connection: Connection, since: date | None = None) -> Sequence[RowMapping]:
    """Evaluations that found something otherwise than the one before, the newest first; ``since`` a UTC day."""
    query = select(evaluations).where(func.jsonb_array_length(evaluations.c.changes) > 0).order_by(evaluations.c.created_at.desc())
    if since is not None:
        query = query.where(func.timezone("UTC", evaluations.c.created_at) >= since)
    return connection.execute(query).mappings().all()


def judge_again(connection: Connection, consultation_ids: Sequence[UUID] = ()) -> int:
    """Have consultations judged anew by the next run: the named ones, or all. Returns how many recordings that concerns."""
    query = update(recordings).where(recordings.c.judged_redaction_id.is_not(None), recordings.c.destroyed_at.is_(None))
    if consultation_ids:
        query = query.where(recordings.c.consultation_id.in_(consultation_ids))
    return connection.execute(query.values(judged_redaction_id=None, claims=recordings.c.claims + 1)).rowcount


def is_in_review(connection: Connection, consultation_id: UUID) -> bool:
    """Whether somebody still has to decide about a verdict on the consultation's consent."""
    waiting = and_(
        review_items.c.consultation_id == consultation_id,
        review_items.c.what == "recording_consent",
        review_items.c.state.in_(("open", "claimed", "escalated")),
    )
    return connection.execute(select(review_items.c.id).where(waiting).limit(1)).first() is not None


def quarantined(connection: Connection) -> int:
    """How many consultations are in quarantine by their newest evaluation."""
    newest_ones = select(evaluations.c.publication).distinct(evaluations.c.consultation_id)
    newest_ones = newest_ones.order_by(evaluations.c.consultation_id, evaluations.c.number.desc())
    found = newest_ones.subquery()
    return int(connection.execute(select(func.count()).where(found.c.publication == Publication.QUARANTINED.value)).scalar_one())


def to_review(connection: Connection) -> int:
    """How many items wait for a reviewer."""
    waiting = review_items.c.state.in_(("open", "claimed", "escalated"))
    return int(connection.execute(select(func.count()).select_from(review_items).where(waiting)).scalar_one())


def of_day(connection: Connection, day: date, *rule_ids: str) -> Sequence[RowMapping]:
    """The day's consultations in which one of the rules is not met, or nobody can tell: consultation, whether one is not met, recordings."""
    worst = func.bool_or(findings.c.verdict == Verdict.NOT_MET.value)
    query = (
        select(
            recordings.c.consultation_id,
            worst.label("not_met"),
            func.array_agg(recordings.c.id.distinct()).label("recording_ids"),
        )
        .select_from(recordings.join(consultations).join(findings, findings.c.evaluation_id == recordings.c.evaluation_id))
        .where(call_day == day, findings.c.rule_id.in_(rule_ids), findings.c.verdict != Verdict.MET.value)
        .group_by(recordings.c.consultation_id)
        .order_by(recordings.c.consultation_id)
    )
    return connection.execute(query).mappings().all()


def counts_of_day(connection: Connection, day: date) -> dict[str, int]:
    """ "rule: verdict" -> how many consultations of the day."""
    query = (
        select(findings.c.rule_id, findings.c.verdict, func.count(recordings.c.consultation_id.distinct()).label("n"))
        .select_from(recordings.join(consultations).join(findings, findings.c.evaluation_id == recordings.c.evaluation_id))
        .where(call_day == day)
        .group_by(findings.c.rule_id, findings.c.verdict)
    )
    return {f"{row.rule_id}: {row.verdict}": row.n for row in connection.execute(query)}


def _basis(connection: Connection, heard: Heard, rules_version: str) -> Basis:
    reviewed = select(func.count()).where(
        review_items.c.consultation_id == heard.call.consultation_id,
        review_items.c.decision == "overturned",
        review_items.c.about == "finding",
    )
    ids = frozenset(str(redaction_id) for redaction_id in heard.redactions.values())
    overturned = int(connection.execute(reviewed).scalar_one())
    return Basis(ids, len(heard.call.told), overturned, rules_version, heard.jurisdictions, heard.people)


def _changes(connection: Connection, before: RowMapping | None, judgement: Judgement, now: Basis) -> list[dict[str, Any]]:
    if before is None:
        return []
    read = frozenset(map(str, before["redaction_ids"]))
    plain = ("consent_records", "reviews", "rules_version", "jurisdictions", "people")
    then = Basis(read, *(before[name] for name in plain))
    old: dict[str, Ruled] = ruled(
        Finding(row["rule_id"], row["rule_version"], row["severity"], Verdict(row["verdict"]), row["confidence"])
        for row in findings_of(connection, before["id"])
    )
    return [asdict(change) for change in changes(old, ruled(judgement.findings), then, now)]


def _row(evaluation_id: UUID, finding: Finding, shown: Mapping[int, tuple[str, ...]]) -> dict[str, Any]:
    words = shown.get(finding.turn_id, ()) if finding.turn_id is not None else ()
    quote = None
    if words and finding.first_word is not None and finding.last_word is not None:
        quote = " ".join(filter(None, words[finding.first_word : finding.last_word + 1]))
    plain = {key: getattr(finding, key) for key in ("rule_id", "rule_version", "confidence", "turn_id", "recording_id")}
    places = {key: getattr(finding, key) for key in ("first_word", "last_word", "start_ms", "end_ms")}
    return {
        "id": uuid4(),
        "evaluation_id": evaluation_id,
        **plain,
        **places,
        "severity": finding.severity.value,
        "verdict": finding.verdict.value,
        "cause": finding.cause.value if finding.cause else None,
        "quote": quote,
        "overturned": finding.overturned,
    }


def _stretches(intervals: Sequence[Interval]) -> list[list[int | None]]:
    return [[one.start_ms, one.end_ms] for one in intervals]
