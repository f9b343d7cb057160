"""Speech without words is found, to the millisecond, and nothing else is."""

from hypothesis import given
from hypothesis import strategies as st

from domain.coverage import LEAST_MS, covers, total_ms, wordless
from domain.transcripts import Word


def word(start: int, end: int) -> Word:
    return Word("x", start, end, 0.9)


def test_speech_without_a_word() -> None:
    assert wordless([(1_000, 9_000)], []) == ((1_000, 9_000),)


def test_a_word_in_the_middle_leaves_what_is_long_enough_on_either_side() -> None:
    assert wordless([(0, 5_000)], [word(2_000, 2_300)]) == ((0, 2_000), (2_300, 5_000))
    assert wordless([(0, 4_000)], [word(1_900, 2_300)]) == ()


def test_silence_is_no_speech_without_words() -> None:
    assert wordless([(0, 1_000), (60_000, 61_000)], [word(0, 900), word(60_100, 60_900)]) == ()


def test_what_covers() -> None:
    assert covers(0, 0) and covers(1_000, 10_000) and not covers(1_001, 10_000)


spans = st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 8_000)).map(lambda s: (s[0], s[0] + s[1])), max_size=8)


@given(spans, spans)
def test_no_word_lies_in_what_is_found_and_all_of_it_is_speech(speech: list[tuple[int, int]], words: list[tuple[int, int]]) -> None:
    found = wordless(speech, [word(*span) for span in words])
    for start, end in found:
        assert end - start >= LEAST_MS
        assert any(a <= start and end <= b for a, b in speech)
        assert not any(a < end and start < b for a, b in words if a < b)
    assert total_ms(found) <= sum(b - a for a, b in speech)
