"""A day's run, seen from its results: what is in the store, in the archive, in the intake, in search and in the Dagster UI."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg
import pytest

from domain.search import parse
from resources.policies import WrongPolicy
from resources.search.postgres import PostgresIndex
from resources.speech.model import ModelUnavailable, SpeechModel
from resources.store.database import engine_for
from resources.store.work import days_with_work
from tests.assets.archive_world import DAY, World

CALL = Path("demo/calls/payment-card-read-out.ogg")


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    return World(tmp_path / "data", database_url)


def stages(world: World) -> list[tuple[object, ...]]:
    return world.query("SELECT egress_id, stage, gave_up_at IS NOT NULL FROM recordings ORDER BY 1")


def failures(world: World) -> list[tuple[object, ...]]:
    return world.query(
        "SELECT r.egress_id, f.stage, f.reason, f.attempt, f.gave_up FROM failures f JOIN recordings r ON r.id = f.recording_id"
        " WHERE f.cleared_at IS NULL ORDER BY 1, f.id"
    )


def test_a_call_goes_from_intake_to_search(world: World) -> None:
    world.call(1, CALL, seconds=60)
    loads = SpeechModel.loads
    result = world.run()
    assert SpeechModel.loads == loads + 1
    assert stages(world) == [("EG_0001", "done", False)]
    assert world.files(world.intake) == []
    media, rendition, transcript = world.files(world.archive)
    assert media.endswith("/media.ogg") and "/renditions/" in rendition and "/transcripts/" in transcript
    (call,) = world.query("SELECT transcript, recording_url, ended_at FROM video_consultations")
    assert "security code" in str(call[0]).lower() and str(call[1]).endswith("/media.ogg")
    assert world.files(world.folder / "work") == []
    metadata = result.asset_materializations_for_node("transcripts")[0].metadata
    assert metadata["processed"].value == 1 and metadata["failed"].value == 0
    assert all(evaluation.passed for evaluation in result.get_asset_check_evaluations())
    assert search(world, "speaker:customer code OR speaker:agent code")


def search(world: World, query: str) -> list[object]:
    engine = engine_for(world.database_url)
    try:
        return list(PostgresIndex(engine).search(parse(query), limit=50).hits)
    finally:
        engine.dispose()


def test_bad_files_fail_with_their_reason_and_their_neighbours_do_not(world: World, tmp_path: Path) -> None:
    bad = {
        2: (b"", "empty"),
        3: (b"RIFF" + (36).to_bytes(4, "little") + b"WAVEfmt " + bytes([16, 0, 0, 0, 1, 0, 1, 0, 64, 31, 0, 0, 128, 62, 0, 0, 2, 0, 16, 0])
            + b"data" + bytes(4), "no_media"),
        4: (CALL.read_bytes()[: CALL.stat().st_size // 2], "truncated"),
        5: (b"this is no recording, it is a letter\n" * 200, "not_media"),
    }  # fmt: skip
    world.call(1, CALL, seconds=60)
    for number, (content, _) in bad.items():
        path = tmp_path / f"{number}.ogg"
        path.write_bytes(content)
        world.call(number, path, announced_bytes=CALL.stat().st_size if number == 4 else None)
    world.call(6, CALL, seconds=60)
    result = world.run()
    assert [row[1:] for row in stages(world)] == [("done", False), *[("recordings", True)] * 4, ("done", False)]
    assert [(row[0], row[2]) for row in failures(world)] == [(f"EG_{n:04d}", reason) for n, (_, reason) in bad.items()]
    assert len(world.files(world.intake)) == 4, "what failed stays where it is"
    checks = {(e.asset_key.to_user_string(), e.passed) for e in result.get_asset_check_evaluations()}
    assert ("recordings", False) in checks and ("transcripts", True) in checks
    table = result.asset_materializations_for_node("recordings")[0].metadata["failures"]
    assert isinstance(table, dg.TableMetadataValue) and len(table.records) == 4


def test_a_file_that_is_late_is_waited_for_and_one_that_never_comes_is_given_up(world: World) -> None:
    world.call(1, None)
    world.run()
    assert stages(world) == [("EG_0001", "recordings", False)] and failures(world) == []
    shutil.copyfile(CALL, _intake_path(world, 1))
    world.query("UPDATE recordings SET announced_bytes = NULL RETURNING id")
    world.run()
    assert stages(world) == [("EG_0001", "recordings", False)], "it is looked for again after a while, not at once"
    world.clock_offset = timedelta(minutes=2)
    world.run()
    assert stages(world) == [("EG_0001", "done", False)]
    world.call(2, None)
    world.clock_offset = timedelta(minutes=70)
    world.run()
    assert failures(world) == [("EG_0002", "recordings", "never_arrived", 1, True)]


def _intake_path(world: World, number: int) -> Path:
    path = world.intake / f"recordings/{number:04d}.ogg"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_another_model_adds_a_version_and_supersedes(world: World) -> None:
    world.call(1, CALL, seconds=60)
    world.run()
    (recording,) = world.query("SELECT id FROM recordings")
    world.overrides["speech_beam_size"] = 1
    world.run()
    assert len(world.query("SELECT id FROM transcripts")) == 1, "nothing waits, so nothing is done"
    world.run(only=[UUID(str(recording[0]))])
    versions = world.query("SELECT superseded_at IS NOT NULL, t.id = r.current_transcript_id FROM transcripts t JOIN recordings r"
                           " ON r.id = t.recording_id ORDER BY t.created_at")  # fmt: skip
    assert versions == [(True, False), (False, True)]
    assert len([name for name in world.files(world.archive) if "/transcripts/" in name]) == 2
    assert stages(world) == [("EG_0001", "done", False)]
    (indexed,) = world.query("SELECT count(DISTINCT transcript_id) FROM search_documents")
    assert indexed == (1,)
    world.run(only=[UUID(str(recording[0]))])
    assert len(world.query("SELECT id FROM transcripts")) == 2, "the same model again adds nothing"


def test_a_missing_model_stops_the_run_and_burns_no_attempt(world: World) -> None:
    world.call(1, CALL, seconds=60)
    world.overrides["speech_model"] = str(world.folder / "no-such-model")
    with pytest.raises(ModelUnavailable, match="VERBATIM_SPEECH_MODEL"):
        world.run()
    assert stages(world) == [("EG_0001", "transcripts", False)] and failures(world) == []
    assert world.query("SELECT lease_owner FROM recordings") == [(None,)]
    revision = day_revision(world)
    with pytest.raises(ModelUnavailable):
        world.run()
    assert day_revision(world) == revision, "else the sensor would take it for new work and not wait longer each time"
    del world.overrides["speech_model"]
    world.run()
    assert stages(world) == [("EG_0001", "done", False)]


@pytest.mark.parametrize(
    ("setting", "stage", "content", "told"),
    [
        ("rules_dir", "findings", b"rules: [", r"wrong\.yaml is no YAML, line 1"),
        ("redact_terms_file", "redactions", "Bl\xfccher".encode("latin-1"), r"wrong\.yaml of VERBATIM_REDACT_TERMS_FILE, line 1"),
    ],
)
def test_a_mistake_in_the_rules_stops_the_run_and_is_no_recordings_fault(
    world: World, setting: str, stage: str, content: bytes, told: str
) -> None:
    world.call(1, CALL, seconds=60)
    folder = world.folder / "mine"
    folder.mkdir()
    (folder / "wrong.yaml").write_bytes(content)
    world.overrides[setting] = str(folder if setting == "rules_dir" else folder / "wrong.yaml")
    with pytest.raises(WrongPolicy, match=told):
        world.run()
    assert stages(world) == [("EG_0001", stage, False)] and failures(world) == []
    assert world.query("SELECT lease_owner FROM recordings") == [(None,)]
    del world.overrides[setting]
    world.run()
    assert stages(world) == [("EG_0001", "done", False)]


def day_revision(world: World) -> str:
    engine = engine_for(world.database_url)
    with engine.connect() as connection:
        (day,) = days_with_work(connection, datetime.now(UTC))
    engine.dispose()
    return day.revision


def test_what_others_put_in_the_place_of_an_archived_upload_stays(world: World) -> None:
    world.call(1, CALL, seconds=60)
    world.run()
    assert world.files(world.intake) == []
    another = _intake_path(world, 1)
    another.write_bytes(b"the upload of somebody else")
    world.query("UPDATE recordings SET archived_transcript_id = NULL, intake_cleared_at = NULL RETURNING 1")  # as a kill leaves it
    world.run()
    assert stages(world) == [("EG_0001", "done", False)]
    assert another.read_bytes() == b"the upload of somebody else"
    recording_id = world.query("SELECT id FROM recordings")[0][0]
    world.overrides["speech_beam_size"] = 1
    another.write_bytes(CALL.read_bytes())
    world.run(only=[UUID(str(recording_id))])
    assert world.query("SELECT count(*) FROM transcripts") == [(2,)]
    assert another.exists(), "what was cleared once is never touched again"


def test_one_upload_that_two_egresses_announce_serves_both(world: World) -> None:
    world.call(1, CALL, seconds=60)
    world.call(2, CALL, seconds=60)
    _intake_path(world, 2).unlink()
    world.query(
        "UPDATE recordings SET location = replace(location, '0002', '0001'), file_name = replace(file_name, '0002', '0001') RETURNING 1"
    )
    world.run()
    assert stages(world) == [("EG_0001", "done", False), ("EG_0002", "done", False)]
    assert world.files(world.intake) == []


def test_an_object_that_changed_after_ingest_is_refused(world: World) -> None:
    world.call(1, CALL, seconds=60)
    world.overrides["speech_model"] = str(world.folder / "no-such-model")
    world.run(raise_on_error=False)
    path = _intake_path(world, 1)
    changed = bytearray(path.read_bytes())
    changed[len(changed) // 2] ^= 1
    path.write_bytes(bytes(changed))
    del world.overrides["speech_model"]
    world.run()
    assert failures(world) == [("EG_0001", "transcripts", "changed_after_ingest", 1, True)]
    assert world.files(world.archive) == [] and len(world.files(world.intake)) == 1


def test_an_unexpected_fault_is_tried_five_times_with_growing_delays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.call(1, CALL, seconds=60)

    def broken(*_: object, **__: object) -> None:
        raise ValueError("the customer said: my card number is 4111")

    monkeypatch.setattr("assets.transcripts.transcribe", broken)
    for attempt, minutes in enumerate((0, 2, 8, 30, 200), 1):
        world.clock_offset = timedelta(minutes=minutes)
        world.run()
        assert len(failures(world)) == attempt
        world.run()
        assert len(failures(world)) == attempt, "not before its time"
    assert [row[3:] for row in failures(world)] == [(1, False), (2, False), (3, False), (4, False), (5, True)]
    (detail,) = world.query("SELECT DISTINCT detail FROM failures")
    assert "ValueError" in str(detail[0]) and "4111" not in str(detail[0])


def test_the_run_of_one_recording_carries_its_id_as_a_tag(world: World) -> None:
    world.call(1, CALL, seconds=60)
    world.call(2, CALL, seconds=60)
    (first,) = world.query("SELECT id FROM recordings WHERE egress_id = 'EG_0001'")
    with dg.DagsterInstance.ephemeral() as instance:
        result = world.run(only=[UUID(str(first[0]))], instance=instance)
        run = instance.get_run_by_id(result.run_id)
        assert run is not None and run.tags["verbatim/recording_id"] == str(first[0])
    assert stages(world) == [("EG_0001", "done", False), ("EG_0002", "recordings", False)]


def test_a_batch_ends_at_its_limit_and_the_next_run_goes_on(world: World) -> None:
    for number in range(1, 4):
        world.call(number, CALL, seconds=60)
    world.overrides["batch_audio_minutes"] = 1
    done = []
    for _ in range(3):
        world.run()
        done.append([row[1] for row in stages(world)].count("done"))
    assert done == [1, 2, 3]


def test_partition_of_the_day(world: World) -> None:
    world.call(1, CALL, seconds=60)
    assert world.query("SELECT ended_at::date FROM video_consultations")[0][0].isoformat() == DAY  # type: ignore[attr-defined]
