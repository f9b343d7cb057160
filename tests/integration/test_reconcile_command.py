"""``verbatim reconcile`` and the hourly job where something is missing: what can be compared is, and what cannot is told with what to do."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
from sqlalchemy import Engine, insert, text

from pipelines.definitions import build_definitions
from resources.settings import Settings
from resources.tables import consultations
from tests.livekit_server import LiveKitServer
from tests.services import StartLiveKit

NOWHERE = {
    "VERBATIM_S3_ENDPOINT": "http://127.0.0.1:9",
    "VERBATIM_S3_ACCESS_KEY": "key",
    "VERBATIM_S3_SECRET_KEY": "hidden",
}
"""Object storage at a port where nobody listens."""


@pytest.fixture
def server(livekit: StartLiveKit) -> LiveKitServer:
    """It has no Redis."""
    return livekit()


@pytest.fixture
def variables(server: LiveKitServer, database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "VERBATIM_DATABASE_URL": database_url,
        "VERBATIM_DATA_DIR": str(tmp_path / "data"),
        "LIVEKIT_URL": server.url,
        "LIVEKIT_API_KEY": server.key,
        "LIVEKIT_API_SECRET": server.secret,
        "COLUMNS": "300",
    }


def reconcile(variables: dict[str, str], **more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from cli.main import main; main()", "reconcile"]
    return subprocess.run(command, env={**os.environ, **variables, **more}, capture_output=True, text=True, timeout=600)


def calls(engine: Engine) -> None:
    """One whose room LiveKit does not know any more, of whose end nobody told; and one whose recording was due hours ago."""
    past = datetime.now(UTC) - timedelta(hours=5)
    row = {"room_name": "gone", "room_sid": "RM_gone", "consultation_type": "claims", "started_at": past, "created_at": past}
    with engine.begin() as connection:
        connection.execute(insert(consultations).values(id=uuid4(), **row))
        over = {"room_name": "over", "room_sid": "RM_over", "ended_at": past + timedelta(minutes=5), "recording_driven": True}
        connection.execute(insert(consultations).values(id=uuid4(), **(row | over)))


def left(engine: Engine) -> tuple[int, int]:
    """(calls that are open, ended calls of which nobody has said what became of their recording)."""
    query = "SELECT count(*) FILTER (WHERE ended_at IS NULL), count(*) FILTER (WHERE recording_state IS NULL) FROM video_consultations"
    with engine.connect() as connection:
        row = connection.execute(text(query)).one()
    return row[0], row[1]


def test_an_intake_that_is_down_is_told_and_holds_nothing_up(engine: Engine, variables: dict[str, str]) -> None:
    calls(engine)
    done = reconcile(variables, VERBATIM_INTAKE_URL="s3://nowhere/intake", **NOWHERE)
    assert done.returncode == 1, done.stderr
    assert "Could not be asked: intake: the object storage at http://127.0.0.1:9 does not answer" in done.stderr
    assert "hidden" not in done.stderr
    assert left(engine) == (0, 0)


def test_an_archive_that_is_down_is_nothing_that_reconciliation_needs(
    engine: Engine, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls(engine)
    assert reconcile(variables, VERBATIM_ARCHIVE_URL="s3://nowhere/archive", **NOWHERE).returncode == 0
    assert left(engine) == (0, 0)
    calls_again = {**variables, **NOWHERE, "VERBATIM_ARCHIVE_URL": "s3://nowhere/archive"}
    for name, value in calls_again.items():
        monkeypatch.setenv(name, value)
    with engine.begin() as connection:
        connection.execute(text("UPDATE video_consultations SET recording_state = NULL"))
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(Settings(_env_file=None)).resolve_job_def("reconcile")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        (materialized,) = result.asset_materializations_for_node("reconciliation")
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    assert "no Redis" in str(materialized.metadata["notes"].value)
    assert left(engine) == (0, 0)


def test_the_hourly_job_runs_where_the_intake_is_down(engine: Engine, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    calls(engine)
    for name, value in {**variables, **NOWHERE, "VERBATIM_INTAKE_URL": "s3://nowhere/intake"}.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(Settings(_env_file=None)).resolve_job_def("reconcile")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert left(engine) == (0, 0)


def test_a_livekit_that_cannot_record_is_told_plainly_and_is_no_trouble(engine: Engine, variables: dict[str, str]) -> None:
    done = reconcile(variables)
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    for word in ("no egress", "no Redis", "VERBATIM_RECORD_CALLS=false"):
        assert word in line
    assert "Could not be asked" not in line
    assert reconcile(variables, VERBATIM_RECORD_CALLS="false").stderr == "", "who records elsewhere need not hear of it"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM reconciliation_runs WHERE cardinality(trouble) = 0")) == 2
