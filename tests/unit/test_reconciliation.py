"""What was missed, and what became of a recording: by example, and for any history of what was and was not told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import given

from domain.egress_layout import EgressLayout, LayoutKind
from domain.reconciliation import Ended, Evidence, Left, LiveRoom, OpenCall, Outcome, Part, RecordingState, Somebody, corrections, outcome
from domain.recording_control import customer_apart, one_party

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


def test_nobody_left_before_they_came_although_events_tell_whole_seconds_only() -> None:
    late = replace(ANNA, heard_at=ago(30) + timedelta(milliseconds=639))
    known = call(30, late)
    assert corrections([known], [], NOW, GRACE) == (Left(known, late, late.heard_at), Ended(known, late.heard_at))


def test_a_room_that_is_there_goes_on_and_who_is_not_in_it_has_left() -> None:
    known = call(30, ANNA, Somebody("PA_b", "bert", ago(50)))
    assert corrections([known], [LiveRoom("RM_1", frozenset({"PA_b"}))], NOW, GRACE) == (Left(known, ANNA, NOW),)
    assert corrections([known], [LiveRoom("RM_1", None)], NOW, GRACE) == ()


def test_what_was_heard_of_a_moment_ago_is_left_alone() -> None:
    assert corrections([call(1.9, ANNA)], [], NOW, GRACE) == ()
    just = Somebody("PA_c", "carla", ago(1))
    assert corrections([call(30, just)], [LiveRoom("RM_1", frozenset())], NOW, GRACE) == ()


HERE, EXPECTED = Part("recording 1", arrived=True), Part("recording 2", may_come=True)
NO_FILE = Part("recording 3", why="no_file")
APART = customer_apart("cu", ["ag"])


def ordered(why: str, layout: EgressLayout = APART, *, began: bool = False) -> Part:
    return Part("order 4", why=why, began=began, layout=layout)


def file_of(layout: EgressLayout) -> Part:
    return Part("recording 5", arrived=True, layout=layout)


def seen(*parts: Part, ended: float = 300, driven: bool = True, **more: bool) -> Evidence:
    return Evidence(ago(ended), parts, driven=driven, **more)


@pytest.mark.parametrize(
    ("evidence", "state", "reason"),
    [
        (seen(HERE), "recorded", None),
        (seen(HERE, HERE), "recorded", None),
        (seen(NO_FILE), "failed", "no_file"),
        (seen(HERE, NO_FILE), "failed", "no_file (recording 3)"),
        (seen(HERE, EXPECTED, NO_FILE), "failed", "not_fetched (recording 2), no_file (recording 3)"),
        (seen(EXPECTED), "failed", "not_fetched"),
        (seen(EXPECTED, ended=119), "in_progress", None),
        (seen(HERE, EXPECTED, ended=119), "in_progress", None),
        (seen(NO_FILE, ended=119), "failed", "no_file"),
        (seen(NO_FILE, EXPECTED), "failed", "no_file"),
        (seen(HERE, *[NO_FILE] * 7), "failed", ", ".join(["no_file (recording 3)"] * 5) + ", and 2 more"),
        (seen(ordered("livekit_refused"), file_of(APART)), "recorded", None),
        (seen(ordered("EGRESS_ABORTED"), file_of(customer_apart("cu"))), "recorded", None),
        (seen(ordered("lost", began=True), file_of(APART)), "failed", "lost (order 4)"),
        (seen(ordered("livekit_refused", one_party("pa")), file_of(one_party("pa"))), "recorded", None),
        (seen(ordered("livekit_refused", one_party("pa")), file_of(one_party("tr"))), "failed", "livekit_refused (order 4)"),
        (seen(ordered("livekit_refused", EgressLayout(LayoutKind.MIXED)), HERE), "failed", "livekit_refused (order 4)"),
        (seen(ordered("livekit_refused")), "failed", "livekit_refused"),
        (seen(refused=True), "refused", None),
        (seen(refused=True, ended=1), "refused", None),
        (seen(), "not_expected", "no_consent"),
        (seen(consented=True), "failed", "never_started"),
        (seen(consented=True, refused=True), "failed", "never_started"),
        (seen(consented=True, empty=True), "not_expected", "nobody_came"),
        (seen(driven=False), "not_expected", "recorded_elsewhere_or_not_at_all"),
    ],
)
def test_what_became_of_a_recording(evidence: Evidence, state: str, reason: str | None) -> None:
    assert outcome(evidence, NOW, DEADLINE) == Outcome(RecordingState(state), reason)


layouts = st.sampled_from([APART, customer_apart("cu"), one_party("cu"), one_party("ag"), EgressLayout(LayoutKind.MIXED)])
parts = st.builds(
    Part,
    which=st.sampled_from(["recording 1", "order 2"]),
    arrived=st.booleans(),
    why=st.sampled_from(["no_file", "lost"]),
    may_come=st.booleans(),
    began=st.booleans(),
    layout=layouts,
)
evidence = st.builds(
    Evidence,
    ended_at=st.integers(0, 10_000).map(ago),
    parts=st.lists(parts, max_size=4).map(tuple),
    driven=st.booleans(),
    consented=st.booleans(),
    empty=st.booleans(),
    refused=st.booleans(),
)


@given(evidence)
def test_nothing_is_in_progress_beyond_the_deadline_and_a_failure_has_a_reason(found: Evidence) -> None:
    now = outcome(found, NOW, DEADLINE)
    if NOW - found.ended_at >= DEADLINE:
        assert now.state is not RecordingState.IN_PROGRESS
    if now.state is RecordingState.RECORDED:
        assert any(part.arrived for part in found.parts)
        assert all(part.arrived or not part.began for part in found.parts)
    if found.parts:
        assert now.state in (RecordingState.RECORDED, RecordingState.FAILED, RecordingState.IN_PROGRESS)
    assert (now.reason is not None) == (now.state in (RecordingState.FAILED, RecordingState.NOT_EXPECTED))


@given(evidence)
def test_once_everything_has_come_it_is_recorded_and_stays_so(found: Evidence) -> None:
    whole = replace(found, parts=tuple(replace(part, arrived=True) for part in found.parts))
    assert (outcome(whole, NOW, DEADLINE).state is RecordingState.RECORDED) == bool(found.parts)


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
    assert all(one.at >= one.person.heard_at for one in missed if isinstance(one, Left))
