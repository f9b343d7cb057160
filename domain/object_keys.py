"""Names of objects: which are safe, what the archive calls its own, and where egress says it put a file.

Pure string work. A key is relative to its store (a bucket's prefix or a folder), always with ``/`` between its segments.
Reading and writing objects belongs to resources.objects.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote
from uuid import UUID

from domain.failures import Reason, RecordingError

MAX_KEY_BYTES = 1024  # S3's limit
MAX_SEGMENT_BYTES = 255  # what file systems take for one name
SHORT = 16  # digits of a digest that tell a recording's objects apart; some stores refuse keys of more than 200 bytes
RESERVED = ".verbatim-objects"  # a folder store keeps its digests and half-written files there

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")
_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """Where a store is: a bucket (below ``prefix``, at ``endpoint``; None is AWS), or a folder, by every path that leads to it."""

    bucket: str | None = None
    endpoint: str | None = None
    prefix: str = ""
    folders: tuple[str, ...] = ()


def safe_key(key: str) -> str:
    """``key`` itself, if it names exactly one place inside a store. Raises RecordingError(UNSAFE_KEY), whose text never repeats the key."""
    segments = key.split("/")
    if not key:
        raise _unsafe("the key is empty")
    if _CONTROL.search(key) or "\\" in key:
        raise _unsafe("the key has a control character or a backslash")
    if key.startswith("/") or _WINDOWS_DRIVE.match(key):
        raise _unsafe("the key is an absolute path")
    if any(segment in ("", ".", "..") for segment in segments):
        raise _unsafe("the key has an empty, '.' or '..' segment")
    if segments[0] == RESERVED:
        raise _unsafe(f"the key is inside {RESERVED}, which belongs to the store")
    try:
        lengths = [len(segment.encode()) for segment in segments]
    except UnicodeEncodeError:
        raise _unsafe("the key is not valid Unicode") from None
    if max(lengths) > MAX_SEGMENT_BYTES or sum(lengths) + len(segments) - 1 > MAX_KEY_BYTES:
        raise _unsafe(f"the key is longer than {MAX_KEY_BYTES} bytes, or one of its segments than {MAX_SEGMENT_BYTES}")
    return key


def media_key(consultation_id: UUID | str, recording_id: UUID | str, call_ended_at: datetime, extension: str = "ogg") -> str:
    """Where the archive keeps a recording's media. ``extension`` with or without its dot; one that is no plain word becomes ``bin``."""
    suffix = extension.lower().lstrip(".")
    suffix = suffix if _EXTENSION.fullmatch(suffix) else "bin"
    return safe_key(f"{recording_folder(consultation_id, recording_id, call_ended_at)}/media.{suffix}")


def transcript_key(
    consultation_id: UUID | str, recording_id: UUID | str, call_ended_at: datetime, transcript_id: UUID | str, sha256: str | None = None
) -> str:
    """Where the archive keeps one version of a recording's transcript; with ``sha256`` one that took its place, because less of it may be kept."""
    folder = recording_folder(consultation_id, recording_id, call_ended_at)
    digest = f"-{_one_segment(sha256[:SHORT])}" if sha256 else ""
    return safe_key(f"{folder}/transcripts/{_one_segment(transcript_id)}{digest}.json")


def silenced_key(
    consultation_id: UUID | str, recording_id: UUID | str, call_ended_at: datetime, sha256: str, extension: str = "ogg"
) -> str:
    """Where the archive keeps media that took another's place because more of it had to be silenced: under its own digest."""
    suffix = media_key(consultation_id, recording_id, call_ended_at, extension).rpartition(".")[2]
    return safe_key(f"{recording_folder(consultation_id, recording_id, call_ended_at)}/media-{_one_segment(sha256[:SHORT])}.{suffix}")


def rendition_key(
    consultation_id: UUID | str, recording_id: UUID | str, call_ended_at: datetime, sha256: str, extension: str = "ogg"
) -> str:
    """Where the archive keeps a redacted rendition: under its own digest, so that the same one is written once."""
    suffix = media_key(consultation_id, recording_id, call_ended_at, extension).rpartition(".")[2]
    return safe_key(f"{recording_folder(consultation_id, recording_id, call_ended_at)}/renditions/{_one_segment(sha256[:SHORT])}.{suffix}")


