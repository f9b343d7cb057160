"""Overturned verdicts as labelled cases: what is handed on of a call, and that nobody is named in it."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consent import ConsentOutcome
from domain.consultations import ConsultationType
from domain.parties import Party
from domain.review.labels import AROUND, MOST_TURNS, case_of, masked
from domain.rules.shapes import ConsentTold, HeardCall, HeardTurn, Interval, Verdict
from domain.transcripts import Attribution, Word

CUSTOMER_ID = "9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Hello, this is Paul Smith, I'm an AI.", "Hello, this is [name] [name], I'm an AI."),
        ("Maria, can you hear me?", "[name], can you hear me?"),
        ("Yes. Please go on, Maria.", "Yes. Please go on, [name]."),
        ("my name is paul and i do not consent", "my name is [name] and i do not consent"),
        ("ask for mr smith", "ask for mr [name]"),
        ("Paul Smith speaking.", "[name] [name] speaking."),
        ("This policy covers everything.", "This policy covers everything."),
        ("it is number 4711 since 2019", "it is number [number] since [number]"),
        ("five five five zero one", "[number] [number] [number] [number] [number]"),
        ("the two of us, one hundred at most", "the two of us, one hundred at most"),
        ("It is [card_number] you know", "It is [card_number] you know"),
    ],
)
def test_names_and_numbers_are_masked_and_what_rules_look_for_is_not(said: str, left: str) -> None:
    assert " ".join(masked(said.split())) == left


@given(st.lists(st.text(alphabet="aAbB1.,? é[", max_size=4).map(lambda text: text.replace(" ", ""))))
def test_no_digit_is_left_and_no_word_is_lost(words: list[str]) -> None:
    found = masked(words)
    assert len(found) == len(words)
    assert not any(sign.isdigit() for word in found for sign in word if not word.startswith("["))
    assert masked(found) == found, "nothing is left to be masked"


def turn(number: int, said: str, role: Party = Party.AGENT) -> HeardTurn:
    start = number * 10_000
    words = tuple(Word(word, start + 100 * n, start + 100 * n + 90, 0.8) for n, word in enumerate(said.split()))
    return HeardTurn(1_000 + number, UUID(int=77), role, start, start + 9_000, words, Attribution.CHANNEL, 1.0)


CALL = HeardCall(
    consultation_id=UUID(int=99),
    kind=ConsultationType.CLAIMS,
    day=date(2025, 3, 17),
    length_ms=200_000,
    turns=tuple(turn(number, f"word{number} is said") for number in range(20)),
    recorded=(Interval(0, 200_000),),
    told=(ConsentTold(CUSTOMER_ID, Party.CUSTOMER, ConsentOutcome.GRANTED, -500),),
)
SHOWN = {one.turn_id: [word.text for word in one.words] for one in CALL.turns}
ABOUT: dict[str, Any] = {
    "rule_id": "coverage_promise", "rule_version": "3", "verdict": "not_met", "cause": None, "turn_id": 1_010, "start_ms": 100_000,
    "end_ms": 100_300,
}  # fmt: skip


def case(call: HeardCall = CALL, **about: Any) -> dict[str, Any]:
    found = case_of(call, SHOWN, ABOUT | about, Verdict.MET)
    assert found is not None
    return found


def times(told: dict[str, Any]) -> list[int]:
    return [one["start_ms"] // 10_000 for one in told["turns"]]


def test_the_turns_around_the_words_are_told_and_which_it_was() -> None:
    told = case()
    assert times(told) == list(range(10 - AROUND, 10 + AROUND + 1))
    assert told["turn"] == AROUND
    assert told["turns"][0]["words"][1] == ["is", 70_100, 70_190, 0.8]
    assert times(case(turn_id=1_000)) == list(range(AROUND + 1))


def test_of_a_window_all_that_is_said_in_it() -> None:
    assert times(case(turn_id=None, start_ms=50_000, end_ms=70_000)) == list(range(5 - AROUND, 6 + AROUND + 1))
    assert times(case(turn_id=None, start_ms=180_000, end_ms=None)) == list(range(18 - AROUND, 20))
    assert times(case(turn_id=None, start_ms=199_500, end_ms=200_000))[-1] == 19
    assert times(case(turn_id=None, start_ms=None, end_ms=None)) == list(range(20))
    long = replace(CALL, turns=tuple(replace(CALL.turns[0], turn_id=1_000) for _ in range(200)))
    assert len(case(long, turn_id=None, start_ms=None)["turns"]) == MOST_TURNS


def test_words_that_are_no_longer_kept_are_no_case() -> None:
    assert case_of(CALL, SHOWN, ABOUT | {"turn_id": 5}, Verdict.MET) is None
    assert case_of(replace(CALL, turns=()), {}, ABOUT | {"turn_id": None}, Verdict.MET) is None


def test_nobody_is_named_and_no_id_is_handed_on() -> None:
    written = str(case())
    for secret in (CUSTOMER_ID, str(CALL.consultation_id), str(UUID(int=77)), "turn_id", "2025-03-17", "word10"):
        assert secret not in written
    assert case()["told"] == [{"party": 0, "role": "customer", "outcome": "granted", "at_ms": -500}]
