"""What only S3 has: parts, versions, signatures, credentials. The server is a real one."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.failures import Reason, RecordingError
from resources.objects import (
    AccessDenied,
    BucketMissing,
    ObjectConflict,
    S3Store,
    StorageUnavailable,
    open_store,
)
from tests.integration.object_places import MIB, file_of, put, s3_place, versions, void
from tests.services import S3Service, remove_bucket


@pytest.fixture
def s3_store(s3: S3Service) -> S3Store:
    store = s3_place(s3).store
    assert isinstance(store, S3Store)
    return store


def test_an_upload_in_parts_is_one_object_with_its_digest(s3: S3Service, tmp_path: Path) -> None:
    place = s3_place(s3, replace(s3.connection, multipart_above_bytes=5 * MIB, part_bytes=5 * MIB))
    content = os.urandom(12 * MIB + 1)
    written = put(place.store, tmp_path, "a.mp4", content)
    assert place.store.digest("a.mp4") == written.sha256 == hashlib.sha256(content).hexdigest()
    assert put(place.store, tmp_path, "a.mp4", content) == written
    assert versions(place.store, "a.mp4") == [written.version_id]
    with pytest.raises(ObjectConflict):
        put(place.store, tmp_path, "a.mp4", content[::-1])
    raw = s3.connection.client().head_object(Bucket=s3.archive_bucket, Key=place.url.split("/", 3)[3] + "/a.mp4")
    assert raw["ETag"].strip('"').endswith("-3")  # it really went in three parts
    assert raw["ContentType"] == "audio/ogg"


def test_an_upload_in_parts_that_fails_leaves_nothing(s3: S3Service, tmp_path: Path) -> None:
    place = s3_place(s3, replace(s3.connection, multipart_above_bytes=5 * MIB, part_bytes=5 * MIB))
    path, _ = file_of(tmp_path, os.urandom(12 * MIB))
    with pytest.raises(RecordingError) as caught:
        place.store.write("a.mp4", path, sha256="0" * 64, content_type="video/mp4")
    assert caught.value.reason is Reason.ARCHIVE_MISMATCH
    assert place.store.stat("a.mp4") is None
    assert s3.connection.client().list_multipart_uploads(Bucket=s3.archive_bucket).get("Uploads", []) == []


def test_a_source_that_changes_between_signing_and_sending_is_refused(s3_store: S3Store, tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path, b"a" * MIB)
    s3_store._s3.meta.events.register("before-send.s3.PutObject", lambda **_: void(path.write_bytes(b"b" * MIB)))
    with pytest.raises(RecordingError) as caught:
        s3_store.write("a.ogg", path, sha256=sha256, content_type="audio/ogg")
    assert caught.value.reason is Reason.ARCHIVE_MISMATCH
    assert s3_store.stat("a.ogg") is None


def test_the_server_refuses_a_body_that_changed_on_the_way(s3_store: S3Store, tmp_path: Path) -> None:
    def damage(request: Any, **_: object) -> None:
        request.body = b"the cull"

    s3_store._s3.meta.events.register("before-send.s3.PutObject", damage)
    with pytest.raises(StorageUnavailable, match="damaged"):
        put(s3_store, tmp_path, "a.ogg", b"the call")
    assert s3_store.stat("a.ogg") is None


def test_a_bucket_without_versions_has_no_version_ids(s3: S3Service, intake_bucket: str, tmp_path: Path) -> None:
    store = open_store(f"s3://{intake_bucket}", s3.connection)
    store.check()
    assert put(store, tmp_path, "room/a.ogg", b"one").version_id is None
    assert store.url("room/a.ogg") == f"s3://{intake_bucket}/room/a.ogg"
    assert [found.key for found in store.list()] == ["room/a.ogg"]
    store.delete("room/a.ogg")
    assert list(store.list()) == []


def test_of_an_erased_object_no_version_can_be_read(s3: S3Service, tmp_path: Path) -> None:
    client = s3.connection.client()
    bucket = f"versioned-{uuid4().hex}"
    client.create_bucket(Bucket=bucket)
    try:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        store = open_store(f"s3://{bucket}/intake", s3.connection)
        for content in (b"one", b"two"):
            path, sha256 = file_of(tmp_path, content)
            store.write("a.ogg", path, sha256=sha256, content_type="audio/ogg", if_absent=False)
        put(store, tmp_path, "a.ogg2", b"another's")
        store.delete("a.ogg")
        assert len(client.list_object_versions(Bucket=bucket, Prefix="intake/a.ogg")["Versions"]) == 3
        store.erase("a.ogg")
        left = client.list_object_versions(Bucket=bucket)
        assert [one["Key"] for one in left["Versions"]] == ["intake/a.ogg2"]
        assert "DeleteMarkers" not in left
    finally:
        remove_bucket(client, bucket)


def test_a_locked_version_is_not_erased_and_that_is_said(s3_store: S3Store, tmp_path: Path) -> None:
    version = put(s3_store, tmp_path, "held.ogg", b"evidence").version_id
    target = {"Bucket": s3_store.bucket, "Key": s3_store._name("held.ogg"), "VersionId": version}
    s3_store._s3.put_object_legal_hold(**target, LegalHold={"Status": "ON"})
    with pytest.raises(AccessDenied):
        s3_store.erase("held.ogg")
    assert s3_store.digest("held.ogg")
    s3_store._s3.put_object_legal_hold(**target, LegalHold={"Status": "OFF"})
    s3_store.erase("held.ogg")
    assert s3_store.stat("held.ogg") is None


def test_a_missing_bucket_is_named(s3: S3Service, tmp_path: Path) -> None:
    store = open_store("s3://no-such-bucket-here", s3.connection)
    calls: list[Callable[[], object]] = [
        store.check,
        lambda: store.stat("a"),
        lambda: store.digest("a"),
        lambda: list(store.list()),
        lambda: put(store, tmp_path, "a", b"x"),
    ]
    for call in calls:
        with pytest.raises(BucketMissing, match=r"no-such-bucket-here.*VERBATIM_"):
            call()


@pytest.mark.parametrize("change", [{"secret_key": "wrong"}, {"access_key": "nobody"}], ids=["secret", "key"])
def test_wrong_credentials_name_the_settings_and_not_the_secret(s3: S3Service, tmp_path: Path, change: dict[str, Any]) -> None:
    connection = replace(s3.connection, **change)
    assert str(s3.connection.secret_key) not in repr(connection)
    store = open_store(f"s3://{s3.archive_bucket}/x", connection)
    calls: list[Callable[[], object]] = [
        store.check,
        lambda: store.stat("a"),
        lambda: store.digest("a"),
        lambda: list(store.list()),
        lambda: put(store, tmp_path, "a", b"x"),
        lambda: store.delete("a"),
    ]
    for call in calls:
        with pytest.raises(AccessDenied, match="VERBATIM_S3_SECRET_KEY") as caught:
            call()
        for secret in (connection.access_key, connection.secret_key):
            assert str(secret) not in str(caught.value)
