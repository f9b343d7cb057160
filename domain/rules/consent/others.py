"""Those besides the customer who had to consent, such as a training's partners: by what they told the API, for nobody tells their voices apart.

The least counts: what one of them refuses is refused, and where one has not answered nobody knows.
"""

from dataclasses import replace

from domain.consent import ConsentOutcome
from domain.rules.intervals import before, joined, since
from domain.rules.shapes import ConsentJudged, HeardCall, Interval, Publication

_GIVES = frozenset({ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED})
_REFUSES = frozenset({ConsentOutcome.DECLINED, ConsentOutcome.REVOKED})
_WORSE = (
    *(ConsentOutcome.DECLINED, ConsentOutcome.REVOKED, ConsentOutcome.UNKNOWN),
    *(ConsentOutcome.IMPLIED, ConsentOutcome.GRANTED, ConsentOutcome.NOT_REQUIRED),
)
_SHUT = (Publication.QUARANTINED, Publication.CUT, Publication.PUBLISHED)


def with_others(call: HeardCall, judged: ConsentJudged) -> ConsentJudged:
    """The customer's consent together with everybody else's who was asked."""
    for party in call.others_required:
        judged = _least(judged, _of(call, party))
    return judged


def _of(call: HeardCall, party: str) -> ConsentJudged:
    records = sorted((one for one in call.told if one.party == party), key=lambda one: (one.at_ms, one.outcome in _REFUSES))
    given = min((one.at_ms for one in records if one.outcome in _GIVES), default=None)
    refused: int | None = None
    for record in records:
        if record.outcome in _REFUSES and refused is None:
            refused = record.at_ms
        elif record.outcome is ConsentOutcome.GRANTED:
            refused = None
    early = before(call.recorded, given) if given is not None else joined(call.recorded)
    if refused is not None:
        later, stood = since(call.recorded, refused), given is not None and given < refused and refused > 0
        outcome = ConsentOutcome.REVOKED if given is not None and given < refused else ConsentOutcome.DECLINED
        publication = Publication.CUT if stood else Publication.QUARANTINED
        return ConsentJudged(outcome, ConsentOutcome.UNKNOWN, publication, refused if stood else None, early, later)
    if given is None:
        return ConsentJudged(ConsentOutcome.UNKNOWN, ConsentOutcome.UNKNOWN, Publication.QUARANTINED, None, early, ())
    said = [one.outcome for one in records if one.outcome in _GIVES]
    return ConsentJudged(said[-1], ConsentOutcome.UNKNOWN, Publication.PUBLISHED, None, early, ())


def _least(one: ConsentJudged, other: ConsentJudged) -> ConsentJudged:
    cut = [moment for moment in (one.withdrawn_at_ms, other.withdrawn_at_ms) if moment is not None]
    return replace(
        one,
        outcome=min(one.outcome, other.outcome, key=_WORSE.index),
        publication=min(one.publication, other.publication, key=_SHUT.index),
        withdrawn_at_ms=min(cut, default=None),
        recorded_before=_both(one.recorded_before, other.recorded_before),
        recorded_after=_both(one.recorded_after, other.recorded_after),
    )


def _both(first: tuple[Interval, ...], second: tuple[Interval, ...]) -> tuple[Interval, ...]:
    return joined((*first, *second))
