"""Turns: nothing said is lost, repeated or put in another order, whoever spoke when."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.parties import Party
from domain.transcripts import Attribution, Word
from domain.turns import PAUSE_MS, Speaker, SpokenWord, turns_of

AGENT = Speaker(Party.AGENT, "PA_agent", Attribution.CHANNEL, 1.0)
CUSTOMER = Speaker(Party.CUSTOMER, "PA_customer", Attribution.CHANNEL, 1.0)


def said(text: str, start_ms: int, end_ms: int, speaker: Speaker = AGENT, channel: int = 0, confidence: float = 0.9) -> SpokenWord:
    return SpokenWord(Word(text, start_ms, end_ms, confidence), speaker, channel)


@st.composite
def conversations(draw: st.DrawFn) -> list[SpokenWord]:
    words = []
    for n in range(draw(st.integers(0, 40))):
        start = draw(st.integers(0, 20_000))
        channel = draw(st.integers(0, 2))
        speaker = draw(st.sampled_from([AGENT, CUSTOMER]))
        words.append(said(f"w{n}", start, start + draw(st.integers(0, 900)), speaker, channel))
    return words


@given(conversations())
def test_every_word_is_in_exactly_one_turn_of_its_speaker_and_channel(spoken: list[SpokenWord]) -> None:
    turns = turns_of(spoken)

    in_turns = Counter((w, t.channel, t.role) for t in turns for w in t.words)
    assert in_turns == Counter((s.word, s.channel, s.speaker.role) for s in spoken)


@given(conversations())
def test_turns_are_sorted_and_each_spans_its_words(spoken: list[SpokenWord]) -> None:
    turns = turns_of(spoken)

    assert [(t.start_ms, t.channel) for t in turns] == sorted((t.start_ms, t.channel or 0) for t in turns)
    for turn in turns:
        assert turn.start_ms == min(w.start_ms for w in turn.words) <= turn.end_ms == max(w.end_ms for w in turn.words)
        assert turn.text == " ".join(w.text for w in turn.words)
        assert [w.start_ms for w in turn.words] == sorted(w.start_ms for w in turn.words)


@given(conversations())
def test_no_turn_has_a_pause_inside(spoken: list[SpokenWord]) -> None:
    for turn in turns_of(spoken):
        reach = turn.start_ms
        for before, after in pairwise(turn.words):
            reach = max(reach, before.end_ms)
            assert after.start_ms - reach < PAUSE_MS


@given(conversations())
def test_the_order_in_which_channels_arrive_does_not_matter(spoken: list[SpokenWord]) -> None:
    assert turns_of(sorted(spoken, key=lambda s: -s.channel)) == turns_of(spoken)


def test_words_that_begin_at_once_stay_in_the_order_in_which_they_were_heard() -> None:
    (turn,) = turns_of([said("not", 500, 700), said("at", 500, 500), said("all", 500, 900)])

    assert turn.text == "not at all"


def test_nothing_said_is_no_turn() -> None:
    assert turns_of([]) == ()


def test_a_pause_ends_a_turn_and_a_breath_does_not() -> None:
    turns = turns_of([said("one", 0, 400), said("two", 400 + PAUSE_MS - 1, 1400), said("three", 1400 + PAUSE_MS, 2600)])

    assert [t.text for t in turns] == ["one two", "three"]


def test_somebody_else_s_word_in_between_ends_a_turn() -> None:
    turns = turns_of([said("my", 0, 300), said("number", 1000, 1400), said("yes", 400, 700, CUSTOMER, 1)])

    assert [(t.role, t.text) for t in turns] == [(Party.AGENT, "my"), (Party.CUSTOMER, "yes"), (Party.AGENT, "number")]


def test_people_who_speak_at_once_keep_overlapping_turns() -> None:
    turns = turns_of([said("I", 0, 300), said("said", 320, 600), said("no", 200, 700, CUSTOMER, 1)])

    assert [(t.role, t.text, t.start_ms, t.end_ms) for t in turns] == [
        (Party.AGENT, "I said", 0, 600),
        (Party.CUSTOMER, "no", 200, 700),
    ]


def test_confidence_is_the_words_mean() -> None:
    (turn,) = turns_of([said("one", 0, 100, confidence=0.5), said("two", 100, 200, confidence=1.0)])

    assert turn.confidence == 0.75
    assert turn.attribution_confidence == 1.0


def test_two_unnamed_voices_are_two_turns() -> None:
    first, second = (Speaker(Party.UNKNOWN, None, Attribution.UNKNOWN, 0.0, voice=v) for v in ("a", "b"))

    assert len(turns_of([said("hello", 0, 300, first), said("hi", 350, 500, second)])) == 2
