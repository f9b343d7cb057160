"""The same day's run with S3 on both sides: a plain bucket as intake, a versioned one with Object Lock as archive."""

import hashlib
from pathlib import Path
from uuid import uuid4

from resources.objects import open_store
from tests.assets.archive_world import World
from tests.services import S3Service

CALL = Path("demo/calls/support-consent-withdrawn.ogg")


def test_from_bucket_to_bucket(tmp_path: Path, database_url: str, s3: S3Service) -> None:
    prefix = uuid4().hex[:8]
    connection = s3.connection
    world = World(tmp_path / "data", database_url)
    world.overrides = {
        "intake_url": f"s3://{s3.intake_bucket}/{prefix}",
        "archive_url": f"s3://{s3.archive_bucket}/{prefix}",
        "s3_endpoint": connection.endpoint,
        "s3_access_key": connection.access_key,
        "s3_secret_key": connection.secret_key,
    }
    intake, archive = open_store(world.settings.intake, world.settings.s3()), open_store(world.settings.archive, world.settings.s3())
    digest = hashlib.sha256(CALL.read_bytes()).hexdigest()
    intake.write("recordings/0001.ogg", CALL, sha256=digest, content_type="audio/ogg")
    world.call(1, CALL, seconds=67, location=f"{connection.endpoint}/{s3.intake_bucket}/{prefix}/recordings/0001.ogg")
    world.run()
    assert world.query("SELECT stage, sha256 FROM recordings") == [("done", digest)]
    assert list(intake.list()) == []
    media, _, transcript = sorted(info.key for info in archive.list())
    assert world.query("SELECT kept_sha256 FROM recordings") == [(archive.digest(media),)]
    kept = archive.stat(transcript)
    assert kept is not None and kept.sha256 == archive.digest(transcript)
    (url, version) = world.query(
        "SELECT c.recording_url, r.archive_version_id FROM recordings r JOIN video_consultations c ON c.id = r.consultation_id"
    )[0]
    assert url == archive.url(media)
    assert version
