"""Planted numbers: a card number and a security code that are read out in a call turn up nowhere once it is processed.

Not in a table, a log line, an exception, a Dagster event, a piece of metadata, an answer of the API or an object of the archive, whose sound is
heard again to make sure. What counts as the numbers is what the speech model itself hears in the original.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest
from dagster._serdes import serialize_value
from sqlalchemy import inspect

from api.app import create_app
from domain.roles import Role
from domain.transcripts import Turn
from resources.media import decode, probe
from resources.redaction.finding import Recognisers
from resources.speech.model import SpeechModel
from resources.speech.transcription import transcribe
from resources.store.database import engine_for
from tests.api.client import Issuer, client_of, settings
from tests.assets.archive_world import World

PAID = Path("demo/calls/payment-card-read-out.ogg")
DIGITS = {
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "oh": "0",
}
PIECE = 3
"""So many digits in a row give a piece of the number away."""


def heard_in(path: Path, folder: Path, world: World) -> str:
    folder.mkdir()
    heard = transcribe(SpeechModel.load(world.settings.speech()), decode(path, folder, probe(path)))
    return " . ".join(" ".join(word.text for word in channel.words) for channel in heard.channels)


def pieces(said: str) -> set[str]:
    """Every PIECE digits that are said in a row, as spoken words."""
    words = re.findall(r"[a-z]+", said.lower())
    return {" ".join(words[n : n + PIECE]) for n in range(len(words) - PIECE + 1) if all(word in DIGITS for word in words[n : n + PIECE])}


def given_away(planted: set[str], text: str) -> set[str]:
    """The pieces that stand in a text: as words with whatever signs between them, or as digits in a row of six and more."""
    spoken = " ".join(re.findall(r"[a-z]+", text.lower()))
    rows = re.findall(r"(?<![0-9a-f.-])\d{6,19}(?![0-9a-f-])", text)
    written = {"".join(DIGITS[word] for word in piece.split()): piece for piece in planted}
    return {piece for piece in planted if f" {piece} " in f" {spoken} "} | {
        written[row[n : n + PIECE]] for row in rows for n in range(len(row)) if row[n : n + PIECE] in written and len(row) >= 13
    }


def everything_stored(world: World) -> str:
    engine = engine_for(world.database_url)
    tables = inspect(engine).get_table_names()
    engine.dispose()
    assert {"turns", "redacted_turns", "search_documents", "findings", "failures", "audit_entries"} <= set(tables)
    return "\n".join(str(row[0]) for table in tables for row in world.query(f'SELECT row_to_json(t)::text FROM "{table}" t'))


def test_planted_numbers_turn_up_nowhere(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "data", database_url)
    planted = pieces(heard_in(PAID, tmp_path / "original", world))
    assert len(planted) >= 10, "the model hears the numbers in the original"
    caplog.set_level(logging.DEBUG)
    world.call(1, PAID, seconds=70, consent=None)
    with dg.DagsterInstance.ephemeral() as instance:

        def broken(turns: Sequence[Turn], _: Recognisers) -> None:
            raise ValueError("it was said: " + " ".join(turn.text for turn in turns))

        with monkeypatch.context() as patched:
            patched.setattr("assets.redactions.find", broken)
            world.run(instance=instance)
        assert world.query("SELECT stage, reason FROM failures") == [("redactions", "unexpected")]
        world.query("UPDATE recordings SET not_before = NULL, gave_up_at = NULL RETURNING 1")
        result = world.run(instance=instance)
        assert result.success and world.query("SELECT stage FROM recordings") == [("done",)]
        events = "\n".join(
            serialize_value(record.event_log_entry)
            for run in instance.get_runs()
            for record in instance.get_records_for_run(run.run_id).records
        )
        tags = str([run.tags for run in instance.get_runs()])
    assert "redactions" in events
    answers = over_http(world)
    places = {"tables": everything_stored(world), "Dagster's events": events, "tags": tags, "log": caplog.text, "the API": answers}
    for number, name in enumerate(world.files(world.archive)):
        path = world.archive / name
        if path.suffix == ".json":
            places[name] = path.read_text()
        else:
            places[name] = heard_in(path, tmp_path / f"again-{number}", world)
    assert len(places) >= 7, "the kept sound, its rendition and the transcript"
    found = {place: given_away(planted, text) for place, text in places.items()}
    assert {place: some for place, some in found.items() if some} == {}


def over_http(world: World) -> str:
    """What officers get to see of it, and the metrics."""
    engine, issuer = engine_for(world.database_url), Issuer()
    officer = issuer.headers(Role.COMPLIANCE, Role.ADMIN) | {"Verbatim-Reason": "test"}
    ((consultation_id,),) = world.query("SELECT id FROM video_consultations")
    paths = [
        *("/api/search?q=speaker:customer&limit=100", f"/api/consultations/{consultation_id}/transcript?original=true", "/metrics"),
        *(f"/api/consultations/{consultation_id}/findings", f"/consultations/{consultation_id}", "/api/reviews"),
    ]
    with client_of(create_app(settings(data_dir=world.folder), engine, issuer.identities)) as client:
        answers = [client.get(path, headers=officer) for path in paths]
    engine.dispose()
    assert [answer.status_code for answer in answers if answer.request.url.path != f"/consultations/{consultation_id}"] == [200] * 5
    return "\n".join(answer.text for answer in answers)


def test_a_number_that_is_there_is_found() -> None:
    planted = pieces("four two six three, nine")
    assert planted == {"four two six", "two six three", "six three nine"}
    assert given_away(planted, "it is Four, two. Six") == {"four two six"}
    assert given_away(planted, "4263926312345") and not given_away(planted, "426 and a uuid 11142639-0000")
