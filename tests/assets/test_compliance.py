"""What consent and redaction do to a day's calls, seen from outside: in search, in the archive, in the intake, in Dagster, and at playback."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg
import numpy as np
import pytest
from sqlalchemy import Engine

from demo.livekit_events import Person, Room, participant_event
from domain.consent import ConsentOutcome
from domain.search import parse
from resources.livekit import read_event
from resources.media import decode, probe
from resources.search.postgres import PostgresIndex
from resources.speech.model import SpeechModel
from resources.speech.transcription import transcribe
from resources.store import evaluations, playing
from resources.store.database import engine_for
from resources.store.inbox import Inbox
from resources.store.reading import Reader
from tests.assets.archive_world import START, World

CALLS = Path("demo/calls")
REFUSED, WITHDRAWN, PAID = (
    CALLS / f"{name}.ogg" for name in ("claim-recording-refused", "support-consent-withdrawn", "payment-card-read-out")
)
ROOM = "consultation_support_20250303T150000Z_" + "0" * 23 + "1"
DIGITS = re.compile(r"\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|\d)\b", re.IGNORECASE)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    return World(tmp_path / "data", database_url)


def search(world: World, query: str) -> list[str]:
    engine = engine_for(world.database_url)
    try:
        return [hit.document.text for hit in PostgresIndex(engine).search(parse(query), limit=50).hits]
    finally:
        engine.dispose()


def playable(world: World, *, everything: bool) -> playing.Playable | None:
    ((recording_id,),) = world.query("SELECT id FROM recordings")
    engine = engine_for(world.database_url)
    try:
        with engine.connect() as connection:
            return playing.find(connection, UUID(str(recording_id)), everything=everything, original=False)
    finally:
        engine.dispose()


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {one.check_name: one for one in result.get_asset_check_evaluations() if one.check_name != "nothing_failed"}


def say(world: World, outcome: ConsentOutcome, at_s: int, party: str = "cus_0001") -> None:
    """What a customer told the API so many seconds into the call is known only now."""
    engine = engine_for(world.database_url)
    ((consultation_id,),) = world.query("SELECT id FROM video_consultations")
    world.told(engine, ROOM, party, outcome, START + timedelta(minutes=1, seconds=at_s))
    with engine.begin() as connection:
        evaluations.judge_again(connection, [UUID(str(consultation_id))])
    engine.dispose()


def verdict(world: World) -> tuple[object, ...]:
    return world.query("SELECT consent, publication FROM evaluations ORDER BY number DESC LIMIT 1")[0]


def test_a_call_whose_recording_was_refused_is_found_by_nobody_and_heard_by_compliance_alone(world: World) -> None:
    world.call(1, REFUSED, seconds=75, consent=None)
    found = checks(world.run())
    assert verdict(world) == ("declined", "quarantined")
    assert world.query("SELECT stage FROM recordings") == [("done",)]
    assert world.query("SELECT count(*) FROM search_documents") == [(0,)]
    assert world.query("SELECT transcript FROM video_consultations") == [(None,)]
    assert playable(world, everything=False) is None and playable(world, everything=True) is not None
    assert any(name.endswith("/media.ogg") for name in world.files(world.archive)), "the policy that comes with it keeps it"
    failed = found["consent_recorded"]
    ((recording_id,),) = world.query("SELECT id FROM recordings")
    assert not failed.passed and failed.severity is dg.AssetCheckSeverity.ERROR
    assert failed.metadata["recording_ids"].value == [str(recording_id)] and failed.metadata["consultations"].value == 1
    assert found["disclosure_spoken"].passed and found["no_card_data"].passed


def test_nobody_was_asked_is_no_consent(world: World) -> None:
    world.call(1, Path("tests/data/call.ogg"), seconds=40, consent=None)
    world.run()
    assert verdict(world) == ("unknown", "quarantined")
    assert world.query("SELECT count(*) FROM search_documents") == [(0,)]


def joins(world: World, identity: str, role: str) -> None:
    """Somebody else was in the call, too."""
    begin = START + timedelta(minutes=1)
    event = participant_event(
        "participant_joined", f"EV_{identity}", begin, Room("RM_0001", ROOM, begin), Person(f"PA_{identity}", identity, role, begin)
    )
    engine = engine_for(world.database_url)
    Inbox(engine).receive(read_event(event), "{}")
    engine.dispose()


@pytest.mark.parametrize(("who", "role"), [("cus_0002", "customer"), ("somebody", "")])
def test_everybody_who_was_there_must_have_consented(world: World, who: str, role: str) -> None:
    world.call(1, PAID, seconds=70)
    joins(world, who, role)
    world.run()
    assert verdict(world) == ("unknown", "quarantined")
    assert world.query("SELECT count(*) FROM search_documents") == [(0,)]
    say(world, ConsentOutcome.GRANTED, -10, who)
    world.run()
    assert verdict(world) == ("granted", "published")


def test_a_yes_of_somebody_who_was_not_there_is_none(world: World) -> None:
    world.call(1, Path("tests/data/call.ogg"), seconds=40, consent=None)
    say(world, ConsentOutcome.GRANTED, -10, "somebody_else")
    say(world, ConsentOutcome.NOT_REQUIRED, -10)
    world.run()
    assert verdict(world) == ("unknown", "quarantined")


def test_what_was_said_after_a_withdrawal_is_not_found_and_not_heard(world: World, tmp_path: Path) -> None:
    world.call(1, WITHDRAWN, seconds=65, consent=None)
    world.run()
    assert verdict(world) == ("revoked", "cut")
    ((cut_ms,),) = world.query("SELECT withdrawn_at_ms FROM evaluations")
    assert isinstance(cut_ms, int) and 33_000 < cut_ms < 41_000
    assert search(world, "yoga") and not search(world, '"forty people"')
    ((last,),) = world.query("SELECT max(end_ms) FROM search_documents")
    assert isinstance(last, int) and last <= cut_ms
    heard = playable(world, everything=False)
    assert heard is not None and "/renditions/" in heard.key
    sound = decode(world.archive / heard.key, tmp_path, probe(world.archive / heard.key))
    for channel in sound:
        assert np.abs(channel[cut_ms * 16 + 1_600 :].astype(int)).max() < 250
    assert np.abs(sound[0][: cut_ms * 16]).max() > 3_000
    ((kept,),) = world.query("SELECT archive_key FROM recordings")
    assert (world.archive / str(kept)).read_bytes() == WITHDRAWN.read_bytes()


def test_what_was_said_between_a_withdrawal_and_a_new_yes_is_not_found_and_not_heard(world: World, engine: Engine, tmp_path: Path) -> None:
    world.call(1, WITHDRAWN, seconds=65, consent=None)
    world.told(engine, ROOM, "cus_0001", ConsentOutcome.GRANTED, START + timedelta(minutes=1, milliseconds=51_400))
    world.run()
    assert verdict(world) == ("granted", "published")
    ((count, withdrawn, again),) = world.query(
        "SELECT jsonb_array_length(withheld), (withheld->0->>0)::int, (withheld->0->>1)::int FROM evaluations"
    )
    assert count == 1 and isinstance(withdrawn, int) and isinstance(again, int)
    assert 33_000 < withdrawn < 41_000 and again == 51_400
    assert search(world, "yoga") and not search(world, '"forty people"') and search(world, "certificate")
    found = world.query("SELECT start_ms, end_ms FROM search_documents")
    assert all(end <= withdrawn or start >= again for start, end in found)  # type: ignore[operator]
    assert len(page(world, everything=False)) == len(found) < len(page(world, everything=True))
    heard = playable(world, everything=False)
    assert heard is not None and "/renditions/" in heard.key
    sound = decode(world.archive / heard.key, tmp_path, probe(world.archive / heard.key))
    for channel in sound:
        assert np.abs(channel[withdrawn * 16 + 1_600 : again * 16 - 1_600].astype(int)).max() < 250
    assert np.abs(sound[0][: withdrawn * 16]).max() > 3_000 and np.abs(sound[1][again * 16 + 1_600 :]).max() > 3_000
    assert abs(probe(world.archive / heard.key).duration_ms - probe(WITHDRAWN).duration_ms) <= 60
    ((kept,),) = world.query("SELECT archive_key FROM recordings")
    assert (world.archive / str(kept)).read_bytes() == WITHDRAWN.read_bytes()


def said_in(path: Path, folder: Path, world: World) -> str:
    """What the demo model hears in a file, both channels."""
    folder.mkdir()
    heard = transcribe(SpeechModel.load(world.settings.speech()), decode(path, folder, probe(path)))
    return " ".join(word.text for channel in heard.channels for word in channel.words)


def test_card_numbers_and_codes_are_silent_in_what_is_kept_and_gone_from_what_is_written(world: World, tmp_path: Path) -> None:
    original = said_in(PAID, tmp_path / "original", world)
    assert len(DIGITS.findall(original)) >= 15, "the model does hear the number"
    world.call(1, PAID, seconds=70, consent=None)
    found = checks(world.run())
    assert verdict(world) == ("granted", "published")
    assert world.query("SELECT counts ?& ARRAY['card_number', 'security_code'], card_data_left FROM redaction_runs") == [(True, 0)]
    (kept, digest) = world.query("SELECT archive_key, kept_sha256 FROM recordings")[0]
    heard = said_in(world.archive / str(kept), tmp_path / "kept", world)
    assert len(DIGITS.findall(heard)) <= 2 and "security" in heard.lower()
    assert abs(probe(world.archive / str(kept)).duration_ms - probe(PAID).duration_ms) <= 60
    assert world.files(world.intake) == []
    trail = world.query("SELECT action, details FROM audit_entries WHERE action LIKE 'recording.%' ORDER BY number")
    assert [action for action, _ in trail] == ["recording.take_in", "recording.keep"]
    upload = dict(trail[0][1])["upload_sha256"]  # type: ignore[call-overload]
    assert dict(trail[1][1]) == {"upload_sha256": upload, "kept_sha256": digest, "silenced": dict(trail[1][1])["silenced"]}  # type: ignore[call-overload]
    assert upload != digest and dict(trail[1][1])["silenced"] >= 2  # type: ignore[call-overload]
    written = " ".join(str(value) for (value,) in world.query("SELECT text FROM search_documents UNION ALL SELECT words::text FROM turns"))

    assert "[card_number]" in written and not re.search(r"(?:\b(?:four|two|six|three|nine|eight)\b\W+){3}", written)
    assert "[security_code]" in " ".join(search(world, "security"))
    assert found["no_card_data"].passed and found["consent_recorded"].passed


def test_a_changed_verdict_takes_a_call_out_of_search_and_brings_it_back_within_the_same_run(world: World) -> None:
    world.call(1, PAID, seconds=70)
    world.run()
    assert verdict(world) == ("granted", "published") and search(world, "liquor")
    say(world, ConsentOutcome.DECLINED, 33)
    world.run()
    assert verdict(world) == ("revoked", "cut") and not search(world, "liquor") and search(world, '"food festival" OR okay OR recorded')
    assert world.query("SELECT stage FROM recordings") == [("done",)]
    ((changes,),) = world.query("SELECT changes FROM evaluations WHERE number = 2")
    assert {"rule_id": "recording_consent", "before": "met", "after": "not_met", "why": ["consent_record"]} in changes  # type: ignore[operator]
    say(world, ConsentOutcome.GRANTED, 34)
    world.run()
    assert verdict(world)[1] == "published" and search(world, "liquor")


def page(world: World, *, everything: bool, original: bool = False) -> list[str]:
    ((consultation_id,),) = world.query("SELECT id FROM video_consultations")
    engine = engine_for(world.database_url)
    try:
        shown = Reader(engine).transcript_page(UUID(str(consultation_id)), everything=everything, original=original)
        assert shown is not None
        return [turn.text for turn in shown.turns]
    finally:
        engine.dispose()


def test_the_page_of_a_quarantined_call_is_empty_but_for_compliance(world: World) -> None:
    world.call(1, REFUSED, seconds=75, consent=None)
    world.run()
    assert page(world, everything=False) == [] and any("consent" in text for text in page(world, everything=True))


def policy(folder: Path, **fates: object) -> Path:
    values = {"version": "test", "declined": "keep", "revoked": "keep", "unknown": "keep", "after_withdrawal": "keep", "grace_days": 0}
    path = folder / "policy.yaml"
    path.write_text("\n".join(f"{name}: {value}" for name, value in (values | fates).items()))
    return path


def test_where_the_policy_says_so_a_refused_recording_is_destroyed_and_that_is_written_down(world: World, tmp_path: Path) -> None:
    world.overrides["without_consent_file"] = str(policy(tmp_path, declined="destroy"))
    world.call(1, REFUSED, seconds=75, consent=None)
    world.run()
    if world.query("SELECT count(*) FROM review_items WHERE what = 'recording_consent' AND state <> 'closed'") != [(0,)]:
        assert world.query("SELECT stage FROM recordings") == [("archive",)], "not while it waits for a person's decision"
        assert len(world.files(world.intake)) == 1
        world.query("UPDATE review_items SET state = 'closed' RETURNING 1")
        world.query("UPDATE recordings SET not_before = NULL, claims = claims + 1 RETURNING 1")
        world.run()
    assert world.query("SELECT stage, destroyed_at IS NOT NULL FROM recordings") == [("done", True)]
    assert world.files(world.intake) == [] and world.files(world.archive) == []
    assert world.query("SELECT count(*) FROM turns") == [(0,)] and world.query("SELECT count(*) FROM redacted_turns") == [(0,)]
    assert world.query("SELECT count(*) FROM findings WHERE quote IS NOT NULL AND recording_id IS NOT NULL") == [(0,)]
    assert world.query("SELECT count(*) FROM audit_entries WHERE action = 'recording.destroy'") == [(1,)]
    world.run()
    assert world.query("SELECT count(*) FROM audit_entries WHERE action = 'recording.destroy'") == [(1,)]


def test_nothing_is_destroyed_before_the_grace_period_is_over(world: World, tmp_path: Path) -> None:
    days = (datetime.now(UTC) - datetime(2025, 3, 3, tzinfo=UTC)) // timedelta(days=1) + 10
    world.overrides["without_consent_file"] = str(policy(tmp_path, declined="destroy", grace_days=days))
    world.call(1, REFUSED, seconds=75, consent=None)
    world.run()
    assert world.query("SELECT stage, destroyed_at, not_before > now() FROM recordings") == [("archive", None, True)]
    assert len(world.files(world.intake)) == 1 and world.files(world.archive) == []
    assert world.query("SELECT count(*) FROM search_documents") == [(0,)]


def test_where_the_policy_says_so_what_came_after_a_withdrawal_is_not_kept(world: World, tmp_path: Path) -> None:
    world.overrides["without_consent_file"] = str(policy(tmp_path, after_withdrawal="destroy"))
    world.call(1, WITHDRAWN, seconds=65, consent=None)
    world.run()
    first = world.files(world.archive)
    assert world.query("SELECT lost FROM recordings JOIN evaluations e ON e.id = evaluation_id WHERE lost = e.withheld") != []
    world.query("UPDATE recordings SET judged_redaction_id = NULL, claims = claims + 1 RETURNING 1")
    world.run()
    assert [name for name in world.files(world.archive) if "/media" in name] == [name for name in first if "/media" in name], (
        "once is enough"
    )
    ((cut_ms, kept),) = world.query(
        "SELECT e.withdrawn_at_ms, r.archive_key FROM evaluations e JOIN recordings r ON r.evaluation_id = e.id"
    )
    sound = decode(world.archive / str(kept), tmp_path, probe(world.archive / str(kept)))
    assert isinstance(cut_ms, int)
    assert all(np.abs(channel[cut_ms * 16 + 1_600 :].astype(int)).max() < 250 for channel in sound)
    assert world.query(f"SELECT count(*) FROM turns WHERE end_ms > {cut_ms}") == [(0,)]
    assert world.query("SELECT rendition_key, stage FROM recordings") == [(None, "done")], "what is kept is what may be heard"
