"""What a recogniser makes of noise: words that were hardly heard, or that come from everybody at once. Nobody can say from them what was not said."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.parties import Party
from domain.rules.judging import judge
from domain.rules.shapes import Cause, Finding, HeardCall, HeardTurn, Interval, Verdict
from domain.rules.windows import AT_ONCE_MS, BADLY
from domain.transcripts import Attribution, Word
from resources.policies.rules import compliance_rules
from tests.corpus.damage import common_words
from tests.unit.spoken_turns import call

WINDOW_MS = 60_000
TALK = "so what can we do for you today and how did you hear about the new plan that we have"
GARBAGE = st.sampled_from(common_words())


def disclosure(heard: HeardCall) -> Finding:
    (one,) = (finding for finding in judge(heard, compliance_rules()).findings if finding.rule_id == "recording_disclosure")
    return one


def turn(number: int, role: Party, words: list[Word]) -> HeardTurn:
    return HeardTurn(number, UUID(int=7), role, words[0].start_ms, words[-1].end_ms, tuple(words), Attribution.CHANNEL, 1.0)


def after_the_noise(*noise: HeardTurn) -> HeardCall:
    """A call that can be heard from its second minute on."""
    rest = call("agent: So what is your policy number?", "customer: It is on the card here.", starts_s=(65, 70))
    turns = (*sorted(noise, key=lambda one: one.start_ms), *(replace(one, turn_id=100 + one.turn_id) for one in rest.turns))
    return replace(rest, turns=turns)


@st.composite
def hardly_heard(draw: st.DrawFn) -> list[Word]:
    """Words of the first minute below BADLY, in order of time."""
    texts = draw(st.lists(GARBAGE, min_size=1, max_size=60))
    step = WINDOW_MS // len(texts)
    return [Word(text, n * step, n * step + draw(st.integers(50, step)), draw(st.floats(0, BADLY - 0.01))) for n, text in enumerate(texts)]


@settings(deadline=None)  # the first call reads the rules
@given(hardly_heard(), st.sampled_from([Party.AGENT, Party.CUSTOMER, Party.ASSISTANT, Party.UNKNOWN]))
def test_words_that_were_hardly_heard_leave_it_open(words: list[Word], role: Party) -> None:
    finding = disclosure(after_the_noise(turn(1, role, words)))
    assert finding.verdict is Verdict.CANNOT_TELL
    assert finding.cause in {Cause.LOW_CONFIDENCE, Cause.UNKNOWN_SPEAKER}


@pytest.mark.parametrize("garbled", [0.3, 0.5, 0.9])
def test_so_does_an_agent_of_whom_every_third_word_is_lost(garbled: float) -> None:
    texts = TALK.split() * 6
    words = [Word(text, n * 450, n * 450 + 400, 0.2 if n % 10 < garbled * 10 else 0.95) for n, text in enumerate(texts)]
    assert disclosure(after_the_noise(turn(1, Party.AGENT, words))).cause is Cause.LOW_CONFIDENCE
    sure = [replace(word, confidence=0.95) for word in words]
    assert disclosure(after_the_noise(turn(1, Party.AGENT, sure))).verdict is Verdict.NOT_MET, "well heard, it was not said"


def test_so_do_words_of_everybody_at_once_however_sure() -> None:
    texts = TALK.split() * 3
    both = [[Word(text, n * 900 + late, n * 900 + 800 + late, 0.97) for n, text in enumerate(texts)] for late in (0, 200)]
    finding = disclosure(after_the_noise(turn(1, Party.AGENT, both[0]), turn(2, Party.CUSTOMER, both[1])))
    assert (finding.verdict, finding.cause) == (Verdict.CANNOT_TELL, Cause.OVERLAPPED)


TOLD = "agent: Welcome to you all, this call is being recorded."


def in_one_channel(*lines: str, late_ms: int) -> HeardCall:
    """A call from a mix, whose second turn begins so much after the first one."""
    heard = call(*lines)
    turns = [replace(one, attribution=Attribution.DIARIZATION, attribution_confidence=0.9) for one in heard.turns]
    first, second = turns[:2]
    shift = first.start_ms + late_ms - second.start_ms
    words = tuple(replace(word, start_ms=word.start_ms + shift, end_ms=word.end_ms + shift) for word in second.words)
    return replace(heard, turns=(first, replace(second, words=words, start_ms=words[0].start_ms, end_ms=words[-1].end_ms), *turns[2:]))


@given(st.integers(0, 6000))
@settings(deadline=None)  # the first call reads the rules
def test_nor_is_it_told_where_two_speak_at_once_in_its_channel(late_ms: int) -> None:
    heard = in_one_channel(TOLD, "customer: No wait.", "agent: So what is your policy number?", late_ms=late_ms)
    finding = disclosure(heard)
    alone, other = disclosure(call(TOLD, "agent: So what is your policy number?")), heard.turns[1]
    assert alone.start_ms is not None and alone.end_ms is not None
    at_once = min(alone.end_ms, other.end_ms) - max(alone.start_ms, other.start_ms)
    assert (finding.verdict, finding.cause) == ((Verdict.CANNOT_TELL, Cause.OVERLAPPED) if at_once > AT_ONCE_MS else (Verdict.MET, None))


def test_but_it_is_where_each_has_a_channel() -> None:
    heard = in_one_channel(TOLD, "customer: No wait.", "agent: So what is your policy number?", late_ms=1800)
    apart = replace(heard, turns=tuple(replace(one, attribution=Attribution.CHANNEL) for one in heard.turns))
    assert disclosure(apart).verdict is Verdict.MET


def test_nor_is_it_told_where_what_is_around_it_was_hardly_heard() -> None:
    heard = call(f"{TOLD} {TALK}", "customer: It is on the card here.")
    assert disclosure(heard).verdict is Verdict.MET
    badly = replace(
        heard.turns[0], words=tuple(replace(word, confidence=0.3) if n > 9 else word for n, word in enumerate(heard.turns[0].words))
    )
    finding = disclosure(replace(heard, turns=(badly, *heard.turns[1:])))
    assert (finding.verdict, finding.cause) == (Verdict.CANNOT_TELL, Cause.LOW_CONFIDENCE)


def test_nor_is_it_told_where_noise_is_around_it() -> None:
    heard = call(TOLD, "agent: So what is your policy number?", "customer: It is on the card here.", starts_s=(20, 40, 62))
    assert disclosure(replace(heard, unintelligible=(Interval(0, 10_000),))).verdict is Verdict.MET
    finding = disclosure(replace(heard, unintelligible=(Interval(14_000, 20_000), Interval(23_000, 30_000))))
    assert (finding.verdict, finding.cause) == (Verdict.CANNOT_TELL, Cause.DAMAGED)


@pytest.mark.parametrize(("noise_s", "verdict"), [(60, Verdict.CANNOT_TELL), (15, Verdict.CANNOT_TELL), (5, Verdict.NOT_MET)])
def test_so_does_noise_in_a_good_part_of_the_minute(noise_s: int, verdict: Verdict) -> None:
    heard = call("agent: So what is your policy number?", "customer: It is on the card here.", starts_s=(20, 62))
    assert disclosure(replace(heard, unintelligible=(Interval(0, noise_s * 1000),))).verdict is verdict


@settings(deadline=None)  # the first call reads the rules
@given(hardly_heard())
def test_nor_is_garbage_anybody_s_consent(words: list[Word]) -> None:
    judged = judge(after_the_noise(turn(1, Party.CUSTOMER, words)), compliance_rules()).consent
    assert judged.outcome not in {"granted", "implied", "not_required"}
