"""The customer's consent as it stands at the end: spoken words, the API's records and the law of the place together.

Unknown never passes, and a refusal from anywhere counts until the same customer grants anew, later. Recorded seconds without consent are told exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.consent import ConsentOutcome, ConsentRecord, standing
from domain.parties import Party
from domain.rules.consent.spoken import Spoken, Words
from domain.rules.intervals import before, joined, since
from domain.rules.rules import Rule
from domain.rules.shapes import Cause, ConsentJudged, ConsentTold, Finding, HeardCall, Interval, Publication, Verdict

_GIVES = frozenset({ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED})
_REFUSES = frozenset({ConsentOutcome.DECLINED, ConsentOutcome.REVOKED})
_PASSES = _GIVES | {ConsentOutcome.NOT_REQUIRED}
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Weighed:
    """``judged`` is the result; ``words`` those on which the spoken part rests, ``doubtful`` whether they can be taken either way."""

    judged: ConsentJudged
    words: Words | None
    doubtful: bool


def combine(call: HeardCall, heard: Spoken) -> Weighed:
    """Spoken and told together, in order of time."""
    told = [record for record in call.told if record.role is Party.CUSTOMER]
    outcome, refused_ms = _outcome(call, heard, told)
    given_ms = _given(call, heard, told)
    before_consent: tuple[Interval, ...] = ()
    if call.consent_required and given_ms is not None:
        before_consent = before(call.recorded, given_ms)
    elif call.consent_required and outcome not in _PASSES:
        before_consent = joined(call.recorded) if refused_ms is None else before(call.recorded, refused_ms)
    after = since(call.recorded, refused_ms) if refused_ms is not None else ()
    publication = _publication(outcome, given_ms, refused_ms)
    withdrawn = refused_ms if outcome is ConsentOutcome.REVOKED else None
    judged = ConsentJudged(outcome, heard.outcome, publication, withdrawn, before_consent, after)
    return Weighed(judged, heard.words, heard.doubtful)


def _outcome(call: HeardCall, heard: Spoken, told: list[ConsentTold]) -> tuple[ConsentOutcome, int | None]:
    """(what consent amounts to, since when it is refused)."""
    said: list[tuple[int, ConsentOutcome]] = [(record.at_ms, record.outcome) for record in told]
    recorded = _standing(told)
    refused = [at for at, outcome in said if outcome in _REFUSES]
    granted = [at for at, outcome in said if outcome is ConsentOutcome.GRANTED]
    if heard.outcome in _REFUSES and heard.refused_ms is not None:
        refused.append(heard.refused_ms)
    if heard.outcome is ConsentOutcome.GRANTED and heard.words is not None:
        granted.append(heard.words.end_ms)
    if refused and not any(at > max(refused) for at in granted):
        first = min(at for at in refused if not any(at < later < max(refused) for later in granted))
        stood = heard.outcome is ConsentOutcome.REVOKED or any(
            at < first and outcome in _GIVES
            for at, outcome in [*said, (heard.given_ms if heard.given_ms is not None else first, ConsentOutcome.IMPLIED)]
        )
        return (ConsentOutcome.REVOKED if stood else ConsentOutcome.DECLINED), first
    if heard.doubtful:
        return ConsentOutcome.UNKNOWN, None
    for outcome in (heard.outcome, recorded):
        if outcome is ConsentOutcome.GRANTED:
            return outcome, None
    for outcome in (heard.outcome, recorded):
        if outcome is ConsentOutcome.IMPLIED:
            return outcome, None
    if not call.consent_required or recorded is ConsentOutcome.NOT_REQUIRED:
        return ConsentOutcome.NOT_REQUIRED, None
    return ConsentOutcome.UNKNOWN, None


def _standing(told: Iterable[ConsentTold]) -> ConsentOutcome:
    """What the records alone amount to: over several customers, the least."""
    found = standing(ConsentRecord(one.party, one.outcome, _EPOCH + timedelta(milliseconds=one.at_ms)) for one in told).values()
    for outcome in (
        *(ConsentOutcome.REVOKED, ConsentOutcome.DECLINED, ConsentOutcome.UNKNOWN),
        *(ConsentOutcome.IMPLIED, ConsentOutcome.GRANTED, ConsentOutcome.NOT_REQUIRED),
    ):
        if outcome in found:
            return outcome
    return ConsentOutcome.UNKNOWN


def _given(call: HeardCall, heard: Spoken, told: Iterable[ConsentTold]) -> int | None:
    """When consent first stood, ms from the call's start."""
    moments = [record.at_ms for record in told if record.outcome in _GIVES]
    if heard.given_ms is not None:
        moments.append(heard.given_ms)
    return min(moments, default=None)


def _publication(outcome: ConsentOutcome, given_ms: int | None, refused_ms: int | None) -> Publication:
    if outcome in _PASSES:
        return Publication.PUBLISHED
    if outcome is ConsentOutcome.REVOKED and refused_ms is not None and refused_ms > 0 and given_ms is not None and given_ms < refused_ms:
        return Publication.CUT
    return Publication.QUARANTINED


def finding(rule: Rule, call: HeardCall, weighed: Weighed) -> Finding:
    """The rule's verdict: met where consent stands and nothing was recorded without it."""
    judged, words = weighed.judged, weighed.words
    cause = None
    if judged.outcome is ConsentOutcome.UNKNOWN:
        verdict = Verdict.CANNOT_TELL
        cause = Cause.UNCLEAR if weighed.doubtful or words is not None else Cause.SILENT
    elif judged.outcome in _REFUSES or judged.recorded_before or judged.recorded_after:
        verdict = Verdict.NOT_MET
    else:
        verdict = Verdict.MET
    if words is None:
        return Finding(rule.id, rule.version, rule.severity, verdict, 0.0 if cause else 1.0, cause)
    return Finding(
        *(rule.id, rule.version, rule.severity, verdict, words.confidence, cause, words.turn.turn_id, words.turn.recording_id),
        *(words.first, words.last, words.start_ms, words.end_ms),
    )
