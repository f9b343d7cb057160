"""Asset ``archive``: recording and transcript into the archive store, read back and compared, and only then out of the intake.

Locks, retention and holds have their place in ``_keep``: it writes every archived object.
"""

import hashlib
import json
from pathlib import Path, PurePosixPath
from uuid import UUID

import dagster as dg

from assets.batches import Done, Report, Selection, work_through
from assets.partitions import partitions
from assets.recordings import recordings
from assets.reporting import given_up_check, result
from assets.services import Services
from assets.transcripts import transcripts
from assets.workspace import bring, workspace
from domain.failures import Reason, RecordingError
from domain.object_keys import media_key, transcript_key
from resources.objects import ObjectConflict, ObjectInfo, ObjectMissing
from resources.store import media
from resources.store import transcripts as versions
from resources.store.work import Claim

TYPES = {"ogg": "audio/ogg", "mp4": "video/mp4", "mp3": "audio/mpeg", "wav": "audio/wav"}


@dg.asset(
    partitions_def=partitions,
    deps=[recordings, transcripts],
    group_name="consultations",
    kinds={"s3"},
    check_specs=given_up_check("archive"),
)
def archive(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], selection: Selection) -> dg.MaterializeResult:
    """The day's recordings and transcripts in the archive store, under their SHA-256, verified by reading them back."""

    def store(claimed: Claim, report: Report) -> Done:
        with services.engine.connect() as connection:
            recording = media.load(connection, claimed.recording_id)
        transcript_id = recording.current_transcript_id
        if transcript_id is None or recording.sha256 is None:
            return Done.WAITING
        if recording.archived_transcript_id != transcript_id:
            _archive(context, services, recording, transcript_id, report)
        _clear_intake(context, services, recording)
        return Done.PROCESSED

    report = work_through(context, services, selection, "archive", store)
    return result(context, services, "archive", report)


def _archive(
    context: dg.AssetExecutionContext, services: Services, recording: media.Recording, transcript_id: UUID, report: Report
) -> None:
    assert recording.sha256 is not None and recording.media is not None
    with workspace(services, recording.id) as folder:
        extension = PurePosixPath(recording.intake_key or "").suffix.lstrip(".").lower()
        key = media_key(recording.consultation_id, recording.id, recording.call_ended_at, extension)
        if recording.archive_key is None:
            kept = _keep(
                services, key, bring(services, recording, folder), recording.sha256, TYPES.get(extension, "application/octet-stream")
            )
            report.counters["bytes"] += kept.size_bytes
            version = kept.version_id
        else:
            key, version = recording.archive_key, recording.archive_version_id
        with services.engine.connect() as connection:
            document = versions.document(connection, transcript_id)
        path = folder / "transcript.json"
        path.write_text(json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
        transcript = transcript_key(recording.consultation_id, recording.id, recording.call_ended_at, transcript_id)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        try:
            _keep(services, transcript, path, digest, "application/json")
        except ObjectConflict:
            # A run that was killed after this write: the key belongs to this one version, and what is there is whole.
            digest = services.archive.digest(transcript)
    with services.engine.begin() as connection:
        media.save_archived(
            connection, recording.id, context.run_id, transcript_id=transcript_id, key=key, version_id=version, document_sha256=digest
        )
        versions.fill_consultation(connection, recording.id, services.archive.url(key))


def _keep(services: Services, key: str, path: Path, sha256: str, content_type: str) -> ObjectInfo:
    """Write one object with its checksum and read it back. Raises RecordingError(ARCHIVE_MISMATCH), ObjectConflict."""
    info = services.archive.write(key, path, sha256=sha256, content_type=content_type)
    if services.archive.digest(key) != sha256:
        raise RecordingError(
            Reason.ARCHIVE_MISMATCH, f"the archive gave back other bytes than were written to {key}; the intake keeps its copy"
        )
    return info


def _clear_intake(context: dg.AssetExecutionContext, services: Services, recording: media.Recording) -> None:
    """The archive's copy is committed, so the intake's may go: once, and only if it is what was archived. Anything else is somebody else's."""
    key = recording.intake_key
    if recording.intake_cleared_at is not None:
        return
    if key is not None:
        with services.engine.connect() as connection:
            shared = media.upload_is_shared(connection, recording)
        try:
            if not shared and services.intake.digest(key) == recording.sha256:
                services.intake.delete(key)
            elif not shared:
                context.log.warning(f"recording {recording.id}: another object has taken the place of its upload, and stays in the intake")
        except ObjectMissing:
            pass
    with services.engine.begin() as connection:
        media.save_intake_cleared(connection, recording.id)
