"""Webhooks in any order, repeated, or missing end in the same right state; told here by what the store then holds."""

import itertools
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livekit.protocol import egress as egress_pb
from livekit.protocol.webhook import WebhookEvent
from sqlalchemy import Engine, delete, insert, select, text, update

from demo.livekit_events import File, Person, Room, audio_track_event, body_of, egress_event, participant_event, room_event, routes
from resources.livekit import read_event
from resources.store.inbox import Inbox, Outcome
from resources.tables import consultations, users

T0 = datetime(2025, 3, 3, 15, 0, 0, 250_000, tzinfo=UTC)
NAME = "consultation_claims_20250303T150000Z_0123456789abcdef01234567"
SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def file(name: str, end: float = 61) -> File:
    return File(name, f"http://127.0.0.1:9000/intake/{name}", at(5), at(end), 123_456)


def ended(event_id: str, room: Room, egress_id: str, status: str = "EGRESS_COMPLETE", files: Sequence[File] = ()) -> WebhookEvent:
    request = routes(["cus_1"], ["agt_1", "ai_1"])
    return egress_event("egress_ended", event_id, at(63), room, egress_id, status, request, started_at=at(4), ended_at=at(62), files=files)


def call(prefix: str = "a", begin: float = 0, name: str = NAME) -> list[WebhookEvent]:
    """A call as LiveKit tells it: assistant, customer and agent, one egress with a file, one that failed, one that hit its limit with two files."""
    room = Room(f"RM_{prefix}", name, at(begin))
    cus = Person(f"PA_{prefix}cus", "cus_1", "customer", at(begin + 1))
    ai = Person(f"PA_{prefix}ai", "ai_1", "", at(begin + 1.5), kind="AGENT")
    agt = Person(f"PA_{prefix}agt", "agt_1", "agent", at(begin + 30))
    recorder = Person(f"PA_{prefix}eg", f"EG_{prefix}1", "", at(begin + 3), kind="EGRESS")
    request = routes(["cus_1"], ["agt_1", "ai_1"])
    e = f"EV_{prefix}"
    return [
        room_event("room_started", f"{e}1", at(begin), room),
        participant_event("participant_joined", f"{e}2", at(begin + 1), room, cus),
        audio_track_event("track_published", f"{e}3", at(begin + 2), room, cus, f"TR_{prefix}c"),
        participant_event("participant_joined", f"{e}4", at(begin + 1.5), room, ai),
        participant_event("participant_joined", f"{e}5", at(begin + 3), room, recorder),
        egress_event("egress_started", f"{e}6", at(begin + 4), room, f"EG_{prefix}1", "EGRESS_ACTIVE", request, started_at=at(begin + 4)),
        participant_event("participant_joined", f"{e}7", at(begin + 30), room, agt),
        participant_event("participant_left", f"{e}8", at(begin + 35), room, ai),
        participant_event("participant_left", f"{e}9", at(begin + 60), room, cus),
        room_event("room_finished", f"{e}10", at(begin + 62), room),
        ended(f"{e}11", room, f"EG_{prefix}1", files=[file(f"{prefix}/1.ogg")]),
        ended(f"{e}12", room, f"EG_{prefix}2", "EGRESS_FAILED"),
        ended(f"{e}13", room, f"EG_{prefix}3", "EGRESS_LIMIT_REACHED", files=[file(f"{prefix}/3a.ogg"), file(f"{prefix}/3b.ogg")]),
        ended(f"{e}14", room, f"EG_{prefix}4", "EGRESS_ABORTED", files=[File("never.ogg", "", at(5), at(5), 0)]),
    ]


def test_of_two_endings_of_one_egress_the_better_one_counts(engine: Engine) -> None:
    room = Room("RM_a", NAME, at(0))
    failed = ended("EV_1", room, "EG_1", "EGRESS_FAILED")
    aborted = ended("EV_2", room, "EG_1", "EGRESS_ABORTED", files=[file("x.ogg")])
    complete = ended("EV_3", room, "EG_1", files=[file("x.ogg")])
    states = []
    for told in itertools.permutations([failed, aborted, complete]):
        states.append(told_in_order(engine, told))
    assert all(one == states[0] for one in states)
    assert [(r[2], r[3], r[7], r[10]) for r in states[0]["recordings"]] == [("x.ogg", "EGRESS_COMPLETE", [], False)]
    assert states[0]["failures"] == []


