"""The sensor against a real store and a real Dagster instance: what it asks for, when, and when not."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from pydantic import SecretStr
from sqlalchemy import Engine

from assets.recordings import recordings
from assets.services import open_services
from pipelines.definitions import build_definitions
from pipelines.sensors import REVISION_TAG
from resources.store.readiness import NotReady
from tests.assets.archive_world import DAY, World


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    return World(tmp_path / "data", database_url)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def tick(world: World, instance: dg.DagsterInstance, **changed: object) -> list[dg.RunRequest]:
    definitions = build_definitions(world.settings.model_copy(update=changed))
    sensor = definitions.resolve_sensor_def("pending_recordings")
    context = dg.build_sensor_context(instance=instance, repository_def=definitions.get_repository_def())
    return list(sensor.evaluate_tick(context).run_requests or [])


def remember(instance: dg.DagsterInstance, request: dg.RunRequest, status: DagsterRunStatus) -> str:
    """What Dagster does with a request: a run with its tags, in some state."""
    tags = {**request.tags, "dagster/partition": request.partition_key or "", "dagster/run_key": request.run_key or ""}
    run = instance.create_run_for_job(build_job(), tags=tags, status=status)
    return run.run_id


def build_job() -> dg.JobDefinition:
    @dg.op
    def nothing() -> None: ...

    @dg.job
    def process_recordings() -> None:
        nothing()

    return process_recordings


def test_nothing_waits_nothing_is_asked_for(world: World, instance: dg.DagsterInstance) -> None:
    assert tick(world, instance) == []


def test_waiting_work_is_asked_for_once_and_again_when_it_changed(world: World, instance: dg.DagsterInstance) -> None:
    world.call(1, None)
    (first,) = tick(world, instance)
    assert first.partition_key == DAY
    remember(instance, first, DagsterRunStatus.STARTED)
    assert tick(world, instance) == []
    world.call(2, None)
    (second,) = tick(world, instance)
    assert second.run_key != first.run_key
    assert second.tags[REVISION_TAG] != first.tags[REVISION_TAG]


def test_what_a_run_holds_is_not_asked_for(world: World, instance: dg.DagsterInstance) -> None:
    world.call(1, None)
    world.query("UPDATE recordings SET lease_owner = 'a run', lease_expires_at = now() + interval '1 minute' RETURNING id")
    assert tick(world, instance) == []
    world.query("UPDATE recordings SET lease_expires_at = now() - interval '1 second' RETURNING id")
    assert len(tick(world, instance)) == 1


def test_work_of_a_run_that_was_killed_is_asked_for_again(world: World, instance: dg.DagsterInstance) -> None:
    """It stays STARTED for ever in Dagster; the claim has changed the revision, so there is a new key."""
    world.call(1, None)
    (first,) = tick(world, instance)
    remember(instance, first, DagsterRunStatus.STARTED)
    world.query(
        "UPDATE recordings SET claims = claims + 1, lease_owner = 'dead', lease_expires_at = now() - interval '1 second' RETURNING id"
    )
    (second,) = tick(world, instance)
    assert second.run_key != first.run_key


def test_a_run_that_failed_before_it_began_is_repeated_later(world: World, instance: dg.DagsterInstance) -> None:
    world.call(1, None)
    (first,) = tick(world, instance)
    run_id = remember(instance, first, DagsterRunStatus.STARTED)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_failed(run)
    assert tick(world, instance) == [], "not at once"


def test_what_waits_for_its_time_or_a_person_is_left_alone(world: World, instance: dg.DagsterInstance) -> None:
    world.call(1, None)
    world.call(2, None)
    world.query("UPDATE recordings SET not_before = now() + interval '1 hour' WHERE egress_id = 'EG_0001' RETURNING id")
    world.query("UPDATE recordings SET gave_up_at = now() WHERE egress_id = 'EG_0002' RETURNING id")
    assert tick(world, instance) == []


def test_every_day_has_its_own_run(world: World, instance: dg.DagsterInstance) -> None:
    world.call(1, None)
    world.call(60 * 9, None)  # nine hours later: past midnight
    assert [request.partition_key for request in tick(world, instance)] == [DAY, "2025-03-04"]


def test_all_assets_share_the_days() -> None:
    assert recordings.partitions_def is not None
    assert recordings.partitions_def.has_partition_key(DAY)


def test_a_clock_that_is_wrong_stops_nobody(world: World, instance: dg.DagsterInstance) -> None:
    """A call that ended in 1970 or next week has no partition: it counts as the first day's or today's."""
    for number in (1, 2, 3):
        world.call(number, None)
    ends = "UPDATE video_consultations SET ended_at = {} WHERE room_sid = '{}' RETURNING id"
    world.query(ends.format("'1970-01-01'", "RM_0001"))
    world.query(ends.format("now() + interval '7 days'", "RM_0002"))
    days = [request.partition_key for request in tick(world, instance)]
    assert days == ["2015-01-01", DAY, world.query("SELECT (now() AT TIME ZONE 'UTC')::date::text")[0][0]]
    assert recordings.partitions_def is not None
    assert all(recordings.partitions_def.has_partition_key(str(day)) for day in days)


def test_in_production_neither_the_sensor_nor_a_run_works_as_the_owner(world: World, owner: Engine, instance: dg.DagsterInstance) -> None:
    """Refused at the tick, so that no run starts only to fail."""
    assert tick(world, instance, environment="production") == []
    wrong = {"environment": "production", "database_url": SecretStr(owner.url.render_as_string(hide_password=False))}
    with pytest.raises(NotReady, match="VERBATIM_MIGRATION_DATABASE_URL"), open_services(world.settings.model_copy(update=wrong)):
        raise AssertionError("it works as the owner")
    with pytest.raises(NotReady, match="verbatim_app"):
        tick(world, instance, **wrong)
