"""What consent records amount to: the stretches in which a refusal stands, and what a party's records say at the end."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from domain.consent import ConsentOutcome, ConsentRecord, standing
from domain.rules.intervals import since
from domain.rules.shapes import ConsentTold, Interval

GIVES = frozenset({ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED})
REFUSES = frozenset({ConsentOutcome.DECLINED, ConsentOutcome.REVOKED})
LEAST = (ConsentOutcome.UNKNOWN, ConsentOutcome.IMPLIED, ConsentOutcome.GRANTED)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

Said = tuple[str, int, ConsentOutcome]  # who, when (ms), what


def stood(refused: Iterable[Interval]) -> tuple[Interval, ...]:
    """Where in the call a refusal stood: nothing before its start."""
    return since(refused, 0)


def refusals(said: Iterable[Said]) -> tuple[Interval, ...]:
    """The stretches in which somebody's refusal stands: each until the same party grants anew, later. Open ones stand at the end."""
    open_: dict[str, int] = {}
    found: list[Interval] = []
    for party, at, outcome in sorted(said, key=lambda one: (one[1], one[2] in REFUSES)):
        if outcome in REFUSES:
            open_.setdefault(party, at)
        elif outcome is ConsentOutcome.GRANTED and open_.get(party, at) < at:
            found.append(Interval(open_.pop(party), at))
    return (*found, *(Interval(at, None) for at in open_.values()))


def consented(told: Iterable[ConsentTold], parties: Iterable[str]) -> ConsentOutcome:
    """What the records of these parties amount to together: the least, unknown where one of them has not consented.

    That nothing was required is the table's to say, and no consent.
    """
    found = standing(ConsentRecord(one.party, one.outcome, _EPOCH + timedelta(milliseconds=one.at_ms)) for one in told)
    each = [found.get(party, ConsentOutcome.UNKNOWN) for party in parties]
    return min((one if one in GIVES else ConsentOutcome.UNKNOWN for one in each), key=LEAST.index, default=ConsentOutcome.UNKNOWN)


def first_given_ms(said: Iterable[Said], parties: Iterable[str]) -> int | None:
    """When the last of these parties first consented; None where one never did."""
    given: dict[str, int] = {}
    for party, at, outcome in said:
        if outcome in GIVES:
            given[party] = min(at, given.get(party, at))
    moments = [given.get(party) for party in parties]
    known = [moment for moment in moments if moment is not None]
    return max(known, default=None) if len(known) == len(moments) else None
