"""The reconciliation as Dagster runs it: by its job, with what it found as metadata."""

from contextlib import nullcontext
from pathlib import Path

import dagster as dg

from pipelines.definitions import build_definitions
from resources.store.database import engine_for
from tests.assets.archive_world import World


def test_the_hourly_job_tells_what_became_of_every_call(postgres_url: str, tmp_path: Path) -> None:
    world = World(tmp_path, postgres_url)
    (tmp_path / "intake").mkdir()
    world.call(1, Path("tests/data/call.ogg"))
    world.call(2, None)
    world.run()
    engine = engine_for(postgres_url)
    definitions = build_definitions(world.settings, nullcontext(world.services(engine)))
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("reconcile").execute_in_process(instance=instance)
        (materialized,) = result.asset_materializations_for_node("reconciliation")
    engine.dispose()
    assert result.success
    found = [materialized.metadata[name].value for name in ("calls_recorded", "calls_failed", "decided")]
    assert found == [1, 1, 2]
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    states = world.query("SELECT recording_state, recording_reason FROM video_consultations ORDER BY room_sid")
    assert states == [("recorded", None), ("failed", "not_fetched")], "what was only announced is not recorded"
    (schedule,) = definitions.schedules or ()
    assert isinstance(schedule, dg.ScheduleDefinition) and schedule.cron_schedule == "17 * * * *"
