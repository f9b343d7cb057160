"""Both object stores, the folder and S3, keep the same promises; S3 is a real server."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.failures import Reason, RecordingError
from resources.objects import (
    ObjectConflict,
    ObjectMissing,
)
from tests.integration.object_places import MIB, Place, child, file_of, folder_place, put, s3_place, versions


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return folder_place(tmp_path / "objects")
    return s3_place(request.getfixturevalue("s3"))


@pytest.mark.parametrize("content", [b"", b"one", os.urandom(3 * MIB + 17)], ids=["empty", "small", "chunks"])
def test_what_is_written_comes_back(place: Place, tmp_path: Path, content: bytes) -> None:
    store, key, sha256 = place.store, "2026/03/01/a room, é.ogg", hashlib.sha256(content).hexdigest()
    assert store.stat(key) is None
    written = put(store, tmp_path, key, content)
    seen = store.stat(key)
    assert seen == written
    assert (written.key, written.size_bytes, written.sha256) == (key, len(content), sha256)
    assert written.modified_at.utcoffset() == timedelta(0)
    assert abs(written.modified_at - datetime.now(UTC)) < timedelta(minutes=5)
    progress: list[int] = []
    target = tmp_path / "deep" / "copy.ogg"
    assert store.download(key, target, progress.append) == sha256 == store.digest(key)
    assert target.read_bytes() == content
    assert [path.name for path in target.parent.iterdir()] == ["copy.ogg"]
    assert progress == sorted(progress)
    assert (progress or [0])[-1] == len(content)
    with store.open(key) as chunks:
        assert b"".join(chunks) == content
    assert store.url(key).startswith(("file:///", "s3://"))


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 9), (5, None), (3, 7), (1_499_999, None), (1_000_000, 1_400_000)])
def test_a_part_of_an_object(place: Place, tmp_path: Path, first: int, last: int | None) -> None:
    content = bytes(range(250)) * 6_000
    put(place.store, tmp_path, "a/b.ogg", content)
    with place.store.open("a/b.ogg", first, last) as chunks:
        assert b"".join(chunks) == content[first : None if last is None else last + 1]


@pytest.mark.parametrize("way", ["delete", "erase"])
def test_a_deleted_object_is_gone_and_deleting_again_is_no_error(place: Place, tmp_path: Path, way: str) -> None:
    put(place.store, tmp_path, "a/b.ogg", b"one")
    put(place.store, tmp_path, "a/b.ogg.txt", b"its neighbour")
    for _ in range(2):
        getattr(place.store, way)("a/b.ogg")
        assert place.store.stat("a/b.ogg") is None
    assert put(place.store, tmp_path, "a/b.ogg", b"two").size_bytes == 3
    assert place.store.stat("a/b.ogg.txt") is not None


def test_a_missing_object_is_said_to_be_missing(place: Place, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    assert place.store.stat("nowhere/a.ogg") is None
    reads: list[Callable[[], object]] = [
        lambda: place.store.digest("nowhere/a.ogg"),
        lambda: place.store.download("nowhere/a.ogg", target),
    ]
    for read in reads:
        with pytest.raises(ObjectMissing):
            read()
    with pytest.raises(ObjectMissing), place.store.open("nowhere/a.ogg"):
        pass
    assert not list(tmp_path.glob("copy*"))


def test_a_listing_is_in_the_order_of_the_keys_and_knows_its_prefix(place: Place, tmp_path: Path) -> None:
    names = ["a/b.ogg", "a-b.ogg", "a/c/d.ogg", "a/ca.ogg", "b.ogg", "é.ogg", "z/deep/er/x.ogg"]
    for name in names:
        put(place.store, tmp_path, name, name.encode())
    expected = sorted(names, key=str.encode)
    assert [found.key for found in place.store.list()] == expected
    assert [found.size_bytes for found in place.store.list()] == [len(name.encode()) for name in expected]
    for prefix in ("a", "a/", "a/c", "a/c/", "z/deep/", "nothing", "nothing/"):
        assert [found.key for found in place.store.list(prefix)] == [name for name in expected if name.startswith(prefix)], prefix


def test_writing_the_same_again_writes_nothing(place: Place, tmp_path: Path) -> None:
    first = put(place.store, tmp_path, "a.ogg", b"the call")
    assert put(place.store, tmp_path, "a.ogg", b"the call") == first
    assert put(place.store, tmp_path, "a.ogg", b"the call", if_absent=False) == first
    if first.version_id is not None:
        assert versions(place.store, "a.ogg") == [first.version_id]


def test_writing_the_same_over_an_upload_without_digest_writes_nothing(place: Place, tmp_path: Path) -> None:
    place.overwrite("a.ogg", b"by egress")
    uploaded = place.store.stat("a.ogg")
    assert uploaded is not None
    assert uploaded.sha256 is None
    digest = hashlib.sha256(b"by egress").hexdigest()
    assert put(place.store, tmp_path, "a.ogg", b"by egress") == replace(uploaded, sha256=digest)
    with pytest.raises(ObjectConflict):
        put(place.store, tmp_path, "a.ogg", b"of others")


def test_another_object_under_the_key_is_a_conflict_and_stays(place: Place, tmp_path: Path) -> None:
    put(place.store, tmp_path, "a.ogg", b"the call")
    with pytest.raises(ObjectConflict, match=r"a\.ogg"):
        put(place.store, tmp_path, "a.ogg", b"not the call")
    assert place.store.digest("a.ogg") == hashlib.sha256(b"the call").hexdigest()
    replaced = put(place.store, tmp_path, "a.ogg", b"not the call", if_absent=False)
    assert place.store.digest("a.ogg") == replaced.sha256 == hashlib.sha256(b"not the call").hexdigest()


def test_a_source_that_is_not_what_its_digest_says_is_refused(place: Place, tmp_path: Path) -> None:
    path, _ = file_of(tmp_path, os.urandom(2 * MIB))
    for wrong in (hashlib.sha256(b"another").hexdigest(), hashlib.sha256(b"").hexdigest()):
        with pytest.raises(RecordingError) as caught:
            place.store.write("a.ogg", path, sha256=wrong, content_type="audio/ogg")
        assert caught.value.reason is Reason.ARCHIVE_MISMATCH
        assert place.store.stat("a.ogg") is None
    assert list(place.store.list()) == []


def test_reading_back_finds_a_changed_byte(place: Place, tmp_path: Path) -> None:
    written = put(place.store, tmp_path, "a.ogg", b"the call")
    place.overwrite("a.ogg", b"the cull")
    assert place.store.digest("a.ogg") != written.sha256
    changed = place.store.stat("a.ogg")
    assert changed is not None
    assert changed.sha256 is None  # nobody vouches for these bytes, so no digest is claimed for them
    with pytest.raises(ObjectConflict):
        put(place.store, tmp_path, "a.ogg", b"the call")


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a\x00b", "a//b", "", "a\\..\\b", "a/../../b"])
def test_no_call_takes_a_key_that_leads_out(place: Place, tmp_path: Path, key: str) -> None:
    path, sha256 = file_of(tmp_path, b"x")
    calls: list[Callable[[], object]] = [
        lambda: place.store.stat(key),
        lambda: place.store.digest(key),
        lambda: place.store.download(key, tmp_path / "copy"),
        lambda: place.store.write(key, path, sha256=sha256, content_type="audio/ogg"),
        lambda: place.store.delete(key),
        lambda: place.store.url(key),
    ]
    for call in calls:
        with pytest.raises(RecordingError) as caught:
            call()
        assert caught.value.reason is Reason.UNSAFE_KEY


def test_a_big_object_goes_through_in_small_memory(place: Place, tmp_path: Path) -> None:
    source = tmp_path / "big"
    with open(source, "wb") as file:
        file.truncate(300 * MIB)
        file.write(b"begin")
    with open(source, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    done = child(place, "measure", source, sha256, tmp_path / "copy")
    out, err = done.communicate(timeout=300)
    assert done.returncode == 0, err
    measured = json.loads(out)
    assert measured["digests"] == [sha256]
    assert measured["grown_mib"] < 64
    place.store.delete("big.ogg")
