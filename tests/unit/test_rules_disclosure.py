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
        "You wouldn't object to being taped, would you?",
        "Okay, I've switched on the recorder for us.",
        "there isn't a chat on this line that we don't tape",
        "Everything you tell me goes on, well, everything is kept as audio.",
        "House rules, we keep recordings of all of these.",
        "Any reason we shouldn't tape this?",
        "this whole session's bein' recorded okay",
        "Please note, callers are recorded for coaching.",
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
        "The inspector recorded hail on the north side.",
        "Nothing on this line is being taped, I promise.",
        "Are you recording me, sir?",
        "What does it say, the weight recorded on your title?",
        "Our recorder is down, so it's just the two of us.",
        "No recording today, the machine is out.",
    ],
)
def test_other_words_of_recording_disclose_nothing(words: str) -> None:
    assert found(call(f"agent: {words}", "customer: Okay, thank you very much."), "recording_disclosure").verdict is Verdict.NOT_MET


@pytest.mark.parametrize(
    "words",
    [
        "The message says that calls are recorded.",
        "I think we are being recorded.",
        "Our other department tapes.",
        "Tomorrow's is recorded.",
    ],
)
def test_words_of_recording_that_may_be_meant_otherwise_leave_it_open(words: str) -> None:
    finding = found(call(f"agent: {words}", "customer: Okay, thank you very much."), "recording_disclosure")
    assert (finding.verdict, finding.cause) == (Verdict.CANNOT_TELL, Cause.UNCLEAR)


@pytest.mark.parametrize(
    ("question", "answer", "verdict"),
    [
        ("Do you guys tape this?", "We sure do.", Verdict.MET),
        ("Am I being recorded?", "It is, they all are.", Verdict.MET),
        ("Is this recorded?", "It is.", Verdict.MET),
        ("Is this recorded?", "It is a bad line, sorry.", Verdict.NOT_MET),
        ("Is this recorded?", "It isn't.", Verdict.NOT_MET),
        ("Is this recorded?", "Usually.", Verdict.CANNOT_TELL),
        ("I am taping this, you know.", "Yes, fine.", Verdict.NOT_MET),
    ],
)
def test_an_answer_tells_it_too(question: str, answer: str, verdict: Verdict) -> None:
    heard = call("agent: Hello, claims here.", f"customer: {question}", f"agent: {answer}", "customer: Okay, my roof leaks.")
    assert found(heard, "recording_disclosure").verdict is verdict


def test_who_is_trained_does_not_disclose_it() -> None:
    lines = ("admin: Welcome, everybody, to the training.", "partner: I am recording this for my team.")
    assert found(call(*lines), "recording_disclosure").verdict is Verdict.NOT_MET
    assert found(call("admin: Welcome, I am recording this."), "recording_disclosure").verdict is Verdict.MET


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
        ("You've got the after hours bot, so be gentle.", Verdict.MET),
        ("I won't pretend to be a human.", Verdict.MET),
        ("My name is Bo, and I'm what they call a voice bot.", Verdict.MET),
        ("Our digital assistant will send you the form.", Verdict.NOT_MET),
        ("We are rolling out a virtual assistant next year.", Verdict.NOT_MET),
        ("Is it the laptop computer that broke?", Verdict.NOT_MET),
        ("Everybody says that I'm a robot.", Verdict.CANNOT_TELL),
        ("Hi, it's Claire. You can set up automatic payments with me.", Verdict.NOT_MET),
    ],
)
def test_the_assistant_says_what_it_is(words: str, verdict: Verdict) -> None:
    assert found(call(f"assistant: {words}", "customer: Oh okay, I have a question."), "ai_disclosure").verdict is verdict


@pytest.mark.parametrize(
    ("question", "answer", "verdict"),
    [
        ("Am I speaking to a computer?", "Yes, you are.", Verdict.MET),
        ("Are you a human being?", "Afraid not.", Verdict.MET),
        ("Are you a bot?", "I am.", Verdict.MET),
        ("Are you a bot?", "I am looking for your policy.", Verdict.NOT_MET),
    ],
)
def test_or_it_says_so_when_it_is_asked(question: str, answer: str, verdict: Verdict) -> None:
    heard = call(
        "assistant: Good morning, how can I help?", f"customer: {question}", f"assistant: {answer}", "customer: Okay then, thanks."
    )
    assert found(heard, "ai_disclosure").verdict is verdict


def test_without_an_assistant_nothing_is_said_of_an_ai() -> None:
    findings = judge(call("agent: This call is recorded."), compliance_rules()).findings
    assert "ai_disclosure" not in {finding.rule_id for finding in findings}
