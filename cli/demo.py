"""``verbatim demo``: start everything, send the calls, show their progress, a table, and what three searches find."""

import json
import os
import secrets
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from rich.box import SIMPLE_HEAVY
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, text

import demo
from cli.stack import Stack, running
from cli.up import show_urls, stay
from demo.front_door import announce, tell_consents, upload
from demo.truth import DemoCall, load_calls
from domain.roles import Role
from resources.identity import issue
from resources.settings import Settings

CALLS = Path(demo.__path__[0]) / "calls"
PATIENCE_S = 600
WIDE = 130  # columns of a terminal
SEARCHES = ('speaker:customer "i consent"', "type:support yoga", '"security code"')
HIDDEN = '"do not consent"'
"""Said in a demo call, and in none that may be used."""


@dataclass(frozen=True)
class Outcome:
    """What became of one call. ``searchable_s``: from egress_ended to the moment when all its turns could be found. ``consent`` and
    ``publication`` are None until it was judged."""

    call: DemoCall
    recordings: int
    done: int
    given_up: tuple[str, ...]
    flags: tuple[str, ...]
    speakers: tuple[str, ...]
    turns: int
    searchable_s: float | None
    consent: str | None
    publication: str | None

    @property
    def settled(self) -> bool:
        return self.recordings > 0 and self.done + len(self.given_up) == self.recordings == len(self.call.egresses)

    @property
    def as_meant(self) -> bool:
        """Every file became searchable as far as consent goes, and an egress that failed is shown as failed."""
        return (
            self.settled
            and self.done == sum(egress.file is not None for egress in self.call.egresses)
            and self.publication == self.call.publication
        )


def run(settings: Settings, *, once: bool) -> int:
    """The exit status: 0 if every call with a recording is searchable, or in quarantine for want of consent."""
    console = Console()
    settings, environment = _for_demo(settings)
    with ExitStack() as exits:
        try:
            with console.status("Starting PostgreSQL, the API and Dagster …"):
                stack = exits.enter_context(running(settings, environment))
            calls = load_calls(CALLS)
            _send(console, settings, stack, calls)
            outcomes = _follow(console, stack, calls)
        except KeyboardInterrupt:
            console.print("Stopping …")
            return 130
        console.print(_table(outcomes, console.width))
        token = issue(settings, Role.COMPLIANCE, subject="demo", lifetime=timedelta(hours=12))
        hits = [_search(console, stack, query, token) for query in SEARCHES]
        leaked = _search(console, stack, HIDDEN, token, quiet="  no hit: the call in which it is said is in quarantine")
        wrong = [outcome.call.title for outcome in outcomes if not outcome.as_meant]
        for title in wrong:
            console.print(f"Not as it should be: {title}. `verbatim status` says why.", style="bold red")
        status = 1 if wrong or leaked or not all(hits) else 0
        if not once:
            with console.status("Waiting for Dagster's webserver …"):
                stack.group.wait_for("dagster-webserver", f"{stack.dagster_url}/server_info")
            show_urls(console, stack, settings)
            stay(console, stack)
        return status


def _for_demo(settings: Settings) -> tuple[Settings, dict[str, str]]:
    """The demo's own stores, keys and model: whatever the settings say of those, nothing outside the data folder is touched."""
    folder = settings.data_dir.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "demo-livekit-secret"
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    chosen = {"livekit_api_key": "demo", "livekit_api_secret": SecretStr(path.read_text()), "livekit_webhook_secret": None}
    model = settings.speech_model if "speech_model" in settings.model_fields_set else "demo"
    every = settings.sensor_interval_seconds if "sensor_interval_seconds" in settings.model_fields_set else 2
    places = {"intake_url": str(folder / "intake"), "archive_url": str(folder / "archive")}
    embedded = {
        "database_url": None,
        "migration_database_url": None,
        "dagster_database_url": None,
        "oidc_issuer": None,
        "environment": "development",
    }
    changed = settings.model_copy(update={**chosen, **places, **embedded, "speech_model": model, "sensor_interval_seconds": every})
    environment = {
        "VERBATIM_LIVEKIT_API_KEY": "demo",
        "VERBATIM_LIVEKIT_API_SECRET": path.read_text(),
        "VERBATIM_LIVEKIT_WEBHOOK_SECRET": path.read_text(),
        "VERBATIM_SPEECH_MODEL": model,
        "VERBATIM_SENSOR_INTERVAL_SECONDS": str(every),
        "VERBATIM_INTAKE_URL": places["intake_url"],
        "VERBATIM_ARCHIVE_URL": places["archive_url"],
        "VERBATIM_OIDC_ISSUER": "",
        "VERBATIM_ENVIRONMENT": "development",
    }
    return changed, environment


def _send(console: Console, settings: Settings, stack: Stack, calls: list[DemoCall]) -> None:
    assert settings.livekit_api_key and settings.livekit_api_secret
    with stack.engine.connect() as connection:
        known = set(connection.execute(text("SELECT egress_id FROM recordings WHERE sha256 IS NOT NULL")).scalars())
    events = 0
    for call in calls:
        upload(call, CALLS, Path(settings.intake), known)
        url = f"{stack.api_url}/api/livekit/webhook"
        events += announce(call, CALLS, url, settings.livekit_api_key, settings.livekit_api_secret.get_secret_value())
        with stack.engine.begin() as connection:
            tell_consents(connection, call)
    console.print(f"Sent {events} signed webhooks about {len(calls)} calls.")


