"""One factory builds everything that Dagster shows; nothing connects before a run or a tick asks for it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import dagster as dg

from assets.archive import archive
from assets.batches import Selection
from assets.findings import findings
from assets.reconciliation import reconciliation
from assets.recordings import recordings
from assets.redactions import redactions
from assets.search_documents import search_documents
from assets.services import Services, open_services
from assets.transcripts import transcripts
from pipelines.sensors import pending_recordings
from resources.settings import Settings

STAGES = [recordings, transcripts, redactions, findings, archive, search_documents]


def build_definitions(settings: Settings, services: AbstractContextManager[Services] | None = None) -> dg.Definitions:
    """``services`` replaces what the settings describe, for tests."""

    @dg.resource(description="Store, object stores, search index and speech model, opened once per run.")
    def opened(_: dg.InitResourceContext) -> Iterator[Services]:
        with services or open_services(settings) as ready:
            yield ready

    @dg.resource(description="The same, also where object storage cannot be reached: reconciliation tells of that in its report.")
    def whatever_answers(_: dg.InitResourceContext) -> Iterator[Services]:
        with services or open_services(settings, needs_storage=False) as ready:
            yield ready

    job = dg.define_asset_job(
        "process_recordings",
        selection=STAGES,
        executor_def=dg.in_process_executor,  # one process a run: the speech model is loaded once
        description="From the intake to search, for the recordings of one UTC day that wait. Safe beside other runs of the same day.",
    )
    hourly = dg.define_asset_job(
        "reconcile",
        selection=[reconciliation],
        executor_def=dg.in_process_executor,
        description="What LiveKit and the intake show, against what the store was told. Safe beside other runs, and by hand at any time.",
    )
    return dg.Definitions(
        assets=[*STAGES, reconciliation],
        jobs=[job, hourly],
        schedules=[dg.ScheduleDefinition(job=hourly, cron_schedule="17 * * * *", default_status=dg.DefaultScheduleStatus.RUNNING)],
        sensors=[pending_recordings(job, settings)],
        resources={"services": opened, "whatever_answers": whatever_answers, "selection": Selection.configure_at_launch()},
        executor=dg.in_process_executor,
    )
