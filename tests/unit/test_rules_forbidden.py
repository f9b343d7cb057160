"""What may not be said, and what somebody should look at: found where it is said, and nowhere else."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from domain.parties import Party
from domain.rules.judging import judge
from domain.rules.shapes import Cause, Finding, HeardCall, Severity, Verdict
from domain.transcripts import Attribution
from resources.policies.rules import compliance_rules
from tests.unit.spoken_turns import call, reword, without

EXAMPLES = yaml.safe_load((Path(__file__).parent / "rule_examples.yaml").read_text())
PATTERNS = replace(compliance_rules(), second=None)  # what the second reading makes of them is told in test_second_reading
SAYS = {"complaint": "customer", "legal_threat": "customer", "ai_denial": "assistant"}


def found(heard: HeardCall, rule: str) -> list[Finding]:
    return [finding for finding in judge(heard, PATTERNS).findings if finding.rule_id == rule]


def examples(kind: str) -> list[tuple[str, str]]:
    return [(rule, words) for rule, both in EXAMPLES.items() for words in both.get(kind, ())]


@pytest.mark.parametrize(("rule", "words"), examples("said"))
def test_what_is_said_is_found(rule: str, words: str) -> None:
    for written in (words, "".join(letter for letter in words.lower() if letter not in ".,?!")):
        heard = call("agent: Hello there.", f"{SAYS.get(rule, 'agent')}: {written}", "agent: Okay then.")
        (finding,) = found(heard, rule)
        assert (finding.verdict, finding.turn_id) == (Verdict.NOT_MET, 2)


@pytest.mark.parametrize(("rule", "words"), examples("not_said"))
def test_what_only_sounds_like_it_is_not(rule: str, words: str) -> None:
    heard = call("agent: Hello there.", f"{SAYS.get(rule, 'agent')}: {words}", "agent: Okay then.")
    assert [finding.verdict for finding in found(heard, rule)] == [Verdict.MET]


@pytest.mark.parametrize(
    ("question", "answer", "verdict"),
    [
        ("Is that a machine I hear?", "assistant: No, ma'am.", Verdict.NOT_MET),
        ("You're one of them bots, right?", "assistant: Wrong!", Verdict.NOT_MET),
        ("Are you even real?", "assistant: Sure am, I grew up in Boise.", Verdict.NOT_MET),
        ("Get me a human please.", "assistant: You're talking to one.", Verdict.NOT_MET),
        ("Was she a robot?", "agent: No, Dora's a real person.", Verdict.NOT_MET),
        ("Was she a robot?", "agent: No.", Verdict.CANNOT_TELL),
        ("Are you a bot?", "assistant: Yes, I'm a virtual assistant.", Verdict.MET),
        ("Are you human?", "assistant: No, I'm software.", Verdict.MET),
        ("Get me a human please.", "assistant: Of course, one moment.", Verdict.MET),
        ("Are you a robot?", "agent: No, I'm a real person, ma'am.", Verdict.MET),
        ("Are you a bot?", "assistant: No problem if you ask, I am a bot.", Verdict.MET),
    ],
)
def test_an_answer_denies_being_an_ai(question: str, answer: str, verdict: Verdict) -> None:
    heard = call("assistant: Hello, how can I help?", f"customer: {question}", answer, "customer: Okay, I have a claim.")
    assert {finding.verdict for finding in found(heard, "ai_denial")} == {verdict}


@pytest.mark.parametrize(("rule", "words"), examples("unclear"))
def test_what_can_be_taken_either_way_is_for_a_person(rule: str, words: str) -> None:
    heard = call("agent: Hello there.", f"{SAYS.get(rule, 'agent')}: {words}", "agent: Okay then.")
    assert [(one.verdict, one.cause) for one in found(heard, rule)] == [(Verdict.CANNOT_TELL, Cause.UNCLEAR)]


def test_every_place_is_a_finding_of_its_own_with_its_words() -> None:
    heard = call("agent: You're definitely covered.", "customer: Really?", "agent: Sure. This policy covers everything.")
    first, second = found(heard, "coverage_promise")
    assert (first.turn_id, first.first_word, first.last_word, first.start_ms, first.end_ms) == (1, 0, 2, 0, 900)
    turn = heard.turns[2]
    assert (second.turn_id, second.first_word, second.last_word) == (3, 1, 4)
    assert (second.start_ms, second.end_ms) == (turn.words[1].start_ms, turn.words[4].end_ms)
    assert second.severity is Severity.MAJOR and second.rule_version == "1" and second.confidence > 0.9


def test_only_those_to_whom_it_applies_say_it() -> None:
    assert found(call("customer: This policy covers everything, right?"), "coverage_promise")[0].verdict is Verdict.MET
    assert found(call("agent: I'll see you in court."), "legal_threat")[0].verdict is Verdict.MET
    assert found(call("agent: I'm a real person."), "ai_denial")[0].verdict is Verdict.MET
    said = found(call("agent: No, she's not a bot, she's a real person."), "ai_denial")
    assert {finding.verdict for finding in said} == {Verdict.NOT_MET} and said[0].severity is Severity.CRITICAL


def test_it_may_be_said_across_an_interruption() -> None:
    heard = call("agent: I can promise you that your claim will", "customer: Yeah?", "agent: be paid in full.")
    (finding,) = found(heard, "claim_guarantee")
    assert (finding.verdict, finding.turn_id) == (Verdict.NOT_MET, 1)


def test_what_words_are_about_may_stand_in_the_turn_before() -> None:
    about = call("customer: Is gold the right plan?", "agent: Trust me.", "customer: Okay.")
    assert [one.verdict for one in found(about, "trust_me")] == [Verdict.NOT_MET]
    nothing = call("customer: Is the bridge open?", "agent: Trust me.", "customer: Okay.")
    assert [(one.verdict, one.cause) for one in found(nothing, "trust_me")] == [(Verdict.CANNOT_TELL, Cause.UNCLEAR)]


def test_an_answer_says_what_was_asked() -> None:
    for asked, answer, rule in (
        ("So I'm covered no matter what?", "Absolutely.", "coverage_promise"),
        ("But will they pay?", "Guaranteed.", "claim_guarantee"),
        ("Could they turn it down?", "Not a chance.", "claim_guarantee"),
        ("Do I need any other insurance?", "Nothing else.", "no_other_insurance"),
    ):
        assert [one.verdict for one in found(call(f"customer: {asked}", f"agent: {answer}"), rule)] == [Verdict.NOT_MET], asked
        assert [one.verdict for one in found(call("customer: Is it raining?", f"agent: {answer}"), rule)] == [Verdict.MET], answer


def test_somebody_elses_turn_ends_a_sentence() -> None:
    heard = call("agent: I would not say so", "customer: Well what would you say then?", "agent: you are definitely covered")
    assert [one.verdict for one in found(heard, "coverage_promise")] == [Verdict.NOT_MET]
    heard = call("agent: I can not say that", "customer: Yeah?", "agent: you are definitely covered")
    assert [one.verdict for one in found(heard, "coverage_promise")] == [Verdict.MET]


def test_an_unknown_speaker_leaves_it_open() -> None:
    heard = call("unknown: This policy covers everything.", "customer: Good.")
    assert [(one.verdict, one.cause) for one in found(heard, "coverage_promise")] == [(Verdict.CANNOT_TELL, Cause.UNKNOWN_SPEAKER)]


def test_a_speaker_who_is_hardly_known_leaves_it_open() -> None:
    heard = call("agent: This policy covers everything.")
    turn = replace(heard.turns[0], attribution=Attribution.DIARIZATION, attribution_confidence=0.3)
    (finding,) = found(replace(heard, turns=(turn,)), "coverage_promise")
    assert (finding.verdict, finding.cause) == (Verdict.CANNOT_TELL, Cause.LOW_CONFIDENCE)


def test_words_that_were_hardly_heard_leave_it_open() -> None:
    heard = call("agent: Honestly, this policy covers everything.")
    slurred = reword(heard, 0, 4, text="every", confidence=0.3)
    assert [(one.verdict, one.cause) for one in found(slurred, "coverage_promise")] == [(Verdict.CANNOT_TELL, Cause.LOW_CONFIDENCE)]


def test_a_not_that_may_have_been_lost_leaves_it_open() -> None:
    heard = call("agent: I do not guarantee that your claim will be paid.")
    assert found(heard, "claim_guarantee")[0].verdict is Verdict.MET
    assert found(without(heard, 0, 2), "claim_guarantee")[0].verdict is Verdict.CANNOT_TELL


def test_rules_count_only_on_their_days() -> None:
    heard = call("assistant: I'm a real person.")
    assert found(replace(heard, day=date(2024, 5, 1)), "ai_denial")
    assert not found(replace(heard, day=date(2024, 4, 30)), "ai_denial")


def test_every_shipped_rule_is_there_and_the_version_names_all() -> None:
    rules = compliance_rules()
    expected = {
        *("recording_disclosure", "ai_disclosure", "ai_denial", "coverage_promise", "claim_guarantee", "no_other_insurance", "trust_me"),
        *("wording_interpretation", "complaint", "legal_threat", "recording_consent", "recorded_without_consent"),
    }
    assert {rule.id for rule in rules.rules} == expected
    judged = judge(call("assistant: Hello, I'm an AI. This call is recorded."), rules)
    assert {finding.rule_id for finding in judged.findings} == expected
    assert judged.rules_version == rules.version and all(f"{rule.id}={rule.version}" in rules.version for rule in rules.rules)
    assert all(rule.citation and rule.text for rule in rules.rules)
    assert next(rule for rule in rules.rules if rule.id == "complaint").who == {Party.CUSTOMER}
