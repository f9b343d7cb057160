"""``verbatim status`` and ``verbatim retry``: what is done, what waits, what failed and why."""

import json
from collections.abc import Sequence
from itertools import islice
from uuid import UUID

from rich.console import Console

from resources.settings import Settings
from resources.store import calls, evaluations, reading, work
from resources.store.calls import CallState
from resources.store.database import database

MOST_ROOMS = 10
WORDS = {
    "recordings": "wait for their file",
    "transcripts": "wait for transcription",
    "redactions": "wait for redaction",
    "findings": "wait for the compliance rules",
    "archive": "wait for the archive",
    "search_documents": "wait for search",
    "done": "done: searchable as far as consent goes",
    "gave_up": "failed, waiting for a person",
}


def run(settings: Settings, *, as_json: bool) -> None:
    with database(settings) as engine, engine.connect() as connection:
        progress = work.progress(connection)
        failures = work.open_failures(connection)
        rooms = reading.unknown_rooms(connection)
        active = reading.active_egresses(connection)
        going_on = calls.count(connection, CallState.OPEN)
        quarantined, to_review = evaluations.quarantined(connection), evaluations.to_review(connection)
    if as_json:
        state = {"recordings": progress, "failures": failures, "unknown_rooms": rooms, "recording_now": active, "calls_now": going_on}
        state |= {"quarantined": quarantined, "to_review": to_review}
        print(json.dumps(state, default=str))
        return
    console = Console()
    for stage, words in WORDS.items():
        console.print(f"{progress.get(stage, 0):6d}  {words}")
    console.print(f"{quarantined:6d}  calls in quarantine, for want of consent")
    console.print(f"{to_review:6d}  findings wait for a reviewer: `verbatim review list`")
    console.print(f"{going_on:6d}  calls going on")
    console.print(f"{active:6d}  being recorded now")
    if rooms:
        console.print(f"{sum(rooms.values()):6d}  webhooks wait for {len(rooms)} rooms that are not known here:")
        for name, count in islice(rooms.items(), MOST_ROOMS):
            console.print(f"        {name} ({count})", soft_wrap=True, highlight=False, markup=False)
        console.print("        A room is ours by its name, consultation_TYPE_TIME_ID, or by a type in its metadata.", soft_wrap=True)
    for row in failures:
        console.print(_line(row), soft_wrap=True, highlight=False)
    if any(row["file_name"] for row in failures):
        console.print("`verbatim retry RECORDING` or `verbatim retry --all` starts over.")


def _line(row: dict[str, object]) -> str:
    again = "given up" if row["gave_up"] else f"next attempt {row['not_before']:%Y-%m-%d %H:%M:%SZ}"
    hopeless = "" if row["file_name"] else "\n    There is nothing to start over with: no file was ever written."
    return (
        f"\n{row['recording_id']}  {row['stage']}, attempt {row['attempt']}, {again}\n    call of {row['day']} in room {row['room_name']}"
        f"\n    {row['reason']}: {row['detail']}{hopeless}"
    )


def retry(settings: Settings, recording_ids: Sequence[UUID]) -> None:
    with database(settings) as engine, engine.begin() as connection:
        again = work.retry(connection, recording_ids)
    for recording_id in recording_ids:
        if recording_id not in again:
            print(f"{recording_id}: nothing to start over with (it is done, still at work, or its egress left no file)")
    print(f"{len(again)} recordings start over with the next run")
