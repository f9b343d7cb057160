"""``verbatim findings``: verdicts on a consultation, which of them changed and why, and having calls judged anew."""

import json
import os
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from rich.console import Console
from rich.table import Table
from sqlalchemy import RowMapping

from cli.errors import Refused
from domain.audit import Deed
from resources.settings import Settings
from resources.store import audit, evaluations, redactions
from resources.store.database import database

COLOURS = {"met": "green", "not_met": "red", "cannot_tell": "yellow"}


def show(settings: Settings, consultation_id: UUID, *, as_json: bool) -> None:
    with database(settings) as engine, engine.begin() as connection:
        newest = evaluations.newest(connection, consultation_id)
        if newest is None:
            raise Refused(f"{consultation_id} has not been judged: `verbatim status` shows what waits")
        rows = evaluations.findings_of(connection, newest["id"])
        audit.append(connection, Deed(f"os:{os.getuid()}", "operator", "findings.read", consultation_id=consultation_id))
    if as_json:
        print(json.dumps({**newest, "findings": [dict(row) for row in rows]}, default=str))
        return
    console = Console()
    by_whom = ", as a reviewer decided who overturned this" if newest["decided_by"] == "review" else ""
    consent, spoken = newest["consent"], newest["spoken"]
    console.print(f"Consent [bold]{consent}[/] (spoken: {spoken}), {newest['publication']}{by_whom}, evaluation {newest['number']}")
    stretches = {
        "recorded_before": "Recorded before consent was there",
        "recorded_after": "Recorded after it was refused or withdrawn",
        "withheld": "Not found, heard or quoted",
    }
    for name, words in stretches.items():
        for start, end in newest[name]:
            console.print(f"{words}: {_clock(start)} to {_clock(end)}")
    table = Table("at", "rule", "verdict", "why not", "words", box=None)
    for row in rows:
        colour = COLOURS[row["verdict"]]
        verdict = f"[{colour}]{row['verdict']}[/]" + (" (overturned)" if row["overturned"] else "")
        at = "" if row["start_ms"] is None else _clock(row["start_ms"])
        table.add_row(at, row["rule_id"], verdict, row["cause"] or "", row["quote"] or "")
    console.print(table)


def changes(settings: Settings, since: date | None, *, as_json: bool) -> None:
    with database(settings) as engine, engine.connect() as connection:
        rows = evaluations.changed(connection, since)
    if as_json:
        for row in rows:
            print(json.dumps({key: row[key] for key in ("consultation_id", "number", "created_at", "changes")}, default=str))
        return
    for row in rows:
        print(f"{row['consultation_id']}  {row['created_at']:%Y-%m-%d %H:%M}Z  evaluation {row['number']}")
        for change in row["changes"]:
            print(
                f"    {change['rule_id']}: {change['before'] or 'not judged'} -> {change['after'] or 'no longer judged'} ({_why(change)})"
            )
    if not rows:
        print("No verdict has changed.")


def again(settings: Settings, consultation_ids: Sequence[UUID], *, redact: bool) -> None:
    """Raises Refused for an id that is not judged."""
    with database(settings) as engine, engine.begin() as connection:
        count = (redactions if redact else evaluations).judge_again(connection, consultation_ids)
    if consultation_ids and not count:
        raise Refused("none of these consultations has been judged yet: they are judged when their turn comes")
    print(f"{count} recordings are {'redacted and judged' if redact else 'judged'} again by the next run")


def _clock(ms: int | None) -> str:
    if ms is None:
        return "the end"
    return f"{ms // 60_000:02d}:{ms % 60_000 / 1000:06.3f}"


def _why(change: RowMapping) -> str:
    return ", ".join(change["why"]).replace("_", " ") or "for no reason that is known"
