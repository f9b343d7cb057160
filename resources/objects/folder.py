"""A folder as an object store: whole objects or none, on one machine, and no WORM: whoever may write to the folder may change it.

Digests are kept in the reserved folder, each with the size and time of the file it was made for, so that a file which somebody
replaced has no digest rather than a wrong one.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from domain.failures import Reason, RecordingError
from domain.object_keys import RESERVED, StoreLocation, safe_key
from resources.objects.store import AccessDenied, ObjectConflict, ObjectInfo, ObjectMissing, StorageError, StorageUnavailable
from resources.objects.transfer import CHUNK_BYTES, CheckedSource, digest_of, save, sync_folder

ABANDONED_AFTER_S = 24 * 3600
NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)


class FolderStore:
    """An ObjectStore in ``root``, which ``check`` creates."""

    is_worm = False

    def __init__(self, root: Path) -> None:
        self.root = Path.cwd() / root

    def check(self) -> None:
        with self._explained():
            probe = self._reserved("unfinished", f"check-{uuid.uuid4().hex}")
            probe.parent.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()

    def url(self, key: str) -> str:
        return (self.root / safe_key(key)).as_uri()

    @property
    def location(self) -> StoreLocation:
        return StoreLocation(folders=(str(self.root), os.path.realpath(self.root)))

    def stat(self, key: str) -> ObjectInfo | None:
        path = self._path(key)
        with self._explained():
            try:
                found = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                self._require_root()
                return None
            return self._info(key, found, self._stored_digest(key, found)) if stat.S_ISREG(found.st_mode) else None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        folder, _, _ = prefix.rpartition("/")
        if prefix:
            safe_key(prefix.rstrip("/"))
        with self._explained():
            self._require_root()
            start = self._path(folder) if folder else self.root
            if start.is_dir():
                yield from self._walk(start, f"{folder}/" if folder else "", prefix)

    def _walk(self, folder: Path, above: str, prefix: str) -> Iterator[ObjectInfo]:
        with os.scandir(folder) as entries:
            # A folder sorts as its name with the slash, or "a/b" would come before "a-b", which S3 lists the other way round.
            found = sorted((entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "") for entry in entries), key=os.fsencode)
        for name in found:
            key = above + name
            if name.endswith("/"):
                if name != RESERVED + "/" and (key.startswith(prefix) or prefix.startswith(key)):
                    yield from self._walk(folder / name, key, prefix)
            elif key.startswith(prefix):
                with contextlib.suppress(FileNotFoundError, RecordingError):  # gone meanwhile, or a name no store would take
                    details = self._path(key).stat()
                    if stat.S_ISREG(details.st_mode):
                        yield self._info(key, details, None)

    @contextmanager
    def open(self, key: str, first: int = 0, last: int | None = None) -> Iterator[Iterator[bytes]]:
        path = self._path(key)
        with self._explained():
            try:
                # Without O_NONBLOCK, opening a pipe that somebody left there would wait for ever.
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except (FileNotFoundError, NotADirectoryError):
                self._require_root()
                raise self._missing(key) from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self._missing(key)
        with open(descriptor, "rb", buffering=0) as file:
            file.seek(first)
            yield self._chunks(file.read, None if last is None else last + 1 - first)

    def _chunks(self, read: Callable[[int], bytes | None], length: int | None) -> Iterator[bytes]:
        with self._explained():
            while chunk := read(CHUNK_BYTES if length is None else min(CHUNK_BYTES, length)):
                if length is not None:
                    length -= len(chunk)
                yield chunk

    def download(self, key: str, path: Path, on_progress: Callable[[int], None] | None = None) -> str:
        with self.open(key) as chunks:
            return save(chunks, path, on_progress)

    def digest(self, key: str) -> str:
        with self.open(key) as chunks:
            return digest_of(chunks)

    def write(self, key: str, source: Path, *, sha256: str, content_type: str, if_absent: bool = True) -> ObjectInfo:
        """``content_type`` is not kept: a file's name says it."""
        path = self._path(key)
        if (there := self._already(key, sha256, if_absent)) is not None:
            return there
        with open(source, "rb") as file, self._explained():
            self._require_root()
            temporary = self._reserved("unfinished", uuid.uuid4().hex)
            self._make_folders(temporary.parent)
            self._forget_abandoned(temporary.parent)
            try:
                details = _copy(CheckedSource(file, sha256), temporary)
                with self._one_at_a_time():
                    if (there := self._already(key, sha256, if_absent)) is not None:  # another writer was faster
                        return there
                    self._keep_digest(key, sha256, details)
                    self._make_folders(path.parent)
                    _publish(temporary, path, if_absent)
                    sync_folder(path.parent)
            except FileExistsError:
                raise ObjectConflict(f"{self.url(key)} cannot be written: something that is no object of ours has its name") from None
            except (NotADirectoryError, IsADirectoryError):
                raise ObjectConflict(f"{self.url(key)} cannot be written: a folder or file on its way has its name") from None
            finally:
                temporary.unlink(missing_ok=True)
        return self._info(key, details, sha256)

    def delete(self, key: str) -> None:
        path = self._path(key)
        with self._explained():
            self._require_root()
            with self._one_at_a_time():
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    path.unlink()
                    sync_folder(path.parent)
                self._digest_file(key).unlink(missing_ok=True)

    def erase(self, key: str) -> None:
        self.delete(key)  # it has no versions

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Among the writers of this folder, in any process: an object and its digest change together. Nothing slow happens inside."""
        self._make_folders(self._reserved())
        with open(self._reserved("lock"), "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _already(self, key: str, sha256: str, if_absent: bool) -> ObjectInfo | None:
        there = self.stat(key)
        if there is None:
            return None
        if (there.sha256 or self.digest(key)) == sha256.lower():
            return replace(there, sha256=sha256.lower())
        if if_absent:
            raise ObjectConflict(f"{self.url(key)} is there already with another SHA-256; it was not replaced")
        return None

    def _path(self, key: str) -> Path:
        """Where ``key`` is, links followed. Raises RecordingError(UNSAFE_KEY) where that is not inside the folder."""
        path = self.root / safe_key(key)
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError):  # links in a circle
            raise RecordingError(Reason.UNSAFE_KEY, "the key leads through links that lead nowhere") from None
        if not resolved.is_relative_to(self.root.resolve()):
            raise RecordingError(Reason.UNSAFE_KEY, "the key leads out of the store's folder through a link")
        return resolved

    def _reserved(self, *names: str) -> Path:
        return self.root.joinpath(RESERVED, *names)

    def _digest_file(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._reserved("digests", name[:2], f"{name}.json")

    def _stored_digest(self, key: str, found: os.stat_result) -> str | None:
        try:
            kept = json.loads(self._digest_file(key).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        matches = kept.get("size_bytes") == found.st_size and kept.get("modified_ns") == found.st_mtime_ns
        return str(kept["sha256"]) if matches else None

    def _keep_digest(self, key: str, sha256: str, details: os.stat_result) -> None:
        """Kept before the object gets its name: a crash between the two leaves a digest of nothing, never an object without one."""
        path = self._digest_file(key)
        self._make_folders(path.parent)
        content = json.dumps({"sha256": sha256.lower(), "size_bytes": details.st_size, "modified_ns": details.st_mtime_ns})
        save(iter([content.encode()]), path)

    def _make_folders(self, folder: Path) -> None:
        missing = [level for level in (folder, *folder.parents) if level.is_relative_to(self.root.resolve()) and not level.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for level in missing:
            sync_folder(level.parent)

    @staticmethod
    def _forget_abandoned(folder: Path) -> None:
        """Half-written files of writers that were killed; no write takes a day."""
        for file in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if file.stat().st_mtime < time.time() - ABANDONED_AFTER_S:
                    file.unlink()

    def _require_root(self) -> None:
        """A folder that is gone (not mounted, say) is not the same as an object that is not there."""
        if not self.root.is_dir():
            raise StorageUnavailable(
                f"the object folder {self.root} is not there; mount it, or check VERBATIM_INTAKE_URL and VERBATIM_ARCHIVE_URL"
            )

    def _missing(self, key: str) -> ObjectMissing:
        return ObjectMissing(f"there is no object {self.url(key)}")

    @staticmethod
    def _info(key: str, details: os.stat_result, sha256: str | None) -> ObjectInfo:
        return ObjectInfo(key, details.st_size, datetime.fromtimestamp(details.st_mtime, UTC), sha256, None)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What the operating system says about the folder, in the store's words."""
        try:
            yield
        except OSError as error:
            if isinstance(error, (FileExistsError, NotADirectoryError)):
                raise StorageError(f"{self.root} is not a folder that objects can be kept in; choose another") from error
            if isinstance(error, PermissionError):
                raise AccessDenied(
                    f"the object folder {self.root} may not be used by this user; change its owner or its permissions"
                ) from error
            raise StorageUnavailable(f"the object folder {self.root} does not work: {os.strerror(error.errno or errno.EIO)}") from error


def _copy(source: CheckedSource, target: Path) -> os.stat_result:
    with open(target, "xb") as file:
        while source.size_bytes and (chunk := source.read(CHUNK_BYTES)):
            file.write(chunk)
        if not source.size_bytes:
            source.read()  # nothing to copy, but its digest still has to be that of nothing
        file.flush()
        os.fsync(file.fileno())
        return os.fstat(file.fileno())


def _publish(temporary: Path, path: Path, if_absent: bool) -> None:
    """Gives the finished file its name in one step; with ``if_absent`` raises FileExistsError where somebody has that name."""
    if if_absent:
        try:
            os.link(temporary, path)
            return
        except OSError as error:
            if error.errno not in NO_HARD_LINKS:
                raise
    temporary.replace(path)
