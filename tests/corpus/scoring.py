"""Counts how often judgements agree with the labels, and how sure one can be of that. What cannot be told is neither right nor wrong, and told.

Values that are redacted are scored in entities, what must hold is told in limits.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.consent import ConsentOutcome
from domain.rules.judging import judge
from domain.rules.rules import Rules
from domain.rules.shapes import Judgement, Verdict
from tests.corpus.reading import SAID, Dialogue

Z = 1.959964  # 95 %
PASSES = frozenset({ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED})
REFUSALS = frozenset({"declined", "revoked"})


@dataclass(slots=True)
class Score:
    """``open_yes`` and ``open_no``: where nobody could tell, of those that are and are not. ``wrong`` names the dialogues."""

    right: int = 0
    wrongly_found: int = 0
    missed: int = 0
    rightly_not: int = 0
    open_yes: int = 0
    open_no: int = 0
    wrong: list[str] = field(default_factory=list)

    def count(self, expected: bool, found: bool | None, what: str) -> None:
        if found is None:
            self.open_yes += expected
            self.open_no += not expected
            return
        self.right += expected and found
        self.wrongly_found += found and not expected
        self.missed += expected and not found
        self.rightly_not += not expected and not found
        if expected != found:
            self.wrong.append(("missed " if expected else "wrong ") + what)

    @property
    def precision(self) -> tuple[float, float, float]:
        return wilson(self.right, self.right + self.wrongly_found)

    @property
    def recall(self) -> tuple[float, float, float]:
        return wilson(self.right, self.right + self.missed)

    @property
    def recall_of_all(self) -> tuple[float, float, float]:
        """As if what nobody could tell were missed."""
        return wilson(self.right, self.right + self.missed + self.open_yes)

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.right + other.right,
            self.wrongly_found + other.wrongly_found,
            self.missed + other.missed,
            self.rightly_not + other.rightly_not,
            self.open_yes + other.open_yes,
            self.open_no + other.open_no,
            self.wrong + other.wrong,
        )


def wilson(hits: int, of: int) -> tuple[float, float, float]:
    """(the share, the lower and the upper end of its 95 % interval). Of nothing nothing is known."""
    if of == 0:
        return math.nan, 0.0, 1.0
    share = hits / of
    middle = (share + Z * Z / (2 * of)) / (1 + Z * Z / of)
    half = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of)) / (1 + Z * Z / of)
    return share, max(0.0, middle - half), min(1.0, middle + half)


@dataclass(slots=True)
class Scores:
    """``by``: a score for each thing that is judged. ``refusals_taken``: ids of dialogues whose refusal was taken for consent; there may be none."""

    by: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    refusals_taken: list[str] = field(default_factory=list)
    refusals: int = 0

    def __add__(self, other: "Scores") -> "Scores":
        both = Scores(refusals_taken=self.refusals_taken + other.refusals_taken, refusals=self.refusals + other.refusals)
        for key in {**self.by, **other.by}:
            both.by[key] = self.by.get(key, Score()) + other.by.get(key, Score())
        return both


def score(dialogues: Iterable[Dialogue], rules: Rules) -> Scores:
    """The judgements of these dialogues against their labels."""
    scores = Scores()
    for dialogue in dialogues:
        _judgement(scores, dialogue, judge(dialogue.call, rules))
    return scores


def _judgement(scores: Scores, dialogue: Dialogue, judged: Judgement) -> None:
    expect = dialogue.expect
    for key, rule in (("disclosure", "recording_disclosure"), ("ai_disclosure", "ai_disclosure")):
        if key in expect:
            scores.by[rule].count(expect[key] == "met", _verdict(judged, rule, Verdict.MET), dialogue.id)
    if dialogue.said is not None:
        for rule in SAID:
            scores.by[rule].count(rule in dialogue.said, _verdict(judged, rule, Verdict.NOT_MET), dialogue.id)
    if "consent" in expect:
        outcome = judged.consent.spoken
        unknown = outcome is ConsentOutcome.UNKNOWN
        passes = expect["consent"] in {"granted", "implied"}
        what = f"{dialogue.id} {expect['consent']} as {outcome}"
        scores.by["consent passes"].count(passes, None if unknown else outcome in PASSES, what)
        scores.by["consent granted"].count(expect["consent"] == "granted", None if unknown else outcome is ConsentOutcome.GRANTED, what)
        if expect["consent"] in REFUSALS:
            scores.refusals += 1
            if outcome in PASSES:
                scores.refusals_taken.append(dialogue.id)


def _verdict(judged: Judgement, rule: str, found: Verdict) -> bool | None:
    """Whether the rule found what it looks for; None where nobody can tell."""
    verdicts = [finding.verdict for finding in judged.findings if finding.rule_id == rule]
    if found in verdicts:
        return True
    return None if Verdict.CANNOT_TELL in verdicts or not verdicts else False
