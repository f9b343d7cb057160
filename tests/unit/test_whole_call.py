"""Several recordings of one call, read as one conversation: nothing is lost or mixed up, and what is found comes home to its own file."""

from collections import Counter
from dataclasses import replace
from itertools import groupby
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.parties import Party
from domain.redaction.muting import usable_times
from domain.redaction.shapes import Redaction, Sensitive
from domain.redaction.whole_call import Part, WholeCall, version_together, whole_call
from domain.transcripts import Attribution, Turn, Word
from domain.turns import Speaker, SpokenWord, turns_of

ROLES = (Party.AGENT, Party.PARTNER, Party.CUSTOMER)


def file(number: int, *said: tuple[str, int], sid: str | None = None, channel: int = 0) -> Part:
    """A file of one voice: (words, when they begin in ms), 300 ms each without a pause."""
    speaker = Speaker(ROLES[number], sid, Attribution.FILE, 1.0)
    words = [
        Word(word, at + 300 * n, at + 300 * n + 250, 0.9) for text, at in said for n, word in enumerate(text.split())
    ]  # fmt: skip
    return Part(0, turns_of(SpokenWord(word, speaker, channel) for word in words))


def lines(call: WholeCall) -> list[str]:
    return [f"{turn.role}: {turn.text}" for turn in call.turns]


def test_a_file_for_each_party_is_one_conversation() -> None:
    agent = file(0, ("the code please", 1_000), ("thank you", 6_000))
    partner = file(1, ("nine four three", 4_000))
    call = whole_call([agent, partner])
    assert lines(call) == ["agent: the code please", "partner: nine four three", "agent: thank you"]
    assert len({turn.channel for turn in call.turns}) == 2, "both were on channel 0 of their files"


def test_recordings_that_follow_each_other_are_one_conversation_of_the_same_people() -> None:
    first, second = file(0, ("the code please", 18_000), sid="PA_a"), file(2, ("seven three nine", 1_000), sid="PA_c")
    later = replace(file(0, ("thank you", 4_000), sid="PA_a", channel=1), offset_ms=20_000)
    call = whole_call([first, replace(second, offset_ms=20_000), later])
    assert [(turn.text, turn.start_ms) for turn in call.turns] == [
        ("the code please", 18_000),
        ("seven three nine", 21_000),
        ("thank you", 24_000),
    ]
    assert call.turns[0].channel == call.turns[2].channel != call.turns[1].channel


def test_a_turn_is_cut_where_somebody_else_says_a_word_in_its_pause() -> None:
    agent = file(0, ("the code", 1_000), ("and the date", 2_200))
    partner = file(1, ("nine", 1_700))
    assert lines(whole_call([agent, partner])) == ["agent: the code", "partner: nine", "agent: and the date"]
    assert lines(whole_call([agent, file(1, ("mhm", 1_300))])) == ["agent: the code and the date", "partner: mhm"], "at the same time"


def test_one_voice_in_two_files_does_not_talk_in_between() -> None:
    once = file(0, ("four one", 1_000), ("one one", 2_200), sid="PA_a")
    assert lines(whole_call([once, replace(once, offset_ms=650)])) == ["agent: four one one one"] * 2


def found(position: int, first: int, last: int) -> Redaction:
    return Redaction(Sensitive.SECURITY_CODE, 3, position, 7, first, last, 1, 2, 0.9, "test")


def test_what_is_found_comes_home_with_the_channel_and_the_times_of_its_own_file() -> None:
    agent = file(0, ("a b", 1_000), ("c d", 2_200), channel=1)
    partner = replace(file(1, ("x", 700)), offset_ms=1_000)
    call = whole_call([agent, partner])
    assert lines(call) == ["agent: a b", "partner: x", "agent: c d"]
    (mine, theirs) = call.at_home([found(1, 0, 0), found(2, 1, 1)], [agent, partner])
    assert [(one.position, one.channel, one.first_word, one.last_word, one.start_ms, one.end_ms) for one in mine] == [
        (0, 1, 3, 3, 2_500, 2_750)
    ]
    assert [(one.position, one.channel, one.first_word, one.last_word, one.start_ms, one.end_ms) for one in theirs] == [
        (0, 0, 0, 0, 700, 950)
    ]
    assert {one.entity for one in (*mine, *theirs)} == {3}


