"""``verbatim audit verify``: is the audit trail as it was written."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Connection, func, select

from domain.audit import Entry, verify
from resources.live_tables import audit_entries
from resources.settings import Settings
from resources.store import audit
from resources.store.database import database


def run(settings: Settings, *, as_json: bool) -> int:
    """The exit status: 1 if an entry is not as it was written."""
    console = Console(stderr=True)
    with database(settings) as engine, engine.connect() as connection:
        verdict = verify(_shown(connection, console))
    if as_json:
        print(json.dumps(asdict(verdict)))
    elif verdict.wrong is None:
        print(f"The audit trail holds: {verdict.entries} entries, head {verdict.head}")
        print("Keep the number and the head elsewhere: an end that is cut off shows only against them.")
    else:
        print(f"THE AUDIT TRAIL DOES NOT HOLD at entry {verdict.wrong}: {verdict.why}.")
        print(f"The {verdict.entries} entries before it do, head {verdict.head}.")
    return 0 if verdict.wrong is None else 1


def _shown(connection: Connection, console: Console) -> Iterator[Entry]:
    total = connection.scalar(select(func.count()).select_from(audit_entries))
    with Progress(console=console, transient=True) as progress:
        yield from progress.track(audit.entries(connection), total=total, description="reading the trail")
