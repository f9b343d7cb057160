"""What must hold on the half that is only scored, as it is written and over all damage together. A limit is changed here and nowhere else.

``make eval`` checks them all. Tests assert of them what holds whatever else is being worked on (NEVER): see test_halves.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from domain.redaction.shapes import CARD_DATA, Sensitive
from tests.corpus.entities import Counts
from tests.corpus.scoring import Score, Scores

CONSENT, DISCLOSURE = "consent passes", "recording_disclosure"
TOLD = frozenset({"consent granted"})  # of what passes, which is an outright yes: shown, and no limit of its own
NEVER = "refusals taken for consent"  # how many there may be: none
CONSENT_PRECISION, CONSENT_RECALL = 0.99, 0.95
DISCLOSURE_RECALL = 0.97
CARD_RECALL, VALUE_RECALL = 0.99, 0.95  # card numbers and security codes; the other kinds of values
PRECISION = 0.95  # of every rule and every kind of value


@dataclass(frozen=True, slots=True)
class Measured:
    """One damage's figures, or those of all damage together. ``values``: of the kinds that the dialogues mark."""

    rules: Scores
    values: Mapping[Sensitive, Counts]

    def __add__(self, other: "Measured") -> "Measured":
        kinds = [*self.values, *(kind for kind in other.values if kind not in self.values)]
        return Measured(
            self.rules + other.rules, {kind: self.values.get(kind, Counts()) + other.values.get(kind, Counts()) for kind in kinds}
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """``found`` has its 95 % interval behind it. Of nothing nothing is known, and no limit holds."""

    what: str
    limit: float
    found: tuple[float, float, float]

    @property
    def holds(self) -> bool:
        return not math.isnan(self.found[0]) and self.found[0] >= self.limit


def refusals_hold(measured: Measured) -> bool:
    """Whether there were refusals, and none was taken for consent."""
    return measured.rules.refusals > 0 and not measured.rules.refusals_taken


def checked(measured: Measured) -> list[Checked]:
    """Every limit but that of refusals, in the order in which they are told."""
    found: list[Checked] = []
    rules = {CONSENT: Score(), DISCLOSURE: Score()} | dict(measured.rules.by)
    for name, one in rules.items():
        if name == CONSENT:
            found += [Checked("consent precision", CONSENT_PRECISION, one.precision), Checked("consent recall", CONSENT_RECALL, one.recall)]
        elif name == DISCLOSURE:
            found += [Checked(f"{name} precision", PRECISION, one.precision), Checked(f"{name} recall", DISCLOSURE_RECALL, one.recall)]
        elif name not in TOLD:
            found.append(Checked(f"{name} precision", PRECISION, one.precision))
    for kind, counts in measured.values.items():
        least = CARD_RECALL if kind in CARD_DATA else VALUE_RECALL
        found += [Checked(f"{kind} precision", PRECISION, counts.precision), Checked(f"{kind} recall", least, counts.recall)]
    return found
