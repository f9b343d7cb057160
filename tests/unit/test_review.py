"""The review queue: whose an item is, what may follow what, and what a decision changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.consent import ConsentOutcome
from domain.redaction.shapes import Redaction, Sensitive
from domain.review import (
    CLAIM_MINUTES,
    About,
    AlreadyClaimed,
    AlreadyDecided,
    Claimed,
    Closed,
    ConsentSeen,
    Decision,
    Escalated,
    Gone,
    Item,
    NoLongerAsked,
    NoReason,
    NotForYou,
    NotYourClaim,
    Open,
    Overturned,
    Place,
    Reviewer,
    ReviewRefused,
    StateName,
    WrongCorrection,
    apply,
    ask_again,
    claim,
    close,
    confirm,
    drop,
    escalate,
    leave_readable,
    overturn,
    question_of,
    question_of_value,
    release,
    state_at,
    version_with,
)
from domain.roles import Role
from domain.rules.shapes import Cause, ConsentJudged, Finding, Interval, Judgement, Publication, Severity, Verdict

NOW = datetime(2025, 3, 3, 15, tzinfo=UTC)
ANN, BOB = Reviewer("ann", Role.COMPLIANCE), Reviewer("bob", Role.COMPLIANCE)
CHIEF = Reviewer("chief", Role.ADMIN)
NOT_MET = Item(About.FINDING, Verdict.NOT_MET)
CANNOT_TELL = Item(About.FINDING, Verdict.CANNOT_TELL)
VALUE = Item(About.REDACTION, None)
WHY = "Heard it at 0:12."


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def had_by(reviewer: Reviewer, item: Item = NOT_MET) -> Item:
    return claim(item, reviewer, NOW)


ESCALATED = escalate(had_by(ANN), ANN, WHY, NOW)


def test_a_claim_is_one_persons_until_it_ends_and_anybodys_from_then_on() -> None:
    mine = had_by(ANN)
    assert mine.state == Claimed("ann", after(CLAIM_MINUTES))
    with pytest.raises(AlreadyClaimed, match="15:30:00 UTC"):
        claim(mine, BOB, after(CLAIM_MINUTES) - timedelta(microseconds=1))
    assert state_at(mine, after(CLAIM_MINUTES) - timedelta(microseconds=1)) is StateName.CLAIMED
    assert state_at(mine, after(CLAIM_MINUTES)) is StateName.OPEN
    assert claim(mine, BOB, after(CLAIM_MINUTES)).state == Claimed("bob", after(2 * CLAIM_MINUTES))


def test_claiming_again_prolongs_it() -> None:
    assert claim(had_by(ANN), ANN, after(20)).state == Claimed("ann", after(20 + CLAIM_MINUTES))


@pytest.mark.parametrize(
    ("item", "corrected", "right"),
    [
        (NOT_MET, None, Verdict.MET),
        (NOT_MET, Verdict.MET, Verdict.MET),
        (CANNOT_TELL, Verdict.MET, Verdict.MET),
        (CANNOT_TELL, Verdict.NOT_MET, Verdict.NOT_MET),
        (VALUE, None, None),
    ],
)
def test_what_is_right_instead(item: Item, corrected: Verdict | None, right: Verdict | None) -> None:
    assert overturn(had_by(ANN, item), ANN, f" {WHY}\n", corrected, after(1)).state == Closed(
        "ann", WHY, after(1), Decision.OVERTURNED, right
    )


@pytest.mark.parametrize(
    ("item", "corrected", "said"),
    [
        (NOT_MET, Verdict.NOT_MET, "confirm it"),
        (NOT_MET, Verdict.CANNOT_TELL, "it is met"),
        (CANNOT_TELL, None, "met or not_met"),
        (CANNOT_TELL, Verdict.CANNOT_TELL, "met or not_met"),
        (VALUE, Verdict.MET, "not personal data"),
    ],
)
def test_what_cannot_be_right_instead(item: Item, corrected: Verdict | None, said: str) -> None:
    with pytest.raises(WrongCorrection, match=said):
        overturn(had_by(ANN, item), ANN, WHY, corrected, NOW)


Act = Callable[[Item, Reviewer, datetime], Item]
DECISIONS: dict[str, Act] = {
    "confirm": lambda item, by, now: confirm(item, by, WHY, now),
    "overturn": lambda item, by, now: overturn(item, by, WHY, None, now),
    "close": lambda item, by, now: close(item, by, WHY, now),
}
ACTS = DECISIONS | {"escalate": lambda item, by, now: escalate(item, by, WHY, now), "release": release}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_nothing_is_done_without_a_claim_of_ones_own_that_lasts(act: Act) -> None:
    with pytest.raises(NotYourClaim, match="claim it first"):
        act(NOT_MET, ANN, NOW)
    with pytest.raises(NotYourClaim, match="Another reviewer"):
        act(had_by(ANN), BOB, NOW)
    with pytest.raises(NotYourClaim, match="claim it again"):
        act(had_by(ANN), ANN, after(CLAIM_MINUTES))
    act(had_by(ANN), ANN, after(CLAIM_MINUTES) - timedelta(microseconds=1))


@pytest.mark.parametrize("reason", ["", " \n\t"])
def test_whoever_decides_says_why(reason: str) -> None:
    for act in (confirm, close, escalate):
        with pytest.raises(NoReason):
            act(had_by(ANN), ANN, reason, NOW)
    with pytest.raises(NoReason):
        overturn(had_by(ANN), ANN, reason, None, NOW)


@pytest.mark.parametrize("name", DECISIONS)
def test_the_same_again_is_the_same_and_anything_else_is_refused(name: str) -> None:
    decided = DECISIONS[name](had_by(ANN), ANN, after(1))
    assert DECISIONS[name](decided, ANN, after(90)) == decided
    for other, act in ACTS.items():
        with pytest.raises(AlreadyDecided):
            act(decided, BOB, after(2))
        if other != name:
            with pytest.raises(AlreadyDecided):
                act(decided, ANN, after(2))
    with pytest.raises(AlreadyDecided):
        claim(decided, ANN, after(2))
    with pytest.raises(AlreadyDecided):
        confirm(decided, ANN, "For another reason.", after(2))
    assert drop(decided) == ask_again(decided) == decided


def test_overturned_with_another_verdict_is_another_decision() -> None:
    decided = overturn(had_by(ANN, CANNOT_TELL), ANN, WHY, Verdict.MET, NOW)
    with pytest.raises(AlreadyDecided):
        overturn(decided, ANN, WHY, Verdict.NOT_MET, NOW)


def test_what_was_escalated_is_for_others_and_for_admins() -> None:
    assert (ESCALATED.state, ESCALATED.escalated_by) == (Escalated(), ("ann",))
    with pytest.raises(NotForYou):
        claim(ESCALATED, ANN, NOW)
    taken = claim(ESCALATED, BOB, NOW)
    assert state_at(taken, after(CLAIM_MINUTES)) is StateName.ESCALATED
    assert release(taken, BOB, NOW) == ESCALATED
    decided = confirm(taken, BOB, WHY, NOW)
    assert isinstance(decided.state, Closed) and decided.state.by == "bob"
    further = escalate(taken, BOB, WHY, NOW)
    for one in (ANN, BOB):
        with pytest.raises(NotForYou):
            claim(further, one, NOW)
    own = escalate(claim(further, CHIEF, NOW), CHIEF, WHY, NOW)
    assert isinstance(confirm(claim(own, CHIEF, NOW), CHIEF, WHY, NOW).state, Closed)


def test_escalating_again_is_the_same() -> None:
    assert escalate(ESCALATED, ANN, WHY, after(1)) == ESCALATED


def test_what_is_no_longer_asked_needs_nobody_until_it_is_asked_again() -> None:
    for item, back in ((NOT_MET, Open()), (had_by(ANN), Open()), (ESCALATED, Escalated()), (claim(ESCALATED, BOB, NOW), Escalated())):
        gone = drop(item)
        assert gone.state == Gone()
        with pytest.raises(NoLongerAsked):
            claim(gone, BOB, NOW)
        with pytest.raises(NoLongerAsked):
            confirm(gone, ANN, WHY, NOW)
        assert ask_again(gone).state == back
        assert ask_again(item) == item, "and asking what is asked already disturbs nobody"


def test_a_refusal_names_nobody() -> None:
    acts: list[Callable[[], Item]] = [
        lambda: claim(had_by(ANN), BOB, NOW),
        lambda: confirm(had_by(ANN), BOB, WHY, NOW),
        lambda: claim(ESCALATED, ANN, NOW),
    ]
    for act in acts:
        with pytest.raises(ReviewRefused) as refused:
            act()
        assert "ann" not in str(refused.value) and "bob" not in str(refused.value)


class Queue(RuleBasedStateMachine):
    """A few reviewers over one item, held against a book of its own about whose it is."""

    PEOPLE = (ANN, BOB, CHIEF)

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.item = CANNOT_TELL
        self.holder: tuple[Reviewer, datetime] | None = None
        self.passed_on: set[str] = set()
        self.asked = True
        self.decided: Item | None = None
        self.last: tuple[str, Reviewer] | None = None

    def holds(self, who: Reviewer) -> bool:
        return self.holder is not None and self.holder[0] == who and self.now < self.holder[1]

    def may(self, who: Reviewer) -> bool:
        return who.role is Role.ADMIN or who.id not in self.passed_on

    @rule(minutes=st.sampled_from([1, CLAIM_MINUTES - 1, CLAIM_MINUTES]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(who=st.sampled_from(PEOPLE))
    def claims(self, who: Reviewer) -> None:
        free = self.holder is None or self.now >= self.holder[1] or self.holder[0] == who
        allowed = self.decided is None and self.asked and free and self.may(who)
        try:
            self.item = claim(self.item, who, self.now)
        except ReviewRefused:
            assert not allowed
        else:
            assert allowed
            self.holder = (who, self.now + timedelta(minutes=CLAIM_MINUTES))

    @rule(who=st.sampled_from(PEOPLE))
    def releases(self, who: Reviewer) -> None:
        allowed = self.decided is None and self.asked and self.holds(who)
        try:
            self.item = release(self.item, who, self.now)
        except ReviewRefused:
            assert not allowed
        else:
            assert allowed
            self.holder = None

    @rule(who=st.sampled_from(PEOPLE), what=st.sampled_from(["confirm", "met", "not_met", "close"]))
    def decides(self, who: Reviewer, what: str) -> None:
        again = self.decided is not None and self.last == (what, who)
        allowed = again or (self.decided is None and self.asked and self.holds(who) and self.may(who))
        try:
            if what == "confirm":
                self.item = confirm(self.item, who, WHY, self.now)
            elif what == "close":
                self.item = close(self.item, who, WHY, self.now)
            else:
                self.item = overturn(self.item, who, WHY, Verdict(what), self.now)
        except ReviewRefused:
            assert not allowed
        else:
            assert allowed
            if self.decided is None:
                self.decided, self.last, self.holder = self.item, (what, who), None

    @rule(who=st.sampled_from(PEOPLE))
    def escalates(self, who: Reviewer) -> None:
        again = isinstance(self.item.state, Escalated) and self.item.escalated_by[-1] == who.id
        allowed = again or (self.decided is None and self.asked and self.holds(who) and self.may(who))
        try:
            self.item = escalate(self.item, who, WHY, self.now)
        except ReviewRefused:
            assert not allowed
        else:
            assert allowed
            if not again:
                self.passed_on.add(who.id)
                self.holder = None

    @rule(asked=st.booleans())
    def an_evaluation_comes(self, asked: bool) -> None:
        self.item = ask_again(self.item) if asked else drop(self.item)
        if self.decided is None:
            self.holder = self.holder if asked else None
            self.asked = asked

    @invariant()
    def it_is_whose_the_book_says(self) -> None:
        if self.decided is not None:
            assert self.item == self.decided, "what is decided stays"
            assert isinstance(self.item.state, Closed) and self.item.state.by not in (
                self.passed_on if self.item.state.by != CHIEF.id else ()
            )
            return
        shown = state_at(self.item, self.now)
        if not self.asked:
            assert shown is StateName.GONE
        elif self.holder and self.now < self.holder[1]:
            assert shown is StateName.CLAIMED and self.item.state == Claimed(self.holder[0].id, self.holder[1])
        else:
            assert shown is (StateName.ESCALATED if self.passed_on else StateName.OPEN)


Queue.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestQueue = Queue.TestCase

RECORDING = UUID(int=7)
FOUND = Finding(
    "coverage_promise", "3", Severity.MAJOR, Verdict.NOT_MET, 0.9, None, turn_id=12, recording_id=RECORDING, first_word=2, last_word=5,
    start_ms=1000, end_ms=2000,
)  # fmt: skip
SILENT = Finding("recording_disclosed", "1", Severity.CRITICAL, Verdict.CANNOT_TELL, 0.0, Cause.SILENT, start_ms=0, end_ms=60_000)
CONSENT = Finding("recording_consent", "1", Severity.CRITICAL, Verdict.NOT_MET, 0.9, None, start_ms=0, end_ms=90_000)
SEEN = ConsentSeen("unknown", "unknown", None, 1)


def judged(*findings: Finding, outcome: str = "unknown", publication: Publication = Publication.QUARANTINED) -> Judgement:
    return Judgement("1", findings, ConsentJudged(ConsentOutcome(outcome), ConsentOutcome.UNKNOWN, publication))


@pytest.mark.parametrize(
    "otherwise",
    [
        replace(FOUND, rule_id="trust_me"),
        replace(FOUND, verdict=Verdict.CANNOT_TELL),
        replace(FOUND, verdict=Verdict.CANNOT_TELL, cause=Cause.UNCLEAR),
        replace(FOUND, first_word=3),
        replace(FOUND, last_word=6),
        replace(FOUND, turn_id=13),
        replace(FOUND, recording_id=UUID(int=8)),
        replace(FOUND, turn_id=None),
    ],
)
def test_another_question(otherwise: Finding) -> None:
    assert question_of(otherwise, SEEN) != question_of(FOUND, SEEN)


def test_the_same_question_though_the_rules_text_its_confidence_or_the_calls_start_are_others() -> None:
    again = replace(FOUND, rule_version="4", confidence=0.7, severity=Severity.MINOR, start_ms=900, end_ms=1900)
    assert question_of(again, SEEN) == question_of(FOUND, SEEN)
    assert question_of(FOUND, replace(SEEN, records=2)) == question_of(FOUND, SEEN)
    assert question_of(replace(SILENT, end_ms=59_000), SEEN) != question_of(SILENT, SEEN)


@pytest.mark.parametrize(
    "later",
    [replace(SEEN, outcome="declined"), replace(SEEN, spoken="declined"), replace(SEEN, withdrawn_at_ms=3), replace(SEEN, records=2)],
)
def test_consent_is_asked_about_anew_once_something_more_is_known(later: ConsentSeen) -> None:
    assert question_of(CONSENT, later) != question_of(CONSENT, SEEN)


def test_a_verdict_that_was_overturned_is_the_persons() -> None:
    decisions = Overturned({question_of(SILENT, SEEN): Verdict.MET}, 1)
    changed = apply(judged(FOUND, SILENT), decisions)
    assert changed.findings == (FOUND, replace(SILENT, verdict=Verdict.MET, cause=None, confidence=1.0, overturned=True))
    assert changed.consent == judged().consent, "which is about consent only where the rule is"


@pytest.mark.parametrize(
    ("before", "corrected", "publication"),
    [
        (Publication.QUARANTINED, Verdict.MET, Publication.PUBLISHED),
        (Publication.CUT, Verdict.MET, Publication.PUBLISHED),
        (Publication.PUBLISHED, Verdict.NOT_MET, Publication.QUARANTINED),
    ],
)
def test_the_verdict_on_consent_decides_what_is_published(before: Publication, corrected: Verdict, publication: Publication) -> None:
    changed = apply(judged(FOUND, CONSENT, publication=before), Overturned({question_of(CONSENT, SEEN): corrected}, 1))
    assert changed.consent.publication is publication
    assert changed.consent.outcome is ConsentOutcome.UNKNOWN, "what was found stays on record"


def without_consent(start: int, end: int, verdict: Verdict = Verdict.NOT_MET) -> Finding:
    cause = Cause.UNCLEAR if verdict is Verdict.CANNOT_TELL else None
    return Finding("recorded_without_consent", "1", Severity.CRITICAL, verdict, 1.0, cause, start_ms=start, end_ms=end)


def decided(before: ConsentJudged, found: Finding, corrected: Verdict) -> tuple[ConsentJudged, Finding]:
    seen = ConsentSeen(before.outcome.value, before.spoken.value, before.withdrawn_at_ms, 1)
    changed = apply(Judgement("1", (CONSENT, found), before), Overturned({question_of(CONSENT, seen): corrected}, 1))
    return changed.consent, changed.findings[1]


def consent(outcome: ConsentOutcome, *refused: Interval, recorded_before: tuple[Interval, ...] = ()) -> ConsentJudged:
    """Of a call of 90 s."""
    after = tuple(Interval(one.start_ms, one.end_ms or 90_000) for one in refused)
    withdrawn = next((one.start_ms for one in refused if one.end_ms is None), None) if outcome is ConsentOutcome.REVOKED else None
    shown = Publication.CUT if outcome is ConsentOutcome.REVOKED else Publication.QUARANTINED
    return ConsentJudged(outcome, outcome, shown, withdrawn, recorded_before, after, refused)


def test_where_a_refusal_was_none_nothing_was_recorded_after_it() -> None:
    before = consent(ConsentOutcome.DECLINED, Interval(6_000, None), recorded_before=(Interval(0, 6_000),))
    after, found = decided(before, without_consent(6_000, 90_000), Verdict.MET)
    assert (after.publication, after.overturned, after.outcome) == (Publication.PUBLISHED, True, ConsentOutcome.DECLINED)
    assert (after.recorded_before, after.recorded_after, after.withheld) == ((), (), ())
    assert (found.verdict, found.overturned) == (Verdict.MET, True), "answered with it, and asked no more"


def test_what_was_recorded_long_before_consent_is_another_question_than_whether_it_was_withdrawn() -> None:
    early = (Interval(0, 70_000),)
    before = consent(ConsentOutcome.REVOKED, Interval(80_000, None), recorded_before=early)
    after, found = decided(before, without_consent(60_000, 70_000), Verdict.MET)
    assert (after.publication, after.recorded_before, after.recorded_after) == (Publication.PUBLISHED, early, ())
    assert found == without_consent(60_000, 70_000)


def test_a_refusal_that_was_taken_back_stays_withheld_whatever_is_decided_about_the_last_one() -> None:
    before = consent(ConsentOutcome.REVOKED, Interval(10_000, 20_000), Interval(80_000, None))
    after, found = decided(before, without_consent(10_000, 20_000), Verdict.MET)
    assert after.withheld == after.recorded_after == (Interval(10_000, 20_000),)
    assert found == without_consent(10_000, 20_000)


def test_where_there_was_no_consent_it_was_recorded_without() -> None:
    before = consent(ConsentOutcome.UNKNOWN, recorded_before=(Interval(0, 90_000),))
    after, found = decided(before, without_consent(60_000, 90_000, Verdict.CANNOT_TELL), Verdict.NOT_MET)
    assert (after.publication, after.overturned, after.recorded_before) == (Publication.QUARANTINED, True, before.recorded_before)
    assert (found.verdict, found.overturned) == (Verdict.NOT_MET, True)
    _, found = decided(before, without_consent(60_000, 90_000), Verdict.NOT_MET)
    assert not found.overturned, "that it was, nobody has denied"


def test_who_withdraws_after_the_decision_is_not_overruled_by_it() -> None:
    decisions = Overturned({question_of(CONSENT, SEEN): Verdict.MET}, 2)
    assert apply(judged(CONSENT), decisions) == judged(CONSENT)


def test_nothing_overturned_changes_nothing() -> None:
    assert apply(judged(FOUND, SILENT, CONSENT), Overturned({}, 1)) == judged(FOUND, SILENT, CONSENT)


def hidden(kind: Sensitive, position: int, first: int, last: int, entity: int = 0) -> Redaction:
    return Redaction(kind, entity, position, 0, first, last, None, None, 0.5, "r: 1")


def test_words_that_are_not_personal_are_left_readable_but_never_card_data() -> None:
    phone, mail, card = hidden(Sensitive.PHONE, 3, 1, 4), hidden(Sensitive.EMAIL, 3, 1, 4, 1), hidden(Sensitive.CARD_NUMBER, 5, 0, 3, 2)
    assert leave_readable((phone, mail, card), {Place.of(phone), Place.of(card)}) == (mail, card)


def test_a_redaction_that_leaves_words_readable_is_another_version() -> None:
    phone, mail = Place(Sensitive.PHONE, 3, 1, 4), Place(Sensitive.EMAIL, 3, 1, 4)
    versions = {version_with("1", places) for places in (frozenset[Place](), {phone}, {mail}, {phone, mail})}
    assert len(versions) == 4 and "1" in versions
    assert version_with("1", [mail, phone]) == version_with("1", [phone, mail])


places = st.builds(Place, st.sampled_from(Sensitive), st.integers(0, 3), st.integers(0, 3), st.integers(3, 5))


@given(st.lists(places, min_size=1, max_size=4), st.randoms())
def test_a_value_is_the_same_in_whichever_order_its_pieces_come(pieces: list[Place], order: object) -> None:
    shuffled = sorted(pieces, key=lambda _: order.random())  # type: ignore[attr-defined]
    one = UUID(int=1)
    assert question_of_value(one, shuffled) == question_of_value(one, pieces) != question_of_value(UUID(int=2), pieces)
