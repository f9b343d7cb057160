"""A bucket, or a prefix of one, as an object store, on any server that speaks S3.

Servers differ in what they verify. The signature over the body's SHA-256 is checked by all; x-amz-checksum-sha256 and If-None-Match are
honoured by some and ignored by others (Ceph 16 ignores both). So an object is looked for before it is written, its digest is kept as
metadata too, and nobody may rely on a write before ``digest`` has read it back. How errors are told belongs to connection.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from domain.failures import RecordingError
from domain.object_keys import StoreLocation, safe_key
from resources.objects.connection import S3Connection, explained
from resources.objects.store import (
    BucketMissing,
    ObjectConflict,
    ObjectInfo,
    ObjectMissing,
    StorageError,
    StorageUnavailable,
    source_changed,
)
from resources.objects.transfer import CHUNK_BYTES, CheckedSource, digest_of, save

MAX_PARTS = 10_000


class S3Store:
    """An ObjectStore in ``bucket``, below ``prefix``. One object may be used by several threads."""

    is_worm = False  # unknown until a probe has tried to break a lock; never believed from the bucket's settings alone

    def __init__(self, connection: S3Connection, bucket: str, prefix: str = "") -> None:
        self.connection = connection
        self.bucket = bucket
        self.prefix = prefix.strip("/")

    @cached_property
    def _s3(self) -> Any:
        try:
            return self.connection.client()
        except ValueError as error:
            raise StorageError(f"{self.connection.name} has no valid address; check VERBATIM_S3_ENDPOINT and VERBATIM_S3_REGION") from error

    @property
    def location(self) -> StoreLocation:
        return StoreLocation(bucket=self.bucket, endpoint=self.connection.endpoint, prefix=self.prefix)

    def check(self) -> None:
        with self._explained():
            try:
                self._s3.head_bucket(Bucket=self.bucket)
            except self._s3.exceptions.ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
                detail = f"bucket {self.bucket} does not exist; create it, or check VERBATIM_INTAKE_URL and VERBATIM_ARCHIVE_URL"
                raise BucketMissing(detail) from error

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{self._name(key)}"

    def stat(self, key: str) -> ObjectInfo | None:
        try:
            with self._explained(key):
                answer = self._s3.head_object(Bucket=self.bucket, Key=self._name(key), ChecksumMode="ENABLED")
        except ObjectMissing:
            self.check()  # HEAD has no body: the answer is the same where the whole bucket is missing
            return None
        return ObjectInfo(key, answer["ContentLength"], answer["LastModified"], _stored_digest(answer), _version(answer))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        if prefix:
            safe_key(prefix.rstrip("/"))
        above = f"{self.prefix}/" if self.prefix else ""
        with self._explained():
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=above + prefix)
            for page in pages:
                for found in page.get("Contents", []):
                    key = found["Key"][len(above) :]
                    with suppress(RecordingError):  # a name that no store would take, say that of a console's "folder"
                        yield ObjectInfo(safe_key(key), found["Size"], found["LastModified"], None, None)

    @contextmanager
    def open(self, key: str, first: int = 0, last: int | None = None) -> Iterator[Iterator[bytes]]:
        part = {"Range": f"bytes={first}-{'' if last is None else last}"} if first or last is not None else {}
        with self._explained(key):
            body = self._s3.get_object(Bucket=self.bucket, Key=self._name(key), **part)["Body"]
        try:
            yield self._chunks(key, body)
        finally:
            body.close()

    def _chunks(self, key: str, body: Any) -> Iterator[bytes]:
        chunks = body.iter_chunks(CHUNK_BYTES)
        while True:
            with self._explained(key):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def download(self, key: str, path: Path, on_progress: Callable[[int], None] | None = None) -> str:
        with self.open(key) as chunks:
            return save(chunks, path, on_progress)

    def digest(self, key: str) -> str:
        with self.open(key) as chunks:
            return digest_of(chunks)

    def write(self, key: str, source: Path, *, sha256: str, content_type: str, if_absent: bool = True) -> ObjectInfo:
        sha256 = sha256.lower()
        if (there := self._already(key, sha256, if_absent)) is not None:
            return there
        with open(source, "rb") as file:
            body = CheckedSource(file, sha256)
            kept: dict[str, Any] = {"ContentType": content_type, "Metadata": {"sha256": sha256}}
            only_new: dict[str, Any] = {"IfNoneMatch": "*"} if if_absent else {}
            try:
                if body.size_bytes > self.connection.multipart_above_bytes:
                    version = self._in_parts(key, file, body.size_bytes, sha256, kept, only_new)
                else:
                    version = self._in_one(key, body, sha256, kept | only_new)
            except ObjectConflict:
                # Another writer was faster, or the answer to our own first attempt was lost.
                if (there := self._already(key, sha256, if_absent)) is not None:
                    return there
                raise
        info = self.stat(key)
        if info is None or info.size_bytes != body.size_bytes or info.sha256 != sha256:
            raise ObjectConflict(f"{self.url(key)} was written and is another object already; two writers share one key")
        return replace(info, version_id=version or info.version_id)

    def delete(self, key: str) -> None:
        with self._explained(key):
            self._s3.delete_object(Bucket=self.bucket, Key=self._name(key))

    def erase(self, key: str) -> None:
        name = self._name(key)
        with self._explained(key):
            pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=name)
            versions = [one for page in pages for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])) if one["Key"] == name]
            for one in versions:
                self._s3.delete_object(Bucket=self.bucket, Key=name, VersionId=one["VersionId"])

    def _in_one(self, key: str, body: CheckedSource, sha256: str, arguments: dict[str, Any]) -> str | None:
        """Raises RecordingError(ARCHIVE_MISMATCH) before the first byte leaves: signing reads the file through ``body``."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        try:
            with self._explained(key):
                answer = self._s3.put_object(Bucket=self.bucket, Key=self._name(key), Body=body, ChecksumSHA256=checksum, **arguments)
        except StorageUnavailable:
            if body.changed:  # between signing and sending; boto3 takes our refusal to go on for a broken connection
                raise source_changed() from None
            raise
        return _version(answer)

    def _in_parts(
        self, key: str, file: BinaryIO, size_bytes: int, sha256: str, kept: dict[str, Any], only_new: dict[str, Any]
    ) -> str | None:
        """One part in memory at a time; whatever fails, the upload is aborted, so that no part of it stays (and is paid for).

        A process that is killed in between leaves its parts: the bucket needs a lifecycle rule that aborts incomplete uploads.
        """
        target = {"Bucket": self.bucket, "Key": self._name(key)}
        with self._explained(key):
            upload = self._s3.create_multipart_upload(**target, **kept, ChecksumAlgorithm="SHA256")["UploadId"]
        try:
            part_bytes = max(self.connection.part_bytes, -(-size_bytes // MAX_PARTS))
            running, parts = hashlib.sha256(), list[dict[str, Any]]()
            while part := file.read(part_bytes):
                running.update(part)
                numbered = {"PartNumber": len(parts) + 1, "ChecksumSHA256": base64.b64encode(hashlib.sha256(part).digest()).decode()}
                with self._explained(key):
                    answer = self._s3.upload_part(**target, UploadId=upload, Body=part, **numbered)
                parts.append({"ETag": answer["ETag"], **numbered})
            if running.hexdigest() != sha256:
                raise source_changed()
            with self._explained(key):
                done = self._s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts}, **only_new)
            return _version(done)
        except BaseException:
            with suppress(StorageError), self._explained(key):
                self._s3.abort_multipart_upload(**target, UploadId=upload)
            raise

    def _already(self, key: str, sha256: str, if_absent: bool) -> ObjectInfo | None:
        there = self.stat(key)
        if there is None:
            return None
        if (there.sha256 or self.digest(key)) == sha256:
            return replace(there, sha256=sha256)
        if if_absent:
            raise ObjectConflict(f"{self.url(key)} is there already with another SHA-256; it was not replaced")
        return None

    def _name(self, key: str) -> str:
        """The key in the bucket. Raises RecordingError(UNSAFE_KEY)."""
        return safe_key(f"{self.prefix}/{safe_key(key)}" if self.prefix else key)

    def _explained(self, key: str | None = None) -> Any:
        return explained(self.connection, self.bucket, self._name(key) if key is not None else None)


def _stored_digest(answer: dict[str, Any]) -> str | None:
    """Ours from the metadata, else the server's own checksum; that of a multipart upload is one of its parts' and no help."""
    stored = answer.get("Metadata", {}).get("sha256")
    if stored is not None:
        return str(stored).lower()
    checksum = answer.get("ChecksumSHA256")
    if checksum is None or "-" in checksum:
        return None
    return base64.b64decode(checksum).hex()


def _version(answer: dict[str, Any]) -> str | None:
    """A bucket that never had versions answers none, or "null"."""
    version = answer.get("VersionId")
    return None if version in (None, "", "null") else str(version)
