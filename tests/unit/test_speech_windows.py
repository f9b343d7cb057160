"""Speech is packed without losing, doubling or moving any of it, and times come back to where they were."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.speech.activity import FRAME, RATE_HZ, audible_stretches, regions_of
from resources.speech.likeness import identical
from resources.speech.windows import PAD, WINDOW, Window, pack

HOUR = 3600 * RATE_HZ


@st.composite
def speech(draw: st.DrawFn) -> list[tuple[int, int]]:
    regions, at = [], 0
    for silence, length in draw(st.lists(st.tuples(st.integers(1, 5 * RATE_HZ), st.integers(1_500, 70 * RATE_HZ)), max_size=30)):
        regions.append((at + silence, at + silence + length))
        at += silence + length
    return regions


def latest(start: int, end: int) -> int:
    return end


@given(speech())
def test_every_sample_of_speech_is_in_exactly_one_window(regions: list[tuple[int, int]]) -> None:
    windows = pack(1, regions, HOUR, latest)

    pieces = sorted(piece for window in windows for piece in window.pieces)
    assert all(before[1] <= after[0] for before, after in pairwise(pieces))
    for start, end in regions:
        inside = sum(max(0, min(end, e) - max(start, s)) for s, e in pieces)
        assert inside == end - start


@given(speech())
def test_windows_are_short_enough_in_order_and_of_one_channel(regions: list[tuple[int, int]]) -> None:
    for window in pack(1, regions, HOUR, latest):
        assert 0 < window.length <= WINDOW
        assert window.channel == 1
        assert list(window.pieces) == sorted(window.pieces)


@given(speech())
def test_windows_are_well_filled(regions: list[tuple[int, int]]) -> None:
    windows = pack(0, regions, HOUR, latest)
    packed = sum(w.length for w in windows)

    assert len(windows) <= 2 * packed / WINDOW + 1


@given(speech(), st.data())
def test_a_time_inside_a_window_comes_back_to_its_own_sound(regions: list[tuple[int, int]], data: st.DataObject) -> None:
    for window in pack(0, regions, HOUR, latest):
        piece = data.draw(st.sampled_from(window.pieces))
        before = sum(e - s for s, e in window.pieces if s < piece[0])
        start = data.draw(st.integers(0, piece[1] - piece[0] - 1))
        end = data.draw(st.integers(start, piece[1] - piece[0]))

        if end > start:
            assert window.restore(before + start, before + end) == (piece[0] + start, piece[0] + end)
        else:
            found = window.restore(before + start, before + end)
            assert found is not None and found[0] == found[1]


def test_a_word_over_a_seam_stays_in_the_piece_that_has_most_of_it() -> None:
    window = Window(0, ((1_000, 2_000), (50_000, 51_000)))

    assert window.restore(900, 1_300) == (50_000, 50_300)
    assert window.restore(600, 1_300) == (1_600, 2_000)


def test_a_word_behind_the_last_piece_belongs_nowhere() -> None:
    assert Window(0, ((1_000, 2_000),)).restore(1_500, 1_700) is None


def test_a_long_speech_is_split_where_it_is_quietest() -> None:
    asked: list[tuple[int, int]] = []

    def quietest(start: int, end: int) -> int:
        asked.append((start, end))
        return start + RATE_HZ

    windows = pack(0, [(RATE_HZ, 41 * RATE_HZ)], HOUR, quietest)

    (start, _), *_ = asked
    cuts = sorted(edge for w in windows for piece in w.pieces for edge in piece)
    assert start + RATE_HZ in cuts
    assert start >= RATE_HZ - PAD + 10 * RATE_HZ


def frames(*probabilities: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(probabilities, np.float32)


def test_speech_begins_high_and_ends_low() -> None:
    probability = frames(*[0.1] * 5, *[0.9] * 10, *[0.4] * 20, *[0.1] * 30)

    assert list(regions_of(probability, 10**6)) == [(5 * FRAME, 35 * FRAME)]


def test_a_short_silence_stays_inside_and_a_click_is_no_speech() -> None:
    probability = frames(*[0.9] * 10, *[0.1] * 5, *[0.9] * 10, *[0.1] * 30, 0.9, *[0.1] * 30)

    assert list(regions_of(probability, 10**6)) == [(0, 25 * FRAME)]


@pytest.mark.parametrize("probability", [frames(), frames(0.1, 0.2), frames(0.4, 0.4)])
def test_silence_has_no_regions(probability: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    assert list(regions_of(probability, 10**6)) == []


def test_speech_does_not_outlast_the_file() -> None:
    assert list(regions_of(frames(*[0.9] * 10), 10 * FRAME - 100)) == [(0, 10 * FRAME - 100)]


@given(st.lists(st.floats(0, 1, width=32), max_size=300))
def test_regions_are_in_order_and_apart(probabilities: list[float]) -> None:
    regions = list(regions_of(frames(*probabilities), len(probabilities) * FRAME))

    flat = [edge for region in regions for edge in region]
    assert flat == sorted(set(flat))


def test_only_what_could_be_speech_is_shown_to_the_model() -> None:
    energy = np.zeros(10_000, np.float32)
    energy[5_000:5_010] = 0.01

    ((start, end),) = audible_stretches(energy)

    assert 4_980 <= start < 5_000 and 5_010 < end <= 5_030
    assert audible_stretches(np.zeros(100, np.float32)) == []


def test_one_mix_on_both_channels_is_recognised_at_any_level() -> None:
    random = np.random.default_rng(1)
    mix = (random.normal(0, 3_000, 100_000)).astype(np.int16)
    other = (random.normal(0, 3_000, 100_000)).astype(np.int16)
    silence = np.zeros(100_000, np.int16)

    assert identical([mix, (mix * 0.3 + random.normal(0, 30, 100_000)).astype(np.int16)])
    assert not identical([mix, other])
    assert not identical([mix, silence])
    assert not identical([silence, silence])
    assert not identical([mix])
