"""Fixtures for the servers that ``make services`` starts. A test whose server is not there fails; none is skipped."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from resources.objects import S3Connection, S3Store, StorageError
from tests.livekit_server import LiveKitServer

STATE = Path(os.environ.get("VERBATIM_SERVICES_DIR") or Path(__file__).parents[1] / ".services")


@dataclass(frozen=True)
class S3Service:
    """``archive_bucket`` has versions and Object Lock, ``intake_bucket`` neither."""

    connection: S3Connection
    archive_bucket: str
    intake_bucket: str


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Service]:
    """A real S3 server with two fresh buckets, which go with the session."""
    found = variables()
    try:
        connection = S3Connection(
            endpoint=found["VERBATIM_TEST_S3_ENDPOINT"],
            access_key=found["VERBATIM_TEST_S3_ACCESS_KEY"],
            secret_key=found["VERBATIM_TEST_S3_SECRET_KEY"],
            attempts=2,
        )
    except KeyError as missing:
        pytest.fail(f"these tests need an S3 server ({missing} is not set): run make services")
    run = uuid4().hex[:12]
    service = S3Service(connection, f"archive-{run}", f"intake-{run}")
    client = connection.client()
    _require_server(service)
    client.create_bucket(Bucket=service.archive_bucket, ObjectLockEnabledForBucket=True)
    client.create_bucket(Bucket=service.intake_bucket)
    yield service
    for bucket in (service.archive_bucket, service.intake_bucket):
        remove_bucket(client, bucket)


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a real browser."""
    chromium = variables().get("VERBATIM_TEST_CHROMIUM")
    if chromium is None:
        pytest.fail("this test needs a browser: run make services")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium) as browser:
        opened = browser.new_page(viewport={"width": 1000, "height": 900})
        opened.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield opened


class StartLiveKit(Protocol):
    """Starts a LiveKit server that posts its webhooks to the URL, or to nobody."""

    def __call__(self, webhook_url: str | None = None) -> LiveKitServer: ...


@pytest.fixture
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartLiveKit]:
    """LiveKit servers of the test's own, which end with it."""
    program = variables().get("VERBATIM_TEST_LIVEKIT_SERVER")
    if program is None or not Path(program).is_file():
        pytest.fail("this test needs livekit-server: run make services")
    started: list[LiveKitServer] = []

    def start(webhook_url: str | None = None) -> LiveKitServer:
        started.append(LiveKitServer(program, tmp_path_factory.mktemp("livekit"), webhook_url))
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def intake_bucket(s3: S3Service) -> str:
    return s3.intake_bucket


def variables() -> dict[str, str]:
    """What the services wrote down; the environment's own variables go first, for a server from elsewhere."""
    file = STATE / "env"
    lines = file.read_text().splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line) | dict(os.environ)


def _require_server(service: S3Service) -> None:
    try:
        S3Store(service.connection, service.archive_bucket).stat("any")
    except StorageError as error:
        if type(error).__name__ != "BucketMissing":
            pytest.fail(f"these tests need an S3 server, run make services: {error}")


def remove_bucket(client: Any, bucket: str) -> None:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for found in page.get("Versions", []) + page.get("DeleteMarkers", []):
            client.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])
    client.delete_bucket(Bucket=bucket)
