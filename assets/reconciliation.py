"""Asset ``reconciliation``: LiveKit, the intake and the store compared, and what nobody told of made good. What it does: resources.reconciliation."""

import asyncio
from contextlib import nullcontext

import dagster as dg

from assets.services import Services
from domain.reconciliation import RecordingState
from resources.livekit_rooms import rooms_of
from resources.reconciliation import Reconciliation, Report, reconciliation_of

ASKED = dg.AssetCheckSpec("everybody_asked", asset="reconciliation", description="Red when LiveKit or the intake could not be asked.")


@dg.asset(group_name="consultations", kinds={"livekit", "postgres"}, check_specs=[ASKED])
def reconciliation(context: dg.AssetExecutionContext, whatever_answers: dg.ResourceParam[Services]) -> dg.MaterializeResult:
    """Missed webhooks applied, recordings that nobody announced adopted, and every ended call recorded, failed, refused or not expected."""
    report = asyncio.run(reconcile(whatever_answers))
    if report is None:
        context.log.info("another process is at it")
        report = Report(trouble=[])
    for note in report.notes:
        context.log.warning(note)
    check = dg.AssetCheckResult(
        check_name="everybody_asked", passed=not report.trouble, severity=dg.AssetCheckSeverity.WARN, metadata={"trouble": report.trouble}
    )
    counts = {what: dg.MetadataValue.int(count) for what, count in sorted(report.counts.items())}
    states = {f"calls_{state}": dg.MetadataValue.int(report.states.get(state.value, 0)) for state in RecordingState}
    rows = [dg.TableRecord({"consultation_id": str(one)}) for one in report.changed]
    schema = dg.TableSchema(columns=[dg.TableColumn("consultation_id")])
    changed = dg.MetadataValue.table(records=rows, schema=schema)
    return dg.MaterializeResult(
        metadata={**counts, **states, "changed": changed, "trouble": report.trouble, "notes": report.notes}, check_results=[check]
    )


async def reconcile(services: Services) -> Report | None:
    async with rooms_of(services.settings) or nullcontext() as rooms:
        found: Reconciliation = reconciliation_of(services.settings, services.engine, rooms, services.intake)
        return await found.run(services.now())
