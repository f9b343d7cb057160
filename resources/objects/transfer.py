"""Bytes on their way: from chunks to a digest or a file, and from a file that must be what its digest says. No store is known here."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from resources.objects.store import source_changed

CHUNK_BYTES = 1 << 20


def digest_of(chunks: Iterator[bytes]) -> str:
    running = hashlib.sha256()
    for chunk in chunks:
        running.update(chunk)
    return running.hexdigest()


def save(chunks: Iterator[bytes], path: Path, on_progress: Callable[[int], None] | None = None) -> str:
    """Writes ``path`` by way of ``path``.part, so that it appears whole or not at all. Returns the digest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    running, done_bytes = hashlib.sha256(), 0
    try:
        with open(part, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
                running.update(chunk)
                done_bytes += len(chunk)
                if on_progress is not None:
                    on_progress(done_bytes)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return running.hexdigest()


def sync_folder(folder: Path) -> None:
    """Makes names that were added to or taken from ``folder`` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class CheckedSource:
    """A file being read whole that refuses to hand out its last bytes if it does not hash to ``sha256``.

    It has what an HTTP client asks of a request's body: ``read``, ``seek`` (a retry begins again at 0) and ``tell``.
    """

    def __init__(self, file: BinaryIO, sha256: str) -> None:
        self.size_bytes = os.fstat(file.fileno()).st_size
        self.changed = False
        self._file = file
        self._expected = sha256.lower()
        self._restart()

    def _restart(self) -> None:
        self._position = 0
        self._running = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._running.update(data)
        self._position += len(data)
        at_end = self._position >= self.size_bytes or not data
        if at_end and (self._position != self.size_bytes or self._running.hexdigest() != self._expected):
            self.changed = True
            raise source_changed()
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        position = self._file.seek(offset, whence)
        self._restart()
        self._position = position
        return position

    def tell(self) -> int:
        return self._file.tell()
