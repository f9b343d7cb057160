"""A call whose first minute nobody can make out: what was not said in it, nobody can tell."""

from pathlib import Path

import pytest

from tests.assets.archive_world import World
from tests.assets.noisy_openings import OPENINGS, with_opening

CALL = Path("demo/calls/quote-with-consent.ogg")
SECONDS = 83.78
DISCLOSED = "SELECT verdict, cause FROM findings WHERE rule_id = 'recording_disclosure'"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    return World(tmp_path / "data", database_url)


@pytest.mark.parametrize("opening", sorted(OPENINGS))
def test_an_opening_of_noise_leaves_it_open_whether_the_recording_was_disclosed(world: World, tmp_path: Path, opening: str) -> None:
    world.call(1, with_opening(CALL, opening, tmp_path / "noisy.ogg"), seconds=SECONDS, consent=None)
    world.run()
    ((verdict, cause),) = world.query(DISCLOSED)
    assert (verdict, cause) in [("cannot_tell", why) for why in ("silent", "damaged", "overlapped", "low_confidence")]
    assert cause == "silent" if opening == "silence" else cause != "silent"
    assert world.query("SELECT count(*) FROM turns WHERE start_ms >= 60000") != [(0,)], "what comes after the noise is heard"
    assert world.query("SELECT consent, publication FROM evaluations") == [("unknown", "quarantined")], "nor what was consented to"
    assert world.query("SELECT count(*) FROM review_items WHERE what = 'recording_disclosure' AND state <> 'closed'") == [(1,)]


def test_the_same_call_without_noise_discloses_it(world: World) -> None:
    world.call(1, CALL, seconds=SECONDS, consent=None)
    world.run()
    assert world.query(DISCLOSED) == [("met", None)]
