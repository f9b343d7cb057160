"""Voices of a mix get the right names, and none rather than a wrong one."""

from collections.abc import Sequence

from domain.attribution import Candidate, SpeakerSegment, Voices
from domain.parties import Party
from domain.speaker_cues import role_scores
from domain.transcripts import Attribution, Word
from domain.voices import NAMED_FROM, name_voices

AGENT = Candidate("PA_agent", Party.AGENT)
ASSISTANT = Candidate("PA_assistant", Party.ASSISTANT)
CUSTOMER = Candidate("PA_customer", Party.CUSTOMER)

Lines = Sequence[tuple[str, str, int]]


def conversation(lines: Lines) -> tuple[Voices, list[Word]]:
    """(voice, what it says, when in ms), 200 ms a word."""
    segments, words = [], []
    for voice, text, start_ms in lines:
        spoken = text.split()
        words += [Word(w, start_ms + 200 * n, start_ms + 200 * n + 180, 0.9) for n, w in enumerate(spoken)]
        segments.append(SpeakerSegment(start_ms, start_ms + 200 * len(spoken), voice))
    return Voices(tuple(segments)), words


def roles(lines: Lines, *people: Candidate) -> dict[str, Party]:
    voices, words = conversation(lines)
    return {label: name.role for label, name in name_voices(voices, words, people).names.items()}


def test_the_disclosure_comes_from_staff_and_the_wish_from_the_customer() -> None:
    lines = [("a", "This call may be recorded.", 0), ("b", "I would like a quote please.", 5_000)]

    assert roles(lines, CUSTOMER, AGENT) == {"a": Party.AGENT, "b": Party.CUSTOMER}
    assert roles(lines, ASSISTANT, CUSTOMER) == {"a": Party.ASSISTANT, "b": Party.CUSTOMER}


def test_one_voice_s_words_name_the_other_as_well() -> None:
    lines = [("a", "How can I help you today?", 0), ("b", "Well it is raining.", 5_000)]

    assert roles(lines, CUSTOMER, AGENT) == {"a": Party.AGENT, "b": Party.CUSTOMER}


def test_who_was_alone_in_the_room_is_known_by_that() -> None:
    late = Candidate("PA_customer", Party.CUSTOMER, 10_000)
    lines = [("a", "la la la la la", 0), ("b", "what is this then", 20_000)]

    voices, words = conversation(lines)
    names = name_voices(voices, words, [AGENT, late]).names

    assert {label: (n.role, n.participant_sid, n.attribution) for label, n in names.items()} == {
        "a": (Party.AGENT, "PA_agent", Attribution.DIARIZATION),
        "b": (Party.CUSTOMER, "PA_customer", Attribution.DIARIZATION),
    }


def test_who_was_absent_did_not_speak_whatever_the_words_suggest() -> None:
    gone = Candidate("PA_agent", Party.AGENT, None, 1_000)
    lines = [("a", "How can I help you? Your claim is under review.", 30_000), ("b", "Hello there", 40_000)]

    assert roles(lines, gone, CUSTOMER, ASSISTANT)["a"] is Party.ASSISTANT


def test_without_any_evidence_nobody_is_named() -> None:
    assert set(roles([("a", "blue sky", 0), ("b", "green tree", 5_000)], AGENT, CUSTOMER).values()) == {Party.UNKNOWN}


def test_the_assistant_and_the_agent_are_told_apart() -> None:
    lines = [
        ("a", "I'm your Daily Event Insurance assistant. How can I help you?", 0),
        ("b", "I need a quote for my event", 5_000),
        ("c", "I am a licensed agent. Let me check that for you.", 15_000),
    ]

    assert roles(lines, AGENT, ASSISTANT, CUSTOMER) == {"a": Party.ASSISTANT, "b": Party.CUSTOMER, "c": Party.AGENT}


def test_more_evidence_makes_surer() -> None:
    few, many = [("a", "Let me check.", 0)], [("a", "This call is recorded. How may I help you? Let me check.", 0)]
    (unsure,) = name_voices(*conversation(few), [AGENT, CUSTOMER]).names.values()
    (sure,) = name_voices(*conversation(many), [AGENT, CUSTOMER]).names.values()

    assert NAMED_FROM <= unsure.confidence < sure.confidence <= 1


def test_people_of_one_role_give_the_role_alone() -> None:
    lines = [("a", "Welcome to the partner training session.", 0), ("b", "How are commissions paid?", 5_000)]
    voices, words = conversation(lines)
    partners = [Candidate("PA_1", Party.PARTNER), Candidate("PA_2", Party.PARTNER)]

    names = name_voices(voices, words, [AGENT, *partners]).names

    assert names["a"].participant_sid == "PA_agent"
    assert (names["b"].role, names["b"].participant_sid) == (Party.PARTNER, None)


def test_nobody_known_or_nothing_said_names_nobody() -> None:
    voices, words = conversation([("a", "This call is recorded", 0)])

    assert name_voices(voices, words, []).names == {}
    assert name_voices(Voices(), [], [AGENT]).names == {}


def test_a_phrase_counts_once() -> None:
    once = role_scores("this call is recorded", [Party.AGENT])
    thrice = role_scores("this call is recorded " * 3, [Party.AGENT])

    assert once == thrice
