"""What a reviewer decides, seen from outside by the next run: in search, in the verdicts, and in what is redacted."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from domain.review import Reviewer
from domain.roles import Role
from resources.store import reviews
from resources.store.reviews import Hand
from tests.assets.archive_world import World

CALLS = Path("demo/calls")
ANN = Hand(Reviewer("ann", Role.COMPLIANCE), "compliance")


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    return World(tmp_path / "data", database_url)


def overturned(engine: Engine, item_id: object) -> None:
    now = datetime.now(UTC)
    with engine.begin() as connection:
        assert reviews.claim(connection, UUID(str(item_id)), ANN, now) is None
    with engine.begin() as connection:
        assert reviews.overturn(connection, UUID(str(item_id)), ANN, "Heard it.", None, now) is None


def test_a_refusal_that_was_none_is_published_by_the_next_run_and_asked_about_no_more(world: World, engine: Engine) -> None:
    world.call(1, CALLS / "claim-recording-refused.ogg", seconds=75, consent=None)
    world.run()
    assert world.query("SELECT publication FROM evaluations") == [("quarantined",)]
    asked = world.query("SELECT id, what FROM review_items WHERE state = 'open' ORDER BY severity, id")
    (item,) = [item for item, what in asked if what == "recording_consent"]
    overturned(engine, item)
    world.run()
    assert world.query("SELECT number, publication, reviews FROM evaluations ORDER BY number") == [
        (1, "quarantined", 0),
        (2, "published", 1),
    ]
    ((found,),) = world.query("SELECT count(*) FROM search_documents")
    assert isinstance(found, int) and found > 3
    assert world.query("SELECT stage FROM recordings") == [("done",)]
    left = world.query("SELECT id FROM review_items WHERE state = 'open' ORDER BY severity, id")
    dependent = ("recording_consent", "recorded_without_consent")
    assert {what for _, what in asked} >= set(dependent)
    assert left == [(one,) for one, what in asked if what not in dependent], "whether it was recorded without consent is answered, too"
    assert world.query("SELECT consent, decided_by, recorded_after, withheld FROM evaluations ORDER BY number DESC LIMIT 1") == [
        ("declined", "review", [], [])
    ]


def test_a_value_that_is_nobodys_can_be_read_after_the_next_run_and_card_data_cannot(world: World, engine: Engine) -> None:
    world.call(1, CALLS / "payment-card-read-out.ogg", seconds=70, consent=None)
    world.run()
    ((run,),) = world.query("SELECT id FROM redaction_runs")
    with engine.begin() as connection:
        reviews.ask_about_redactions(connection, UUID(str(run)), 2.0)
    found = world.query("SELECT what, id FROM review_items WHERE about = 'redaction' AND state = 'open'")
    asked = {str(what): item for what, item in found}
    assert {"card_number", "security_code"} < set(asked)
    readable = next(kind for kind in asked if kind not in ("card_number", "security_code"))
    for kind in (readable, "security_code"):
        overturned(engine, asked[kind])
    world.run()
    shown = " ".join(str(said) for (said,) in world.query("SELECT text FROM search_documents"))
    assert f"[{readable}]" not in shown
    assert "[security_code]" in shown and "[card_number]" in shown
    assert world.query("SELECT stage FROM recordings") == [("done",)]
    assert len(world.query("SELECT id FROM redaction_runs")) == 2
    world.run()
    assert len(world.query("SELECT id FROM redaction_runs")) == 2, "and that is all"
