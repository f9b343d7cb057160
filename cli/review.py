"""``verbatim review``: the review queue in the terminal. Whoever sits at this machine reviews as an admin, named by their user's id."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import Connection, RowMapping

from cli.errors import Refused
from domain.audit import Deed
from domain.review import Reviewer, ReviewRefused
from domain.roles import Role
from domain.rules.shapes import Verdict
from resources.policies import recording_consent
from resources.settings import Settings
from resources.store import audit, labelled, review_list, reviews
from resources.store.calls import WrongCursor
from resources.store.database import database
from resources.store.review_list import Filters
from resources.store.reviews import Hand

HIDDEN = ("fingerprint", "quote", "redaction_id", "finding_id", "position", "entity")
COLOURS = {"critical": "red", "major": "yellow", "minor": "cyan", "review": "default"}


def me() -> Hand:
    return Hand(Reviewer(f"os:{os.getuid()}", Role.ADMIN), "operator")


def show_queue(settings: Settings, filters: Filters, *, limit: int, cursor: str | None, as_json: bool) -> None:
    """Raises Refused for a cursor that is none."""
    with database(settings) as engine, engine.connect() as connection:
        try:
            page = review_list.listed(connection, filters, datetime.now(UTC), limit=limit, cursor=cursor)
        except WrongCursor:
            raise Refused("this cursor is not one that the list has given: begin without one") from None
    if as_json:
        for row in page.rows:
            print(json.dumps(_plain(row), default=str))
    elif page.rows:
        table = Table(Column("item", no_wrap=True, min_width=36), "severity", "what", "found", "at", "state", box=None)
        for row in page.rows:
            severity = f"[{COLOURS[row['severity']]}]{row['severity']}[/]"
            table.add_row(str(row["id"]), severity, row["what"], _found(row), _clock(row["start_ms"]), row["state"])
        Console().print(table)
    else:
        print("Nothing waits.")
    if page.next_cursor:
        Console(stderr=True).print(f"There is more: --cursor {page.next_cursor}", soft_wrap=True, highlight=False)


def show_item(settings: Settings, item_id: UUID, *, as_json: bool) -> None:
    """Raises Refused for an id that is none."""
    with database(settings) as engine, engine.begin() as connection:
        found = review_list.detail(connection, item_id, datetime.now(UTC))
        if found is None:
            raise Refused(_unknown(item_id))
        details = (("quote", found.quote is not None),)
        deed = Deed(me().reviewer.id, me().role, "review.read", consultation_id=found.item["consultation_id"], subject=str(item_id),
                    details=details)  # fmt: skip
        audit.append(connection, deed)
    row = found.item
    turn = {"turn_id": found.turn_id, "turn_start_ms": found.turn_start_ms, "turn_end_ms": found.turn_end_ms}
    steps = [{key: step[key] for key in ("at", "actor", "step", "reason")} for step in found.steps]
    if as_json:
        print(json.dumps({**_plain(row), **turn, "quote": found.quote, "steps": steps}, default=str))
        return
    console = Console(highlight=False)
    console.print(f"[bold]{row['what']}[/], {row['severity']}: {_found(row)}; {row['state']}")
    console.print(f"Consultation {row['consultation_id']}, recording {row['recording_id'] or 'none'}", soft_wrap=True)
    if row["start_ms"] is not None:
        console.print(f"Listen at {_clock(row['start_ms'])} to {_clock(row['end_ms'])} of the call")
    if found.quote:
        console.print(f"“{found.quote}”", markup=False, soft_wrap=True)
    for step in steps:
        why = f": {step['reason']}" if step["reason"] else ""
        console.print(f"{step['at']:%Y-%m-%d %H:%M:%S}Z  {step['step']} by {step['actor']}{why}", markup=False, soft_wrap=True)


def claim(settings: Settings, item_id: UUID, *, as_json: bool) -> None:
    _step(settings, item_id, as_json, lambda at, now: reviews.claim(at, item_id, me(), now))


def release(settings: Settings, item_id: UUID, *, as_json: bool) -> None:
    _step(settings, item_id, as_json, lambda at, now: reviews.release(at, item_id, me(), now))


def confirm(settings: Settings, item_id: UUID, reason: str, *, as_json: bool) -> None:
    _step(settings, item_id, as_json, lambda at, now: reviews.confirm(at, item_id, me(), reason, now))


def overturn(settings: Settings, item_id: UUID, reason: str, corrected: Verdict | None, *, as_json: bool) -> None:
    _step(settings, item_id, as_json, lambda at, now: reviews.overturn(at, item_id, me(), reason, corrected, now))


def escalate(settings: Settings, item_id: UUID, reason: str, *, as_json: bool) -> None:
    _step(settings, item_id, as_json, lambda at, now: reviews.escalate(at, item_id, me(), reason, now))


def close(settings: Settings, item_id: UUID, reason: str, *, as_json: bool) -> None:
    _step(settings, item_id, as_json, lambda at, now: reviews.close(at, item_id, me(), reason, now))


def export(settings: Settings, path: Path) -> None:
    """One JSON object an overturned verdict, one a line; readable by its owner alone. Raises Refused where the file cannot be written."""
    with database(settings) as engine, engine.begin() as connection:
        found, lost = labelled.cases(connection, recording_consent())
        try:
            with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.writelines(json.dumps(case) + "\n" for case in found)
        except OSError as error:
            raise Refused(f"{path} cannot be written: {error.strerror}") from None
        audit.append(connection, Deed(me().reviewer.id, me().role, "review.export", details=(("cases", len(found)),)))
    print(f"{len(found)} overturned verdicts are in {path}: read it before you hand it on, a name may be left in it")
    if lost:
        print(f"{lost} are not: the words about them are no longer kept")


def _step(settings: Settings, item_id: UUID, as_json: bool, act: Callable[[Connection, datetime], ReviewRefused | None]) -> None:
    """Raises Refused; the refusal is in the audit trail then."""
    with database(settings) as engine, engine.begin() as connection:
        now = datetime.now(UTC)
        try:
            refused = act(connection, now)
        except KeyError:
            raise Refused(_unknown(item_id)) from None
        row = review_list.one(connection, item_id, now)
    if refused is not None:
        raise Refused(str(refused))
    assert row is not None
    if as_json:
        print(json.dumps(_plain(row), default=str))
    elif row["claimed_by"]:
        print(f"{item_id} is yours until {row['claim_expires_at']:%H:%M:%S} UTC")
    else:
        corrected = f", {row['corrected']}" if row["corrected"] else ""
        print(f"{item_id} is {row['state']}" + (f" ({row['decision']}{corrected})" if row["decision"] else ""))


def _plain(row: RowMapping) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in HIDDEN}


def _found(row: RowMapping) -> str:
    if row["verdict"] is None:
        return f"redacted, confidence {row['confidence']:.2f}"
    return f"{row['verdict']} ({row['cause']})" if row["cause"] else str(row["verdict"])


def _clock(ms: int | None) -> str:
    return "" if ms is None else f"{ms // 60_000:02d}:{ms % 60_000 / 1000:06.3f}"


def _unknown(item_id: UUID) -> str:
    return f"there is no item {item_id}: `verbatim review list` shows what waits"
