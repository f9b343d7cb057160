"""The compliance checks that admins see in Dagster: red or yellow with counts and ids, never with a word that was said.

They report; what keeps a call out of search is in resources.store.publishing.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import dagster as dg
from sqlalchemy import RowMapping

from assets.services import Services
from resources.store import evaluations, quality

DISCLOSURE, CONSENT, CARD_DATA, COVERAGE = "disclosure_spoken", "consent_recorded", "no_card_data", "transcript_covers_media"


def disclosure_check(asset: str) -> list[dg.AssetCheckSpec]:
    return [dg.AssetCheckSpec(DISCLOSURE, asset=asset, description="Red where a call of this day was recorded and nobody said so in time.")]


def consent_check(asset: str) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            CONSENT, asset=asset, description="Red where a call of this day was recorded without consent, or nobody can tell."
        )
    ]


def card_data_check(asset: str) -> list[dg.AssetCheckSpec]:
    text = "Red where a second look at the redacted turns of this day still finds card numbers or security codes."
    return [dg.AssetCheckSpec(CARD_DATA, asset=asset, description=text)]


def coverage_check(asset: str) -> list[dg.AssetCheckSpec]:
    text = "Yellow where speech of this day has no words, or a recording has another length than its call."
    return [dg.AssetCheckSpec(COVERAGE, asset=asset, description=text)]


def judged_checks(context: dg.AssetExecutionContext, services: Services) -> list[dg.AssetCheckResult]:
    """What the newest verdicts on the day's calls say."""
    with services.engine.connect() as connection:
        day = date.fromisoformat(context.partition_key)
        disclosure = evaluations.of_day(connection, day, "recording_disclosure")
        consent = evaluations.of_day(connection, day, "recording_consent", "recorded_without_consent")
    missing = [row for row in disclosure if row["not_met"]]
    return [
        _result(DISCLOSURE, not missing, dg.AssetCheckSeverity.ERROR, missing, cannot_tell=len(disclosure) - len(missing)),
        _result(CONSENT, not consent, dg.AssetCheckSeverity.ERROR, consent, cannot_tell=sum(not row["not_met"] for row in consent)),
    ]


def card_data_result(context: dg.AssetExecutionContext, services: Services) -> dg.AssetCheckResult:
    with services.engine.connect() as connection:
        left = quality.card_data_left(connection, date.fromisoformat(context.partition_key))
    return _of_recordings(CARD_DATA, dg.AssetCheckSeverity.ERROR, left)


def coverage_result(context: dg.AssetExecutionContext, services: Services) -> dg.AssetCheckResult:
    with services.engine.connect() as connection:
        uncovered = quality.uncovered(connection, date.fromisoformat(context.partition_key))
    return _of_recordings(COVERAGE, dg.AssetCheckSeverity.WARN, uncovered)


def _result(
    name: str, passed: bool, severity: dg.AssetCheckSeverity, rows: Sequence[RowMapping], *, cannot_tell: int
) -> dg.AssetCheckResult:
    ids = [str(recording_id) for row in rows for recording_id in row["recording_ids"]]
    metadata: dict[str, int | list[str]] = {"consultations": len(rows), "cannot_tell": cannot_tell, "recording_ids": ids}
    return dg.AssetCheckResult(check_name=name, passed=passed, severity=severity, metadata=metadata)


def _of_recordings(name: str, severity: dg.AssetCheckSeverity, recording_ids: Sequence[UUID]) -> dg.AssetCheckResult:
    metadata: dict[str, int | list[str]] = {"recordings": len(recording_ids), "recording_ids": [str(one) for one in recording_ids]}
    return dg.AssetCheckResult(check_name=name, passed=not recording_ids, severity=severity, metadata=metadata)
