"""Where egress is told to put recordings: the intake, as egress reaches it."""

from pathlib import Path

from resources.livekit_recording import RecordingBucket, recording_place
from tests.api.client import settings


def test_where_egress_puts_the_files(tmp_path: Path) -> None:
    bucket = recording_place(
        settings(
            intake_url="s3://intake/calls", s3_endpoint="http://127.0.0.1:1", egress_s3_endpoint="http://s3.internal", s3_access_key="key"
        )
    )
    assert isinstance(bucket.bucket, RecordingBucket)
    assert (bucket.bucket.bucket, bucket.bucket.connection.endpoint, bucket.path("a/b.ogg")) == (
        "intake",
        "http://s3.internal",
        "calls/a/b.ogg",
    )
    assert recording_place(settings(intake_url="s3://intake")).path("a.ogg") == "a.ogg"
    for url in (str(tmp_path / "in"), (tmp_path / "in").as_uri()):
        folder = recording_place(settings(intake_url=url))
        assert (folder.bucket, folder.path("a.ogg")) == (None, str(tmp_path / "in" / "a.ogg"))
