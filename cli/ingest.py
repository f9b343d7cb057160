"""``verbatim ingest``: recordings that exist already go the way of all others, from the intake on."""

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine

from cli.errors import Refused
from domain.audit import Deed
from domain.consultations import ConsultationType
from domain.days import FIRST_DAY, day_of
from domain.failures import RecordingError
from domain.parties import Party
from resources.media import probe
from resources.objects import ObjectStore, open_store
from resources.policies import recording_consent
from resources.settings import Settings
from resources.store import audit, imports
from resources.store.database import database
from resources.store.imports import Import

CHUNK_BYTES = 1 << 20


def run(
    settings: Settings,
    files: Sequence[Path],
    kind: str,
    *,
    left: str | None,
    right: str | None,
    role: str | None,
    started_at: datetime | None,
    consented: bool = False,
) -> int:
    """The exit status: 0 if every file is in, also those that were before. A refused file does not keep the others out."""
    console = Console()
    if role is not None and (left is not None or right is not None):
        raise Refused("--role is for a file with one speaker, --left and --right for two channels: give one or the other")
    if left is not None and left == right:
        raise Refused(f"both channels cannot be the {left}'s: name each party's own, or one of them alone")
    refused = 0
    intake = open_store(settings.intake, settings.s3())
    intake.check()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with database(settings) as engine, Progress(*columns, console=console) as progress:
        for path in files:
            try:
                said = _ingest(
                    engine, intake, progress, path, ConsultationType(kind), _party(left), _party(right), _party(role), started_at, consented
                )
                progress.console.print(f"{path}: {said}", soft_wrap=True, highlight=False)
            except (Refused, RecordingError, OSError) as error:
                refused += 1
                progress.console.print(f"{path}: not imported: {error}", style="red", soft_wrap=True, highlight=False)
    return 1 if refused else 0


def _party(name: str | None) -> Party | None:
    return Party(name) if name else None


def _ingest(
    engine: Engine,
    intake: ObjectStore,
    progress: Progress,
    path: Path,
    kind: ConsultationType,
    left: Party | None,
    right: Party | None,
    only: Party | None,
    started_at: datetime | None,
    consented: bool,
) -> str:
    if not path.is_file():
        raise Refused("it is a folder: name the files in it" if path.is_dir() else "there is no such file")
    sha256 = _digest(progress, path)
    with engine.connect() as connection:
        before = imports.known(connection, sha256)
        as_said = before is None or imports.said(connection, before) == (kind, imports.layout_of(left, right, only))
    if before is not None and not as_said:
        raise Refused(f"it was imported before, as recording {before}, with another type or other speakers, and stays as it is")
    if before is not None:
        return f"was imported before, as recording {before}"
    info = probe(path)
    if info.channels != 2 and (left is not None or right is not None):
        raise Refused(f"--left and --right name the channels of a two-channel file, and this one has {info.channels}")
    length = timedelta(milliseconds=info.duration_ms)
    began = started_at.replace(tzinfo=UTC) if started_at else datetime.fromtimestamp(path.stat().st_mtime, UTC) - length
    if not day_of(began + length) >= FIRST_DAY or began + length > datetime.now(UTC) + timedelta(minutes=5):
        raise Refused(f"its call would have ended at {began + length:%Y-%m-%dT%H:%M:%SZ}, which is before {FIRST_DAY} or in the future")
    key = f"imports/{sha256}{path.suffix.lower()}"
    intake.write(key, path, sha256=sha256, content_type="application/octet-stream")
    item = Import(sha256, key, kind, began, began + length, info.size_bytes, info.duration_ms, left, right, only)
    with engine.begin() as connection:
        recording_id = imports.add(connection, item)
        if consented:
            actor = f"os:{os.getuid()}"
            parties = imports.record_consent(connection, recording_id, actor, recording_consent().version, began)
            details = (("outcome", "granted"), ("method", "prior"), ("parties", parties))
            audit.append(connection, Deed(actor, "operator", "consent.record", subject=str(recording_id), details=details))
        return f"recording {recording_id}, {info.duration_ms // 1000} s, {info.channels} channels"


def _digest(progress: Progress, path: Path) -> str:
    digest = hashlib.sha256()
    task = progress.add_task(path.name, total=path.stat().st_size)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            progress.advance(task, len(chunk))
    progress.remove_task(task)
    return digest.hexdigest()