def test_words_without_usable_times_stay_where_their_turn_is() -> None:
    broken = (Word("four", 900, 100, 0.9), Word("two", 300, 250, 0.9), Word("six", 2_000, 2_200, 0.9))
    one = Turn(Party.PARTNER, None, 0, 100, 2_200, "four two six", broken, 0.9, Attribution.FILE, 1.0)
    call = whole_call([file(0, ("hello", 500)), Part(0, (one,))])
    assert sorted(word.text for turn in call.turns for word in turn.words) == ["four", "hello", "six", "two"]
    assert call.turns[0].role is Party.PARTNER
    ((), (home,)) = call.at_home([found(0, 0, 1)], [file(0, ("hello", 500)), Part(0, (one,))])
    assert (home.start_ms, home.end_ms) == (None, None), "and so the whole turn is silenced"


@st.composite
def files(draw: st.DrawFn, count: int) -> list[list[Word]]:
    """Words of each file, of their own texts, at any times."""
    made: list[list[Word]] = []
    for number in range(count):
        said = []
        for n in range(draw(st.integers(0, 25))):
            start = draw(st.integers(0, 12_000))
            said.append(Word(f"{number}-{n}", start, start + draw(st.integers(0, 700)), 0.9))
        made.append(sorted(said, key=lambda word: word.start_ms))
    return made


def parts(said: list[list[Word]], offsets: list[int]) -> list[Part]:
    speakers = [Speaker(ROLES[number], None, Attribution.FILE, 1.0) for number in range(len(said))]
    return [
        Part(offset, turns_of(SpokenWord(word, speaker, 0) for word in words))
        for words, speaker, offset in zip(said, speakers, offsets, strict=True)
    ]


@given(files(2))
def test_two_files_read_as_two_channels_of_one_do(said: list[list[Word]]) -> None:
    speakers = [Speaker(ROLES[number], None, Attribution.FILE, 1.0) for number in range(2)]
    one_file = turns_of(SpokenWord(word, speakers[number], number) for number, words in enumerate(said) for word in words)
    call = whole_call(parts(said, [0, 0]))
    assert Counter((turn.role, turn.words, turn.start_ms, turn.end_ms) for turn in call.turns) == Counter(
        (turn.role, turn.words, turn.start_ms, turn.end_ms) for turn in one_file
    )
    assert [turn.start_ms for turn in call.turns] == [turn.start_ms for turn in one_file]


@given(files(3), st.lists(st.integers(0, 20_000), min_size=3, max_size=3))
def test_no_word_is_lost_or_repeated_and_each_is_found_at_home(said: list[list[Word]], offsets: list[int]) -> None:
    files_ = parts(said, offsets)
    call = whole_call(files_)
    assert [turn.start_ms for turn in call.turns] == sorted(turn.start_ms for turn in call.turns)
    seen: Counter[tuple[int, int, int]] = Counter()
    for turn, origin in zip(call.turns, call.origins, strict=True):
        own = files_[origin.part].turns[origin.position]
        for place, word in enumerate(turn.words):
            mine = own.words[origin.first_word + place]
            assert (word.text, word.start_ms) == (mine.text, mine.start_ms + offsets[origin.part])
            seen[origin.part, origin.position, origin.first_word + place] += 1
    every = {
        (number, position, place)
        for number, part in enumerate(files_)
        for position, turn in enumerate(part.turns)
        for place in range(len(turn.words))
    }
    assert set(seen) == every and set(seen.values()) <= {1}
    homes = call.at_home([found(n, 0, len(turn.words) - 1) for n, turn in enumerate(call.turns)], files_)
    for part, home in zip(files_, homes, strict=True):
        for position, pieces in groupby(home, key=lambda one: one.position):
            places = [place for one in pieces for place in range(one.first_word, one.last_word + 1)]
            assert places == list(range(len(part.turns[position].words)))
        for one in home:
            times = usable_times(part.turns[one.position], one.first_word, one.last_word)
            assert (one.start_ms, one.end_ms) == (times or (None, None))


@given(files(1), st.integers(0, 9_000))
def test_a_lone_recording_is_its_call_as_it_stands(said: list[list[Word]], offset: int) -> None:
    (alone,) = parts(said, [offset])
    assert whole_call([alone]).turns == tuple(alone.turns)


def test_the_version_names_what_else_was_read_and_where_in_the_call_it_lies() -> None:
    mine, other = uuid4(), uuid4()
    assert version_together("v", 500, []) == "v"
    beside = version_together("v", 500, [(mine, 0), (other, 900)])
    assert beside == version_together("v", 1_500, [(other, 1_900), (mine, 1_000)]), "the whole call lies elsewhere: the same conversation"
    others = [version_together("v", 500, [(mine, 0)]), version_together("v", 500, [(mine, 1), (other, 900)]), "v"]
    assert beside.startswith("v, ") and len({beside, *others}) == 4


@pytest.mark.parametrize("number", [0, 2])
def test_a_call_without_words_is_one(number: int) -> None:
    assert whole_call([Part(0, ())] * number).turns == ()
