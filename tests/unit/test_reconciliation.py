"""What was missed, and what became of a recording: by example, and for any history of what was and was not told."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import given

from domain.reconciliation import Ended, Evidence, Left, LiveRoom, OpenCall, Outcome, RecordingState, Somebody, corrections, outcome

NOW = datetime(2025, 3, 3, 16, tzinfo=UTC)
GRACE, DEADLINE = timedelta(minutes=2), timedelta(hours=2)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def call(heard: float = 30, *people: Somebody, sid: str = "RM_1") -> OpenCall:
    return OpenCall(UUID(int=1), sid, "room", ago(heard), people)


ANNA = Somebody("PA_a", "anna", ago(60))


def test_a_room_that_is_gone_ended_at_its_latest_evidence_and_everybody_left() -> None:
    known = call(30, ANNA)
    assert corrections([known], [LiveRoom("RM_2")], NOW, GRACE) == (Left(known, ANNA, ago(30)), Ended(known, ago(30)))


def test_a_room_that_is_there_goes_on_and_who_is_not_in_it_has_left() -> None:
    known = call(30, ANNA, Somebody("PA_b", "bert", ago(50)))
    assert corrections([known], [LiveRoom("RM_1", frozenset({"PA_b"}))], NOW, GRACE) == (Left(known, ANNA, NOW),)
    assert corrections([known], [LiveRoom("RM_1", None)], NOW, GRACE) == ()


def test_what_was_heard_of_a_moment_ago_is_left_alone() -> None:
    assert corrections([call(1.9, ANNA)], [], NOW, GRACE) == ()
    just = Somebody("PA_c", "carla", ago(1))
    assert corrections([call(30, just)], [LiveRoom("RM_1", frozenset())], NOW, GRACE) == ()


def seen(ended: float = 300, **more: object) -> Evidence:
    values: dict[str, object] = {"files": 0, "failures": (), "orders": (), "unended": 0, "driven": True, "refused": False, **more}
    return Evidence(ago(ended), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("evidence", "state", "reason"),
    [
        (seen(files=1, failures=("no_file",)), "recorded", None),
        (seen(failures=("no_file",)), "failed", "no_file"),
        (seen(orders=("refused",)), "failed", "refused"),
        (seen(orders=("unanswered", "lost")), "failed", "lost"),
        (seen(orders=("EGRESS_COMPLETE",)), "failed", "never_announced"),
        (seen(orders=(None,)), "failed", "never_announced"),
        (seen(unended=1, driven=False), "failed", "never_announced"),
        (seen(refused=True), "refused", None),
        (seen(), "not_expected", "no_consent"),
        (seen(driven=False), "not_expected", "recorded_elsewhere_or_not_at_all"),
        (seen(119, orders=(None,)), "in_progress", None),
        (seen(119, orders=("EGRESS_COMPLETE",)), "in_progress", None),
        (seen(119, unended=1), "in_progress", None),
        (seen(119, orders=("refused",)), "failed", "refused"),
        (seen(1, refused=True), "refused", None),
    ],
)
def test_what_became_of_a_recording(evidence: Evidence, state: str, reason: str | None) -> None:
    assert outcome(evidence, NOW, DEADLINE) == Outcome(RecordingState(state), reason)


endings = st.sampled_from([None, "lost", "refused", "unanswered", "EGRESS_COMPLETE", "EGRESS_FAILED"])
evidence = st.builds(
    Evidence,
    ended_at=st.integers(0, 10_000).map(ago),
    files=st.integers(0, 2),
    failures=st.lists(st.sampled_from(["no_file", "egress_failed"]), max_size=2).map(tuple),
    orders=st.lists(endings, max_size=3).map(tuple),
    unended=st.integers(0, 2),
    driven=st.booleans(),
    refused=st.booleans(),
)


@given(evidence)
def test_nothing_is_in_progress_beyond_the_deadline_and_a_failure_has_a_reason(found: Evidence) -> None:
    now = outcome(found, NOW, DEADLINE)
    if NOW - found.ended_at >= DEADLINE:
        assert now.state is not RecordingState.IN_PROGRESS
    assert (now.state is RecordingState.RECORDED) == bool(found.files)
    assert (now.reason is not None) == (now.state in (RecordingState.FAILED, RecordingState.NOT_EXPECTED))


people = st.lists(
    st.builds(Somebody, sid=st.integers(0, 9).map(str), identity=st.just("x"), heard_at=st.integers(0, 60).map(ago)),
    max_size=4,
    unique_by=lambda one: one.sid,
).map(tuple)
calls = st.lists(
    st.builds(
        OpenCall,
        id=st.uuids(),
        room_sid=st.integers(0, 5).map(str),
        room_name=st.just("r"),
        heard_at=st.integers(0, 60).map(ago),
        people=people,
    ),
    max_size=4,
    unique_by=lambda one: one.room_sid,
)
rooms = st.lists(
    st.builds(LiveRoom, sid=st.integers(0, 5).map(str), people=st.none() | st.sets(st.integers(0, 9).map(str)).map(frozenset)),
    max_size=4,
    unique_by=lambda one: one.sid,
)


@given(calls, rooms)
def test_once_corrected_nothing_is_left_to_correct(known: list[OpenCall], there: list[LiveRoom]) -> None:
    missed = corrections(known, there, NOW, GRACE)
    ended = {one.call.id for one in missed if isinstance(one, Ended)}
    left = {(one.call.id, one.person.sid) for one in missed if isinstance(one, Left)}
    after = [
        OpenCall(one.id, one.room_sid, one.room_name, one.heard_at, tuple(p for p in one.people if (one.id, p.sid) not in left))
        for one in known
        if one.id not in ended
    ]
    assert corrections(after, there, NOW, GRACE) == ()
    live = {room.sid for room in there}
    assert all(one.call.room_sid not in live for one in missed if isinstance(one, Ended)), "no room that is there is ended"
    assert all(one.at <= NOW for one in missed)
