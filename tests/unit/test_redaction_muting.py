"""Muting: every millisecond of what is hidden is silent, and nothing else but its padding."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.redaction.muting import PADDING_MS, merged, muted, usable_times
from domain.redaction.shapes import Redaction, Sensitive
from domain.transcripts import Turn, Word
from tests.unit.redaction_turns import turns


def redaction(position: int, first: int, last: int, channel: int | None = 0) -> Redaction:
    return Redaction(Sensitive.SECURITY_CODE, 0, position, channel, first, last, None, None, 0.9, "test")


def conversation() -> list[Turn]:
    return turns("agent: the last three", "customer: it is one two three thank you", "agent: lovely")


spans = st.lists(st.tuples(st.integers(-200, 2000), st.integers(1, 400)).map(lambda span: (span[0], span[0] + span[1])), max_size=12)


@given(spans)
def test_merged_spans_hold_the_same_milliseconds_and_lie_apart(given_spans: list[tuple[int, int]]) -> None:
    found = merged(given_spans)

    assert {ms for start, end in found for ms in range(start, end)} == {ms for start, end in given_spans for ms in range(start, end)}
    assert all(left[1] < right[0] for left, right in pairwise(found))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=5), st.integers(0, 400))
def test_what_is_hidden_is_muted_with_its_padding_on_its_channel_alone(pieces: list[tuple[int, int, int]], padding: int) -> None:
    call = conversation()
    redactions = []
    for position, one, other in pieces:
        last = len(call[position].words) - 1
        first, end = sorted((min(one, last), min(other, last)))
        redactions.append(redaction(position, first, end, call[position].channel))
    found = muted(call, redactions, padding)

    for channel in {0, 1}:
        expected: set[int] = set()
        for one_redaction in redactions:
            if one_redaction.channel == channel:
                words = call[one_redaction.position].words
                start, end = words[one_redaction.first_word].start_ms, words[one_redaction.last_word].end_ms
                expected |= set(range(max(start - padding, 0), end + padding))
        assert {ms for start, end in found.get(channel, ()) for ms in range(start, end)} == expected


@pytest.mark.parametrize(
    "times",
    [
        (None, 900),
        (900, None),
        (1500, 1500),  # no length
        (1600, 1500),
        (0, 100),  # before its turn
        (1500, 99_000),  # behind its turn
        (1000, 1250),  # before its neighbour
    ],
)
def test_without_usable_times_the_whole_turn_is_muted(times: tuple[int, int]) -> None:
    call = conversation()
    turn = call[1]
    words = (*turn.words[:3], Word("two", *times, 0.9), *turn.words[4:])
    call[1] = replace(turn, words=words)

    assert usable_times(call[1], 2, 4) is None
    ((start, end),) = muted(call, [redaction(1, 2, 4, 1)])[1]
    assert start <= max(turn.start_ms - PADDING_MS, 0) and end >= turn.end_ms + PADDING_MS


def test_a_turn_that_has_no_length_itself_is_muted_as_long_as_its_words_may_be() -> None:
    turn = turns("customer: three")[0]
    call = [replace(turn, start_ms=5000, end_ms=5000, words=(Word("three", 5000, 5000, 0.4),))]

    ((start, end),) = muted(call, [redaction(0, 0, 0)])[0]
    assert start <= 4400 and end >= 5600


def test_where_nobody_knows_the_channel_all_of_them_are_muted() -> None:
    assert set(muted(conversation(), [redaction(1, 2, 4, None)])) == {None}