@pytest.mark.parametrize("name", [NAME, "a room of somebody's own naming"])
def test_a_consultation_that_was_there_before_its_room_belongs_to_the_first_of_its_name(engine: Engine, name: str) -> None:
    calls = [call("a", 0, name), call("b", 3_600, name)]
    customer, consultation = uuid4(), uuid4()
    states = []
    for told in (calls[0] + calls[1], calls[1] + calls[0], [one for pair in zip(calls[1], calls[0], strict=True) for one in pair]):
        clear(engine)
        with engine.begin() as connection:
            connection.execute(insert(users).values(id=customer, role="customer"))
            made = {"id": consultation, "room_name": name, "consultation_type": "claims", "customer_id": customer}
            connection.execute(insert(consultations).values(**made))
        send(engine, told)
        states.append(state(engine))
        with engine.begin() as connection:
            row = connection.execute(select(consultations).where(consultations.c.customer_id == customer)).one()
            assert (row.id, row.room_sid, row.room_name) == (consultation, "RM_a", name)
            connection.execute(update(consultations).values(customer_id=None))
            connection.execute(delete(users))
    assert all(one == states[0] for one in states)
    assert [(row[0], row[1]) for row in states[0]["calls"]] == [("RM_a", name), ("RM_b", f"{name}~RM_b")]


def send(engine: Engine, events: Sequence[WebhookEvent]) -> list[Outcome]:
    return [Inbox(engine).receive(read_event(event), body_of(event).decode()) for event in events]


STATE = {
    "calls": "SELECT room_sid, room_name, consultation_type, started_at, ended_at, duration_seconds, ai_handled, escalated_to_human"
    " FROM video_consultations ORDER BY room_sid",
    "people": "SELECT p.sid, c.room_sid, p.identity, p.role, p.joined_at, p.left_at, p.microphone_at, p.audio_tracks"
    " FROM participants p JOIN video_consultations c ON c.id = p.consultation_id ORDER BY p.sid",
    "recordings": "SELECT c.room_sid, r.egress_id, r.file_name, r.egress_status, r.started_at, r.ended_at, r.announced_bytes, r.flags, r.stage,"
    " r.layout::text, r.gave_up_at IS NOT NULL FROM recordings r JOIN video_consultations c ON c.id = r.consultation_id ORDER BY 2, 3",
    "failures": "SELECT r.egress_id, f.reason, f.gave_up FROM failures f JOIN recordings r ON r.id = f.recording_id ORDER BY 1",
    "inbox": "SELECT w.room_sid, count(*), count(*) FILTER (WHERE applied_at IS NULL) FROM webhook_events w GROUP BY 1 ORDER BY 1",
}


