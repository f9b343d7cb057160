"""The review queue in a real PostgreSQL: what is asked, once and again; reviewers at once; and what a decision has done by the next run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event
from uuid import UUID

import pytest
from sqlalchemy import Engine, insert, text, update

from domain.audit import Outcome
from domain.consent import ConsentOutcome
from domain.redaction.shapes import Sensitive
from domain.review import (
    CLAIM_MINUTES,
    About,
    AlreadyClaimed,
    AlreadyDecided,
    NoLongerAsked,
    NotForYou,
    NotYourClaim,
    Place,
    Reviewer,
    ReviewRefused,
    StateName,
)
from domain.roles import Role
from domain.rules.shapes import Cause, ConsentJudged, Judgement, Publication, Severity, Verdict
from resources.live_tables import consent_records
from resources.policies import recording_consent
from resources.store import audit, evaluations, heard_calls, review_list, reviews
from resources.store.calls import WrongCursor
from resources.store.review_list import Filters
from resources.store.reviews import Hand
from resources.tables import participants
from tests.integration.review_store import (
    ANN,
    BEGAN,
    BOB,
    CHIEF,
    CONSENT,
    DISCLOSURE,
    PHONE,
    WHY,
    claimed,
    confirmed,
    item_of,
    judged_call,
    now,
    one,
    overturned,
    steps_of,
    waiting,
)

SEVERAL = 8
CONSENTED = ConsentJudged(ConsentOutcome.GRANTED, ConsentOutcome.UNKNOWN, Publication.PUBLISHED)


def test_what_is_not_met_or_cannot_be_told_is_asked_and_what_is_met_is_not(engine: Engine) -> None:
    call = judged_call(engine)
    met = replace(DISCLOSURE, rule_id="ai_disclosed", verdict=Verdict.MET, cause=None)
    call.judge(call.promise(), DISCLOSURE, met)
    first, second = waiting(engine)
    assert [(row["what"], row["verdict"], row["cause"], row["severity"], row["state"]) for row in (first, second)] == [
        ("recording_disclosed", "cannot_tell", "silent", "critical", "open"),
        ("coverage_promise", "not_met", None, "major", "open"),
    ]
    assert (second["start_ms"], second["end_ms"], second["recording_id"], second["consultation_id"]) == (
        7_000, 8_000, call.recording_id, call.id,
    )  # fmt: skip
    assert steps_of(engine, first["id"]) == [("opened", "verbatim", None)]


def test_asked_again_it_is_the_same_item_and_what_is_gone_is_gone_until_it_is_back(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(call.promise(), DISCLOSURE)
    before = {row["what"]: row["id"] for row in waiting(engine)}
    claimed(engine, before["coverage_promise"])
    evaluation_id = call.judge(call.promise(rule_version="4"))
    (row,) = waiting(engine)
    assert (row["id"], row["rule_version"], row["claimed_by"]) == (before["coverage_promise"], "4", "ann")
    assert item_of(engine, before["recording_disclosed"])["state"] == "gone"
    assert isinstance(claimed(engine, before["recording_disclosed"]), NoLongerAsked)
    with engine.begin() as connection:
        reviews.ask(connection, evaluation_id)
    call.judge(DISCLOSURE)
    assert [row["id"] for row in waiting(engine)] == [before["recording_disclosed"]]
    assert [step for step, _, _ in steps_of(engine, before["recording_disclosed"])] == ["opened", "gone", "opened"]
    assert [step for step, _, _ in steps_of(engine, before["coverage_promise"])] == ["opened", "claimed", "gone"]


def test_other_words_or_another_cause_are_another_question(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(call.promise())
    call.judge(call.promise(first_word=5))
    call.judge(call.promise(verdict=Verdict.CANNOT_TELL, cause=Cause.LOW_CONFIDENCE))
    assert one(engine, "SELECT count(*), count(*) FILTER (WHERE state = 'gone') FROM review_items") == (3, 2)


def test_an_evaluation_that_is_not_the_newest_asks_nothing(engine: Engine) -> None:
    call = judged_call(engine)
    old = call.judge(DISCLOSURE)
    call.judge(call.promise())
    with engine.begin() as connection:
        reviews.ask(connection, old)
    assert [row["what"] for row in waiting(engine)] == ["coverage_promise"]


def test_what_was_decided_stays_and_is_not_asked_again(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(call.promise(), DISCLOSURE)
    ids = {row["what"]: row["id"] for row in waiting(engine)}
    claimed(engine, ids["coverage_promise"])
    assert confirmed(engine, ids["coverage_promise"]) is None
    assert overturned(engine, ids["recording_disclosed"], corrected=Verdict.MET) is None
    newest = call.judge(call.promise(), DISCLOSURE)
    assert waiting(engine) == []
    with engine.connect() as connection:
        rows = {row["rule_id"]: row for row in evaluations.findings_of(connection, newest)}
        (evaluation, *_) = evaluations.listed(connection, call.id)
    assert (rows["recording_disclosed"]["verdict"], rows["recording_disclosed"]["overturned"]) == ("met", True)
    assert (rows["coverage_promise"]["verdict"], rows["coverage_promise"]["overturned"]) == ("not_met", False)
    assert [(change["rule_id"], change["why"]) for change in evaluation["changes"]] == [("recording_disclosed", ["review"])]
    call.judge()
    call.judge(call.promise(), DISCLOSURE)
    assert waiting(engine) == [], "nor after a time in which nobody asked"


def test_an_overturned_verdict_has_the_call_judged_again_and_what_is_confirmed_does_not(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(call.promise(), CONSENT, outcome="unknown", publication=Publication.QUARANTINED)
    ids = {row["what"]: row["id"] for row in waiting(engine)}
    assert call.stage() == "archive"
    claimed(engine, ids["coverage_promise"])
    confirmed(engine, ids["coverage_promise"])
    assert call.stage() == "archive"
    overturned(engine, ids["recording_consent"], corrected=Verdict.MET)
    assert call.stage() == "findings"
    call.judge(call.promise(), CONSENT, outcome="unknown", publication=Publication.QUARANTINED)
    assert one(engine, "SELECT publication, consent FROM evaluations ORDER BY number DESC LIMIT 1") == ("published", "unknown")


def test_a_change_of_the_shared_rules_the_table_or_the_people_is_given_as_the_reason(engine: Engine) -> None:
    call = judged_call(engine)
    said = replace(DISCLOSURE, verdict=Verdict.MET, cause=None)
    with engine.begin() as connection:
        heard = heard_calls.load(connection, call.id, recording_consent())
        evaluations.save(connection, heard, Judgement("1+a", (said,), CONSENTED), None)
        evaluations.save(connection, heard, Judgement("1+b", (DISCLOSURE,), CONSENTED), None)
        assert evaluations.listed(connection, call.id)[0]["changes"][0]["why"] == ["shared_rules"]
        who = {"sid": "PA_1", "consultation_id": call.id, "identity": "somebody", "role": "partner"}
        connection.execute(insert(participants).values(**who))
        heard = heard_calls.load(connection, call.id, recording_consent())
        evaluations.save(connection, heard, Judgement("1+b", (said,), CONSENTED), None)
        assert evaluations.listed(connection, call.id)[0]["changes"][0]["why"] == ["people"]
        connection.execute(update(participants).values(role="customer"))
        heard = heard_calls.load(connection, call.id, replace(recording_consent(), version="another"))
        evaluations.save(connection, heard, Judgement("1+b", (DISCLOSURE,), CONSENTED), None)
        assert evaluations.listed(connection, call.id)[0]["changes"][0]["why"] == ["jurisdictions", "people"]


def test_a_persons_verdict_counts_in_the_days_checks(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(call.promise(), DISCLOSURE)
    for row in waiting(engine):
        overturned(engine, row["id"], corrected=Verdict.NOT_MET if row["verdict"] == "cannot_tell" else None)
    call.judge(call.promise(), DISCLOSURE)
    with engine.connect() as connection:
        day = BEGAN.date()
        assert evaluations.of_day(connection, day, "coverage_promise") == []
        assert [row["not_met"] for row in evaluations.of_day(connection, day, "recording_disclosed")] == [True]


def test_who_says_more_about_consent_after_the_decision_is_asked_about_anew(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(CONSENT, outcome="unknown", publication=Publication.QUARANTINED)
    (before,) = waiting(engine)
    overturned(engine, before["id"], corrected=Verdict.MET)
    with engine.begin() as connection:
        record = {"party": "anna", "role": "customer", "outcome": "revoked", "method": "click", "script_version": "1"}
        more = {"id": UUID(int=5), "consultation_id": call.id, "recorded_by": "anna", "at": BEGAN, "table_version": "1"}
        connection.execute(insert(consent_records).values(**record, **more))
    call.judge(CONSENT, outcome="unknown", publication=Publication.QUARANTINED)
    assert one(engine, "SELECT publication FROM evaluations ORDER BY number DESC LIMIT 1") == ("quarantined",)
    (after,) = waiting(engine)
    assert after["id"] != before["id"]


def test_of_many_who_claim_at_once_one_gets_it(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(*[call.promise(first_word=word) for word in range(4)])
    items = [row["id"] for row in waiting(engine)]
    hands = [Hand(Reviewer(f"reviewer-{n}", Role.COMPLIANCE), "compliance") for n in range(SEVERAL)]
    start = Barrier(SEVERAL)

    def work(hand: Hand) -> list[UUID]:
        start.wait()
        return [item for item in items if claimed(engine, item, hand) is None]

    with ThreadPoolExecutor(SEVERAL) as pool:
        won = [item for share in pool.map(work, hands) for item in share]
    assert sorted(won) == sorted(items), "each by one, and by no second"
    with engine.connect() as connection:
        outcomes = [entry.deed.outcome for entry in audit.entries(connection)]
    assert (outcomes.count(Outcome.DONE), outcomes.count(Outcome.REFUSED)) == (len(items), len(items) * (SEVERAL - 1))


def test_of_many_who_decide_at_once_one_does_and_the_same_one_may_repeat_it(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(call.promise())
    (item,) = [row["id"] for row in waiting(engine)]
    claimed(engine, item)
    start = Barrier(SEVERAL)

    def work(number: int) -> ReviewRefused | None:
        start.wait()
        if number % 2:
            return confirmed(engine, item)
        with engine.begin() as connection:
            return reviews.overturn(connection, item, ANN, WHY, None, now())

    with ThreadPoolExecutor(SEVERAL) as pool:
        answers = list(pool.map(work, range(SEVERAL)))
    decided = item_of(engine, item)["decision"]
    for number, answer in enumerate(answers):
        if (number % 2 == 1) == (decided == "confirmed"):
            assert answer is None
        else:
            assert isinstance(answer, AlreadyDecided)
    assert [step for step, _, _ in steps_of(engine, item)] == ["opened", "claimed", decided]


def test_a_decision_waits_for_an_evaluation_that_is_at_work_and_then_counts(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(call.promise())
    (item,) = [row["id"] for row in waiting(engine)]
    claimed(engine, item)
    with engine.begin() as connection:
        evaluations.judge_again(connection, [call.id])
    began, read = Event(), Event()

    def decide() -> ReviewRefused | None:
        began.set()
        return overturned(engine, item)

    with ThreadPoolExecutor(1) as pool, engine.begin() as connection:
        connection.execute(text("SELECT id FROM video_consultations FOR UPDATE"))
        assert reviews.decisions(connection, call.id).verdicts == {}
        deciding = pool.submit(decide)
        began.wait()
        while not one(engine, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")[0]:
            assert not deciding.done(), "it must wait for what the evaluation has read"
        connection.execute(text("UPDATE recordings SET judged_redaction_id = redaction_id"))
        read.set()
    assert deciding.result() is None
    assert call.stage() == "findings", "so that it is judged once more, with the decision"


def test_a_lease_ends_and_the_next_one_has_it(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(call.promise())
    (item,) = [row["id"] for row in waiting(engine)]
    moment = now()
    end = moment + timedelta(minutes=CLAIM_MINUTES)
    assert claimed(engine, item, ANN, moment) is None
    assert isinstance(claimed(engine, item, BOB, end - timedelta(seconds=1)), AlreadyClaimed)
    (row,) = waiting(engine, end, state=StateName.OPEN)
    assert (row["claimed_by"], row["claim_expires_at"]) == (None, None)
    assert waiting(engine, end, state=StateName.CLAIMED) == waiting(engine, end, mine="ann") == []
    assert claimed(engine, item, BOB, end) is None
    assert isinstance(confirmed(engine, item, ANN, end), NotYourClaim)
    assert [row["id"] for row in waiting(engine, end, mine="bob")] == [item]
    assert confirmed(engine, item, BOB, end) is None


def test_an_escalation_is_for_somebody_else(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(call.promise())
    (item,) = [row["id"] for row in waiting(engine)]
    claimed(engine, item)
    with engine.begin() as connection:
        assert reviews.escalate(connection, item, ANN, WHY, now()) is None
    assert item_of(engine, item)["state"] == "escalated"
    assert isinstance(claimed(engine, item, ANN), NotForYou)
    assert claimed(engine, item, BOB) is None
    with engine.begin() as connection:
        assert reviews.release(connection, item, BOB, now()) is None
    assert item_of(engine, item)["state"] == "escalated"
    assert overturned(engine, item, CHIEF) is None
    assert [step for step, _, _ in steps_of(engine, item)] == [
        "opened", "claimed", "escalated", "claimed", "released", "claimed", "overturned",
    ]  # fmt: skip
    assert steps_of(engine, item)[-1] == ("overturned", "chief", WHY)


def test_every_step_and_every_refusal_is_in_the_trail_and_nothing_that_was_said(engine: Engine) -> None:
    call = judged_call(engine)
    call.judge(DISCLOSURE)
    (item,) = [row["id"] for row in waiting(engine)]
    claimed(engine, item)
    claimed(engine, item, BOB)
    overturned(engine, item, corrected=Verdict.NOT_MET)
    with engine.connect() as connection:
        deeds = [entry.deed for entry in audit.entries(connection)]
    told = [(deed.actor, deed.action, deed.outcome.value, deed.reason, dict(deed.details)) for deed in deeds]
    what = {"about": "finding", "what": "recording_disclosed"}
    assert told == [
        ("ann", "review.claim", "done", None, what),
        ("bob", "review.claim", "refused", None, what | {"why": "AlreadyClaimed"}),
        ("ann", "review.claim", "done", None, what),
        ("ann", "review.overturn", "done", WHY, what | {"corrected": "not_met"}),
    ]
    assert {(deed.consultation_id, deed.subject) for deed in deeds} == {(call.id, str(item))}


def test_values_that_were_hardly_recognised_are_asked_about(engine: Engine) -> None:
    sure = replace(PHONE, kind=Sensitive.CUSTOM, entity=1, first_word=0, last_word=0, confidence=0.9)
    call = judged_call(engine, redacted=[PHONE, sure])
    with engine.begin() as connection:
        reviews.ask_about_redactions(connection, call.redaction_id, 0.6)
    (row,) = waiting(engine)
    assert (row["about"], row["what"], row["severity"], row["confidence"]) == ("redaction", "phone", "review", 0.55)
    assert (row["start_ms"], row["end_ms"]) == (8_400, 9_900), "from the call's start, not the recording's"
    with engine.connect() as connection:
        found = review_list.detail(connection, row["id"], now())
    assert found is not None and found.quote == "[custom] my phone is [phone]"
    assert (found.turn_id, found.turn_start_ms) == (call.turn_ids[1], 7_600)
    call.judge(call.promise())
    assert len(waiting(engine)) == 2, "findings and redactions do not take each other's questions away"
    assert [one["about"] for one in waiting(engine, about=About.REDACTION)] == ["redaction"]


def test_what_is_not_personal_is_left_readable_from_the_next_look_on(engine: Engine) -> None:
    pieces = [PHONE, replace(PHONE, first_word=0, last_word=0, start_ms=None, end_ms=None)]
    call = judged_call(engine, redacted=[*pieces, replace(PHONE, entity=1, first_word=2, last_word=2)])
    with engine.begin() as connection:
        reviews.ask_about_redactions(connection, call.redaction_id, 0.6)
    call.judge()
    item, other = [row["id"] for row in sorted(waiting(engine), key=lambda row: row["entity"])]
    assert overturned(engine, item) is None
    assert call.stage() == "redactions"
    with engine.connect() as connection:
        assert reviews.overturned_redactions(connection, call.transcript_id) == {Place.of(piece) for piece in pieces}
        assert reviews.overturned_redactions(connection, UUID(int=1)) == frozenset()
    call.redact(version="2")
    with engine.begin() as connection:
        reviews.ask_about_redactions(connection, call.redaction_id, 0.6)
    assert waiting(engine) == []
    assert (item_of(engine, item)["state"], item_of(engine, other)["state"]) == ("closed", "gone")


def test_card_data_stays_redacted_whatever_is_decided(engine: Engine) -> None:
    call = judged_call(engine, redacted=[replace(PHONE, kind=Sensitive.CARD_NUMBER)])
    with engine.begin() as connection:
        reviews.ask_about_redactions(connection, call.redaction_id, 0.6)
    call.judge()
    (item,) = [row["id"] for row in waiting(engine)]
    assert overturned(engine, item) is None
    assert call.stage() == "archive", "there is nothing that could be shown instead"


def test_the_severest_first_and_of_those_the_oldest_page_by_page(engine: Engine) -> None:
    for _ in range(3):
        call = judged_call(engine)
        call.judge(*[call.promise(rule_id=one.value, severity=one) for one in reversed(Severity)])
    rows = waiting(engine)
    assert [row["severity"] for row in rows] == [one.value for one in Severity for _ in range(3)]
    for severity in Severity:
        ages = [row["created_at"] for row in rows if row["severity"] == severity.value]
        assert ages == sorted(ages)
    paged: list[UUID] = []
    cursor = None
    with engine.connect() as connection:
        while True:
            page = review_list.listed(connection, Filters(), now(), limit=5, cursor=cursor)
            paged += [row["id"] for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert paged == [row["id"] for row in rows]
        for wrong in ("x", "W10=", "WyJ4IiwgMSwgMl0="):
            with pytest.raises(WrongCursor):
                review_list.listed(connection, Filters(), now(), limit=5, cursor=wrong)
    assert {row["what"] for row in waiting(engine, severity=Severity.MINOR)} == {"minor"}
    assert {row["severity"] for row in waiting(engine, what="critical")} == {"critical"}


@pytest.mark.parametrize("act", [reviews.claim, reviews.release])
def test_an_item_that_is_not_there(engine: Engine, act: Callable[..., object]) -> None:
    with engine.begin() as connection, pytest.raises(KeyError):
        act(connection, UUID(int=1), ANN, now())
