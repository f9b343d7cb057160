"""The customer's consent as it stands at the end: spoken words, the API's records and the law of the place together.

Unknown never passes, and a refusal from anywhere counts until the same customer grants anew, later. Recorded seconds without consent are told exactly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.consent import ConsentOutcome, ConsentRecord, standing
from domain.parties import Party
from domain.rules.consent.others import with_others
from domain.rules.consent.spoken import Spoken, Words
from domain.rules.intervals import before, common, without
from domain.rules.rules import Rule
from domain.rules.shapes import Cause, ConsentJudged, ConsentTold, Finding, HeardCall, Interval, Publication, Verdict

_GIVES = frozenset({ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED})
_REFUSES = frozenset({ConsentOutcome.DECLINED, ConsentOutcome.REVOKED})
_PASSES = _GIVES | {ConsentOutcome.NOT_REQUIRED}
SUBSTANTIVE_WORDS = 12  # of the customer, between consent and withdrawal; the words of the withdrawal are among them
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Weighed:
    """``judged`` is the result; ``words`` those on which the spoken part rests, ``doubtful`` whether they can be taken either way."""

    judged: ConsentJudged
    words: Words | None
    doubtful: bool


def combine(call: HeardCall, heard: Spoken) -> Weighed:
    """Spoken and told together, in order of time."""
    said = _said(call, heard)
    refused = _refused(said)
    standing_ = [one for one in refused if one.end_ms is None]
    given_ms = min((at for _, at, outcome in said if outcome in _GIVES), default=None)
    outcome = _outcome(call, heard, standing_, given_ms)
    after = common(call.recorded, refused)
    before_consent: tuple[Interval, ...] = ()
    if call.consent_required and outcome is not ConsentOutcome.NOT_REQUIRED:
        before_consent = without(call.recorded if given_ms is None else before(call.recorded, given_ms), refused)
    refused_ms = min((one.start_ms for one in standing_), default=None)
    withdrawn = refused_ms if outcome is ConsentOutcome.REVOKED else None
    publication = _publication(call, outcome, given_ms, withdrawn)
    judged = ConsentJudged(outcome, heard.outcome, publication, withdrawn, before_consent, after)
    return Weighed(with_others(call, judged), heard.words, heard.doubtful)


Said = tuple[str, int, ConsentOutcome]  # who, when (ms), what


def _said(call: HeardCall, heard: Spoken) -> list[Said]:
    """Everything that the customers said, by record or by word. Spoken words are those of the one customer there is a record of, or of nobody known."""
    said = [(record.party, record.at_ms, record.outcome) for record in call.told if record.role is Party.CUSTOMER]
    parties = {party for party, _, _ in said}
    speaker = parties.pop() if len(parties) == 1 else ""
    if heard.given_ms is not None:
        said.append((speaker, heard.given_ms, ConsentOutcome.IMPLIED))
    if heard.granted_ms is not None:
        said.append((speaker, heard.granted_ms, ConsentOutcome.GRANTED))
    said += [(speaker, one.start_ms, ConsentOutcome.DECLINED) for one in heard.refused]
    said += [(speaker, one.end_ms, ConsentOutcome.GRANTED) for one in heard.refused if one.end_ms is not None]
    return said


def _refused(said: Iterable[Said]) -> tuple[Interval, ...]:
    """The stretches in which somebody's refusal stands: each until the same party grants anew, later. Open ones stand at the end."""
    since: dict[str, int] = {}
    found: list[Interval] = []
    for party, at, outcome in sorted(said, key=lambda one: (one[1], one[2] in _REFUSES)):
        if outcome in _REFUSES:
            since.setdefault(party, at)
        elif outcome is ConsentOutcome.GRANTED and since.get(party, at) < at:
            found.append(Interval(since.pop(party), at))
    return (*found, *(Interval(at, None) for at in since.values()))


def _outcome(call: HeardCall, heard: Spoken, refused: Sequence[Interval], given_ms: int | None) -> ConsentOutcome:
    """What consent amounts to at the end. ``refused``: the refusals that stand."""
    if refused:
        first = min(one.start_ms for one in refused)
        return ConsentOutcome.REVOKED if given_ms is not None and given_ms < first else ConsentOutcome.DECLINED
    if heard.doubtful:
        return ConsentOutcome.UNKNOWN
    recorded = _standing([record for record in call.told if record.role is Party.CUSTOMER])
    several = len({record.party for record in call.told if record.role is Party.CUSTOMER}) > 1
    if several and recorded is ConsentOutcome.UNKNOWN and call.consent_required:
        return ConsentOutcome.UNKNOWN
    for outcome in (ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED):
        if outcome in {heard.outcome, recorded}:
            return outcome
    if not call.consent_required:
        return ConsentOutcome.NOT_REQUIRED
    return ConsentOutcome.UNKNOWN


def _standing(told: Iterable[ConsentTold]) -> ConsentOutcome:
    """What the records alone amount to: over several customers, the least. That nothing was required is the table's to say, and no consent."""
    found = standing(ConsentRecord(one.party, one.outcome, _EPOCH + timedelta(milliseconds=one.at_ms)) for one in told).values()
    for outcome in (ConsentOutcome.UNKNOWN, ConsentOutcome.NOT_REQUIRED, ConsentOutcome.IMPLIED, ConsentOutcome.GRANTED):
        if outcome in found:
            return outcome if outcome in _GIVES else ConsentOutcome.UNKNOWN
    return ConsentOutcome.UNKNOWN


def _publication(call: HeardCall, outcome: ConsentOutcome, given_ms: int | None, withdrawn_ms: int | None) -> Publication:
    """A withdrawal cuts what came after it; where the customer had hardly spoken before, consent never really stood."""
    if outcome in _PASSES:
        return Publication.PUBLISHED
    if withdrawn_ms is None or given_ms is None:
        return Publication.QUARANTINED
    between = sum(given_ms <= word.start_ms < withdrawn_ms for turn in call.turns if turn.role is Party.CUSTOMER for word in turn.words)
    return Publication.CUT if between >= SUBSTANTIVE_WORDS else Publication.QUARANTINED


def finding(rule: Rule, call: HeardCall, weighed: Weighed) -> Finding:
    """The rule's verdict: met where consent stands. What was recorded without it has a rule of its own."""
    judged, words = weighed.judged, weighed.words
    cause = None
    if judged.outcome is ConsentOutcome.UNKNOWN:
        verdict = Verdict.CANNOT_TELL
        cause = Cause.UNCLEAR if weighed.doubtful or words is not None else Cause.SILENT
    elif judged.outcome in _REFUSES:
        verdict = Verdict.NOT_MET
    else:
        verdict = Verdict.MET
    if words is None:
        return Finding(rule.id, rule.version, rule.severity, verdict, 0.0 if cause else 1.0, cause)
    return Finding(
        *(rule.id, rule.version, rule.severity, verdict, words.confidence, cause, words.turn.turn_id, words.turn.recording_id),
        *(words.first, words.last, words.start_ms, words.end_ms),
    )
