"""What is asked for in one file of a call and answered in another is found: at once, or when the other file comes later."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from domain.consent import ConsentMethod, ConsentOutcome
from domain.parties import Party
from domain.review import Reviewer
from domain.roles import Role
from resources.redaction.finding import find
from resources.store import consents, redactions, reviews
from resources.store.consents import Said
from resources.store.reviews import Hand
from tests.assets.archive_world import START, World
from tests.assets.several_files import AGENT, PARTNER, Recorded, happened, hear
from tests.assets.test_compliance import checks
from tests.assets.test_found_later import loudest, without_card_data

ASKS = Recorded(
    "agent",
    [
        (0, 1, "this training session is recorded"),
        (0, 10, "what are the last three digits on the back"),
        (0, 20, "and the first half of the card number"),
        (0, 27, "and the second half"),
        (0, 34, "and your social security number"),
        (0, 44, "date of birth"),
        (0, 52, "and the expiry date"),
    ],
    AGENT,
)
ANSWERS = Recorded(
    "partner",
    [
        (0, 14, "nine four three"),
        (0, 23, "four one one one one one one one"),
        (0, 30, "one one one one one one one one"),
        (0, 38, "two one nine oh nine nine nine oh one"),
        (0, 47, "march four nineteen seventy"),
        (0, 55, "oh four twenty nine"),
    ],
    PARTNER,
)
SHOWN = ["[security_code]", "[card_number]", "[card_number]", "[ssn]", "[date_of_birth]", "[expiry_date]"]
KEPT = [*SHOWN[:3], *(text for _, _, text in ANSWERS.said[3:])]
CARD = ((14_000, 14_900), (23_000, 25_400), (30_000, 32_400))
"""When card data is said, in ms of the file that answers."""


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    return World(tmp_path / "data", database_url)


def called(world: World, engine: Engine, *files: Recorded) -> None:
    """The call with these files, to whose recording the partner agrees."""
    happened(world, files)
    said = Said(PARTNER.identity, Party.PARTNER, ConsentOutcome.GRANTED, ConsentMethod.PRIOR, "v1", None, None, "tests")
    with engine.begin() as connection:
        ((consultation_id,),) = world.query("SELECT id FROM video_consultations")
        consents.add(connection, UUID(str(consultation_id)), said, "v", START)


def answered(world: World) -> list[object]:
    """What is found of the partner's words, in order."""
    return [text for (text,) in world.query("SELECT text FROM search_documents WHERE speaker = 'partner' ORDER BY start_ms")]


def stages(world: World) -> set[object]:
    return {stage for (stage,) in world.query("SELECT stage FROM recordings")}


def again(world: World) -> None:
    world.query("UPDATE recordings SET not_before = NULL, claims = claims + 1 RETURNING 1")
    world.run()


def settled(world: World) -> tuple[object, ...]:
    return world.query("SELECT (SELECT count(*) FROM redaction_runs), (SELECT count(*) FROM evaluations), max(claims) FROM recordings")[0]


def archived(world: World, egress: str) -> Path:
    ((key,),) = world.query(f"SELECT archive_key FROM recordings WHERE egress_id = 'EG_{egress}'")
    return world.archive / str(key)


def kept(world: World) -> list[tuple[object, ...]]:
    """The partner's turns in the store, and in each document of the archive that has some."""
    stored = [tuple(text for (text,) in world.query("SELECT text FROM turns WHERE role = 'partner' ORDER BY start_ms"))]
    read = [json.loads((world.archive / name).read_text())["turns"] for name in documents(world)]
    return [*stored, *(said for turns in read if (said := tuple(turn["text"] for turn in turns if turn["role"] == "partner")))]


def documents(world: World) -> list[str]:
    return [name for name in world.files(world.archive) if name.endswith(".json")]