def _follow(console: Console, stack: Stack, calls: list[DemoCall]) -> list[Outcome]:
    """Until every call is settled or patience is at its end."""
    deadline = time.monotonic() + PATIENCE_S
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks = {
            stage: progress.add_task(words, total=sum(egress.file is not None for call in calls for egress in call.egresses))
            for stage, words in (
                ("sha256", "fetched"),
                ("current_transcript_id", "transcribed"),
                ("redaction_id", "redacted"),
                ("evaluation_id", "judged"),
                ("archived_at", "archived"),
                ("published_evaluation_id", "settled"),
            )
        }
        while True:
            stack.check()
            with stack.engine.connect() as connection:
                for column, task in tasks.items():
                    progress.update(task, completed=_count(connection, column, calls))
                outcomes = [_outcome(connection, call) for call in calls]
            if all(outcome.settled for outcome in outcomes) or time.monotonic() > deadline:
                return outcomes
            time.sleep(0.3)


def _count(connection: Connection, column: str, calls: list[DemoCall]) -> int:
    ids = [egress.egress_id for call in calls for egress in call.egresses]
    query = text(f"SELECT count({column}) FROM recordings WHERE egress_id = ANY(:ids)")
    return int(connection.execute(query, {"ids": ids}).scalar_one())


def _outcome(connection: Connection, call: DemoCall) -> Outcome:
    row = connection.execute(
        text(
            """
            SELECT count(DISTINCT r.id) AS recordings, count(DISTINCT r.id) FILTER (WHERE r.stage = 'done') AS done,
                   array_remove(array_agg(DISTINCT f.reason), NULL) AS reasons,
                   array_remove(array_agg(DISTINCT flag), NULL) AS flags,
                   extract(epoch FROM max(r.searchable_at - r.announced_at)) AS seconds
            FROM recordings r JOIN video_consultations c ON c.id = r.consultation_id
            LEFT JOIN failures f ON f.recording_id = r.id AND f.cleared_at IS NULL AND f.gave_up
            LEFT JOIN LATERAL unnest(r.flags) AS flag ON true
            WHERE c.room_sid = :sid
            """
        ),
        {"sid": call.room_sid},
    ).one()
    said = connection.execute(
        text(
            """
            SELECT count(*) AS turns, array_remove(array_agg(DISTINCT d.speaker), NULL) AS roles
            FROM search_documents d JOIN video_consultations c ON c.id = d.consultation_id WHERE c.room_sid = :sid
            """
        ),
        {"sid": call.room_sid},
    ).one()
    verdict = connection.execute(
        text(
            """
            SELECT e.consent, e.publication FROM evaluations e JOIN video_consultations c ON c.id = e.consultation_id
            WHERE c.room_sid = :sid ORDER BY e.number DESC LIMIT 1
            """
        ),
        {"sid": call.room_sid},
    ).one_or_none()
    seconds = float(row.seconds) if row.seconds is not None else None
    reasons, flags, roles = tuple(row.reasons), tuple(row.flags), tuple(said.roles or ())
    return Outcome(call, row.recordings, row.done, reasons, flags, roles, said.turns, seconds, *(verdict or (None, None)))


def _table(outcomes: list[Outcome], width: int) -> Table:
    """Fits 80 columns: there a call goes by its short name. What is to be said about a call stands under it."""
    table = Table(title="The demo calls", box=SIMPLE_HEAVY, collapse_padding=True, pad_edge=False)
    for heading in ("call", "length", "speakers", "turns", "consent", "searchable"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "turns" else "left")
    for outcome in outcomes:
        minutes, seconds = divmod(outcome.call.duration_ms // 1000, 60)
        after = f"{outcome.searchable_s:.1f} s" if outcome.searchable_s is not None else outcome.publication or "never"
        if outcome.publication == "cut":
            after = f"{after}, in part"
        remarks = [*(f"failed: {reason}" for reason in outcome.given_up), *(flag for flag in outcome.flags if flag not in outcome.given_up)]
        call = outcome.call.title if width >= WIDE else outcome.call.name
        length = f"{minutes}:{seconds:02d}"
        named = Text("\n").join([Text(call), *(Text(f"  {remark}", style="yellow") for remark in remarks)])
        speakers = (", " if width >= WIDE else "\n").join(outcome.speakers)
        table.add_row(named, length, speakers, str(outcome.turns), outcome.consent or "-", after)
    return table


def _search(console: Console, stack: Stack, query: str, token: str, *, quiet: str | None = None) -> int:
    """Ask the API as anybody would and print the hits; returns how many. ``quiet``: what to say where there is none, and should be none."""
    url = f"{stack.api_url}/api/search?{urllib.parse.urlencode({'q': query, 'limit': 3})}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        hits: list[dict[str, Any]] = json.load(answer)["hits"]
    console.print(f"\n.venv/bin/verbatim search '{query}'", style="bold")
    for hit in hits:
        minutes, seconds = divmod(hit["start_ms"] // 1000, 60)
        began = hit["call_started_at"][:16].replace("T", " ")
        line = Text(f"  {began}  {minutes:02d}:{seconds:02d}  {hit['speaker']:<10}")
        for fragment in hit["snippet"]:
            line.append(fragment["text"], style="bold yellow" if fragment["highlighted"] else "")
        console.print(line)
    if not hits:
        console.print(quiet or "  no hit", style="dim" if quiet else "bold red")
    return len(hits)