def state(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {name: [tuple(row) for row in connection.execute(text(query))] for name, query in STATE.items()}


def clear(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in ("failures", "webhook_events", "participants", "recordings", "video_consultations"):
            connection.execute(text(f"DELETE FROM {table}"))


def told_in_order(engine: Engine, events: Sequence[WebhookEvent]) -> dict[str, list[tuple[Any, ...]]]:
    clear(engine)
    send(engine, events)
    return state(engine)


def test_a_call_in_order(engine: Engine) -> None:
    assert send(engine, call()) == [Outcome.APPLIED] * 14
    told = state(engine)
    assert told["calls"] == [("RM_a", NAME, "claims", at(0), at(62).replace(microsecond=0), 62, True, True)]
    assert [(p[0], p[3]) for p in told["people"]] == [("PA_aagt", "agent"), ("PA_aai", "assistant"), ("PA_acus", "customer")]
    customer = told["people"][2]
    assert customer[5] == at(60).replace(microsecond=0) and customer[7] == ["TR_ac"]
    assert [(r[1], r[2], r[7], r[8], r[10]) for r in told["recordings"]] == [
        ("EG_a1", "a/1.ogg", [], "recordings", False),
        ("EG_a2", "", ["egress_failed"], "recordings", True),
        ("EG_a3", "a/3a.ogg", ["limit_reached"], "recordings", False),
        ("EG_a3", "a/3b.ogg", ["limit_reached"], "recordings", False),
        ("EG_a4", "", ["aborted"], "recordings", True),
    ]
    assert told["failures"] == [("EG_a2", "egress_failed", True), ("EG_a4", "egress_failed", True)]


@SLOW
@given(seed=st.integers(0, 2**32), repeats=st.integers(0, 10))
def test_any_order_and_any_repetition_end_alike(engine: Engine, seed: int, repeats: int) -> None:
    events = call()
    expected = told_in_order(engine, events)
    shuffled = random.Random(seed)
    told = [*events, *shuffled.choices(events, k=repeats)]
    shuffled.shuffle(told)
    clear(engine)
    send(engine, told)
    assert state(engine) == expected


@SLOW
@given(seed=st.integers(0, 2**32))
def test_a_reused_room_name_is_another_consultation(engine: Engine, seed: int) -> None:
    first, second = call("a"), call("b", begin=3600)
    expected = told_in_order(engine, [*first, *second])
    assert [row[:2] for row in expected["calls"]] == [("RM_a", NAME), ("RM_b", f"{NAME}~RM_b")]
    told = [*first, *second]
    random.Random(seed).shuffle(told)
    clear(engine)
    send(engine, told)
    assert state(engine) == expected


@SLOW
@given(kept=st.sets(st.integers(0, 13)), seed=st.integers(0, 2**32))
def test_dropped_events_lose_only_what_they_alone_said(engine: Engine, kept: set[int], seed: int) -> None:
    events = call()
    whole = told_in_order(engine, events)
    told = [events[n] for n in kept]
    random.Random(seed).shuffle(told)
    clear(engine)
    send(engine, told)
    found = state(engine)
    assert len(found["calls"]) == (1 if kept else 0)
    assert {r[1:4] for r in found["recordings"]} == {r[1:4] for r in whole["recordings"] if _egress_event(r[1]) in kept}
    for row in found["people"]:
        full = next(r for r in whole["people"] if r[0] == row[0])
        assert all(mine in (None, theirs, []) for mine, theirs in zip(row, full, strict=True))
    assert all(waiting == 0 for _, _, waiting in found["inbox"])
    # Sent again, as reconciliation will one day do, the missing ones bring it to the whole state.
    send(engine, events)
    assert state(engine) == whole


def _egress_event(egress_id: str) -> int:
    return {"EG_a1": 10, "EG_a2": 11, "EG_a3": 12, "EG_a4": 13}[egress_id]


def test_the_same_ending_under_a_new_id_is_stored_once(engine: Engine) -> None:
    room = Room("RM_a", NAME, at(0))
    outcomes = send(engine, [ended("EV_1", room, "EG_1", files=[file("x.ogg")]), ended("EV_2", room, "EG_1", files=[file("x.ogg")])])
    assert outcomes == [Outcome.APPLIED, Outcome.DUPLICATE]
    assert len(state(engine)["recordings"]) == 1


def test_a_room_that_nobody_knows_waits_until_it_becomes_known(engine: Engine) -> None:
    """The egress of a room with a foreign name comes first; then the room says in its metadata what it is."""
    bare, known = Room("RM_x", "standup", at(0)), Room("RM_x", "standup", at(0), metadata='{"type": "support"}')
    assert send(engine, [ended("EV_1", bare, "EG_1", files=[file("x.ogg")])]) == [Outcome.WAITING]
    assert state(engine)["recordings"] == [] and state(engine)["inbox"] == [("RM_x", 1, 1)]
    assert send(engine, [room_event("room_finished", "EV_2", at(62), known)]) == [Outcome.APPLIED]
    told = state(engine)
    assert [r[:3] for r in told["recordings"]] == [("RM_x", "EG_1", "x.ogg")]
    assert told["inbox"] == [("RM_x", 2, 0)]
    assert told["calls"][0][2:4] == ("support", at(0))


def test_first_events_at_the_same_time_make_one_consultation(engine: Engine) -> None:
    """Every event of two rooms with one name, all at once, from eight connections."""
    first, second = call("a"), call("b", begin=3600)
    expected = told_in_order(engine, [*first, *second])
    for seed in range(5):
        told = [*first, *second, *first]
        random.Random(seed).shuffle(told)
        clear(engine)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda event: send(engine, [event]), told))
        assert state(engine) == expected


def test_room_events_of_seconds_end_no_call_before_it_began(engine: Engine) -> None:
    """LiveKit sends createdAt in whole seconds: a room of 0.2 s seems to have finished before it was created."""
    room = Room("RM_s", NAME, datetime(2025, 3, 3, 15, 0, 0, 900_000, tzinfo=UTC))
    send(engine, [room_event("room_started", "EV_1", room.started_at, room), room_event("room_finished", "EV_2", room.started_at, room)])
    assert state(engine)["calls"][0][5] == 0


def test_layouts_are_kept_as_egress_was_asked(engine: Engine) -> None:
    room = Room("RM_a", NAME, at(0))
    one = egress_pb.ParticipantEgressRequest(room_name=NAME, identity="prt_1")
    event = egress_event(
        "egress_ended", "EV_1", at(63), room, "EG_1", "EGRESS_COMPLETE", one, started_at=at(4), ended_at=at(62), files=[file("p.ogg")]
    )
    send(engine, [event])
    with engine.connect() as connection:
        layout = connection.execute(text("SELECT layout FROM recordings")).scalar_one()
    assert layout == {"kind": "participant", "routes": [{"channel": "both", "identity": "prt_1"}]}
