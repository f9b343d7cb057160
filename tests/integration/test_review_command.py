"""``verbatim review``, as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from resources.store import audit
from tests.corpus.overturned import read
from tests.integration.review_store import ANN, DISCLOSURE, Call, claimed, judged_call, one, waiting

WHY = ("--reason", "Heard it at 0:12.")
NOWHERE = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def call(engine: Engine) -> Call:
    found = judged_call(engine)
    found.judge(found.promise(), DISCLOSURE)
    return found


class Terminal:
    def __init__(self, database_url: str, folder: Path) -> None:
        settings = {"VERBATIM_DATABASE_URL": database_url, "VERBATIM_DATA_DIR": str(folder), "COLUMNS": "200"}
        self.environment = os.environ | settings

    def types(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", "from cli.main import main; main()", "review", *map(str, arguments)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120)

    def shown(self, *arguments: object) -> list[dict[str, object]]:
        done = self.types(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(database_url, tmp_path)


def test_from_the_list_to_a_decision_and_the_file(terminal: Terminal, call: Call, engine: Engine, tmp_path: Path) -> None:
    first, second = terminal.shown("list")
    assert (first["what"], second["what"]) == ("recording_disclosed", "coverage_promise")
    listed = terminal.types("list", "--severity", "major").stdout
    assert str(second["id"]) in listed and str(first["id"]) not in listed and "00:07.000" in listed
    assert "yours until" in terminal.types("claim", second["id"]).stdout
    assert [row["id"] for row in terminal.shown("list", "--mine")] == [second["id"]]
    shown = terminal.types("show", second["id"]).stdout
    assert "policy covers everything" in shown and f"claimed by os:{os.getuid()}" in shown
    decided = terminal.types("overturn", second["id"], *WHY)
    assert (decided.returncode, decided.stdout) == (0, f"{second['id']} is closed (overturned, met)\n")
    assert terminal.types("overturn", second["id"], *WHY).stdout == decided.stdout
    assert call.stage() == "findings"
    done = terminal.types("export", tmp_path / "cases.jsonl")
    assert "1 overturned verdicts" in done.stdout
    assert [case.rule_id for case in read(tmp_path / "cases.jsonl")] == ["coverage_promise"]
    with engine.connect() as connection:
        told = [(entry.deed.actor, entry.deed.role, entry.deed.action) for entry in audit.entries(connection)]
    actions = ("review.claim", "review.read", "review.overturn", "review.export")
    assert told == [(f"os:{os.getuid()}", "operator", action) for action in actions]


def test_every_other_step(terminal: Terminal, call: Call) -> None:
    first, second = (row["id"] for row in terminal.shown("list"))
    terminal.types("claim", first)
    assert terminal.types("release", first).stdout == f"{first} is open\n"
    terminal.types("claim", first)
    assert terminal.shown("escalate", first, *WHY)[0]["state"] == "escalated"
    assert terminal.types("claim", first).returncode == 0, "whoever sits here is an admin"
    assert terminal.types("close", first, *WHY).stdout == f"{first} is closed\n"
    terminal.types("claim", second)
    assert terminal.types("confirm", second, *WHY).stdout == f"{second} is closed (confirmed)\n"
    assert terminal.types("list").stdout == "Nothing waits.\n"
    assert {row["id"] for row in terminal.shown("list", "--state", "closed")} == {first, second}


def test_what_cannot_be_is_said_in_one_line_and_written_down(terminal: Terminal, call: Call, engine: Engine) -> None:
    item = next(row["id"] for row in waiting(engine, what="recording_disclosed"))
    for step, said in (("confirm", "claim it first"), ("release", "claim it first")):
        done = terminal.types(step, item, *(WHY if step == "confirm" else ()))
        assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr
    terminal.types("claim", item)
    unsaid = terminal.types("overturn", item, *WHY)
    assert unsaid.returncode == 1 and "met or not_met" in unsaid.stderr
    assert terminal.types("confirm", item, "--reason", " ").returncode == 1
    assert terminal.types("confirm", item).returncode == 2, "a reason is not left out"
    other = next(row["id"] for row in waiting(engine, what="coverage_promise"))
    claimed(engine, other, ANN)
    assert "Another reviewer" in terminal.types("claim", other).stderr
    for step in ("show", "claim", "release"):
        assert "review list" in terminal.types(step, NOWHERE).stderr
    assert "begin without one" in terminal.types("list", "--cursor", "x").stderr
    assert "cannot be written" in terminal.types("export", "/nowhere/at/all.jsonl").stderr
    assert one(engine, "SELECT count(*) FROM audit_entries WHERE outcome = 'refused'") == (5,)


def test_the_list_goes_on_where_it_ended(terminal: Terminal, call: Call) -> None:
    first = terminal.types("list", "--limit", "1", "--json")
    cursor = first.stderr.split("--cursor ")[1].strip()
    rest = terminal.types("list", "--limit", "1", "--cursor", cursor, "--json")
    assert [json.loads(done.stdout)["what"] for done in (first, rest)] == ["recording_disclosed", "coverage_promise"]
    assert rest.stderr == ""
