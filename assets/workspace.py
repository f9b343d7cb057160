"""A scratch folder for one recording's files, removed when its work is over, also after a failure."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from uuid import UUID

from assets.services import Services
from domain.failures import Reason, RecordingError
from resources.objects import ObjectMissing, ObjectStore
from resources.store.media import Recording


@contextmanager
def workspace(services: Services, recording_id: UUID) -> Iterator[Path]:
    root = services.settings.work_dir
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(prefix=f"{recording_id}-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bring(services: Services, recording: Recording, folder: Path) -> Path:
    """The recording's file, from the intake or, once it has left that, from the archive, where card data in it is silenced.

    Raises RecordingError(CHANGED) if its bytes are not those that were ingested, or kept.
    """
    store: ObjectStore = services.intake
    key, expected = recording.intake_key, recording.sha256
    if recording.archive_key is not None:
        store, key, expected = services.archive, recording.archive_key, recording.kept_sha256 or recording.sha256
    if key is None:
        raise RecordingError(Reason.UNEXPECTED, "the recording was ingested but names no object")
    path = folder / "media"
    try:
        sha256 = store.download(key, path)
    except ObjectMissing:
        raise RecordingError(Reason.CHANGED, "the object has disappeared since it was ingested") from None
    if sha256 != expected:
        raise RecordingError(
            Reason.CHANGED, "the object's bytes differ from those that were ingested; compare its SHA-256 with the store's"
        )
    return path
