"""Stores for the tests of resources.objects, and what only a test does with them."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from resources.objects import (
    FolderStore,
    ObjectInfo,
    ObjectStore,
    S3Connection,
    S3Store,
    open_store,
)
from tests.services import S3Service

MIB = 1 << 20
ROOT = Path(__file__).parents[2]


@dataclass
class Place:
    """A store under test, and what only a test may do: change an object behind the store's back."""

    store: ObjectStore
    url: str
    connection: S3Connection | None
    overwrite: Callable[[str, bytes], None]


def folder_place(root: Path) -> Place:
    store = FolderStore(root)
    store.check()
    return Place(store, root.as_uri(), None, lambda key, content: void(root.joinpath(key).write_bytes(content)))


def s3_place(s3: S3Service, connection: S3Connection | None = None) -> Place:
    connection, prefix = connection or s3.connection, f"test/{uuid4().hex}"
    url = f"s3://{s3.archive_bucket}/{prefix}"
    raw = s3.connection.client()

    def overwrite(key: str, content: bytes) -> None:
        raw.put_object(Bucket=s3.archive_bucket, Key=f"{prefix}/{key}", Body=content)

    return Place(open_store(url, connection), url, connection, overwrite)


def void(_: object) -> None:
    return None


def file_of(folder: Path, content: bytes, name: str = "source") -> tuple[Path, str]:
    path = folder / name
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def put(store: ObjectStore, folder: Path, key: str, content: bytes, **options: bool) -> ObjectInfo:
    path, sha256 = file_of(folder, content)
    return store.write(key, path, sha256=sha256, content_type="audio/ogg", **options)


def versions(store: ObjectStore, key: str) -> list[str]:
    assert isinstance(store, S3Store)
    found = store.connection.client().list_object_versions(Bucket=store.bucket, Prefix=f"{store.prefix}/{key}")
    return [version["VersionId"] for version in found.get("Versions", [])]


def child(place: Place, action: str, source: Path, sha256: str, target: Path) -> subprocess.Popen[str]:
    order = {
        "action": action,
        "url": place.url,
        "connection": asdict(place.connection) if place.connection else None,
        "key": "big.ogg",
        "source": str(source),
        "sha256": sha256,
        "target": str(target),
    }
    command = [sys.executable, "-m", "tests.integration.object_processes"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin is not None
    process.stdin.write(json.dumps(order))
    process.stdin.close()
    process.stdin = None
    return process
