"""The customer's consent as it stands at the end: spoken words, the API's records and the law of the place together.

Unknown never passes, and a refusal from anywhere counts until the same customer grants anew, later. Recorded seconds without consent are told exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.consent import ConsentOutcome
from domain.parties import Party
from domain.rules.consent.by_record import GIVES, REFUSES, Said, consented, first_given_ms, refusals, stood
from domain.rules.consent.others import with_others
from domain.rules.consent.spoken import Spoken, Words
from domain.rules.intervals import before, common, without
from domain.rules.rules import Rule
from domain.rules.shapes import Cause, ConsentJudged, ConsentTold, Finding, HeardCall, Interval, Publication, Verdict

_PASSES = GIVES | {ConsentOutcome.NOT_REQUIRED}
SUBSTANTIVE_WORDS = 12  # of the customer, between consent and withdrawal; the words of the withdrawal are among them


@dataclass(frozen=True, slots=True)
class Weighed:
    """``judged`` is the result; ``words`` those on which the spoken part rests, ``unclear`` whether they can be taken either way."""

    judged: ConsentJudged
    words: Words | None
    unclear: bool


def combine(call: HeardCall, heard: Spoken) -> Weighed:
    """Spoken and told together, in order of time."""
    told = _told(call)
    asked = call.customers or tuple(sorted({one.party for one in told})) or ("",)
    said = _said(told, heard, asked)
    refused = refusals(
        [*said, *((one.party, one.at_ms, one.outcome) for one in call.told if one.role is Party.CUSTOMER and one not in told)]
    )
    standing_ = [one for one in refused if one.end_ms is None]
    given_ms = first_given_ms(said, asked)
    outcome = _outcome(call, heard, standing_, given_ms, consented(told, asked), alone=len(asked) == 1)
    after = common(call.recorded, refused)
    before_consent: tuple[Interval, ...] = ()
    if call.consent_required and outcome is not ConsentOutcome.NOT_REQUIRED:
        before_consent = without(call.recorded if given_ms is None else before(call.recorded, given_ms), refused)
    refused_ms = min((one.start_ms for one in standing_), default=None)
    withdrawn = refused_ms if outcome is ConsentOutcome.REVOKED else None
    publication = _publication(call, outcome, given_ms, withdrawn)
    judged = ConsentJudged(outcome, heard.outcome, publication, withdrawn, before_consent, after, stood(refused))
    return Weighed(with_others(call, judged), heard.words, heard.may_refuse or heard.unclear)


def _told(call: HeardCall) -> tuple[ConsentTold, ...]:
    """The customers' own records: of those who were there or, where nobody knows who it was, of whoever is called a customer in them."""
    if call.customers:
        return tuple(one for one in call.told if one.party in call.customers)
    return tuple(one for one in call.told if one.role is Party.CUSTOMER)


def _said(told: Sequence[ConsentTold], heard: Spoken, asked: Sequence[str]) -> list[Said]:
    """Everything that the customers said, by record or by word. Of several nobody tells the voices apart: what is a yes is nobody's then, and a no
    stands until each of them has granted anew by record."""
    said = [(record.party, record.at_ms, record.outcome) for record in told]
    if len(asked) > 1:
        granted = [[at for party, at, outcome in said if party == one and outcome is ConsentOutcome.GRANTED] for one in asked]
        for no in heard.refused:
            said.append(("", no.start_ms, ConsentOutcome.DECLINED))
            anew = [min((at for at in theirs if at > no.start_ms), default=None) for theirs in granted]
            moments = [at for at in anew if at is not None]
            if len(moments) == len(anew):
                said.append(("", max(moments), ConsentOutcome.GRANTED))
        return said
    (speaker,) = asked
    if heard.given_ms is not None:
        said.append((speaker, heard.given_ms, ConsentOutcome.IMPLIED))
    if heard.granted_ms is not None:
        said.append((speaker, heard.granted_ms, ConsentOutcome.GRANTED))
    said += [(speaker, one.start_ms, ConsentOutcome.DECLINED) for one in heard.refused]
    said += [(speaker, one.end_ms, ConsentOutcome.GRANTED) for one in heard.refused if one.end_ms is not None]
    return said


def _outcome(
    call: HeardCall, heard: Spoken, refused: Sequence[Interval], given_ms: int | None, recorded: ConsentOutcome, *, alone: bool
) -> ConsentOutcome:
    """What consent amounts to at the end. ``refused``: the refusals that stand; ``recorded``: what the customers' records amount to;
    ``alone``: there is one customer, so what is heard is theirs."""
    if refused:
        first = min(one.start_ms for one in refused)
        return ConsentOutcome.REVOKED if given_ms is not None and given_ms < first else ConsentOutcome.DECLINED
    if heard.may_refuse:
        return ConsentOutcome.UNKNOWN
    for outcome in (ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED):
        if outcome is recorded or (alone and outcome is heard.outcome):
            return outcome
    if not call.consent_required:
        return ConsentOutcome.NOT_REQUIRED
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
        cause = Cause.UNCLEAR if weighed.unclear or words is not None else Cause.SILENT
    elif judged.outcome in REFUSES:
        verdict = Verdict.NOT_MET
    else:
        verdict = Verdict.MET
    if words is None:
        return Finding(rule.id, rule.version, rule.severity, verdict, 0.0 if cause else 1.0, cause)
    return Finding(
        *(rule.id, rule.version, rule.severity, verdict, words.confidence, cause, words.turn.turn_id, words.turn.recording_id),
        *(words.first, words.last, words.start_ms, words.end_ms),
    )
