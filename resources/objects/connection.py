"""How an S3 server is reached, and what its errors mean. What is read and written there belongs to s3."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)

from resources.objects.store import AccessDenied, BucketMissing, ObjectConflict, ObjectMissing, StorageError, StorageUnavailable

GIB = 1 << 30
MAX_PUT_BYTES = 5 * GIB  # S3's limit for an upload in one piece
MIN_PART_BYTES = 5 << 20  # and for any part but the last

DENIED = "refuses the credentials ({code}); check VERBATIM_S3_ACCESS_KEY and VERBATIM_S3_SECRET_KEY, and what that key may do"
CLOCK = "refuses this machine's clock ({code}); set the clock"
ELSEWHERE = "belongs to another region or endpoint ({code}); check VERBATIM_S3_REGION and VERBATIM_S3_ENDPOINT"
TEMPORARY = {"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
DAMAGED = {"XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody", "XAmzContentChecksumMismatch"}
WRONG_PLACE = {"AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException"}
TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}


@dataclass(frozen=True, slots=True)
class S3Connection:
    """Without an endpoint it is AWS; without keys boto3 looks for credentials its usual way. Keys never show in ``repr``.

    ``attempts`` counts the first one. A file above ``multipart_above_bytes`` goes up in parts: some servers drop Object Lock from
    such uploads, so only what a single request would carry badly should.
    """

    endpoint: str | None = None
    region: str = "us-east-1"
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    path_style: bool = True
    connect_timeout_s: float = 5
    read_timeout_s: float = 60
    attempts: int = 4
    multipart_above_bytes: int = GIB
    part_bytes: int = 16 << 20

    def __post_init__(self) -> None:
        if not 0 < self.multipart_above_bytes <= MAX_PUT_BYTES:
            raise ValueError(f"multipart_above_bytes must be between 1 and {MAX_PUT_BYTES}")
        if self.part_bytes < MIN_PART_BYTES:
            raise ValueError(f"part_bytes must be at least {MIN_PART_BYTES}")

    @property
    def name(self) -> str:
        return f"the object storage at {self.endpoint}" if self.endpoint else "the object storage (AWS)"

    def client(self) -> Any:
        """A boto3 client of its own. Connects at its first call."""
        config = Config(
            connect_timeout=self.connect_timeout_s,
            read_timeout=self.read_timeout_s,
            retries={"total_max_attempts": self.attempts, "mode": "standard"},
            tcp_keepalive=True,
            # The signature covers the body's SHA-256, also over TLS: the one checksum that every S3 server verifies.
            s3={"addressing_style": "path" if self.path_style else "virtual", "payload_signing_enabled": True},
            # boto3's own CRC32 comes as a trailer that older servers take for content; ours go where we ask for them.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        session = boto3.session.Session(aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key)
        return session.client("s3", endpoint_url=self.endpoint, region_name=self.region, config=config)


@contextmanager
def explained(connection: S3Connection, bucket: str, key: str | None = None) -> Iterator[None]:
    """What boto3 raises, in the store's words."""
    what = f"s3://{bucket}/{key}" if key is not None else f"bucket {bucket}"
    try:
        yield
    except ClientError as error:
        raise _answered(error, connection, bucket, what) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise AccessDenied("there are no S3 credentials; set VERBATIM_S3_ACCESS_KEY and VERBATIM_S3_SECRET_KEY") from error
    except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
        detail = f"{connection.name} does not answer ({type(error).__name__}); check that it runs and VERBATIM_S3_ENDPOINT"
        raise StorageUnavailable(detail) from error
    except BotoCoreError as error:
        raise StorageError(
            f"{what} cannot be used ({type(error).__name__}); check the VERBATIM_S3_ settings and the bucket's name"
        ) from error


def _answered(error: ClientError, connection: S3Connection, bucket: str, what: str) -> StorageError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "NoSuchBucket":
        return BucketMissing(f"bucket {bucket} does not exist; create it, or check VERBATIM_INTAKE_URL and VERBATIM_ARCHIVE_URL")
    if status in (301, 307) or code in WRONG_PLACE:
        return StorageError(f"bucket {bucket} " + ELSEWHERE.format(code=code))
    if code == "RequestTimeTooSkewed":
        return AccessDenied(f"{connection.name} " + CLOCK.format(code=code))
    if status >= 500 or status == 429 or code in TEMPORARY:
        return StorageUnavailable(f"{connection.name} cannot serve {what} now ({status} {code}); try again later")
    if code in DAMAGED:
        return StorageUnavailable(f"{what} arrived damaged and was not stored ({code}); try again")
    if status in (401, 403):
        return AccessDenied(f"{connection.name}, asked for {what}, " + DENIED.format(code=code))
    if status == 404:
        return ObjectMissing(f"there is no object {what}")
    if status == 412 or code in TAKEN:
        return ObjectConflict(f"{what} is there already; it was not replaced")
    return StorageError(f"{connection.name} refused {what} ({status} {code})")
