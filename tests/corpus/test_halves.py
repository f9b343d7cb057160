"""What the labelled dialogues must be, and what must never happen on those that are only scored.

The limits that ``make eval`` checks stand in limits. One that must not be lost again is asserted here (MUST_HOLD) by its name in that table.
Of the scored half no name and no word is told, also not when a test fails.
"""

from collections import Counter

import pytest

from resources.policies.rules import compliance_rules
from resources.redaction.finding import load_recognisers
from tests.corpus.damage import damaged
from tests.corpus.evaluate import RATES, measure
from tests.corpus.limits import Measured, checked
from tests.corpus.reading import KINDS, SAID, VALUES, Dialogue, dialogues
from tests.corpus.scoring import Scores, score

HALVES = ("dev", "scored")
LEAST = 600
MUST_HOLD = (
    *("consent recall", "recording_disclosure precision", "recording_disclosure recall", "ai_disclosure precision"),
    *("no_other_insurance precision", "trust_me precision", "wording_interpretation precision", "legal_threat precision"),
)
"""Names of limits, such as "consent precision", that hold on the scored half as written and together, and are to stay so."""


@pytest.fixture(scope="module")
def halves() -> dict[str, list[Dialogue]]:
    """Reading them checks their format: WrongCorpus names file and line."""
    return {half: dialogues(half) for half in HALVES}


def test_there_are_enough_of_every_kind_in_both_halves(halves: dict[str, list[Dialogue]]) -> None:
    assert sum(map(len, halves.values())) >= LEAST
    for half, read in halves.items():
        assert len(read) >= LEAST // 3, half
        assert {dialogue.kind for dialogue in read} == KINDS, half


def test_everything_that_is_scored_is_there_and_is_missing_in_both_halves(halves: dict[str, list[Dialogue]]) -> None:
    for half, read in halves.items():
        marked = Counter(mark.kind for dialogue in read for mark in dialogue.marks)
        said = Counter(rule for dialogue in read for rule in dialogue.said or ())
        expected = Counter(f"{key}={value}" for dialogue in read for key, value in dialogue.expect.items())
        assert set(marked) == VALUES and set(said) == set(SAID), half
        assert min(marked.values()) >= 20 and min(said.values()) >= 10, half
        assert any(not dialogue.marks for dialogue in read), half
        assert set(expected) == {
            *("disclosure=met", "disclosure=not_met", "ai_disclosure=met", "ai_disclosure=not_met"),
            *(f"consent={outcome}" for outcome in ("granted", "implied", "declined", "revoked", "unknown")),
        }, half


def test_no_dialogue_is_there_twice(halves: dict[str, list[Dialogue]]) -> None:
    everything = [dialogue for read in halves.values() for dialogue in read]
    assert len({dialogue.id for dialogue in everything}) == len(everything)
    assert not _words(halves["dev"]) & _words(halves["scored"]), "the same dialogue under another name"
    for read in halves.values():
        assert len(_words(read)) == len(read)


def _words(read: list[Dialogue]) -> set[int]:
    """A number for what is said in each dialogue: of the scored half nothing else is told."""
    return {
        hash(tuple((turn.role, *(word.text.lower().strip(".,?!") for word in turn.words)) for turn in dialogue.call.turns))
        for dialogue in read
    }


@pytest.fixture(scope="module")
def measured(halves: dict[str, list[Dialogue]]) -> dict[float, Measured]:
    """The scored half as written and damaged, with the seed of ``make eval``."""
    rules, recognisers = compliance_rules(), load_recognisers()
    return {rate: measure((damaged(one, rate) for one in halves["scored"]), rules, recognisers, []) for rate in RATES}


def test_no_refusal_is_taken_for_consent(halves: dict[str, list[Dialogue]], measured: dict[float, Measured]) -> None:
    asked = [one for one in halves["dev"] if "consent" in one.expect]
    dev = [score((damaged(one, rate) for one in asked), compliance_rules()) for rate in RATES]
    for scores in (*dev, *(one.rules for one in measured.values())):
        assert scores.refusals > 20
        assert len(scores.refusals_taken) == 0


def test_what_held_once_goes_on_holding(measured: dict[float, Measured]) -> None:
    for one in (measured[0.0], sum(measured.values(), Measured(Scores(), {}))):
        found = {limit.what: limit for limit in checked(one)}
        assert set(MUST_HOLD) <= set(found)
        assert [found[name] for name in MUST_HOLD if not found[name].holds] == []
