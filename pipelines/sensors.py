"""The sensor that turns waiting recordings into runs. It only discovers; when to ask again is decided in domain.run_requests."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from dagster import DagsterRunStatus
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from domain.run_requests import PastRun, next_request
from resources.settings import Settings
from resources.store import work
from resources.store.database import database
from resources.store.readiness import require_ready

REVISION_TAG = "verbatim/revision"
LOOK_BACK_RUNS = 50
UNFINISHED = {
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.MANAGED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
}


def pending_recordings(job: UnresolvedAssetJobDefinition, settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name="pending_recordings",
        job=job,
        minimum_interval_seconds=settings.sensor_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a run for every UTC day on which recordings wait to be processed.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        now = datetime.now(UTC)
        with database(settings) as engine:
            require_ready(engine, settings, warn=False)  # else every run would start only to be refused
            with engine.connect() as connection:
                waiting = work.days_with_work(connection, now)
        asked = 0
        for pending in waiting:
            lost_after = timedelta(seconds=3 * settings.lease_seconds)
            request = next_request(pending.day, pending.revision, past_runs(context.instance, pending.day), now, lost_after)
            if request is not None:
                asked += 1
                tags = {REVISION_TAG: request.revision}
                yield dg.RunRequest(run_key=request.run_key, partition_key=request.day.isoformat(), tags=tags)
        if not asked:
            yield dg.SkipReason(f"{len(waiting)} days have recordings waiting, each with a run on its way" if waiting else "nothing waits")

    return sensor


def past_runs(instance: dg.DagsterInstance, day: date) -> list[PastRun]:
    """The latest runs of the day that this sensor asked for."""
    records = instance.get_run_records(dg.RunsFilter(tags={"dagster/partition": day.isoformat()}), limit=LOOK_BACK_RUNS)
    return [
        PastRun(
            revision=record.dagster_run.tags[REVISION_TAG],
            asked_at=_aware(record.create_timestamp),
            ended_at=None if record.dagster_run.status in UNFINISHED else _ended(record),
        )
        for record in records
        if REVISION_TAG in record.dagster_run.tags
    ]


def _ended(record: dg.RunRecord) -> datetime:
    return datetime.fromtimestamp(record.end_time, UTC) if record.end_time else _aware(record.update_timestamp)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
