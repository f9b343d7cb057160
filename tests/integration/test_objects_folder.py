"""What only the folder store has to care for: links, killed and concurrent writers, permissions."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.failures import Reason, RecordingError
from resources.objects import (
    AccessDenied,
    FolderStore,
    ObjectConflict,
    ObjectMissing,
    StorageError,
    StorageUnavailable,
)
from tests.integration.object_places import MIB, child, file_of, folder_place, put


def test_a_writer_that_is_killed_leaves_no_half_object(tmp_path: Path) -> None:
    place = folder_place(tmp_path / "objects")
    source = tmp_path / "big"
    with open(source, "wb") as file:
        file.truncate(2048 * MIB)
    writer = child(place, "write", source, "0" * 64, tmp_path)
    unfinished = tmp_path / "objects" / ".verbatim-objects" / "unfinished"
    while not any(file.stat().st_size for file in unfinished.iterdir()):
        assert writer.poll() is None
        time.sleep(0.001)
    writer.send_signal(signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL
    assert len(list(unfinished.iterdir())) == 1
    assert place.store.stat("big.ogg") is None
    assert list(place.store.list()) == []
    left = next(unfinished.iterdir())
    os.utime(left, (time.time() - 2 * 24 * 3600,) * 2)
    put(place.store, tmp_path, "big.ogg", b"small after all")
    assert list(unfinished.iterdir()) == []  # what a killed writer left goes with a later write


def test_links_out_of_the_folder_are_refused_and_inside_it_followed(tmp_path: Path) -> None:
    place = folder_place(tmp_path / "objects")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    root = tmp_path / "objects"
    (root / "way-out").symlink_to(outside)
    (root / "file-out").symlink_to(outside / "secret")
    (root / "round").symlink_to(root / "round")
    for key in ("way-out/secret", "file-out", "way-out/new"):
        for call in (place.store.stat, place.store.digest, place.store.delete, lambda k: put(place.store, tmp_path, k, b"x")):
            with pytest.raises(RecordingError) as caught:
                call(key)
            assert caught.value.reason is Reason.UNSAFE_KEY
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]
    put(place.store, tmp_path, "real/a.ogg", b"one")
    (root / "inside").symlink_to(root / "real")
    assert place.store.digest("inside/a.ogg") == place.store.digest("real/a.ogg")
    assert [found.key for found in place.store.list()] == ["real/a.ogg"]


def test_what_is_no_plain_file_is_no_object(tmp_path: Path) -> None:
    place = folder_place(tmp_path / "objects")
    (tmp_path / "objects" / "folder").mkdir()
    os.mkfifo(tmp_path / "objects" / "pipe")
    for key in ("folder", "pipe"):
        assert place.store.stat(key) is None
        with pytest.raises(ObjectMissing):
            place.store.digest(key)
    assert list(place.store.list()) == []
    with pytest.raises(ObjectConflict):
        put(place.store, tmp_path, "folder", b"x")
    put(place.store, tmp_path, "file", b"x")
    with pytest.raises(ObjectConflict):
        put(place.store, tmp_path, "file/below", b"x")
    assert place.store.stat("file/below") is None


def test_of_two_writers_at_once_one_wins(tmp_path: Path) -> None:
    place = folder_place(tmp_path / "objects")
    for round_number in range(20):
        key = f"{round_number}.ogg"

        def write(who: int, key: str = key) -> str:
            path, sha256 = file_of(tmp_path, bytes([who]) * MIB, f"source-{who}")
            try:
                return str(place.store.write(key, path, sha256=sha256, content_type="audio/ogg").sha256)
            except ObjectConflict:
                return "conflict"

        with ThreadPoolExecutor(4) as pool:
            ends = list(pool.map(write, range(4)))
        assert ends.count("conflict") == 3
        assert place.store.digest(key) in ends


def test_a_folder_that_is_not_there_is_unavailable_and_check_makes_it(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "not" / "mounted")
    for call in (lambda: store.stat("a"), lambda: store.digest("a"), lambda: list(store.list()), lambda: put(store, tmp_path, "a", b"x")):
        with pytest.raises(StorageUnavailable, match="mounted"):
            call()
    store.check()
    assert store.stat("a") is None
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="not a folder"):
        FolderStore(tmp_path / "file").check()


def test_a_folder_we_may_not_use_is_denied(tmp_path: Path) -> None:
    place = folder_place(tmp_path / "objects")
    put(place.store, tmp_path, "a.ogg", b"x")
    with nobody(tmp_path / "objects"):
        for call in (lambda: place.store.stat("a.ogg"), lambda: place.store.digest("a.ogg"), place.store.check):
            with pytest.raises((AccessDenied, StorageUnavailable)) as caught:
                call()
            assert str(tmp_path / "objects") in str(caught.value)


@contextmanager
def nobody(folder: Path) -> Iterator[None]:
    """Without rights in ``folder``; root, whom permissions do not bind, becomes somebody else for a moment."""
    mode, user = folder.stat().st_mode, os.geteuid()
    folder.chmod(0)
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(user)
        folder.chmod(mode)
