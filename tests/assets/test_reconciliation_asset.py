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
    engine = engine_for(postgres_url)
    definitions = build_definitions(world.settings, nullcontext(world.services(engine)))
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("reconcile").execute_in_process(instance=instance)
        (materialized,) = result.asset_materializations_for_node("reconciliation")
    engine.dispose()
    assert result.success
    assert (materialized.metadata["calls_recorded"].value, materialized.metadata["decided"].value) == (2, 2)
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    states = world.query("SELECT recording_state FROM video_consultations")
    assert states == [("recorded",), ("recorded",)], "announced is on its way; that a file never comes is found out by the pipeline"
    (schedule,) = definitions.schedules or ()
    assert isinstance(schedule, dg.ScheduleDefinition) and schedule.cron_schedule == "17 * * * *"
