"""Keys: nothing leads out of a store, and whatever egress reports is found, or refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import PurePosixPath
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.failures import Reason, RecordingError
from domain.object_keys import StoreLocation, intake_key, media_key, safe_key, transcript_key

CONSULTATION, RECORDING, TRANSCRIPT = (UUID(int=n) for n in (1, 2, 3))
BUCKET = StoreLocation(bucket="calls", endpoint="https://s3.example.org", prefix="")
FOLDER = StoreLocation(folders=("/data/intake", "/mnt/disk/intake"))

pieces = st.sampled_from(["..", ".", "", "a", "b.ogg", "\\", "\x00", "\n", "C:", "é", " ", "~", "\ud800", "x" * 256, ".verbatim-objects"])
hostile = st.one_of(st.lists(pieces, max_size=6).map("/".join), st.lists(pieces, max_size=6).map("".join), st.text())
plain = st.text("abcXYZ019-_ .%#?+é", min_size=1, max_size=20).filter(lambda s: s not in (".", ".."))
keys = st.lists(plain, min_size=1, max_size=4).map("/".join)


def outcome(call: Callable[[], str]) -> str | Reason:
    try:
        return call()
    except RecordingError as error:
        return error.reason


@given(hostile)
@example("../x")
@example("/etc/passwd")
@example("a/../../x")
@example("a//b")
def test_a_key_that_is_accepted_stays_inside(key: str) -> None:
    accepted = outcome(lambda: safe_key(key))
    if accepted is Reason.UNSAFE_KEY:
        return
    assert accepted == key
    path = PurePosixPath("/store") / accepted
    assert str(path) == f"/store/{accepted}"  # one name, one place: nothing was folded away
    assert ".." not in path.parts
    assert len(accepted.encode()) <= 1024
    assert not any(ord(c) < 32 for c in accepted)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "../x",
        "a/../x",
        "a/./x",
        "/abs",
        "a//b",
        "a/",
        "a\\b",
        "C:/x",
        "a\x00b",
        "a\nb",
        "a/" + "x" * 256,
        "y/" * 600 + "y",
        "\ud800",
    ],
)
def test_unsafe_keys_are_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(RecordingError) as caught:
        safe_key(key)
    assert caught.value.reason is Reason.UNSAFE_KEY
    assert len(key) < 4 or key not in str(caught.value)


def test_the_stores_own_folder_is_not_a_key() -> None:
    with pytest.raises(RecordingError):
        safe_key(".verbatim-objects/digests/x")
    assert safe_key("a/.verbatim-objects") == "a/.verbatim-objects"


@given(keys)
def test_every_spelling_of_an_s3_location_is_the_same_key(key: str) -> None:
    for location in (
        f"https://calls.s3.example.org/{key}",
        f"https://s3.example.org/calls/{key}",
        f"s3.example.org/calls/{key}",
        f"s3://calls/{key}",
        "",
    ):
        assert intake_key(key, location, store=BUCKET) == key
    for endpoint in ("http://127.0.0.1:9000", "http://gateway/s3/"):
        store = StoreLocation(bucket="calls", endpoint=endpoint)
        assert intake_key(key, f"{endpoint.rstrip('/')}/calls/{key}", store=store) == key
    assert intake_key(key, f"https://calls.s3.amazonaws.com/{key}", store=StoreLocation(bucket="calls")) == key


@given(keys)
def test_the_intakes_prefix_is_taken_off_and_must_be_there(key: str) -> None:
    store = StoreLocation(bucket="calls", endpoint="https://s3.example.org", prefix="live/kit")
    assert intake_key(key, f"https://calls.s3.example.org/live/kit/{key}", store=store) == key  # egress's own prefix: not in filename
    assert intake_key(f"live/kit/{key}", "", store=store) == key
    with pytest.raises(RecordingError, match="prefix"):
        intake_key(key, f"https://calls.s3.example.org/live/kitchen/{key}", store=store)


def test_a_percent_sign_is_part_of_the_key_unless_the_file_name_says_otherwise() -> None:
    assert intake_key("50%25.ogg", "https://calls.s3.example.org/50%25.ogg", store=BUCKET) == "50%25.ogg"
    assert intake_key("a room.ogg", "https://calls.s3.example.org/a%20room.ogg", store=BUCKET) == "a room.ogg"


@given(keys)
def test_files_in_the_intakes_folder_are_found_by_path_and_url(key: str) -> None:
    for folder in FOLDER.folders:
        path = f"{folder}/{key}"
        assert intake_key(path, path, store=FOLDER) == key
        assert intake_key(path, "", store=FOLDER) == key
        assert intake_key(key, PurePosixPath(path).as_uri(), store=FOLDER) == key
    assert intake_key(key, "", store=FOLDER) == key


@pytest.mark.parametrize(
    ("location", "store"),
    [
        ("https://other.s3.example.org/a.ogg", BUCKET),
        ("https://s3.example.org/other/a.ogg", BUCKET),
        ("https://s3.example.org/callsign/a.ogg", BUCKET),
        ("https://calls.s3.example.org/../a.ogg", BUCKET),
        ("https://calls.s3.example.org//etc/passwd", BUCKET),
        ("s3://other/a.ogg", BUCKET),
        ("/out/a.ogg", BUCKET),
        ("file:///out/a.ogg", BUCKET),
        ("gs://calls/a.ogg", BUCKET),
        ("/data/intakes/a.ogg", FOLDER),
        ("/data/intake/../secret", FOLDER),
        ("file:///data/intake/%2e%2e/secret", FOLDER),
        ("file:///etc/passwd", FOLDER),
        ("file://elsewhere/data/intake/a.ogg", FOLDER),
        ("https://calls.s3.example.org/a.ogg", FOLDER),
    ],
)
def test_what_is_not_in_the_intake_is_refused(location: str, store: StoreLocation) -> None:
    with pytest.raises(RecordingError) as caught:
        intake_key("a.ogg", location, store=store)
    assert caught.value.reason is Reason.UNSAFE_KEY


@given(hostile, hostile, st.sampled_from([BUCKET, FOLDER]))
def test_no_report_of_egress_yields_a_key_that_leads_out(filename: str, location: str, store: StoreLocation) -> None:
    for spelling in (location, f"https://calls.s3.example.org/{location}", f"/data/intake/{location}", f"file:///data/intake/{location}"):
        key = outcome(partial(intake_key, filename, spelling, store=store))
        assert key is Reason.UNSAFE_KEY or safe_key(key) == key


def test_archive_keys_name_the_utc_day_on_which_the_call_ended() -> None:
    ended = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    folder = f"consultations/2026/02/28/{CONSULTATION}/{RECORDING}"
    assert media_key(CONSULTATION, RECORDING, ended) == f"{folder}/media.ogg"
    assert transcript_key(CONSULTATION, RECORDING, ended, TRANSCRIPT) == f"{folder}/transcripts/{TRANSCRIPT}.json"


@pytest.mark.parametrize(("extension", "name"), [(".MP4", "media.mp4"), ("wav", "media.wav"), ("", "media.bin"), ("a/../b", "media.bin")])
def test_a_strange_extension_does_not_reach_the_key(extension: str, name: str) -> None:
    assert media_key(CONSULTATION, RECORDING, datetime(2026, 1, 1, tzinfo=UTC), extension).endswith(f"/{name}")


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        media_key(CONSULTATION, RECORDING, datetime(2026, 1, 1))  # noqa: DTZ001
