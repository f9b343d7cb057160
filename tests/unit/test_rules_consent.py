"""What the customer's words amount to about being recorded. A refusal is never taken for consent."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consent import ConsentOutcome
from domain.rules.judging import judge
from domain.rules.shapes import HeardCall, Interval, Publication, Verdict
from resources.policies.rules import compliance_rules
from tests.unit.spoken_turns import call, reword, without

MAY = "agent: This call is recorded. Is that okay with you?"
MIND = "agent: Do you mind if I record this call?"
TOLD = "agent: Hello, this is Ana, this call is recorded. What can I do for you?"
ON = "agent: Thank you. So what happened to the car?"
STORY = "customer: A tree fell on it last night, the roof is gone."


def spoken(*lines: str) -> ConsentOutcome:
    return judge(call(*lines), compliance_rules()).consent.spoken


YES = [
    "Yes.",
    "Yeah, that's fine.",
    "Sure, go ahead.",
    "Okay, no problem.",
    "Yes, I consent.",
    "Absolutely.",
    "I don't mind at all.",
    "That's all right with me.",
    "Mm-hmm, fine.",
    "I have no objection.",
    "Of course you can.",
    "yep you can record me",
    "No problem, record away.",
    "By all means.",
    "It doesn't bother me.",
    "I'm okay with that.",
    "Why not.",
    "I guess so.",
]
NO = [
    "No.",
    "No, I'd rather you didn't.",
    "I do not consent.",
    "Absolutely not.",
    "Please don't record me.",
    "Yeah, no, I don't want that.",
    "I'd prefer not to be recorded.",
    "Turn it off, please.",
    "I'm not comfortable with that.",
    "No thank you.",
    "I refuse to be recorded.",
    "That's not okay with me.",
    "You may not record this.",
    "I'd rather not.",
    "Not if I can help it.",
    "Off the record, please.",
    "I object to that.",
    "I won't be recorded.",
]


@pytest.mark.parametrize("words", YES)
@pytest.mark.parametrize("plain", [False, True])
def test_a_yes_to_may_we(words: str, plain: bool) -> None:
    assert spoken(MAY, f"customer: {bare(words) if plain else words}", ON, STORY) is ConsentOutcome.GRANTED


@pytest.mark.parametrize("words", NO)
@pytest.mark.parametrize("plain", [False, True])
def test_a_no_to_may_we(words: str, plain: bool) -> None:
    assert spoken(MAY, f"customer: {bare(words) if plain else words}", ON, STORY) is ConsentOutcome.DECLINED


def bare(words: str) -> str:
    """As recognisers without punctuation write it."""
    return "".join(letter for letter in words.lower() if letter not in ".,?!")


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("No.", ConsentOutcome.GRANTED),
        ("No, go ahead.", ConsentOutcome.GRANTED),
        ("Not at all.", ConsentOutcome.GRANTED),
        ("No, I don't mind.", ConsentOutcome.GRANTED),
        ("No, that's fine.", ConsentOutcome.GRANTED),
        ("Sure, go ahead.", ConsentOutcome.GRANTED),
        ("Yes, I do.", ConsentOutcome.DECLINED),
        ("Yes, I mind.", ConsentOutcome.DECLINED),
        ("Actually, yes, I do mind.", ConsentOutcome.DECLINED),
        ("No, please don't record me.", ConsentOutcome.DECLINED),
        ("I'd rather you didn't.", ConsentOutcome.DECLINED),
    ],
)
def test_what_a_yes_means_depends_on_the_question(words: str, outcome: ConsentOutcome) -> None:
    found = spoken(MIND, f"customer: {words}", ON, STORY)
    if words == "Yes, I do.":  # some mean "yes, do": it does not pass, whatever it is called
        assert found in {ConsentOutcome.DECLINED, ConsentOutcome.UNKNOWN}
    else:
        assert found is outcome


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ((TOLD, STORY), ConsentOutcome.IMPLIED),
        ((TOLD, "customer: I don't want to be recorded.", "agent: All right."), ConsentOutcome.DECLINED),
        (("agent: Hello, how can I help?", STORY, ON), ConsentOutcome.UNKNOWN),
        (
            (MAY, "customer: Which company is this?", "agent: Daily Event. Is it about your claim?", "customer: Yes."),
            ConsentOutcome.UNKNOWN,
        ),
        (
            ("agent: This call is recorded, is that okay? And is this about your claim?", "customer: Yes, it is.", ON),
            ConsentOutcome.UNKNOWN,
        ),
        ((MAY, "customer: My wife says no, she hates that, but I'm fine with it.", ON), ConsentOutcome.GRANTED),
        ((MAY, "customer: No. Wait, sorry, yes, go ahead and record it.", ON), ConsentOutcome.GRANTED),
        ((MAY, "customer: Yes. Actually no, please don't record me.", ON), ConsentOutcome.DECLINED),
        ((MAY, "partner: Yes, that's fine.", "agent: So what happened?", STORY), ConsentOutcome.UNKNOWN),
        ((MAY, "unknown: Yes, that's fine.", "agent: So what happened?", STORY), ConsentOutcome.UNKNOWN),
        ((MAY, "customer: Yes.", ON, "customer: Please stop recording now.", "agent: It's off."), ConsentOutcome.REVOKED),
        ((TOLD, STORY, ON, "customer: I changed my mind about the recording, turn it off."), ConsentOutcome.REVOKED),
        (
            (MAY, "customer: No.", "agent: May I record just the statement?", "customer: Okay, yes, you can record that.", ON),
            ConsentOutcome.GRANTED,
        ),
        ((MAY, "customer: No.", "agent: It's off. Shall we go on?", "customer: Yes."), ConsentOutcome.DECLINED),
        (("agent: May I check your booking?", "customer: Yes, I consent to that.", ON), ConsentOutcome.UNKNOWN),
        ((MAY, "customer: Do I have to be recorded?", "agent: No.", "customer: My roof is gone."), ConsentOutcome.UNKNOWN),
        ((MAY, "customer: No, I'd", "agent: Sorry?", "customer: rather you didn't."), ConsentOutcome.DECLINED),
        ((MAY, "customer: Yes.", "agent: Understood, I've turned the recording off."), ConsentOutcome.UNKNOWN),
    ],
)
def test_over_several_turns(lines: tuple[str, ...], outcome: ConsentOutcome) -> None:
    assert spoken(*lines) is outcome


def test_a_word_that_was_not_heard_beside_a_yes_leaves_it_open() -> None:
    refused = call(MAY, "customer: I'm not okay with that.", ON)
    assert judge(refused, compliance_rules()).consent.spoken is ConsentOutcome.DECLINED
    assert judge(without(refused, 1, 1), compliance_rules()).consent.outcome is ConsentOutcome.UNKNOWN
    slurred = reword(refused, 1, 1, text="now", confidence=0.3)
    assert judge(slurred, compliance_rules()).consent.outcome is ConsentOutcome.UNKNOWN


def test_a_neighbour_that_takes_too_long_may_have_swallowed_a_not() -> None:
    heard = call(MAY, "customer: I'm okay with that.", ON)
    assert judge(heard, compliance_rules()).consent.spoken is ConsentOutcome.GRANTED
    word = heard.turns[1].words[0]
    swallowed = reword(heard, 1, 0, end_ms=word.start_ms + 640, confidence=0.8)
    assert judge(swallowed, compliance_rules()).consent.outcome is ConsentOutcome.UNKNOWN


def test_consent_before_any_recording_is_met_and_published() -> None:
    heard = call(MAY, "customer: Yes, that's fine.", ON, STORY)
    answered = heard.turns[1].end_ms
    judged = judge(replace(heard, recorded=(Interval(answered, heard.length_ms),)), compliance_rules())
    (found,) = (finding for finding in judged.findings if finding.rule_id == "recording_consent")
    assert (found.verdict, found.turn_id, judged.consent.publication) == (Verdict.MET, 2, Publication.PUBLISHED)
    assert judged.consent.recorded_before == ()


UNLISTED = [
    "Lose the gadget and we'll talk.",
    "Okay, but first you switch that off.",
    "Sure, until my kids come home.",
    "Fine, then I'll just hang up.",
    "Do I look like I want that?",
    "Yeah, right, so you can use it against me.",
    "It makes my skin crawl.",
    "I'm on the fence.",
    "Yes, if my lawyer may hear it first.",
    "Ask my husband.",
    "All right for some, I'd be more at ease without.",
    "Okay, so who else gets to hear this?",
]


@pytest.mark.parametrize("words", UNLISTED)
@pytest.mark.parametrize("question", [MAY, MIND, "agent: I'd need your go-ahead to tape us.", "agent: this is recorded you good with that"])
def test_what_no_pattern_refuses_in_is_no_yes_either(words: str, question: str) -> None:
    assert spoken(question, f"customer: {words}", ON, STORY) not in {ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED}


LATER = [
    "Switch that thing off, would you.",
    "Nobody listens to this, I hope.",
    "I'd like to take back what I agreed to.",
    "I'm having second thoughts.",
    "Can we do the next part off the record?",
    "Scrap that, and the tape with it.",
    "Write it down by hand instead.",
]


@pytest.mark.parametrize("words", LATER)
@pytest.mark.parametrize(
    "opening", [(TOLD, STORY), (MAY, "customer: Yes, that's fine."), ("agent: You're recorded. Name?", "customer: Jo Bell.")]
)
def test_what_touches_the_recording_later_and_cannot_be_explained_leaves_nothing_standing(words: str, opening: tuple[str, ...]) -> None:
    outcome = spoken(*opening, "agent: Go on.", "customer: The roof is gone.", "agent: I see.", f"customer: {words}", "agent: Well.")
    assert outcome not in {ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED}


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("agent: Do you agree to", "Yeah, hi, my car is on fire."),
        ("agent: Is this a good time and may I record us?", "Yes, it is."),
        ("agent: May I record us, and is it still Elm Street?", "Yes."),
        ("agent: Shall I turn the recording off?", "Sure, go ahead."),
        ("agent: We'd record this, unless you tell us not to.", "Yes."),
        ("agent: Are you okay with the recording?", "Yes, that's still my address on Elm."),
        ("agent: we record would cross be okay", "It'd suit you better than me, I'd say."),
    ],
)
def test_a_mere_yes_proves_nothing_where_the_question_was_not_whole_or_not_alone(question: str, words: str) -> None:
    assert spoken(question, f"customer: {words}", ON, STORY) not in {ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED}


def test_a_question_that_was_badly_heard_needs_an_answer_that_says_to_what() -> None:
    for words, outcome in (("Yes.", ConsentOutcome.UNKNOWN), ("Yes, you can record me.", ConsentOutcome.GRANTED)):
        heard = call("agent: Would you be okay with me recording?", f"customer: {words}", ON, STORY)
        assert judge(heard, compliance_rules()).consent.spoken is ConsentOutcome.GRANTED
        slurred = reword(reword(heard, 0, 2, confidence=0.3), 0, 3, confidence=0.3)
        assert judge(slurred, compliance_rules()).consent.spoken is outcome


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("agent: With your blessing I'll tape us.", "Blessing granted."),
        ("agent: Permission to record?", "You have my agreement."),
        ("agent: How do you feel about my recording us?", "I feel perfectly fine about that."),
        ("agent: Does it sit well with you that we record?", "Works for me."),
        ("agent: Would you have any objection to being taped?", "None that I can think of."),
        ("agent: You're not against my recording, are you, Mr. Bell?", "No, not against it."),
        ("agent: This is recorded, okay? And can you hear me?", "Recording is fine, and yes."),
        ("agent: Two things. Is this Mr. Bell? And may we record?", "Yes to both."),
        ("agent: I'd like to record. Agreed?", "Why, certainly."),
        ("agent: Can I record?", "Yeah, no, that's fine."),
    ],
)
def test_ways_of_saying_yes(question: str, words: str) -> None:
    assert spoken(question, f"customer: {words}", ON, STORY) is ConsentOutcome.GRANTED


# --- whatever is done to a refusal, it never passes ---------------------------------------------------------------------------------


@given(
    words=st.sampled_from(NO),
    question=st.sampled_from([MAY, TOLD, "agent: I record my calls. Do you agree to that?"]),
    damage=st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["lost", "slurred"])), max_size=3),
    story=st.sampled_from([STORY, "customer: I want a quote for a wedding.", "customer: It is about my claim."]),
)
def test_a_refusal_with_words_missing_or_slurred_never_passes(words: str, question: str, damage: list[tuple[int, str]], story: str) -> None:
    heard: HeardCall = call(question, f"customer: {words}", ON, story)
    for place, kind in damage:
        said = heard.turns[1].words
        if place >= len(said) or len(said) == 1:
            continue
        heard = without(heard, 1, place) if kind == "lost" else reword(heard, 1, place, text="house", confidence=0.3)
    consent = judge(heard, compliance_rules()).consent
    assert consent.spoken is not ConsentOutcome.GRANTED
    if question != TOLD:
        assert consent.spoken is not ConsentOutcome.IMPLIED


@pytest.mark.parametrize("words", NO)
def test_a_refusal_that_lost_any_two_words_never_passes(words: str) -> None:
    heard = call(MAY, f"customer: {words}", ON, STORY)
    for places in combinations(range(len(words.split())), 2):
        if len(words.split()) > 2:
            damaged = without(without(heard, 1, places[1]), 1, places[0])
            assert judge(damaged, compliance_rules()).consent.spoken not in {ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED}
