"""The demo calls, through the whole pipeline with the real demo model: are the words right, and is each said by whom it was said?"""

import re
from pathlib import Path

import jiwer
import pytest
from sqlalchemy import text

from demo.front_door import events, upload
from demo.truth import DemoCall, DemoEgress, load_calls
from domain.parties import Party
from resources.embedded_postgres import EmbeddedPostgres
from resources.livekit import read_event
from resources.store.database import engine_for
from resources.store.inbox import Inbox
from tests.assets.archive_world import World

CALLS = Path("demo/calls")
WORST_WER = 0.15


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z' ]", " ", text.lower()).split())


@pytest.fixture(scope="module")
def heard(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> World:
    admin = engine_for(postgres.owner_url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS heard WITH (FORCE)"))
        connection.execute(text('CREATE DATABASE heard TEMPLATE "template"'))
    admin.dispose()
    folder = tmp_path_factory.mktemp("heard")
    world = World(folder, postgres.url("heard"), overrides={"diarization_pipeline": str(Path("tests/data/diarization").resolve())})
    inbox = Inbox(engine_for(world.database_url))
    for call in load_calls(CALLS):
        upload(call, CALLS, world.intake, set())
        for event in events(call, CALLS):
            inbox.receive(read_event(event), "{}")
    days = world.query("SELECT DISTINCT (ended_at AT TIME ZONE 'UTC')::date::text FROM video_consultations ORDER BY 1")
    for (day,) in days:
        world.run(day=str(day))
    return world


def recordings() -> list[tuple[DemoCall, DemoEgress]]:
    return [(call, egress) for call in load_calls(CALLS) for egress in call.egresses if egress.file]


def turns(world: World, egress: DemoEgress) -> list[tuple[str, int | None, int, int, str]]:
    return world.query(  # type: ignore[return-value]
        "SELECT t.role, t.channel, t.start_ms, t.end_ms, t.text FROM turns t JOIN recordings r ON r.current_transcript_id = t.transcript_id"
        f" WHERE r.egress_id = '{egress.egress_id}' ORDER BY t.start_ms"
    )


def test_every_recording_is_done(heard: World) -> None:
    found = {row[0]: row[1] for row in heard.query("SELECT egress_id, stage FROM recordings WHERE gave_up_at IS NULL")}
    assert found == {egress.egress_id: "done" for _, egress in recordings()}


def test_the_words_are_right(heard: World) -> None:
    said, understood, by_call = [], [], {}
    for call, egress in recordings():
        channels = {turn.channel for turn in egress.turns}
        for channel in channels:
            reference = plain(" ".join(t.text for t in sorted(egress.turns, key=lambda t: t.start_ms) if t.channel == channel))
            hypothesis = plain(
                " ".join(row[4] for row in turns(heard, egress) if channel is None or len(channels) == 1 or row[1] == channel)
            )
            said.append(reference)
            understood.append(hypothesis)
            by_call[f"{call.name} {egress.file} {channel}"] = round(jiwer.wer(reference, hypothesis), 3)
    assert jiwer.wer(said, understood) <= WORST_WER, by_call


def test_every_turn_of_a_two_channel_recording_has_the_right_role(heard: World) -> None:
    wrong = []
    for call, egress in recordings():
        if egress.request.kind != "routes":
            continue
        for role, channel, start_ms, end_ms, words in turns(heard, egress):
            middle = (start_ms + end_ms) // 2
            on_channel = [turn for turn in egress.turns if turn.channel == channel]
            nearest = min(on_channel, key=lambda t: max(t.start_ms - middle, middle - t.end_ms, 0))
            if role != nearest.role.value:
                wrong.append((call.name, start_ms, role, nearest.role.value, words))
    assert wrong == []


def test_each_file_of_one_participant_is_theirs_alone(heard: World) -> None:
    for call, egress in recordings():
        if egress.request.kind == "participant":
            (role,) = {person.role for person in call.participants if person.identity == egress.request.identity}
            assert {row[0] for row in turns(heard, egress)} == {role.value}


def test_the_mix_is_told_apart_by_voice(heard: World) -> None:
    """The tests' small pipeline knows these two voices: most of the words get the right party, and none is given to somebody who was not there."""
    (egress,) = [egress for _, egress in recordings() if egress.request.kind == "room_composite"]
    right = total = 0
    for role, _, start_ms, end_ms, words in turns(heard, egress):
        assert role in (Party.CUSTOMER, Party.ASSISTANT, Party.UNKNOWN)
        nearest = min(egress.turns, key=lambda t: max(t.start_ms - (start_ms + end_ms) // 2, (start_ms + end_ms) // 2 - t.end_ms, 0))
        total += len(words.split())
        right += len(words.split()) * (role == nearest.role.value)
    assert right / total >= 0.7