def test_what_the_agents_file_asks_for_and_the_partners_answers_is_found(
    world: World, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called(world, engine, ASKS, ANSWERS)
    hear(monkeypatch, [ASKS, ANSWERS])
    found = checks(world.run())
    assert stages(world) == {"done"} and answered(world) == SHOWN
    assert found["no_card_data"].passed
    assert loudest(archived(world, "partner"), tmp_path / "card", CARD, 0) < 250
    assert loudest(archived(world, "partner"), tmp_path / "rest", [(34_000, 37_000)], 0) > 5_000
    assert loudest(archived(world, "agent"), tmp_path / "asks", CARD, 0) > 5_000, "who asks is heard"
    assert kept(world) == [tuple(KEPT)] * 2
    before = settled(world)
    world.run()
    assert settled(world) == before, "and that is the end of it"


def test_a_question_at_the_end_of_one_recording_is_answered_in_the_next(
    world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Recorded("first", [(0, 1, "this session is recorded"), (0, 16, "what is the security code on the back")], seconds=20)
    second = Recorded("second", [(1, 1, "seven three nine"), (0, 4, "thank you")], from_s=20, seconds=20)
    called(world, engine, first, second)
    hear(monkeypatch, [first, second])
    world.run()
    assert stages(world) == {"done"} and answered(world) == ["[security_code]"]
    assert kept(world) == [("[security_code]",)] * 2


def test_a_file_that_comes_later_tells_what_was_said_in_one_that_is_archived(
    world: World, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called(world, engine, ANSWERS)
    hear(monkeypatch, [ANSWERS, ASKS])
    world.run()
    assert stages(world) == {"done"} and "nine four three" in answered(world), "nothing tells yet what that is"
    happened(world, [ASKS], begun=False)
    world.run()
    assert stages(world) == {"done"} and answered(world) == SHOWN
    assert kept(world) == [tuple(KEPT)] * 2
    assert loudest(archived(world, "partner"), tmp_path / "card", CARD, 0) < 250
    assert len(documents(world)) == 2, "the former one of the partner's is gone"
    before = settled(world)
    world.run()
    assert settled(world) == before


def test_nothing_is_redacted_before_all_that_is_to_come_is_transcribed(
    world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    called(world, engine, ANSWERS, ASKS)
    upload = world.intake / "recordings/agent.ogg"
    upload.rename(tmp := upload.with_suffix(".later"))
    hear(monkeypatch, [ANSWERS, ASKS])
    world.run()
    assert world.query("SELECT egress_id, stage FROM recordings ORDER BY 1") == [("EG_agent", "recordings"), ("EG_partner", "redactions")]
    assert world.query("SELECT count(*) FROM redaction_runs") == [(0,)] and world.files(world.archive) == []
    tmp.rename(upload)
    again(world)
    assert stages(world) == {"done"} and answered(world) == SHOWN


def test_what_was_given_up_is_not_waited_for(world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    called(world, engine, ANSWERS, ASKS)
    (world.intake / "recordings/agent.ogg").unlink()
    hear(monkeypatch, [ANSWERS])
    world.run()
    world.query("UPDATE recordings SET gave_up_at = now() WHERE egress_id = 'EG_agent' RETURNING 1")
    again(world)
    assert world.query("SELECT stage FROM recordings WHERE egress_id = 'EG_partner'") == [("done",)]


def test_a_file_that_another_run_has_in_its_hands_is_waited_for(world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    called(world, engine, ANSWERS)
    hear(monkeypatch, [ANSWERS, ASKS])
    world.run()
    happened(world, [ASKS], begun=False)
    lease = (
        "UPDATE recordings SET lease_owner = {}, lease_expires_at = now() + interval '1 hour' WHERE egress_id = 'EG_partner' RETURNING 1"
    )
    world.query(lease.format("'another run'"))
    world.run()
    late = "SELECT stage, lease_owner, not_before > now() FROM recordings WHERE egress_id = 'EG_agent'"
    assert world.query(late) == [("redactions", None, True)]
    assert world.query("SELECT count(*) FROM redaction_runs") == [(1,)], "neither is redacted: the two belong together"
    world.query(lease.format("NULL"))
    again(world)
    assert stages(world) == {"done"} and answered(world) == SHOWN
    assert world.query("SELECT count(*) FROM recordings WHERE lease_owner IS NOT NULL") == [(0,)]


def test_the_second_look_is_over_the_whole_call(world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [without_card_data, without_card_data, without_card_data, find]  # of the call, of each file, and the second one
    monkeypatch.setattr("assets.redactions.find", lambda turns, recogniser: looks.pop(0)(turns, recogniser))
    called(world, engine, ASKS, ANSWERS)
    hear(monkeypatch, [ASKS, ANSWERS])
    found = checks(world.run())
    left = world.query(
        "SELECT r.egress_id, n.card_data_left > 0 FROM recordings r JOIN redaction_runs n ON n.id = r.redaction_id ORDER BY 1"
    )
    assert left == [("EG_agent", False), ("EG_partner", True)]
    assert not found["no_card_data"].passed and answered(world) == []
    assert [reason for (reason,) in world.query("SELECT DISTINCT reason FROM failures")] == ["card_data_left"]
    assert world.query("SELECT archive_key FROM recordings WHERE egress_id = 'EG_partner'") == [(None,)]


def test_what_a_file_tells_by_itself_is_not_lost_among_the_others(
    world: World, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mix of the same call, later by a breath: nobody knows who speaks in it, and its words fall into the pauses of the other."""
    said = [(0, 4.0 + 0.7 * n, word) for n, word in enumerate(["the", "code", "on", "the", "back", "is", "nine", "four", "three"])]
    own = Recorded("partner", said, PARTNER)
    mix = Recorded("mix", [(0, at + 0.3, word) for _, at, word in said], mixed=True)
    called(world, engine, own, mix)
    hear(monkeypatch, [own, mix])
    world.run()
    assert stages(world) == {"done"}
    assert world.query("SELECT text FROM turns ORDER BY start_ms") == [("the code on the back is [security_code]",)] * 2
    for name, begin in (("partner", 8_200), ("mix", 8_500)):
        assert loudest(archived(world, name), tmp_path / name, [(begin, begin + 1_600)], 0) < 250


def test_looked_through_again_it_reads_as_before(world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    called(world, engine, ASKS, ANSWERS)
    hear(monkeypatch, [ASKS, ANSWERS])
    world.run()
    monkeypatch.setattr("resources.store.transcribed_calls.version_with", lambda version, spared: "newer recognisers")
    with engine.begin() as connection:
        assert redactions.judge_again(connection) == 2
    world.run()
    assert world.query("SELECT count(*) FROM redaction_runs") == [(4,)]
    assert stages(world) == {"done"} and answered(world) == SHOWN


def test_a_value_that_is_nobodys_can_be_read_and_the_other_file_is_left_alone(
    world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    called(world, engine, ASKS, ANSWERS)
    hear(monkeypatch, [ASKS, ANSWERS])
    world.run()
    ((run,),) = world.query("SELECT redaction_id FROM recordings WHERE egress_id = 'EG_partner'")
    with engine.begin() as connection:
        reviews.ask_about_redactions(connection, UUID(str(run)), 2.0)
    ((item,),) = world.query("SELECT id FROM review_items WHERE what = 'date_of_birth' AND state = 'open'")
    ann, now = Hand(Reviewer("ann", Role.COMPLIANCE), "compliance"), datetime.now(UTC)
    with engine.begin() as connection:
        assert reviews.claim(connection, UUID(str(item)), ann, now) is None
    with engine.begin() as connection:
        assert reviews.overturn(connection, UUID(str(item)), ann, "The day of a fair.", None, now) is None
    world.run()
    assert answered(world) == [*SHOWN[:4], "march four nineteen seventy", SHOWN[5]]
    runs = "SELECT r.egress_id, count(*) FROM redaction_runs n JOIN recordings r ON r.id = n.recording_id GROUP BY 1 ORDER BY 1"
    assert world.query(runs) == [("EG_agent", 1), ("EG_partner", 2)]
    assert stages(world) == {"done"}
