"""Speech without words is found, to the millisecond, and nothing else is."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.coverage import LEAST_MS, covers, noise, total_ms, wordless
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


def test_noise_is_what_is_loud_while_nobody_speaks_on_any_channel() -> None:
    assert noise([(0, 60_000)], []) == ((0, 60_000),)
    assert noise([(0, 60_000), (5_000, 70_000)], [(10_000, 12_000), (69_000, 80_000)]) == ((0, 10_000), (12_000, 69_000))
    assert noise([(0, 1_900), (10_000, 14_000)], [(11_900, 12_100)]) == ()
    assert noise([], [(0, 60_000)]) == ()


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


@given(spans, spans)
def test_noise_is_loud_and_nobody_speaks_in_it(loud: list[tuple[int, int]], speech: list[tuple[int, int]]) -> None:
    found = noise(loud, speech)
    assert all(end - start >= LEAST_MS for start, end in found) and all(one[1] < other[0] for one, other in pairwise(found))

    def inside(moment: int, stretches: list[tuple[int, int]]) -> bool:
        return any(start <= moment < end for start, end in stretches)

    unspoken = [inside(moment, loud) and not inside(moment, speech) for moment in range(60_000)]
    for start, end in found:
        assert all(unspoken[start:end])
    left = [bare and not inside(moment, list(found)) for moment, bare in enumerate(unspoken)]
    assert not any(all(left[at : at + LEAST_MS]) for at in range(0, 60_000 - LEAST_MS, LEAST_MS // 2))
