"""``verbatim reconcile``: the hourly reconciliation, now, and what it found as a table."""

import asyncio

from rich.console import Console
from rich.table import Table

from assets.reconciliation import reconcile
from assets.services import open_services
from resources.reconciliation import Report
from resources.settings import Settings


def run(settings: Settings) -> int:
    """Status 1 where LiveKit or the intake could not be asked, and 2 where another process is at it."""
    with open_services(settings, needs_storage=False) as services:
        report = asyncio.run(reconcile(services))
    if report is None:
        Console(stderr=True).print("Another process is reconciling now; try again in a moment.")
        return 2
    Console().print(_table(report))
    for note in report.notes:
        Console(stderr=True, soft_wrap=True).print(note, style="yellow", markup=False)
    for trouble in report.trouble:
        Console(stderr=True, soft_wrap=True).print(f"Could not be asked: {trouble}", style="yellow", markup=False)
    return 1 if report.trouble else 0


def _table(report: Report) -> Table:
    table = Table("what", "how many", title="Reconciliation")
    for what, count in sorted(report.counts.items()):
        table.add_row(what.replace("_", " "), str(count))
    table.add_section()
    for state, count in report.states.items():
        table.add_row(f"calls {state.replace('_', ' ')}", str(count))
    return table
