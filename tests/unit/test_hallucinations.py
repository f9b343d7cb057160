"""Inventions of the model go, what was said stays: digits, repetition for emphasis, and words whose times are poor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.hallucinations import repeats_itself, sounds_silent, without_loops, without_stacks
from domain.transcripts import Word


def words(text: str, confidence: float = 0.9) -> list[Word]:
    return [Word(w, 200 * n, 200 * n + 180, confidence) for n, w in enumerate(text.split())]


def texts(kept: tuple[Word, ...]) -> str:
    return " ".join(w.text for w in kept)


@pytest.mark.parametrize(
    "text",
    [
        "My card number is four four four four five five five five one two three four one two three four.",
        "No no no no, I do not want that.",
        "Thank you for calling Daily Event Insurance, how may I help you today?",
        "",
    ],
)
def test_what_people_say_is_no_loop(text: str) -> None:
    assert not repeats_itself(text)


def test_a_stuck_phrase_is_a_loop_of_which_the_first_stays() -> None:
    stuck = "I will call you. " + "Thank you for watching. " * 20

    assert repeats_itself(stuck)
    assert texts(without_loops(words(stuck))) == "I will call you. Thank you for watching."


def test_three_times_is_still_speech() -> None:
    assert texts(without_loops(words("no no no please"))) == "no no no please"


def test_unsure_words_stacked_on_one_moment_go() -> None:
    stack = [Word(w, 500, 500, 0.1) for w in ("thanks", "for", "watching")]

    assert texts(without_stacks([Word("hello", 0, 400, 0.9), *stack, Word("bye", 600, 700, 0.9)])) == "hello bye"


def test_sure_words_stay_although_their_times_are_poor() -> None:
    stack = [Word(w, 500, 500, 0.9) for w in ("yes", "I", "do")]

    assert texts(without_stacks(stack)) == "yes I do"


def test_a_single_word_without_length_stays() -> None:
    assert texts(without_stacks([Word("no", 500, 500, 0.1)])) == "no"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1), st.floats(0, 1)), max_size=30))
def test_what_stays_is_in_order_and_was_there(drawn: list[tuple[int, int, float]]) -> None:
    said = [Word(str(n % 3), start * 100, start * 100 + length, sure) for n, (start, length, sure) in enumerate(drawn)]

    for kept in (without_stacks(said), without_loops(said)):
        remaining = iter(said)
        assert all(any(w is k for w in remaining) for k in kept)


@pytest.mark.parametrize(("silent", "likelihood", "expected"), [(0.9, -1.5, True), (0.9, -0.3, False), (0.1, -1.5, False)])
def test_silence_with_unlikely_words_holds_no_speech(silent: float, likelihood: float, expected: bool) -> None:
    assert sounds_silent(silent, likelihood) is expected
