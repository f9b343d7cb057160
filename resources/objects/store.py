"""What every object store can do, and how it fails. The stores themselves are in folder and s3.

A store is one place: a bucket, a prefix of one, or a folder. The intake, where egress uploads, and the archive are two of them.
Digests are SHA-256 in hexadecimal. What a server claims about an object is a claim: ``digest`` reads the bytes.
Retention, locks and holds belong to a version, so ``write`` says which version it made; setting them is no part of this interface.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from domain.failures import Reason, RecordingError
from domain.object_keys import StoreLocation

OnProgress = Callable[[int], None]
"""Called with the bytes done so far."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """``sha256`` is what was stored beside the object when it was written, None where the uploader gave none (egress does not).
    ``version_id`` is None in a store without versions. A listing knows neither."""

    key: str
    size_bytes: int
    modified_at: datetime
    sha256: str | None
    version_id: str | None


class StorageError(Exception):
    """An object store did not do what it was asked. ``str()`` says what to do and never holds a secret."""


class StorageUnavailable(StorageError):
    """It cannot be reached, or not now; the same call may work later."""


class AccessDenied(StorageError):
    """It is there and refuses us; a person has to change a setting."""


class BucketMissing(StorageError):
    """The bucket that the settings name does not exist."""


class ObjectMissing(StorageError):
    """There is no such object."""


class ObjectConflict(StorageError):
    """Another object has this key already, and it was not to be replaced."""


class ObjectStore(Protocol):
    """Keys are checked in every call: RecordingError(UNSAFE_KEY) for one that could lead out of the store.

    Every call can raise StorageUnavailable, AccessDenied and BucketMissing.
    """

    is_worm: bool
    """Whether the store itself keeps a locked version from everybody. Never taken from a setting."""

    @property
    def location(self) -> StoreLocation:
        """Where it is, for domain.object_keys.intake_key."""

    def check(self) -> None:
        """Whether the store can be used, asked before the first use; a folder is created. Raises what is wrong with what to do."""

    def url(self, key: str) -> str:
        """``s3://bucket/key`` or ``file:///folder/key``, for people and the database; holds no credentials."""

    def stat(self, key: str) -> ObjectInfo | None:
        """What is there now, or None."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key begins with ``prefix``, in the order of their keys' bytes, without digests and versions."""

    def open(self, key: str, first: int = 0, last: int | None = None) -> AbstractContextManager[Iterator[bytes]]:
        """The object's bytes in chunks: from number ``first`` to ``last``, both included, or to its end. Raises ObjectMissing."""

    def download(self, key: str, path: Path, on_progress: OnProgress | None = None) -> str:
        """Streams the object into ``path``, which appears whole or not at all. Returns the digest of the bytes that came."""

    def digest(self, key: str) -> str:
        """Reads the whole object back and returns the digest of its bytes. Raises ObjectMissing."""

    def write(self, key: str, source: Path, *, sha256: str, content_type: str, if_absent: bool = True) -> ObjectInfo:
        """Streams ``source`` to ``key``, which changes at once or not at all.

        An object that is there with the same digest is returned and nothing is written, so a repeated call makes no second version.
        Another one is an ObjectConflict, or with ``if_absent=False`` replaced. A ``source`` whose bytes do not hash to ``sha256``
        is refused: RecordingError(ARCHIVE_MISMATCH).
        """

    def delete(self, key: str) -> None:
        """Removes the object; one that is not there is no error. Where the bucket keeps versions, they stay."""

    def erase(self, key: str) -> None:
        """Removes the object and every version of it, so that nobody can read it any more; one that is not there is no error.

        Raises AccessDenied where a version is locked, or where versions may not be removed.
        """


def source_changed() -> RecordingError:
    return RecordingError(Reason.ARCHIVE_MISMATCH, "the file to be written does not hash to its recorded SHA-256; it changed on the way")
