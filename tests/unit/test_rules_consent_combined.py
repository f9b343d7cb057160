"""Spoken words, the API's records and the law of the place together. Unknown never passes, and adding a refusal never opens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consent import ConsentOutcome, ConsentRecord, Present, gate
from domain.parties import Party
from domain.rules.consent.asked import asked
from domain.rules.consent.combined import combine
from domain.rules.consent.spoken import Spoken
from domain.rules.intervals import common, joined, length_ms, touches, without
from domain.rules.judging import judge
from domain.rules.shapes import ConsentJudged, ConsentTold, Finding, HeardCall, Interval, Publication, Verdict
from resources.policies import recording_consent
from resources.policies.rules import compliance_rules
from tests.unit.spoken_turns import call

TABLE = recording_consent()
PASSES = {ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED, ConsentOutcome.NOT_REQUIRED}
REFUSES = {ConsentOutcome.DECLINED, ConsentOutcome.REVOKED}
MAY = "agent: This call is recorded. Is that okay with you?"
SILENT = call("agent: What is your policy number?", "customer: It is on the card in my other coat, let me go and look for it now.")


def told(*records: tuple[ConsentOutcome, int], party: str = "c1") -> tuple[ConsentTold, ...]:
    return tuple(ConsentTold(party, Party.CUSTOMER, outcome, at) for outcome, at in records)


def consent(heard: HeardCall) -> ConsentJudged:
    return judge(heard, compliance_rules()).consent


def finding(heard: HeardCall) -> Finding:
    (found,) = (one for one in judge(heard, compliance_rules()).findings if one.rule_id == "recording_consent")
    return found


def test_a_click_before_the_call_is_enough() -> None:
    heard = replace(SILENT, told=told((ConsentOutcome.GRANTED, -5000)))
    judged = consent(heard)
    assert (judged.outcome, judged.publication, judged.recorded_before) == (ConsentOutcome.GRANTED, Publication.PUBLISHED, ())
    assert finding(heard).verdict is Verdict.MET


def test_what_was_recorded_before_consent_is_told_exactly() -> None:
    heard = call(MAY, "customer: Yes, that's fine.", "agent: Thank you.")
    heard = replace(heard, recorded=(Interval(1_000, 1_500), Interval(2_000, None)))
    judged = consent(heard)
    assert judged.recorded_before == (Interval(1_000, 1_500), Interval(2_000, heard.turns[1].end_ms))
    assert finding(heard).verdict is Verdict.MET, "consent is there; what was recorded before it has a rule of its own"


def test_a_withdrawal_cuts_and_what_came_after_is_told_exactly() -> None:
    lines = (MAY, "customer: Yes.", "agent: What happened?", "customer: My neighbour's old oak came down on the garage in the storm.")
    heard = call(*lines, "agent: Go on.", "customer: Please stop recording me.", "agent: It's off.")
    judged = consent(heard)
    withdrawn = heard.turns[5].end_ms
    assert (judged.outcome, judged.publication) == (ConsentOutcome.REVOKED, Publication.CUT)
    assert judged.withdrawn_at_ms == withdrawn
    assert judged.recorded_after == (Interval(withdrawn, heard.length_ms),)


def test_what_lies_between_a_withdrawal_and_a_new_yes_is_withheld() -> None:
    lines = (MAY, "customer: Yes.", "agent: What happened?", "customer: My neighbour's old oak came down on the garage in the storm.")
    heard = call(*lines, "agent: Go on.", "customer: Please stop recording me.", "agent: It's off.", "customer: It was my grandmother's.")
    withdrawn, again = heard.turns[5].end_ms, heard.length_ms - 500
    heard = replace(heard, told=told((ConsentOutcome.GRANTED, again)))
    judged = consent(heard)
    assert (judged.outcome, judged.publication) == (ConsentOutcome.GRANTED, Publication.PUBLISHED)
    assert judged.recorded_after == judged.withheld == (Interval(withdrawn, again),)
    hidden = [touches(judged.withheld, turn.start_ms, turn.end_ms) for turn in heard.turns]
    assert hidden == [False] * 6 + [True] * 2


def test_of_partners_too_what_lies_between_a_withdrawal_and_a_new_yes_is_withheld() -> None:
    said = ((ConsentOutcome.GRANTED, -5), (ConsentOutcome.REVOKED, 1_000), (ConsentOutcome.GRANTED, 4_000))
    partner = tuple(ConsentTold("p1", Party.PARTNER, outcome, at) for outcome, at in said)
    judged = consent(replace(SILENT, told=partner, consent_required=False, others_required=("p1",)))
    assert (judged.outcome, judged.publication) == (ConsentOutcome.GRANTED, Publication.PUBLISHED)
    assert judged.recorded_after == judged.withheld == (Interval(1_000, 4_000),)
    cut = consent(replace(SILENT, told=partner[:2], consent_required=False, others_required=("p1",)))
    assert (cut.publication, cut.withheld) == (Publication.CUT, (Interval(1_000, None),))


def test_a_withdrawal_before_anything_was_said_quarantines() -> None:
    heard = call(MAY, "customer: Yes.", "agent: Good.", "customer: Wait, no, stop recording.", "agent: It's off.")
    assert (consent(heard).outcome, consent(heard).publication) == (ConsentOutcome.REVOKED, Publication.QUARANTINED)


def test_a_click_does_not_take_a_spoken_refusal_back_but_a_later_yes_does() -> None:
    refused = call(MAY, "customer: No, I don't want that.", "agent: All right.")
    assert consent(replace(refused, told=told((ConsentOutcome.GRANTED, -5000)))).outcome is ConsentOutcome.REVOKED
    assert consent(replace(refused, told=told((ConsentOutcome.GRANTED, 60_000)))).outcome is ConsentOutcome.GRANTED
    assert consent(replace(refused, told=told((ConsentOutcome.IMPLIED, 60_000)))).outcome is ConsentOutcome.DECLINED


@pytest.mark.parametrize(
    "answer",
    [
        "Let me think about it. What do you need from me?",
        "Sorry, could you say that again?",
        "My brother usually does these calls.",
        "Hmm.",
    ],
)
def test_a_click_counts_where_the_answer_is_merely_unclear(answer: str) -> None:
    heard = call(MAY, f"customer: {answer}", "agent: Tell me what happened.", "customer: A pipe burst in the cellar.")
    assert (consent(heard).outcome, finding(heard).verdict) == (ConsentOutcome.UNKNOWN, Verdict.CANNOT_TELL)
    assert consent(replace(heard, told=told((ConsentOutcome.GRANTED, -5000)))).outcome is ConsentOutcome.GRANTED
    assert consent(replace(heard, told=told((ConsentOutcome.IMPLIED, -5000)))).outcome is ConsentOutcome.IMPLIED


@pytest.mark.parametrize(
    "answer",
    [
        "Fine, but not my address.",
        "I'd sooner write to you about that.",
        "Hmm, nobody should hear this.",
        "Well, that tape of yours.",
        "Okay if my lawyer says so.",
    ],
)
def test_no_click_covers_words_among_which_a_refusal_may_be(answer: str) -> None:
    heard = call(MAY, f"customer: {answer}", "agent: Tell me what happened.", "customer: A pipe burst in the cellar.")
    clicked = replace(heard, told=told((ConsentOutcome.GRANTED, -5000)))
    for one in (heard, clicked):
        assert (consent(one).outcome, consent(one).publication) == (ConsentOutcome.UNKNOWN, Publication.QUARANTINED)


def test_a_click_does_not_cover_what_may_be_a_withdrawal_later() -> None:
    story = "customer: My neighbour's old oak came down on the garage in the storm."
    heard = call(MAY, "customer: Yes, that's fine.", "agent: What happened?", story, "agent: Go on.", "customer: Put that thing away now.")
    assert consent(replace(heard, told=told((ConsentOutcome.GRANTED, -5000)))).outcome is ConsentOutcome.UNKNOWN


def test_where_nobody_had_to_be_asked_an_unclear_answer_changes_nothing_but_a_doubtful_one_does() -> None:
    unclear = call(MAY, "customer: Let me think about it.", "agent: Tell me what happened.")
    assert consent(replace(unclear, consent_required=False)).outcome is ConsentOutcome.NOT_REQUIRED
    doubtful = call(MAY, "customer: Fine, but not my address.", "agent: Tell me what happened.")
    assert consent(replace(doubtful, consent_required=False)).outcome is ConsentOutcome.UNKNOWN


def test_a_yes_of_one_customer_does_not_take_anothers_refusal_back() -> None:
    heard = replace(SILENT, told=(*told((ConsentOutcome.DECLINED, 0)), *told((ConsentOutcome.GRANTED, 100), party="c2")))
    assert consent(heard).outcome is ConsentOutcome.DECLINED


def test_each_of_two_customers_must_have_consented_and_nobody_tells_their_voices_apart() -> None:
    both = replace(SILENT, customers=("c1", "c2"))
    one = told((ConsentOutcome.GRANTED, -5000))
    other = told((ConsentOutcome.GRANTED, 2_000), party="c2")
    assert consent(replace(both, told=one)).outcome is ConsentOutcome.UNKNOWN
    assert consent(replace(both, told=one)).recorded_before == SILENT.recorded
    agreed = consent(replace(both, told=(*one, *other)))
    assert (agreed.outcome, agreed.recorded_before) == (ConsentOutcome.GRANTED, (Interval(0, 2_000),))
    spoken = replace(call(MAY, "customer: Yes, that's fine.", "agent: Thank you."), customers=("c1", "c2"))
    assert consent(spoken).outcome is ConsentOutcome.UNKNOWN, "whose yes it is nobody knows"
    assert consent(replace(spoken, told=one)).outcome is ConsentOutcome.UNKNOWN
    assert consent(replace(spoken, customers=("c1",))).outcome is ConsentOutcome.GRANTED


def test_a_no_of_one_of_two_customers_stands_until_both_have_granted_anew() -> None:
    heard = replace(call(MAY, "customer: No, I don't want that.", "agent: It's off."), customers=("c1", "c2"))
    one, other = told((ConsentOutcome.GRANTED, 60_000)), told((ConsentOutcome.GRANTED, 70_000), party="c2")
    assert consent(replace(heard, told=one)).outcome in REFUSES
    assert consent(replace(heard, told=(*told((ConsentOutcome.GRANTED, -1), party="c2"), *one))).outcome in REFUSES
    assert consent(replace(heard, told=(*one, *other))).outcome is ConsentOutcome.GRANTED


def test_whoever_was_in_the_call_without_a_role_must_have_consented() -> None:
    heard = replace(SILENT, customers=("c1",), others_required=("who",), told=told((ConsentOutcome.GRANTED, -5000)))
    assert (consent(heard).outcome, consent(heard).publication) == (ConsentOutcome.UNKNOWN, Publication.QUARANTINED)
    theirs = ConsentTold("who", Party.UNKNOWN, ConsentOutcome.GRANTED, -4000)
    assert consent(replace(heard, told=(*heard.told, theirs))).outcome is ConsentOutcome.GRANTED


def test_only_who_was_in_the_call_can_have_consented_to_it() -> None:
    known = replace(SILENT, customers=("c1",))
    assert consent(replace(known, told=told((ConsentOutcome.GRANTED, -5000), party="else"))).outcome is ConsentOutcome.UNKNOWN
    assert consent(replace(known, told=told((ConsentOutcome.GRANTED, -5000)))).outcome is ConsentOutcome.GRANTED
    assert consent(replace(SILENT, told=told((ConsentOutcome.GRANTED, -5000), party="else"))).outcome is ConsentOutcome.GRANTED, (
        "where nobody is known to have been there, it is whoever the record names"
    )
    assert consent(replace(known, told=told((ConsentOutcome.DECLINED, 500), party="else"))).outcome is ConsentOutcome.DECLINED


def test_who_need_not_be_asked_can_still_refuse() -> None:
    lawful = replace(SILENT, consent_required=False, not_asked=("a1",))
    agent = ConsentTold("a1", Party.AGENT, ConsentOutcome.REVOKED, 2_000)
    judged = consent(replace(lawful, told=(agent,)))
    assert (judged.outcome, judged.publication, judged.withdrawn_at_ms) == (ConsentOutcome.REVOKED, Publication.CUT, 2_000)
    assert (judged.recorded_before, judged.recorded_after) == ((), (Interval(2_000, SILENT.length_ms),))
    before = replace(agent, outcome=ConsentOutcome.DECLINED, at_ms=-1)
    assert consent(replace(lawful, told=(before,))).publication is Publication.QUARANTINED
    again = replace(agent, outcome=ConsentOutcome.GRANTED, at_ms=3_000)
    judged = consent(replace(lawful, told=(agent, again)))
    assert (judged.outcome, judged.recorded_after) == (ConsentOutcome.NOT_REQUIRED, (Interval(2_000, 3_000),))


def test_where_the_law_does_not_ask_nothing_is_required_but_a_refusal_counts() -> None:
    heard = replace(SILENT, consent_required=False)
    assert (consent(heard).outcome, consent(heard).publication) == (ConsentOutcome.NOT_REQUIRED, Publication.PUBLISHED)
    assert finding(heard).verdict is Verdict.MET
    refused = replace(call(MAY, "customer: No, please don't.", "agent: Fine."), consent_required=False)
    assert (consent(refused).outcome, consent(refused).publication) == (ConsentOutcome.DECLINED, Publication.QUARANTINED)


def test_a_record_that_nothing_was_required_does_not_beat_the_law_of_the_place() -> None:
    heard = replace(SILENT, told=told((ConsentOutcome.NOT_REQUIRED, -5000)))
    assert (consent(heard).outcome, consent(heard).publication) == (ConsentOutcome.UNKNOWN, Publication.QUARANTINED)
    assert consent(heard).recorded_before == heard.recorded
    assert consent(replace(heard, consent_required=False)).outcome is ConsentOutcome.NOT_REQUIRED
    partner = ConsentTold("p1", Party.PARTNER, ConsentOutcome.NOT_REQUIRED, -5000)
    training = replace(SILENT, told=(partner,), consent_required=False, others_required=("p1",))
    assert (consent(training).outcome, consent(training).publication) == (ConsentOutcome.UNKNOWN, Publication.QUARANTINED)


def test_nothing_said_and_nothing_told_cannot_be_told() -> None:
    assert (consent(SILENT).outcome, finding(SILENT).verdict) == (ConsentOutcome.UNKNOWN, Verdict.CANNOT_TELL)
    assert consent(SILENT).recorded_before == SILENT.recorded


def test_the_agents_own_record_is_not_the_customers() -> None:
    heard = replace(SILENT, told=(ConsentTold("a1", Party.AGENT, ConsentOutcome.GRANTED, 0),))
    assert consent(heard).outcome is ConsentOutcome.UNKNOWN


# --- properties --------------------------------------------------------------------------------------------------------------------

moments = st.integers(-5_000, 60_000)
stretches = st.lists(
    st.builds(lambda start, length: Interval(start, start + length), st.integers(0, 50_000), st.integers(0, 20_000)), max_size=4
)
records = st.lists(
    st.builds(
        ConsentTold,
        st.sampled_from(["c1", "c2"]),
        st.sampled_from([Party.CUSTOMER, Party.AGENT]),
        st.sampled_from(list(ConsentOutcome)),
        moments,
    ),
    max_size=5,
)


@st.composite
def spokens(draw: st.DrawFn) -> Spoken:
    """What spoken words can amount to, in the order in which it happens."""
    given_ms = draw(st.none() | st.integers(0, 30_000))
    if given_ms is None and draw(st.booleans()):
        return Spoken(ConsentOutcome.DECLINED, refused=(Interval(draw(st.integers(0, 40_000)), None),))
    if given_ms is None:
        return Spoken(may_refuse=draw(st.booleans()), unclear=draw(st.booleans()))
    if draw(st.booleans()):
        refused = draw(st.integers(given_ms + 1, 50_000))
        return Spoken(ConsentOutcome.REVOKED, given_ms=given_ms, granted_ms=given_ms, refused=(Interval(refused, None),))
    granted = draw(st.none() | st.just(given_ms))
    return Spoken(ConsentOutcome.IMPLIED if granted is None else ConsentOutcome.GRANTED, given_ms=given_ms, granted_ms=granted)


calls = st.builds(
    lambda recorded, told, required: replace(SILENT, recorded=tuple(recorded), told=tuple(told), consent_required=required),
    stretches,
    records,
    st.booleans(),
)


@given(calls, spokens())
def test_unknown_never_passes_and_only_what_passes_is_published(heard: HeardCall, spoken: Spoken) -> None:
    judged = combine(heard, spoken).judged
    assert (judged.publication is Publication.PUBLISHED) == (judged.outcome in PASSES)
    assert (judged.publication is Publication.CUT) <= (judged.outcome is ConsentOutcome.REVOKED)
    assert (judged.withdrawn_at_ms is not None) == (judged.outcome is ConsentOutcome.REVOKED)
    assert common(heard.recorded, judged.withheld) == common(judged.recorded_after, [Interval(0, None)])
    if judged.publication is Publication.CUT:
        assert judged.withdrawn_at_ms is not None
        assert without([Interval(max(0, judged.withdrawn_at_ms), None)], judged.withheld) == ()
    if judged.publication is Publication.PUBLISHED:
        assert all(one.end_ms is not None for one in judged.withheld)


@given(calls, spokens())
def test_the_stretches_without_consent_are_recorded_and_disjoint(heard: HeardCall, spoken: Spoken) -> None:
    judged = combine(heard, spoken).judged
    for some in (judged.recorded_before, judged.recorded_after):
        assert some == joined(some)
        assert without(some, heard.recorded) == ()
    assert common(judged.recorded_before, judged.recorded_after) == ()
    if heard.consent_required and spoken.given_ms is None and not spoken.refused and not heard.told:
        assert judged.recorded_before == joined(heard.recorded)


@given(calls)
def test_what_may_be_a_refusal_never_passes(heard: HeardCall) -> None:
    assert combine(heard, Spoken(may_refuse=True)).judged.outcome not in PASSES


@given(calls)
def test_a_merely_unclear_answer_counts_as_none(heard: HeardCall) -> None:
    assert combine(heard, Spoken(unclear=True)).judged == combine(heard, Spoken()).judged


@given(calls, spokens(), st.sampled_from(["c1", "c2"]), st.sampled_from(sorted(REFUSES)), moments)
def test_adding_a_refusal_never_opens(heard: HeardCall, spoken: Spoken, party: str, outcome: ConsentOutcome, at: int) -> None:
    before = combine(heard, spoken).judged
    after = combine(replace(heard, told=(*heard.told, ConsentTold(party, Party.CUSTOMER, outcome, at))), spoken).judged
    if after.outcome in PASSES:
        assert before.outcome in PASSES
    assert length_ms(after.recorded_after) >= length_ms(before.recorded_after) or spoken.refused


@given(calls, spokens())
def test_a_refusal_last_of_all_refuses(heard: HeardCall, spoken: Spoken) -> None:
    last = replace(heard, told=(*heard.told, ConsentTold("c1", Party.CUSTOMER, ConsentOutcome.REVOKED, 99_000)))
    assert combine(last, spoken).judged.outcome in REFUSES


people_there = st.lists(
    st.builds(
        Present,
        st.sampled_from(["c1", "c2", "p1", "a1", "w1"]),
        st.sampled_from([Party.CUSTOMER, Party.PARTNER, Party.AGENT, Party.UNKNOWN, Party.ASSISTANT]),
        st.sampled_from(["US-CA", "US-NY", "US-TX", None]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one.party,
)
theirs = st.lists(
    st.builds(
        ConsentTold,
        st.sampled_from(["c1", "c2", "p1", "a1", "w1", "elsewhere"]),
        st.sampled_from(list(Party)),
        st.sampled_from(list(ConsentOutcome)),
        moments,
    ),
    max_size=6,
    unique_by=lambda one: one.at_ms,
)


@given(people_there, theirs)
def test_by_records_alone_nothing_passes_that_the_live_gate_would_have_stopped(people: list[Present], told: list[ConsentTold]) -> None:
    begin = datetime(2026, 3, 2, 15, tzinfo=UTC)
    whom = asked(TABLE, people, begin)
    heard = replace(
        SILENT,
        told=tuple(told),
        consent_required=whom.required,
        customers=whom.customers,
        others_required=whom.others,
        not_asked=whom.not_asked,
    )
    if not any(one.role in {Party.CUSTOMER, Party.PARTNER, Party.UNKNOWN} for one in people):
        return  # nobody is known who could have been asked
    passes = combine(heard, Spoken()).judged.outcome in PASSES
    live = gate(TABLE, people, [ConsentRecord(one.party, one.outcome, begin + timedelta(milliseconds=one.at_ms)) for one in told], begin)
    assert passes <= live.open
    strangers = any(
        one.role is Party.CUSTOMER and one.party not in {who.party for who in people if who.role is not Party.ASSISTANT} for one in told
    )
    assert live.open <= passes or strangers


@pytest.mark.parametrize("at", [0, 1_000])
def test_of_two_at_one_moment_the_refusal_counts(at: int) -> None:
    heard = replace(SILENT, told=told((ConsentOutcome.DECLINED, at), (ConsentOutcome.GRANTED, at)))
    assert consent(heard).outcome in REFUSES


# --- arithmetic --------------------------------------------------------------------------------------------------------------------


def milliseconds(intervals: tuple[Interval, ...] | list[Interval]) -> set[int]:
    return {ms for one in intervals for ms in range(one.start_ms, one.end_ms or 0)}


small = st.lists(st.builds(lambda start, length: Interval(start, start + length), st.integers(0, 60), st.integers(0, 30)), max_size=5)


@given(small, small)
def test_stretches_add_up_millisecond_by_millisecond(ours: list[Interval], theirs: list[Interval]) -> None:
    assert milliseconds(joined(ours)) == milliseconds(ours)
    assert milliseconds(common(ours, theirs)) == milliseconds(ours) & milliseconds(theirs)
    assert milliseconds(without(ours, theirs)) == milliseconds(ours) - milliseconds(theirs)
    assert length_ms(ours) == len(milliseconds(ours))


@given(small, st.integers(0, 90), st.integers(1, 20))
def test_what_touches_a_stretch_shares_a_millisecond_with_it(ours: list[Interval], start: int, length: int) -> None:
    shares = bool(milliseconds(ours) & set(range(start, start + length)))
    assert touches(joined(ours), start, start + length) == shares
    assert touches([*ours, Interval(start + length - 1, None)], start, start + length)
    assert not touches([Interval(start + length, None)], start, start + length)


@given(small, st.integers(0, 90))
def test_an_open_end_takes_everything_after(ours: list[Interval], start: int) -> None:
    assert milliseconds(without(ours, [Interval(start, None)])) == {ms for ms in milliseconds(ours) if ms < start}
    assert common([Interval(start, None)], [Interval(5, None)]) == (Interval(max(5, start), None),)
