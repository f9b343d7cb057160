"""The second reading: how an utterance is looked at, what an opinion is, and what judging makes of it."""

import json
import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.parties import Party
from domain.rules.judging import judge
from domain.rules.rules import Kind, Rule, Rules, Saying, Window, WindowKind
from domain.rules.second_reading import LONGEST, SecondReading, Thresholds, looks, probability
from domain.rules.shapes import Cause, Finding, Severity, Verdict
from domain.rules.tokens import Break, utterances
from resources.policies import WrongPolicy
from resources.policies.rules import RULES, compliance_rules
from resources.policies.second_reading import FILE, second_reading
from tests.unit.spoken_turns import call

SAYING = Saying(frozenset({Party.AGENT}), ("never rises",))
RULE = Rule(
    "price_promise", "1", "", Severity.MAJOR, "", date(2020, 1, 1), None, Kind.FORBID, (SAYING,), Window(WindowKind.WHOLE), (), (), False
)


def reading(**weights: float) -> SecondReading:
    """It has an opinion on price_promise alone: minus one, and what words add."""
    rows = {name.replace("_", " "): ((0, weight),) for name, weight in weights.items()}
    return SecondReading(("price_promise",), (-1.0,), {"price_promise": Thresholds(0.2, 0.9)}, rows)


def judged(words: str, second: SecondReading | None) -> Finding:
    rules = Rules("1", (RULE,), (), {}, {}, (), {}, second)
    (finding,) = [one for one in judge(call(words), rules).findings if one.rule_id == "price_promise"]
    return finding


word = st.sampled_from(["a", "b.", "c,", "d?", "e", "f"])


@given(st.lists(word, min_size=1, max_size=80))
def test_every_word_is_looked_at_in_sentences_that_are_not_too_long(words: list[str]) -> None:
    (said,) = utterances(call(f"agent: {' '.join(words)}").turns)
    found = list(looks(said))
    assert set().union(*(range(look.start, look.end) for look in found)) == set(range(len(said.tokens)))
    for look in found:
        assert look.end - look.start <= LONGEST
        assert not any(said.breaks[place].ends_sentence for place in range(look.start, look.end - 1))
        assert {said.tokens[place].text for place in range(look.start, look.end)} == {f for f in look.features if " " not in f}


def test_a_look_knows_words_pairs_triples_and_what_stood_before() -> None:
    (said,) = utterances(call("agent: Yes sir. It never rises now.").turns)
    _, look = looks(said)
    assert said.breaks[1] is Break.STOP
    assert look.features == {
        *("it", "never", "rises", "now", "it never", "never rises", "rises now", "it never rises", "never rises now"),
        *("it * rises", "never * now", "< yes", "< sir"),
    }


@given(st.floats(-1e4, 1e4))
def test_a_probability_is_one(score: float) -> None:
    assert 0 <= probability(score) <= 1
    assert math.isclose(probability(score) + probability(-score), 1, abs_tol=1e-12)


SAYS_IT = "agent: Good morning there. The premium never rises here. Anything else?"


def test_a_find_that_it_shares_stands() -> None:
    assert judged(SAYS_IT, reading(never_rises=2.0)).verdict is Verdict.NOT_MET
    assert judged(SAYS_IT, None).verdict is Verdict.NOT_MET


def test_a_find_that_it_finds_improbable_is_for_a_person() -> None:
    finding = judged(SAYS_IT, reading(premium=-1.0))
    assert (finding.verdict, finding.cause) == (Verdict.CANNOT_TELL, Cause.UNCLEAR)
    assert (finding.first_word, finding.last_word) == (5, 6)
    assert judged(SAYS_IT, reading(morning=-1.0)).verdict is Verdict.NOT_MET, (
        "another sentence's words count less: the weight is of words in it"
    )


def test_what_no_pattern_knows_but_it_suspects_is_for_a_person() -> None:
    spoken = "agent: Hello. Your rate is frozen for life. Bye now."
    finding = judged(spoken, reading(frozen=4.0, **{"rate_is": 1.0}))
    assert (finding.verdict, finding.cause) == (Verdict.CANNOT_TELL, Cause.UNCLEAR)
    assert (finding.first_word, finding.last_word, round(finding.confidence, 3)) == (1, 6, 0.982)
    assert judged(spoken, reading(frozen=3.0)).verdict is Verdict.MET
    assert judged(spoken.replace("agent", "customer"), reading(frozen=9.0)).verdict is Verdict.MET, "whom the rule does not apply to"


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"[]",
        b'{"bias": {"a": 1}, "thresholds": {}, "weights": {}}',
        b'{"bias": {"a": 1}, "thresholds": {"a": [0.1, 2]}, "weights": {}}',
        b'{"bias": {"a": 1}, "thresholds": {"a": [0.1, 0.2]}, "weights": {"word": {"b": 1}}}',
    ],
)
def test_wrong_weights_are_told_with_their_file(body: bytes) -> None:
    with pytest.raises(WrongPolicy, match=r"weights\.json: "):
        second_reading(body, "weights.json")


def test_the_weights_are_of_the_rules_beside_them() -> None:
    second = compliance_rules().second
    assert second is not None
    forbidden = {rule.id for rule in compliance_rules().rules if rule.kind is Kind.FORBID}
    assert set(second.classes) <= forbidden
    assert all(0 < one.least <= one.most < 1 for one in second.thresholds.values())
    assert json.loads((RULES / FILE).read_text())["about"]["fitted_to"]
