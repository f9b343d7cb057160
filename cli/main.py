"""``verbatim``: what there is to type. What a command does is in a module of its own; errors that a person can mend end in one line."""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import click
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError, ProgrammingError

from cli.environment import settings_now as _settings
from cli.errors import Refused
from cli.processes import DidNotStart, PortBusy
from cli.review_commands import review
from domain.roles import Role
from domain.search import QuerySyntaxError
from resources.embedded_postgres import PostgresFailed
from resources.objects.store import StorageError
from resources.settings import SettingMissing, explain

MENDABLE = (PortBusy, DidNotStart, PostgresFailed, SettingMissing, Refused, StorageError)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="verbatim")
def cli() -> None:
    """The archive of recorded consultations."""


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API and the search page (8000).")
@click.option("--dagster-port", type=click.IntRange(1, 65535), help="Port of Dagster's webserver (3000).")
def up(port: int | None, dagster_port: int | None) -> None:
    """Start everything embedded and stay up until Ctrl-C."""
    from cli.up import run

    run(_settings(port, dagster_port))


@cli.command()
@click.option("--once", is_flag=True, help="Exit when the demo calls are searchable; non-zero if one is not.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API and the search page (8000).")
@click.option("--dagster-port", type=click.IntRange(1, 65535), help="Port of Dagster's webserver (3000).")
def demo(once: bool, port: int | None, dagster_port: int | None) -> None:
    """Start everything, send the demo calls through the front door and show what becomes of them."""
    from cli.demo import run

    sys.exit(run(_settings(port, dagster_port), once=once))


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--type", "kind", type=click.Choice(["quote", "claims", "support", "training"]), required=True, help="What the consultations are."
)
@click.option("--left", type=click.Choice(["customer", "agent", "assistant", "partner", "admin"]), help="Who speaks on the left channel.")
@click.option("--right", type=click.Choice(["customer", "agent", "assistant", "partner", "admin"]), help="Who speaks on the right channel.")
@click.option(
    "--role", type=click.Choice(["customer", "agent", "assistant", "partner", "admin"]), help="The one person who speaks in the file."
)
@click.option(
    "--started-at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]),
    help="When the call began, in UTC; the file's date where it is not given.",
)
@click.option(
    "--consented",
    is_flag=True,
    help="Everybody in them consented to the recording, by records of yours. Else what is said in them decides.",
)
def ingest(
    files: tuple[Path, ...], kind: str, left: str | None, right: str | None, role: str | None, started_at: datetime | None, consented: bool
) -> None:
    """Import recordings that exist already. A file that was imported before is left as it is."""
    from cli.ingest import run

    sys.exit(run(_settings(), files, kind, left=left, right=right, role=role, started_at=started_at, consented=consented))


@cli.command()
@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", help="Go on where an earlier answer ended.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a hit, one a line.")
def search(query: str, limit: int, cursor: str | None, as_json: bool) -> None:
    """Find turns. For example: verbatim search 'speaker:customer "do not consent"'"""
    from cli.search import run

    sys.exit(run(_settings(), query, limit=limit, cursor=cursor, as_json=as_json))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON object.")
def status(as_json: bool) -> None:
    """What is done, what waits, what failed and why."""
    from cli.status import run

    run(_settings(), as_json=as_json)


@cli.command()
@click.argument("recording_ids", nargs=-1, type=click.UUID)
@click.option("--all", "everything", is_flag=True, help="Everything that failed.")
def retry(recording_ids: tuple[UUID, ...], everything: bool) -> None:
    """Start over with recordings that failed: the named ones, or --all."""
    from cli.status import retry as again

    if not recording_ids and not everything:
        raise click.UsageError("Name recordings (verbatim status shows them) or say --all.")
    again(_settings(), recording_ids)


@cli.command()
def migrate() -> None:
    """Bring the database's tables to this version."""
    from resources import migrations
    from resources.store.database import owned_database

    with owned_database(_settings()) as engine:
        migrations.upgrade(engine)
    click.echo("The database is at this version.")


@cli.command()
def reconcile() -> None:
    """Compare LiveKit and the intake with the store now, and make good what nobody told of."""
    from cli.reconcile import run

    sys.exit(run(_settings()))


@cli.command()
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="What its holder is.")
@click.option("--subject", default=lambda: f"dev-{os.getuid()}", help="The holder's id (dev- and the id of your user).")
@click.option("--team", help="For a supervisor: the team.")
@click.option("--minutes", type=click.IntRange(1, 7 * 24 * 60), default=60, help="How long it is good for (60).")
def token(role: str, subject: str, team: str | None, minutes: int) -> None:
    """Issue a development token. Refused in production, and where an OIDC issuer is set."""
    from resources.identity import issue

    click.echo(issue(_settings(), Role(role), subject=subject, lifetime=timedelta(minutes=minutes), team=team))


@cli.group()
def findings() -> None:
    """What the compliance rules find."""


@findings.command("show")
@click.argument("consultation_id", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show_findings(consultation_id: UUID, as_json: bool) -> None:
    """The verdicts on one consultation, with the words that they rest on."""
    from cli.findings import show

    show(_settings(), consultation_id, as_json=as_json)


@findings.command("changes")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only those that were found from this UTC day on.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an evaluation, one a line.")
def changed_findings(since: datetime | None, as_json: bool) -> None:
    """Which verdicts a later evaluation found otherwise, and why."""
    from cli.findings import changes

    changes(_settings(), since.date() if since else None, as_json=as_json)


@findings.command("again")
@click.argument("consultation_ids", nargs=-1, type=click.UUID)
@click.option("--all", "everything", is_flag=True, help="Everything that was judged.")
@click.option("--redact", is_flag=True, help="Look for card and personal data again, too.")
def judge_again(consultation_ids: tuple[UUID, ...], everything: bool, redact: bool) -> None:
    """Judge consultations anew with the rules as they are now: the named ones, or --all."""
    from cli.findings import again

    if not consultation_ids and not everything:
        raise click.UsageError("Name consultations or say --all.")
    again(_settings(), consultation_ids, redact=redact)


cli.add_command(review)


@cli.group()
def audit() -> None:
    """The audit trail: who did what, when and why."""


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def verify(as_json: bool) -> None:
    """Check every entry against the one before; status 1 names the first that was edited, removed or moved."""
    from cli.audit import run

    sys.exit(run(_settings(), as_json=as_json))


def main() -> None:
    try:
        cli(standalone_mode=True)
    except QuerySyntaxError as error:
        sys.exit(f"verbatim: {error}")
    except ValidationError as error:
        sys.exit("\n".join(f"verbatim: {line}" for line in explain(error).splitlines()))
    except MENDABLE as error:
        sys.exit(f"verbatim: {error}")
    except OperationalError:
        sys.exit("verbatim: the database cannot be reached: start it, or check VERBATIM_DATABASE_URL")
    except ProgrammingError as error:
        if type(error.orig).__name__ == "UndefinedTable":
            sys.exit("verbatim: the database has no tables yet: run `verbatim migrate`")
        raise
    except KeyboardInterrupt:
        sys.exit(130)
