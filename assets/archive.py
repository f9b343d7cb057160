"""Asset ``archive``: recording and transcript into the archive store, read back and compared, and only then out of the intake.

What may not be kept is silenced before: nobody can take it out of a locked archive. Locks, retention and holds have their place in
``assets.sound.keep``, which writes every archived object. What becomes of recordings without consent is decided in domain.quarantine.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
from sqlalchemy import RowMapping

from assets.batches import Done, Report, Selection, work_through
from assets.findings import findings
from assets.partitions import partitions
from assets.reporting import given_up_check, result
from assets.services import Services
from assets.sound import Sound, content_type_of, extension_of, keep, sound_of
from assets.workspace import bring, workspace
from domain.consent import ConsentOutcome
from domain.failures import Reason, RecordingError
from domain.object_keys import media_key, recording_folder, rendition_key, silenced_key, transcript_key
from domain.quarantine import Fate, destroy_at
from domain.rules.intervals import joined
from domain.rules.shapes import Publication
from resources.media.muting import mute
from resources.objects import AccessDenied, ObjectConflict, ObjectMissing
from resources.store import evaluations, forgetting, media, redactions, work
from resources.store import transcripts as versions
from resources.store.media import Kept, Recording
from resources.store.work import Claim


@dg.asset(partitions_def=partitions, deps=[findings], group_name="consultations", kinds={"s3"}, check_specs=given_up_check("archive"))
def archive(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], selection: Selection) -> dg.MaterializeResult:
    """The day's recordings and transcripts in the archive store, verified by reading them back; card numbers and security codes silenced.

    Beside each in which more is redacted, or of which a part may not be used, stands a redacted rendition.
    """

    def store(claimed: Claim, report: Report) -> Done:
        with services.engine.connect() as connection:
            recording = media.load(connection, claimed.recording_id)
            verdict = evaluations.newest(connection, claimed.consultation_id)
        if recording.current_transcript_id is None or verdict is None or recording.evaluation_id != verdict["id"]:
            return Done.WAITING
        if _fate(services, verdict) is Fate.DESTROY:
            return _destroy_in_time(context, services, recording, verdict, report)
        _require_no_card_data(services, recording)
        with workspace(services, recording.id) as folder:
            sound = sound_of(services, recording, verdict)
            if sound.lost:
                with services.engine.begin() as connection:
                    forgetting.forget_words(connection, recording, context.run_id, sound.lost)
            recording = _archive(context, services, recording, sound, folder, report)
            rendition = _render(services, recording, sound, folder)
        with services.engine.begin() as connection:
            media.save_rendition(connection, recording, context.run_id, rendition)
        _remove_former(context, services, recording, rendition)
        report.counters["renditions"] += rendition is not None
        _clear_intake(context, services, recording)
        return Done.PROCESSED

    report = work_through(context, services, selection, "archive", store)
    return result(context, services, "archive", report)


def _archive(
    context: dg.AssetExecutionContext, services: Services, recording: Recording, sound: Sound, folder: Path, report: Report
) -> Recording:
    """The recording as it is afterwards. What is in the archive already, and has nothing in it that may not be kept, stays as it is."""
    assert recording.sha256 is not None and recording.current_transcript_id is not None
    if recording.archived_transcript_id == recording.current_transcript_id and not sound.kept:
        return recording
    kept = _keep_sound(services, recording, sound, folder)
    report.counters["silenced"] += kept.silenced
    with services.engine.connect() as connection:
        document = versions.document(connection, recording.current_transcript_id)
    digest = _keep_transcript(services, recording, document, folder)
    with services.engine.begin() as connection:
        media.save_archived(
            connection,
            recording,
            context.run_id,
            transcript_id=recording.current_transcript_id,
            sound=kept,
            url=services.archive.url(kept.key),
            document_sha256=digest,
        )
    with services.engine.connect() as connection:
        return media.load(connection, recording.id)


def _keep_sound(services: Services, recording: Recording, sound: Sound, folder: Path) -> Kept:
    assert recording.sha256 is not None and recording.media is not None
    if recording.archive_key is not None and not sound.kept:
        known = recording.kept_sha256 or recording.sha256
        return Kept(recording.archive_key, recording.archive_version_id, known, lost=recording.lost)
    extension = extension_of(recording)
    key = media_key(recording.consultation_id, recording.id, recording.call_ended_at, extension)
    path = bring(services, recording, folder)
    if not sound.kept:
        return keep(services, key, path, recording.sha256, content_type_of(extension))
    silenced = folder / "silenced"
    mute(path, silenced, recording.media, sound.kept)
    digest = _digest(silenced)
    if recording.archive_key is not None:
        key = silenced_key(recording.consultation_id, recording.id, recording.call_ended_at, digest, extension)
    kept = keep(services, key, silenced, digest, content_type_of(extension))
    lost = joined((*recording.lost, *sound.lost))
    return replace(kept, silenced=sum(map(len, sound.kept.values())), lost=lost)


def _require_no_card_data(services: Services, recording: Recording) -> None:
    """What the archive has it may never let go of. Raises RecordingError(CARD_DATA_LEFT)."""
    assert recording.redaction_id is not None
    with services.engine.connect() as connection:
        left = redactions.card_data_left(connection, recording.redaction_id)
    if left:
        raise RecordingError(
            Reason.CARD_DATA_LEFT, "its redacted transcript still has what looks like card data; nothing of it is archived"
        )


def _keep_transcript(services: Services, recording: Recording, document: dict[str, Any], folder: Path) -> str:
    path = folder / "transcript.json"
    path.write_text(json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    digest = _digest(path)
    try:
        keep(services, _transcript_key(recording), path, digest, "application/json")
    except ObjectConflict:  # what is there has words that may no longer be kept
        keep(services, _transcript_key(recording, digest), path, digest, "application/json")
    return digest


def _transcript_key(recording: Recording, sha256: str | None = None) -> str:
    return transcript_key(recording.consultation_id, recording.id, recording.call_ended_at, _current(recording), sha256)


def _remove_former(context: dg.AssetExecutionContext, services: Services, recording: Recording, rendition: Kept | None) -> None:
    """Of sound, rendition and this transcript only what was kept last stays. What a lock keeps is told of in the audit trail."""
    with services.engine.connect() as connection:
        digest = versions.document_sha256(connection, _current(recording))
    written = (_transcript_key(recording, digest), _transcript_key(recording))
    transcript = next((key for key in written if services.archive.stat(key) is not None), None)
    current = {recording.archive_key, transcript, rendition.key if rendition else None}
    folder = recording_folder(recording.consultation_id, recording.id, recording.call_ended_at)
    former = [f"{folder}/media", f"{folder}/renditions/", written[1].removesuffix(".json")]
    locked = _remove(services, [one.key for prefix in former for one in services.archive.list(prefix) if one.key not in current])
    if locked:
        context.log.warning(
            f"recording {recording.id}: {locked} objects that others have taken the place of are locked, and stay in the archive"
        )
        with services.engine.begin() as connection:
            media.append(connection, recording, "recording.former_locked", (("objects", locked),))


def _remove(services: Services, keys: Sequence[str]) -> int:
    """From the archive, with every version. Returns how many it does not let go of."""
    locked = 0
    for key in keys:
        try:
            services.archive.erase(key)
        except AccessDenied:
            locked += 1
    return locked


def _render(services: Services, recording: Recording, sound: Sound, folder: Path) -> Kept | None:
    """The redacted rendition; None where nobody may hear less than what is kept."""
    assert recording.media is not None
    if not sound.played or sound.played == sound.silent:
        return None
    kept, extension = bring(services, recording, folder), extension_of(recording)
    target = folder / "rendition"
    mute(kept, target, recording.media, sound.played)
    digest = _digest(target)
    key = rendition_key(recording.consultation_id, recording.id, recording.call_ended_at, digest, extension)
    return keep(services, key, target, digest, content_type_of(extension))


def _fate(services: Services, verdict: RowMapping) -> Fate:
    return services.without_consent.fate(Publication(verdict["publication"]), ConsentOutcome(verdict["consent"]))


def _destroy_in_time(
    context: dg.AssetExecutionContext, services: Services, recording: Recording, verdict: RowMapping, report: Report
) -> Done:
    """Once the grace period is over and nobody reviews the call. Until then its sound waits where it is: in the intake, or in the archive, if consent
    was found missing later. Raises RecordingError(LOCKED) where the archive does not let go of it.
    """
    now = services.now()
    with services.engine.begin() as connection:
        in_review = evaluations.is_in_review(connection, recording.consultation_id)
        due = destroy_at(services.without_consent, recording.call_ended_at, in_review=in_review, now=now)
        if due > now:
            work.wait(connection, recording.id, due)
            return Done.WAITING
    folder = recording_folder(recording.consultation_id, recording.id, recording.call_ended_at)
    if locked := _remove(services, [one.key for one in services.archive.list(f"{folder}/")]):
        raise RecordingError(
            Reason.LOCKED, f"{locked} objects of it are to be destroyed, and the archive does not let go of them before their locks end"
        )
    with services.engine.connect() as connection:
        shared = media.upload_is_shared(connection, recording)
    if recording.intake_key is not None and recording.intake_cleared_at is None and not shared:
        services.intake.erase(recording.intake_key)
    with services.engine.begin() as connection:
        forgetting.save_destroyed(connection, recording, context.run_id, services.without_consent.version, verdict["consent"])
    report.counters["destroyed"] += 1
    return Done.PROCESSED


def _current(recording: Recording) -> UUID:
    assert recording.current_transcript_id is not None
    return recording.current_transcript_id


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _clear_intake(context: dg.AssetExecutionContext, services: Services, recording: Recording) -> None:
    """The archive's copy is committed, so the intake's may go: once, and only if it is what was archived. Anything else is somebody else's."""
    key = recording.intake_key
    if recording.intake_cleared_at is not None:
        return
    if key is not None:
        with services.engine.connect() as connection:
            shared = media.upload_is_shared(connection, recording)
        try:
            if not shared and services.intake.digest(key) == recording.sha256:
                services.intake.erase(key)
            elif not shared:
                context.log.warning(f"recording {recording.id}: another object has taken the place of its upload, and stays in the intake")
        except ObjectMissing:
            pass
    with services.engine.begin() as connection:
        media.save_intake_cleared(connection, recording.id)
