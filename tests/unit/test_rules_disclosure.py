"""The recording and the AI are disclosed in the first minute, or not, or nobody can tell."""

from dataclasses import replace

import pytest

from domain.rules.judging import judge
from domain.rules.shapes import Cause, Finding, HeardCall, Interval, Verdict
from resources.policies.rules import compliance_rules
from tests.unit.spoken_turns import call, without


def found(heard: HeardCall, rule: str) -> Finding:
    (one,) = (finding for finding in judge(heard, compliance_rules()).findings if finding.rule_id == rule)
    return one


@pytest.mark.parametrize(
    "words",
    [
        "Hi, this is Ana, and this call is being recorded for quality.",
        "you're on a recorded line with tony",
        "Before we begin, would you mind if I record us?",
        "We do tape all of our calls, just so you know.",
        "I've got the recorder running, so you're aware.",
        "Calls may be monitored or recorded.",
        "The recording is on.",
        "May I have your permission to record this?",
        "do you have any objection to being recorded",
        "And we are recording. Good morning.",
    ],
)
def test_who_says_that_it_is_recorded_has_disclosed_it(words: str) -> None:
    finding = found(call(f"agent: {words}", "customer: Sure, I have a question about my roof."), "recording_disclosure")
    assert (finding.verdict, finding.turn_id, finding.cause) == (Verdict.MET, 1, None)


@pytest.mark.parametrize(
    "words",
    [
        "Hi, how can I help you with your policy today?",
        "I have recorded your claim in our system, thank you.",
        "This call is not being recorded, so speak freely.",
        "Your last call was recorded, by the way.",
        "You have a clean driving record, which helps.",
        "Did you get a recorded message from us yesterday?",
        "Put some duct tape over the window until Monday.",
    ],
)
def test_other_words_of_recording_disclose_nothing(words: str) -> None:
    assert found(call(f"agent: {words}", "customer: Okay, thank you very much."), "recording_disclosure").verdict is Verdict.NOT_MET


def test_it_must_come_from_the_business_and_in_the_first_minute() -> None:
    lines = ("agent: Hello, claims department, how can I help?", "customer: Is this call recorded?", "agent: Yes, this call is recorded.")
    assert found(call(*lines[:2]), "recording_disclosure").verdict is Verdict.NOT_MET
    assert found(call(*lines, starts_s=(0, 4, 58)), "recording_disclosure").verdict is Verdict.MET
    assert found(call(*lines, starts_s=(0, 4, 61)), "recording_disclosure").verdict is Verdict.NOT_MET


def test_it_may_be_split_by_an_interruption() -> None:
    heard = call(
        "agent: I have to tell you that this call is", "customer: Mm-hmm.", "agent: being recorded.", "customer: Fine, my roof leaks."
    )
    assert found(heard, "recording_disclosure").verdict is Verdict.MET


def test_an_opening_of_noise_leaves_it_open() -> None:
    later = call("agent: So what is your policy number?", "customer: It is on the card here.", starts_s=(75, 80))
    silent = found(later, "recording_disclosure")
    assert (silent.verdict, silent.cause) == (Verdict.CANNOT_TELL, Cause.SILENT)
    noisy = replace(later, unintelligible=(Interval(0, 60_000),))
    assert found(noisy, "recording_disclosure").cause is Cause.DAMAGED
    garbage = call("agent: the of and a", confidence=0.2, length_ms=90_000, recorded=(Interval(0, 90_000),))
    assert (found(garbage, "recording_disclosure").verdict, found(garbage, "recording_disclosure").cause) == (
        *(Verdict.CANNOT_TELL, Cause.LOW_CONFIDENCE),
    )


def test_what_no_recording_covers_leaves_it_open() -> None:
    heard = call("agent: Hello there, how can I help you today?", "customer: My roof leaks.", starts_s=(30, 34))
    heard = replace(heard, recorded=(Interval(30_000, heard.length_ms),))
    assert (found(heard, "recording_disclosure").verdict, found(heard, "recording_disclosure").cause) == (
        Verdict.CANNOT_TELL,
        Cause.DAMAGED,
    )


def test_an_unknown_speaker_leaves_it_open() -> None:
    finding = found(call("unknown: This call is recorded.", "customer: My roof leaks, I need some help."), "recording_disclosure")
    assert (finding.verdict, finding.cause) == (Verdict.CANNOT_TELL, Cause.UNKNOWN_SPEAKER)


def test_a_missing_word_leaves_it_open() -> None:
    heard = call("agent: Welcome, all conversations on this line are recorded for quality.", "customer: My roof leaks.")
    assert found(heard, "recording_disclosure").verdict is Verdict.MET
    assert found(without(heard, 0, 7), "recording_disclosure").verdict is not Verdict.MET


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("Hi, I'm Milo, your virtual assistant.", Verdict.MET),
        ("You're talking to an AI, not a person.", Verdict.MET),
        ("this is the automated system at lakeside", Verdict.MET),
        ("I am not a human, just so you know.", Verdict.MET),
        ("Hi, it's Claire from Bright Day Events.", Verdict.NOT_MET),
        ("I'm not a robot, I'm Claire.", Verdict.NOT_MET),
        ("Hi, it's Claire. You can set up automatic payments with me.", Verdict.NOT_MET),
    ],
)
def test_the_assistant_says_what_it_is(words: str, verdict: Verdict) -> None:
    assert found(call(f"assistant: {words}", "customer: Oh okay, I have a question."), "ai_disclosure").verdict is verdict


def test_without_an_assistant_nothing_is_said_of_an_ai() -> None:
    findings = judge(call("agent: This call is recorded."), compliance_rules()).findings
    assert "ai_disclosure" not in {finding.rule_id for finding in findings}
