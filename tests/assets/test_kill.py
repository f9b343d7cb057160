"""kill -9 at every step boundary of a run: the next run finishes the work, and nothing is there twice.

Boundaries are every commit to the store and every change to an object store, each just before and just after. A child process runs
the day and kills itself at the n-th of them.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from resources.embedded_postgres import EmbeddedPostgres
from resources.objects import FolderStore
from resources.store.database import engine_for
from tests.assets.archive_world import World

CALL = Path(__file__).parents[1] / "data" / "stereo_diarization.wav"

AFTERWARDS = {
    "recordings": "SELECT egress_id, stage, sha256, flags, searchable_at IS NOT NULL FROM recordings ORDER BY 1",
    "transcripts": "SELECT r.egress_id, count(*) FROM transcripts t JOIN recordings r ON r.id = t.recording_id GROUP BY 1 ORDER BY 1",
    "turns": "SELECT role, start_ms, end_ms, text, count(*) FROM turns GROUP BY 1, 2, 3, 4 ORDER BY 2, 4",
    "search": "SELECT speaker, start_ms, text, count(*) FROM search_documents GROUP BY 1, 2, 3 ORDER BY 2, 3",
    "calls": "SELECT transcript, recording_url IS NOT NULL FROM video_consultations ORDER BY room_sid",
    "failures": "SELECT count(*) FROM failures",
}


def boundaries(reached: Callable[[], None]) -> None:
    """Call ``reached`` just before and just after everything that lasts."""

    @event.listens_for(Engine, "commit")
    def before_commit(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":  # Dagster's own storage is SQLite here
            reached()

    def around(name: str) -> None:
        original = getattr(FolderStore, name)

        def counted(self: FolderStore, *args: Any, **more: Any) -> Any:
            reached()
            result = original(self, *args, **more)
            reached()
            return result

        setattr(FolderStore, name, counted)

    around("write")
    around("delete")


def run_and_die(world: World, at: int, counted: "multiprocessing.Queue[int]") -> None:
    """In a child: run the day, and die at boundary number ``at`` (from 1; 0 for never)."""
    passed = 0

    def reached() -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            os.kill(os.getpid(), signal.SIGKILL)

    boundaries(reached)
    world.run()
    counted.put(passed)


def in_child(world: World, at: int) -> int | None:
    """How many boundaries the run passed, or None if it was killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.assets.test_kill"])
    counted: multiprocessing.Queue[int] = context.Queue()
    child = context.Process(target=run_and_die, args=(world, at, counted))
    child.start()
    child.join(120)
    if at and child.exitcode == -signal.SIGKILL:
        return None
    assert child.exitcode == 0
    return counted.get(timeout=10)


def outcome(world: World) -> dict[str, Any]:
    found: dict[str, Any] = {name: world.query(query) for name, query in AFTERWARDS.items()}
    found["intake"] = world.files(world.intake)
    found["archive"] = [(Path(name).suffix, (world.archive / name).stat().st_size) for name in world.files(world.archive)]
    found["archive"].sort()
    return found


@pytest.fixture
def worlds(postgres: EmbeddedPostgres, tmp_path: Path) -> Callable[[int], World]:
    admin = engine_for(postgres.owner_url("postgres")).execution_options(isolation_level="AUTOCOMMIT")

    def make(number: int) -> World:
        name = f"kill{os.getpid()}x{number}"
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "template"'))
        world = World(tmp_path / name, postgres.url(name))
        world.call(1, CALL, seconds=5)
        return world

    return make


@pytest.mark.timeout(1800)
def test_killed_at_every_boundary_the_next_run_finishes_and_nothing_is_there_twice(worlds: Callable[[int], World]) -> None:
    undisturbed = worlds(0)
    total = in_child(undisturbed, 0)
    assert total is not None and total >= 15
    expected = outcome(undisturbed)
    assert [row[1] for row in expected["recordings"]] == ["done"]
    wrong = {}
    for at in range(1, total + 1):
        world = worlds(at)
        assert in_child(world, at) is None, f"boundary {at} of {total} was not reached"
        world.clock_offset = timedelta(minutes=5)  # the dead run's leases have ended
        world.run()
        found = outcome(world)
        if found != expected:
            wrong[at] = {name: (found[name], expected[name]) for name in found if found[name] != expected[name]}
    assert wrong == {}
