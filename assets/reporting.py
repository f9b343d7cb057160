"""What an asset tells the people who watch the Dagster UI: counts, a table of failures by recording id, and a check that turns red."""

from collections.abc import Sequence
from datetime import date

import dagster as dg

from assets.batches import Done, Report
from assets.services import Services
from resources.store import work


def given_up_check(asset: str) -> list[dg.AssetCheckSpec]:
    description = "Red when a recording of this day was given up at this stage and waits for a person."
    return [dg.AssetCheckSpec("nothing_failed", asset=asset, description=description)]


def result(
    context: dg.AssetExecutionContext, services: Services, stage: str, report: Report, checks: Sequence[dg.AssetCheckResult] = ()
) -> dg.MaterializeResult:
    """``checks``: the asset's own, beside the one that every stage has."""
    day = date.fromisoformat(context.partition_key)
    with services.engine.connect() as connection:
        failures = [row for row in work.open_failures(connection, day) if row["stage"] == stage]
        progress = work.progress(connection, day)
    given_up = [row for row in failures if row["gave_up"]]
    check = dg.AssetCheckResult(
        check_name="nothing_failed",
        passed=not given_up,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"given_up": len(given_up), "failures": _table(failures)},
    )
    metadata: dict[str, dg.MetadataValue | int | dict[str, int]] = {
        "processed": report.done[Done.PROCESSED],
        "failed": report.done[Done.FAILED],
        "waiting": report.done[Done.WAITING],
        "taken_over": report.done[Done.TAKEN_OVER],
        "day": {key: progress[key] for key in sorted(progress)},
        "failures": _table(failures),
        **dict(report.counters),
    }
    return dg.MaterializeResult(metadata=metadata, check_results=[check, *checks])


def _table(failures: list[dict[str, object]]) -> dg.TableMetadataValue:
    columns = ("recording_id", "stage", "attempt", "reason", "detail", "gave_up", "next_attempt")
    records = [
        dg.TableRecord(
            {
                "recording_id": str(row["recording_id"]),
                "stage": str(row["stage"]),
                "attempt": int(str(row["attempt"])),
                "reason": str(row["reason"]),
                "detail": str(row["detail"]),
                "gave_up": bool(row["gave_up"]),
                "next_attempt": str(row["not_before"] or ""),
            }
        )
        for row in failures
    ]
    schema = dg.TableSchema(columns=[dg.TableColumn(name) for name in columns])
    return dg.MetadataValue.table(records=records, schema=schema)
