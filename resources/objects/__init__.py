"""Where recordings and transcripts lie: S3 buckets and folders behind one interface. What they are called belongs to domain.object_keys."""

from pathlib import Path
from urllib.parse import unquote

from resources.objects.connection import S3Connection
from resources.objects.folder import FolderStore
from resources.objects.s3 import S3Store
from resources.objects.store import (
    AccessDenied,
    BucketMissing,
    ObjectConflict,
    ObjectInfo,
    ObjectMissing,
    ObjectStore,
    StorageError,
    StorageUnavailable,
)

__all__ = [
    "AccessDenied",
    "BucketMissing",
    "FolderStore",
    "ObjectConflict",
    "ObjectInfo",
    "ObjectMissing",
    "ObjectStore",
    "S3Connection",
    "S3Store",
    "StorageError",
    "StorageUnavailable",
    "open_store",
]


def open_store(url: str, s3: S3Connection | None = None) -> ObjectStore:
    """The store at ``s3://bucket/prefix``, ``file:///folder`` or a plain path. Nothing connects. Raises ValueError for anything else."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return FolderStore(Path(url))
    if scheme == "file" and rest.startswith("/"):
        return FolderStore(Path(unquote(rest)))
    if scheme == "s3":
        bucket, _, prefix = rest.partition("/")
        if bucket:
            return S3Store(s3 or S3Connection(), bucket, prefix)
    raise ValueError("an object store is named s3://bucket/prefix, file:///folder or by a plain path")
