"""What is found out about a recording when the archive has it already: card data, a refusal, a withdrawal. It leaves every place that it is in."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from domain.consent import ConsentOutcome
from domain.redaction.shapes import CARD_DATA, Redaction
from domain.transcripts import Turn
from resources.media import decode, probe
from resources.objects import S3Store, open_store
from resources.redaction.finding import Recognisers, find
from resources.store import redactions
from resources.store.database import engine_for
from tests.assets.archive_world import World
from tests.assets.test_compliance import DIGITS, PAID, policy, say, search, verdict
from tests.services import S3Service


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    return World(tmp_path / "data", database_url)


def texts(world: World) -> dict[str, str]:
    """Every row of the tables that hold words, and every document of the archive."""
    tables = ("turns", "redacted_turns", "findings", "review_items", "search_documents", "redactions")
    rows = {name: " ".join(str(row) for (row,) in world.query(f"SELECT row_to_json({name})::text FROM {name}")) for name in tables}
    return rows | {name: (world.archive / name).read_text() for name in world.files(world.archive) if name.endswith(".json")}


def spoken_numbers(text: str) -> list[str]:
    """Runs of spoken digits, also where each stands in a row of its own with its times."""
    words = [word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 1]
    return re.findall(r"(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine) ){4}", " ".join(words) + " ")


def without_card_data(turns: Sequence[Turn], recogniser: Recognisers) -> tuple[Redaction, ...]:
    return tuple(one for one in find(turns, recogniser) if one.kind not in CARD_DATA)


def loudest(path: Path, folder: Path, stretches: Sequence[tuple[int, int]], channel: int) -> int:
    folder.mkdir(exist_ok=True)
    sound = decode(path, folder, probe(path))
    return max(int(np.abs(sound[channel][start * 16 : end * 16].astype(int)).max()) for start, end in stretches)


def test_card_data_that_an_older_version_missed_is_nowhere_any_more(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr("assets.redactions.find", without_card_data)
        older.setattr("resources.store.transcribed_calls.version_with", lambda version, spared: "an older version")
        world.call(1, PAID, seconds=70, consent=None)
        world.run()
    assert world.query("SELECT stage FROM recordings") == [("done",)]
    before = {name: spoken_numbers(text) for name, text in texts(world).items()}
    assert before["turns"] and any(found for name, found in before.items() if name.endswith(".json"))
    engine = engine_for(world.database_url)
    with engine.begin() as connection:
        assert redactions.judge_again(connection) == 1
    engine.dispose()
    world.run()
    assert world.query("SELECT stage FROM recordings") == [("done",)]
    assert {name: found for name, text in texts(world).items() if (found := spoken_numbers(text))} == {}
    spans = world.query(
        "SELECT channel, start_ms, end_ms FROM redactions WHERE kind IN ('card_number', 'security_code') AND start_ms IS NOT NULL"
    )
    sounds = [name for name in world.files(world.archive) if not name.endswith(".json")]
    assert len(sounds) == 2, "the sound and its rendition; the former ones are gone"
    for number, name in enumerate(sounds):
        for channel, start, end in spans:
            assert loudest(world.archive / name, tmp_path / f"{number}", [(int(str(start)), int(str(end)))], int(str(channel))) < 250
    assert len([name for name in world.files(world.archive) if name.endswith(".json")]) == 1


def test_what_may_hold_card_data_is_not_archived(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Callable[..., tuple[Redaction, ...]]] = [without_card_data, find]
    with monkeypatch.context() as blind:
        blind.setattr("assets.redactions.find", lambda turns, recogniser: looks.pop(0)(turns, recogniser))
        world.call(1, PAID, seconds=70, consent=None)
        world.run()
    assert world.files(world.archive) == [] and len(world.files(world.intake)) == 1
    assert [reason for (reason,) in world.query("SELECT reason FROM failures")] == ["card_data_left"]
    assert world.query("SELECT count(*) FROM search_documents") == [(0,)]


def test_a_refusal_that_becomes_known_after_the_archive_destroys_all_of_it(world: World, tmp_path: Path) -> None:
    world.overrides["without_consent_file"] = str(policy(tmp_path, declined="destroy", revoked="destroy"))
    world.call(1, PAID, seconds=70)
    world.run()
    assert verdict(world) == ("granted", "published") and len(world.files(world.archive)) == 3
    decline(world)
    assert world.files(world.archive) == []
    assert world.query("SELECT stage, destroyed_at IS NOT NULL FROM recordings") == [("done", True)]
    assert world.query("SELECT count(*) FROM turns") == [(0,)] and not search(world, "liquor")
    assert world.query("SELECT count(*) FROM findings WHERE quote IS NOT NULL AND recording_id IS NOT NULL") == [(0,)]
    assert world.query("SELECT count(*) FROM audit_entries WHERE action = 'recording.destroy'") == [(1,)]
    world.run(only=[UUID(str(world.query("SELECT id FROM recordings")[0][0]))])
    assert world.query("SELECT count(*) FROM failures") == [(0,)], "naming it in a run is no failure of it"


def decline(world: World) -> None:
    """Right after the customer's yes, so that consent never really stood; whoever reviews it is through with it."""
    ((said_ms,),) = world.query("SELECT end_ms FROM findings WHERE rule_id = 'recording_consent'")
    say(world, ConsentOutcome.DECLINED, int(str(said_ms)) // 1000 + 1)
    world.run()
    assert verdict(world) == ("revoked", "quarantined")
    world.query("UPDATE review_items SET state = 'closed' RETURNING 1")
    world.query("UPDATE recordings SET not_before = NULL, claims = claims + 1 RETURNING 1")
    world.run()


def test_what_came_after_a_withdrawal_that_becomes_known_later_is_nowhere(world: World, tmp_path: Path) -> None:
    world.overrides["without_consent_file"] = str(policy(tmp_path, after_withdrawal="destroy"))
    world.call(1, PAID, seconds=70)
    world.run()
    ((words_before,),) = world.query("SELECT sum(jsonb_array_length(words)) FROM turns")
    say(world, ConsentOutcome.REVOKED, 33)
    world.run()
    assert verdict(world) == ("revoked", "cut")
    ((cut_ms,),) = world.query("SELECT withdrawn_at_ms FROM evaluations ORDER BY number DESC LIMIT 1")
    assert isinstance(cut_ms, int)
    ((words_after,),) = world.query("SELECT sum(jsonb_array_length(words)) FROM turns")
    assert 0 < int(str(words_after)) < int(str(words_before))
    (document,) = [world.archive / name for name in world.files(world.archive) if name.endswith(".json")]
    written = json.loads(document.read_text())
    assert max(turn["end_ms"] for turn in written["turns"]) <= cut_ms
    for number, name in enumerate(name for name in world.files(world.archive) if not name.endswith(".json")):
        (tmp_path / f"{number}").mkdir()
        sound = decode(world.archive / name, tmp_path / f"{number}", probe(world.archive / name))
        assert all(np.abs(channel[cut_ms * 16 + 1_600 :].astype(int)).max() < 250 for channel in sound)
    assert world.query(f"SELECT count(*) FROM findings WHERE quote IS NOT NULL AND start_ms > {cut_ms}") == [(0,)]


def test_what_is_forgotten_in_the_middle_leaves_the_rest_redacted_as_it_was(world: World, tmp_path: Path) -> None:
    world.overrides["without_consent_file"] = str(policy(tmp_path, after_withdrawal="destroy"))
    world.call(1, PAID, seconds=70)
    world.run()
    ((before,),) = world.query("SELECT count(*) FROM turns")
    say(world, ConsentOutcome.REVOKED, 14)
    say(world, ConsentOutcome.GRANTED, 20)
    world.run()
    assert verdict(world) == ("granted", "published")
    ((left, last),) = world.query("SELECT count(*), max(position) FROM turns")
    assert 0 < int(str(left)) < int(str(before)) and int(str(last)) == int(str(left)) - 1, "places have no gap"
    assert search(world, "card_number") and not [one for one in search(world, "card OR security OR okay") if spoken_numbers(one)]
    world.query("UPDATE recordings SET judged_redaction_id = NULL, claims = claims + 1 RETURNING 1")
    world.run()
    assert world.query("SELECT stage FROM recordings") == [("done",)] and world.query("SELECT count(*) FROM failures") == [(0,)]
    assert {name: found for name, text in texts(world).items() if (found := spoken_numbers(text))} == {}


def test_what_a_lock_keeps_is_not_said_to_be_destroyed(tmp_path: Path, database_url: str, s3: S3Service) -> None:
    world = World(tmp_path / "data", database_url)
    world.overrides = {
        "archive_url": f"s3://{s3.archive_bucket}/{uuid4().hex[:8]}",
        "s3_endpoint": s3.connection.endpoint,
        "s3_access_key": s3.connection.access_key,
        "s3_secret_key": s3.connection.secret_key,
        "without_consent_file": str(policy(tmp_path, declined="destroy", revoked="destroy")),
    }
    archive = open_store(world.settings.archive, world.settings.s3())
    assert isinstance(archive, S3Store)
    world.call(1, PAID, seconds=70)
    world.run()
    ((key,),) = world.query("SELECT archive_key FROM recordings")
    held = {"Bucket": archive.bucket, "Key": archive._name(str(key))}
    archive._s3.put_object_legal_hold(**held, LegalHold={"Status": "ON"})
    try:
        decline(world)
    finally:
        archive._s3.put_object_legal_hold(**held, LegalHold={"Status": "OFF"})
    assert world.query("SELECT destroyed_at FROM recordings") == [(None,)]
    assert [reason for (reason,) in world.query("SELECT DISTINCT reason FROM failures")] == ["archive_locked"]
    assert not search(world, "liquor"), "it is in quarantine all the same"
    world.query("UPDATE recordings SET gave_up_at = NULL, not_before = NULL, claims = claims + 1 RETURNING 1")
    world.run()
    assert world.query("SELECT destroyed_at IS NOT NULL FROM recordings") == [(True,)]
    assert list(archive.list()) == []


def test_digits_are_seen() -> None:
    assert spoken_numbers('[["Four", 1, 2, 0.9], ["one", 2, 3, 0.8], ["one", 3, 4, 0.8], ["nine", 4, 5, 0.8]]')
    assert not spoken_numbers("one two [card_number] three") and DIGITS.search("one")