def intake_key(filename: str, location: str, *, store: StoreLocation) -> str:
    """The intake's key of a file that egress uploaded, from a fileResult's ``filename`` and ``location``.

    ``location`` leads, because egress leaves its own prefix out of ``filename``; the latter is used where there is no location.
    Egress writes locations raw: a ``%``, ``#`` or ``?`` in one is part of the key, unless only its decoded form ends in ``filename``.
    Raises RecordingError(UNSAFE_KEY) where the file is not inside the intake, or its key is not safe.
    """
    named = location or filename
    found = _in_folder(named, store.folders) if store.bucket is None else _in_bucket(named, store.bucket, store.endpoint)
    if filename and location and not found.endswith(filename) and unquote(found).endswith(filename):
        found = unquote(found)
    inside = store.prefix.strip("/")
    if inside:
        if not found.startswith(inside + "/"):
            raise _unsafe("egress uploaded outside of the intake's prefix; give egress and VERBATIM_INTAKE_URL the same one")
        found = found[len(inside) + 1 :]
    return safe_key(found)


def _in_bucket(named: str, bucket: str, endpoint: str | None) -> str:
    scheme = _SCHEME.match(named)
    kind = scheme.group(1).lower() if scheme else ""
    bare = named[scheme.end() :] if scheme else named
    base = _SCHEME.sub("", endpoint or "").rstrip("/")
    if kind not in ("", "http", "https", "s3"):
        raise _unsafe(f"egress uploaded to a {kind}:// location, but the intake is a bucket")
    if kind == "s3":
        found = _below(bare, bucket)
    elif base and (path := _below(bare, base)) is not None:
        found = _below(path, bucket)
    elif kind:
        host, _, path = bare.partition("/")
        found = path if host.lower().startswith(f"{bucket.lower()}.") else _below(path, bucket)
    elif named.startswith("/"):
        raise _unsafe("egress wrote to a local path, but the intake is a bucket; configure egress to upload to it")
    else:
        return named
    if found is None:
        raise _unsafe("egress uploaded to another bucket than the intake's; check VERBATIM_INTAKE_URL")
    return found


def _below(text: str, base: str) -> str | None:
    """What follows ``base`` and a slash in ``text``; None where ``text`` does not begin so."""
    base = base.rstrip("/") + "/"
    return text[len(base) :] if text.startswith(base) else None


def _in_folder(named: str, folders: tuple[str, ...]) -> str:
    scheme = _SCHEME.match(named)
    if scheme is not None:
        if scheme.group(1).lower() != "file":
            raise _unsafe("egress uploaded to a URL, but the intake is a folder; set VERBATIM_INTAKE_URL to where egress uploads")
        host, slash, path = named[scheme.end() :].partition("/")
        if host not in ("", "localhost"):
            raise _unsafe("egress wrote to a file on another host")
        named = unquote(slash + path)
    if not named.startswith("/"):
        return named
    for folder in folders:
        if (rest := _below(named, folder)) is not None:
            return rest
    raise _unsafe("egress wrote outside of the intake's folder; check VERBATIM_INTAKE_URL")


def recording_folder(consultation_id: UUID | str, recording_id: UUID | str, call_ended_at: datetime) -> str:
    """Where the archive keeps everything of one recording."""
    if call_ended_at.tzinfo is None:
        raise ValueError("call_ended_at has no time zone")
    day = call_ended_at.astimezone(UTC)
    return f"consultations/{day:%Y/%m/%d}/{_one_segment(consultation_id)}/{_one_segment(recording_id)}"


def _one_segment(name: UUID | str) -> str:
    text = str(name)
    if "/" in text:
        raise _unsafe("an id has a slash")
    return text


def _unsafe(detail: str) -> RecordingError:
    return RecordingError(Reason.UNSAFE_KEY, detail)
