"""Asset ``recordings``: find the file in the intake, hash it, and learn from the file itself what it holds."""

from datetime import timedelta

import dagster as dg

from assets.batches import Done, Report, Selection, work_through
from assets.partitions import partitions
from assets.reporting import given_up_check, result
from assets.services import Services
from assets.workspace import workspace
from domain.failures import Reason, RecordingError
from domain.object_keys import intake_key
from resources.media import probe
from resources.store import media, work
from resources.store.work import Claim

LOOK_AGAIN = timedelta(seconds=30)


@dg.asset(partitions_def=partitions, group_name="consultations", kinds={"livekit", "s3"}, check_specs=given_up_check("recordings"))
def recordings(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], selection: Selection) -> dg.MaterializeResult:
    """Recordings of calls that ended on this UTC day: found in the intake, checksummed and probed."""

    def fetch(claimed: Claim, report: Report) -> Done:
        with services.engine.connect() as connection:
            recording = media.load(connection, claimed.recording_id)
        key = recording.intake_key or intake_key(recording.file_name, recording.location, store=services.intake.location)
        if services.intake.stat(key) is None:
            return _wait(services, recording)
        with workspace(services, claimed.recording_id) as folder:
            path = folder / "media"
            sha256 = services.intake.download(key, path)
            info = probe(path, announced_bytes=recording.announced_bytes)
        with services.engine.begin() as connection:
            media.save_media(connection, recording, context.run_id, intake_key=key, sha256=sha256, info=info)
        report.counters["audio_seconds"] += info.duration_ms // 1000
        report.counters["bytes"] += info.size_bytes
        return Done.PROCESSED

    report = work_through(context, services, selection, "recordings", fetch)
    return result(context, services, "recordings", report)


def _wait(services: Services, recording: media.Recording) -> Done:
    """Egress says that it has uploaded; object stores and networks take their time. Raises RecordingError at the deadline."""
    now = services.now()
    deadline = recording.announced_at + timedelta(minutes=services.settings.arrival_deadline_minutes)
    if now >= deadline:
        minutes = services.settings.arrival_deadline_minutes
        raise RecordingError(
            Reason.NEVER_ARRIVED, f"egress {recording.egress_id} announced it, but {minutes} min later it is not in the intake"
        )
    with services.engine.begin() as connection:
        work.wait(connection, recording.id, min(now + max(LOOK_AGAIN, (now - recording.announced_at) / 2), deadline))
    return Done.WAITING
