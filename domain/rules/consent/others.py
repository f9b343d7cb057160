"""Those besides the customers, such as a training's partners or whoever has no role: by what they told the API, for nobody tells their voices apart.

The least counts: what one of them refuses is refused, and where one has not answered nobody knows.
"""

from dataclasses import replace

from domain.consent import ConsentOutcome
from domain.rules.consent.by_record import REFUSES, consented, first_given_ms, refusals, stood
from domain.rules.intervals import ENDLESS, before, common, joined, without
from domain.rules.shapes import ConsentJudged, HeardCall, Publication

_WORSE = (
    *(ConsentOutcome.DECLINED, ConsentOutcome.REVOKED, ConsentOutcome.UNKNOWN),
    *(ConsentOutcome.IMPLIED, ConsentOutcome.GRANTED, ConsentOutcome.NOT_REQUIRED),
)
_SHUT = (Publication.QUARANTINED, Publication.CUT, Publication.PUBLISHED)


def with_others(call: HeardCall, judged: ConsentJudged) -> ConsentJudged:
    """The customers' consent together with everybody else's who was asked, and with the refusals of those who need not have been."""
    for party in call.others_required:
        judged = _least(judged, _of(call, party, asked=True))
    for party in call.not_asked:
        if any(one.party == party and one.outcome in REFUSES for one in call.told):
            judged = _least(judged, _of(call, party, asked=False))
    return judged


def _of(call: HeardCall, party: str, *, asked: bool) -> ConsentJudged:
    """One party by its records. Who need not have been asked counts as having agreed from the beginning."""
    told = [one for one in call.told if one.party == party]
    said = [(one.party, one.at_ms, one.outcome) for one in told]
    given = first_given_ms(said, [party]) if asked else -ENDLESS
    refused = refusals(said)
    early = without(call.recorded if given is None else before(call.recorded, given), refused)
    later = common(call.recorded, refused)
    at = min((one.start_ms for one in refused if one.end_ms is None), default=None)
    if at is not None:
        revoked = given is not None and given < at and (asked or at > 0)
        counted = revoked and at > 0
        outcome = ConsentOutcome.REVOKED if revoked else ConsentOutcome.DECLINED
        publication = Publication.CUT if counted else Publication.QUARANTINED
        return ConsentJudged(outcome, ConsentOutcome.UNKNOWN, publication, at if counted else None, early, later, stood(refused))
    outcome = consented(told, [party]) if asked else ConsentOutcome.NOT_REQUIRED
    publication = Publication.QUARANTINED if outcome is ConsentOutcome.UNKNOWN else Publication.PUBLISHED
    return ConsentJudged(outcome, ConsentOutcome.UNKNOWN, publication, None, early, later, stood(refused))


def _least(one: ConsentJudged, other: ConsentJudged) -> ConsentJudged:
    cut = [moment for moment in (one.withdrawn_at_ms, other.withdrawn_at_ms) if moment is not None]
    later = joined((*one.recorded_after, *other.recorded_after))
    return replace(
        one,
        outcome=min(one.outcome, other.outcome, key=_WORSE.index),
        publication=min(one.publication, other.publication, key=_SHUT.index),
        withdrawn_at_ms=min(cut, default=None),
        recorded_before=without((*one.recorded_before, *other.recorded_before), later),
        recorded_after=later,
        withheld=joined((*one.withheld, *other.withheld)),
    )
