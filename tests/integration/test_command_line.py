"""The commands, run as a person types them, against a real store and a real intake."""

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.assets.archive_world import World

CALL = Path("tests/data/stereo_diarization.wav").resolve()
VOICE = Path("tests/data/jfk.flac").resolve()


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    return World(tmp_path / "data", database_url)


def verbatim(world: World, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ,
        "VERBATIM_DATABASE_URL": world.database_url,
        "VERBATIM_DATA_DIR": str(world.folder),
        "VERBATIM_SPEECH_MODEL": "demo",
        "COLUMNS": "200",
    }
    command = [sys.executable, "-c", "from cli.main import main; main()", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_an_import_whose_consent_nobody_knows_of_is_found_by_nobody(world: World) -> None:
    assert verbatim(world, "ingest", str(CALL), "--type", "support", "--started-at", "2025-03-03T15:00:00Z").returncode == 0
    world.run()
    assert world.query("SELECT consent, publication FROM evaluations") == [("unknown", "quarantined")]
    assert verbatim(world, "search", "speaker:unknown").returncode == 1
    state = verbatim(world, "status").stdout
    assert "1  calls in quarantine" in state and "wait for a reviewer" in state
    ((consultation_id,),) = world.query("SELECT id FROM video_consultations")
    shown = verbatim(world, "findings", "show", str(consultation_id))
    assert shown.returncode == 0 and "Consent unknown" in shown.stdout and "recording_consent" in shown.stdout
    again = verbatim(world, "findings", "again", str(consultation_id))
    assert again.returncode == 0 and "1 recordings are judged again" in again.stdout
    world.run()
    assert world.query("SELECT max(number) FROM evaluations") == [(2,)]
    assert "No verdict has changed" in verbatim(world, "findings", "changes").stdout


def test_a_file_is_imported_once_processed_and_found(world: World) -> None:
    options = ("--type", "support", "--left", "customer", "--right", "agent", "--started-at", "2025-03-03T15:00:00Z", "--consented")
    done = verbatim(world, "ingest", str(CALL), *options)
    assert done.returncode == 0, done.stderr
    assert "2 channels" in done.stdout
    again = verbatim(world, "ingest", str(CALL), *options)
    assert again.returncode == 0
    assert "was imported before" in again.stdout
    otherwise = verbatim(world, "ingest", str(CALL), "--type", "claims", "--left", "agent", "--right", "customer")
    assert otherwise.returncode == 1 and "with another type or other speakers" in otherwise.stdout
    same = verbatim(world, "ingest", str(CALL), "--type", "support", "--left", "agent", "--right", "agent")
    assert same.returncode == 1 and "both channels" in same.stderr
    assert world.query("SELECT count(*) FROM recordings") == [(1,)]
    world.run()
    assert world.query("SELECT stage, channels FROM recordings") == [("done", 2)]
    assert {row[0] for row in world.query("SELECT role FROM turns")} <= {"customer", "agent"}
    assert world.files(world.intake) == []
    state = json.loads(verbatim(world, "status", "--json").stdout)
    assert state["recordings"] == {"done": 1}
    (word,) = world.query("SELECT split_part(words, ' ', 1) FROM search_documents ORDER BY turn_id LIMIT 1")[0]
    found = verbatim(world, "search", str(word), "--json")
    assert found.returncode == 0
    assert json.loads(found.stdout.splitlines()[0])["type"] == "support"
    piped = verbatim(world, "search", "speaker:(customer OR agent)").stdout.splitlines()
    assert world.query("SELECT count(*) FROM turns") == [(len(piped),)], "a hit is a line, for other programs to read"


def test_a_voice_recording_belongs_to_its_one_speaker(world: World) -> None:
    done = verbatim(world, "ingest", str(VOICE), "--type", "training", "--role", "partner", "--started-at", "2025-03-03")
    assert done.returncode == 0, done.stderr
    world.run()
    assert {row[0] for row in world.query("SELECT role FROM turns")} <= {"partner"}
    assert world.query("SELECT stage FROM recordings") == [("done",)]


def test_what_cannot_be_imported_is_refused_and_does_not_keep_the_others_out(world: World, tmp_path: Path) -> None:
    letter = tmp_path / "letter.ogg"
    letter.write_text("Dear customer")
    done = verbatim(world, "ingest", str(letter), str(tmp_path / "nowhere.wav"), str(CALL), "--type", "quote", "--started-at", "2025-03-03")
    assert done.returncode == 1
    assert "not_media" in done.stdout
    assert "no such file" in done.stdout
    assert world.query("SELECT count(*) FROM recordings") == [(1,)]
    early = verbatim(world, "ingest", str(VOICE), "--type", "quote", "--started-at", "1999-01-01")
    assert early.returncode == 1
    assert "before 2015-01-01" in early.stdout
    mono = tmp_path / "mono.wav"
    shutil.copyfile(VOICE, mono)
    both = verbatim(world, "ingest", str(mono), "--type", "quote", "--left", "agent", "--role", "agent")
    assert both.returncode == 1
    assert "one or the other" in both.stderr


def test_status_says_why_and_retry_starts_over(world: World) -> None:
    world.call(1, None)
    world.clock_offset = timedelta(minutes=70)
    world.run()
    shown = verbatim(world, "status").stdout
    assert "never_arrived" in shown
    assert "given up" in shown
    shutil.copyfile("demo/calls/payment-card-read-out.ogg", world.intake / "0001.ogg")
    (world.intake / "recordings").mkdir(exist_ok=True)
    shutil.move(world.intake / "0001.ogg", world.intake / "recordings" / "0001.ogg")
    world.query("UPDATE recordings SET announced_bytes = NULL RETURNING id")
    done = verbatim(world, "retry", "--all")
    assert "1 recordings start over" in done.stdout
    world.run()
    assert world.query("SELECT stage FROM recordings") == [("done",)]
    assert json.loads(verbatim(world, "status", "--json").stdout)["failures"] == []


def test_mistakes_end_in_one_line_that_helps(world: World) -> None:
    wrong = verbatim(world, "search", "speaker:bob")
    assert wrong.returncode == 2
    assert "customer, agent, assistant" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    nothing = verbatim(world, "search", "unsaid")
    assert nothing.returncode == 1
    assert verbatim(world, "retry").returncode == 2


def test_a_database_that_is_down_is_said_so(world: World) -> None:
    world.database_url = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    done = verbatim(world, "status")
    assert done.returncode == 1
    assert "VERBATIM_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_status_counts_the_calls_that_go_on(world: World) -> None:
    columns = "INSERT INTO video_consultations (id, room_name, consultation_type, started_at, ended_at, archived)"
    for started, ended, archived in (("now()", "NULL", "false"), ("now()", "NULL", "false"), ("now()", "NULL", "true"),
                                     ("now()", "now()", "false"), ("NULL", "NULL", "false")):  # fmt: skip
        world.query(
            f"{columns} VALUES (gen_random_uuid(), gen_random_uuid()::text, 'support', {started}, {ended}, {archived}) RETURNING id"
        )
    assert "2  calls going on" in verbatim(world, "status").stdout
    assert json.loads(verbatim(world, "status", "--json").stdout)["calls_now"] == 2
