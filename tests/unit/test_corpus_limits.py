"""How the figures of ``make eval`` are checked against their limits, and that it tells nothing of the half that is only scored."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domain.redaction.shapes import Sensitive
from tests.corpus.entities import Counts
from tests.corpus.evaluate import main
from tests.corpus.limits import Measured, checked, refusals_hold
from tests.corpus.scoring import Score, Scores, wilson

GRANTED = """=== {name}-granted
kind: plain
expect: disclosure=met, consent=granted
agent: Hello, this is Ana. This call is recorded. Is that all right with you?
customer: Yes, you can record it.
agent: Thank you. What can I do for you?

"""
MISLABELLED = """=== {name}-wrong
kind: negated
expect: disclosure=met, consent=declined
agent: Hello, this is Zacharias. This call is recorded. Is that all right with you?
customer: Yes, you can record it.
agent: Thank you.

"""
CARD = """=== {name}-card
kind: plain
agent: And the card number?
customer: <card_number>four one one one, one one one one, one one one one, one one one one</card_number>.

"""


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(10, 10, 0.722, 1.0), (0, 10, 0.0, 0.278), (95, 100, 0.888, 0.978), (1, 2, 0.095, 0.905)]
)
def test_the_interval_is_wilson_s(hits: int, of: int, low: float, high: float) -> None:
    share, lower, upper = wilson(hits, of)
    assert (share, round(lower, 3), round(upper, 3)) == (hits / of, low, high)


def found(measured: Measured) -> dict[str, bool]:
    return {one.what: one.holds for one in checked(measured)}


def test_a_limit_holds_from_its_value_on_and_never_of_nothing() -> None:
    scores = Scores()
    scores.by["consent passes"] = Score(right=99, wrongly_found=1, missed=6)
    scores.by["recording_disclosure"] = Score(right=97, missed=3, open_yes=50)
    scores.by["trust_me"] = Score(right=94, wrongly_found=6, missed=100)
    holds = found(Measured(scores, {Sensitive.CARD_NUMBER: Counts(100, 98, 100, 95), Sensitive.EMAIL: Counts(100, 95)}))
    assert holds == {
        **{"consent precision": True, "consent recall": False, "recording_disclosure precision": True},
        **{"recording_disclosure recall": True, "trust_me precision": False},
        **{"card_number precision": True, "card_number recall": False, "email precision": False, "email recall": True},
    }
    assert not any(found(Measured(Scores(), {})).values())


def test_refusals_hold_where_there_are_some_and_none_is_taken() -> None:
    assert refusals_hold(Measured(Scores(refusals=1), {}))
    assert not refusals_hold(Measured(Scores(), {}))
    assert not refusals_hold(Measured(Scores(refusals=9, refusals_taken=["one"]), {}))


def evaluated(folder: Path, dialogues: str, *arguments: str) -> Result:
    for half in ("dev", "scored"):
        (folder / half).mkdir()
        (folder / half / "some.txt").write_text(dialogues.format(name=f"{half}-secretive"))
    return CliRunner().invoke(main, ["--corpus", str(folder), *arguments])


def test_of_the_scored_half_numbers_are_told_and_neither_names_nor_words(tmp_path: Path) -> None:
    result = evaluated(tmp_path, GRANTED + MISLABELLED + CARD, "--wrong", "--damage", "0", "--damage", "0.5")
    assert "dev-secretive-wrong" in result.output and "scored-secretive" not in result.output
    assert "zacharias" not in result.output.lower() and "four one" not in result.output.lower()
    assert "Limits on the half scored" in result.output and "scored, together" in result.output
    assert max(len(line) for line in result.output.splitlines() if "secretive" not in line) <= 120


def test_a_refusal_that_is_taken_for_consent_is_counted_and_ends_with_status_1(tmp_path: Path) -> None:
    result = evaluated(tmp_path, GRANTED + MISLABELLED, "--half", "scored", "--damage", "0")
    (row,) = [line for line in result.output.split("Limits on")[1].splitlines() if "refusals taken" in line]
    assert "1 of 1" in row and "does not hold" in row
    assert result.exit_code == 1


def test_what_is_not_there_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    result = CliRunner().invoke(main, ["--corpus", str(tmp_path), "--half", "scored"])
    assert result.exit_code == 1 and "0 dialogues" in result.output


def test_the_same_seed_tells_the_same(tmp_path: Path) -> None:
    once = evaluated(tmp_path, GRANTED + CARD, "--half", "dev")
    again, other = (CliRunner().invoke(main, ["--corpus", str(tmp_path), "--half", "dev", "--seed", seed]) for seed in ("0", "1"))
    assert once.output == again.output != other.output
