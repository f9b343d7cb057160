"""Who spoke: by channel, by file, by who was in the room, by voice; and UNKNOWN, with no confidence, rather than a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attribution import Candidate, Layout, NamedVoices, SpeakerSegment, VoiceFinder, Voices, attribute, needs_voices
from domain.parties import Party
from domain.transcripts import Attribution, Word
from domain.turns import Speaker

AGENT = Candidate("PA_agent", Party.AGENT)
CUSTOMER = Candidate("PA_customer", Party.CUSTOMER)
ASSISTANT_LEAVES = Candidate("PA_assistant", Party.ASSISTANT, None, 10_000)
AGENT_JOINS = Candidate("PA_agent", Party.AGENT, 9_000, None)


def word(start_ms: int, text: str = "word", length_ms: int = 200) -> Word:
    return Word(text, start_ms, start_ms + length_ms, 0.9)


def test_a_channel_of_one_participant_is_theirs_for_sure() -> None:
    turns = attribute({0: [word(0)], 1: [word(100)]}, Layout(((AGENT,), (CUSTOMER,))))

    assert [(t.channel, t.role, t.participant_sid, t.attribution, t.attribution_confidence) for t in turns] == [
        (0, Party.AGENT, "PA_agent", Attribution.CHANNEL, 1.0),
        (1, Party.CUSTOMER, "PA_customer", Attribution.CHANNEL, 1.0),
    ]


def test_a_file_of_one_participant_is_theirs_on_every_channel() -> None:
    turns = attribute({0: [word(0)], 1: [word(2_000)]}, Layout(((AGENT,), (AGENT,)), one_participant=True))

    assert {(t.role, t.attribution) for t in turns} == {(Party.AGENT, Attribution.FILE)}


def test_on_a_shared_channel_the_one_in_the_room_spoke() -> None:
    layout = Layout(((ASSISTANT_LEAVES, AGENT_JOINS),))

    turns = attribute({0: [word(1_000), word(20_000)]}, layout)

    assert [(t.role, t.participant_sid, t.attribution) for t in turns] == [
        (Party.ASSISTANT, "PA_assistant", Attribution.PRESENCE),
        (Party.AGENT, "PA_agent", Attribution.PRESENCE),
    ]
    assert all(0.9 <= t.attribution_confidence < 1 for t in turns)


def test_a_turn_is_split_where_one_leaves_as_another_comes() -> None:
    layout = Layout(((Candidate("PA_1", Party.ASSISTANT, None, 5_000), Candidate("PA_2", Party.AGENT, 5_000, None)),))

    turns = attribute({0: [word(4_700), word(5_000)]}, layout)

    assert [t.role for t in turns] == [Party.ASSISTANT, Party.AGENT]


def test_who_began_alone_ends_the_sentence_although_another_has_come() -> None:
    layout = Layout(((ASSISTANT_LEAVES, AGENT_JOINS),))

    (turn,) = attribute({0: [word(8_600), word(8_900), word(9_200)]}, layout)

    assert turn.role is Party.ASSISTANT
    assert turn.attribution_confidence < 0.95


def test_a_sentence_begun_while_both_were_there_is_nobody_s() -> None:
    layout = Layout(((Candidate("PA_1", Party.ASSISTANT), Candidate("PA_2", Party.AGENT)),))

    (turn,) = attribute({0: [word(1_000)]}, layout)

    assert (turn.role, turn.participant_sid, turn.attribution, turn.attribution_confidence) == (
        Party.UNKNOWN,
        None,
        Attribution.UNKNOWN,
        0.0,
    )


def test_two_of_one_role_give_the_role_and_no_name() -> None:
    layout = Layout(((Candidate("PA_1", Party.PARTNER), Candidate("PA_2", Party.PARTNER)),))

    (turn,) = attribute({0: [word(1_000)]}, layout)

    assert (turn.role, turn.participant_sid, turn.attribution) == (Party.PARTNER, None, Attribution.PRESENCE)
    assert turn.attribution_confidence < 0.9


def test_whole_second_join_times_do_not_lose_a_greeting() -> None:
    layout = Layout(((Candidate("PA_1", Party.CUSTOMER, 3_000), Candidate("PA_2", Party.CUSTOMER, 60_000)),))

    (turn,) = attribute({0: [word(2_500)]}, layout)

    assert (turn.role, turn.participant_sid) == (Party.CUSTOMER, "PA_1")


@pytest.mark.parametrize("layout", [Layout(()), Layout(((),)), Layout(((Candidate("PA_1", Party.UNKNOWN),),))])
def test_without_candidates_nobody_is_named(layout: Layout) -> None:
    (turn,) = attribute({0: [word(0)]}, layout)

    assert (turn.role, turn.attribution) == (Party.UNKNOWN, Attribution.UNKNOWN)


def test_a_mix_needs_voices_and_a_channel_each_does_not() -> None:
    assert needs_voices(Layout(((AGENT, CUSTOMER),)), 0, [word(0)])
    assert not needs_voices(Layout(((AGENT,), (CUSTOMER,))), 0, [word(0)])
    assert not needs_voices(Layout(((AGENT, CUSTOMER),)), 0, [])


def test_named_voices_attribute_a_mix() -> None:
    voices = Voices((SpeakerSegment(0, 1_000, "v1"), SpeakerSegment(1_000, 2_000, "v2"), SpeakerSegment(2_000, 3_000, "v3")))
    names = {
        "v1": Speaker(Party.AGENT, "PA_agent", Attribution.DIARIZATION, 0.9),
        "v2": Speaker(Party.CUSTOMER, "PA_customer", Attribution.DIARIZATION, 0.8),
    }

    turns = attribute(
        {0: [word(100), word(1_300), word(2_300), word(9_000)]}, Layout(((AGENT, CUSTOMER),)), {0: NamedVoices(voices, names)}
    )

    assert [(t.role, t.attribution, t.attribution_confidence) for t in turns] == [
        (Party.AGENT, Attribution.DIARIZATION, 0.9),
        (Party.CUSTOMER, Attribution.DIARIZATION, 0.8),
        (Party.UNKNOWN, Attribution.UNKNOWN, 0.0),
        (Party.UNKNOWN, Attribution.UNKNOWN, 0.0),
    ]


def test_where_voices_overlap_the_attribution_is_less_sure() -> None:
    voices = Voices((SpeakerSegment(0, 1_000, "v1"),), overlaps=((500, 900),))
    find = VoiceFinder(voices)
    alone, overlapped = find.voice_of(word(100)), find.voice_of(word(600))

    assert alone is not None and overlapped is not None
    assert alone[1] > overlapped[1]


def test_a_word_just_beside_a_voice_is_still_its() -> None:
    find = VoiceFinder(Voices((SpeakerSegment(1_000, 2_000, "v1"),)))

    assert find.voice_of(word(700)) is not None
    assert find.voice_of(word(100)) is None


def test_identical_channels_are_one_mix_of_everybody() -> None:
    assert Layout(((AGENT,), (CUSTOMER, AGENT))).as_mix().channels == ((AGENT, CUSTOMER),)


@given(st.lists(st.integers(0, 60_000), max_size=30), st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)), max_size=4))
def test_every_word_gets_a_turn_whoever_was_there(starts: list[int], stays: list[tuple[int, int]]) -> None:
    roles = [Party.AGENT, Party.CUSTOMER, Party.ASSISTANT, Party.PARTNER]
    people = tuple(Candidate(f"PA_{n}", roles[n], *sorted(stay)) for n, stay in enumerate(stays))

    turns = attribute({0: sorted((word(s) for s in starts), key=lambda w: w.start_ms)}, Layout((people,)))

    assert sum(len(t.words) for t in turns) == len(starts)
    for turn in turns:
        assert 0 <= turn.attribution_confidence <= 1
        assert (turn.role is Party.UNKNOWN) == (turn.attribution is Attribution.UNKNOWN)
