"""``verbatim review``: what there is to type. What each does is in cli.review."""

from pathlib import Path
from uuid import UUID

import click

from cli.environment import settings_now
from domain.review import About, StateName
from domain.rules.shapes import Severity, Verdict


@click.group()
def review() -> None:
    """Findings and redactions that a person should look at."""


@review.command("list")
@click.option("--state", type=click.Choice([one.value for one in StateName]), help="Without it all that waits: open, claimed, escalated.")
@click.option("--about", type=click.Choice([one.value for one in About]))
@click.option("--what", help="A rule's id, or a kind of what is redacted.")
@click.option("--severity", type=click.Choice([one.value for one in Severity]))
@click.option("--mine", is_flag=True, help="Only what you have claimed.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--cursor", help="Go on where an earlier list ended.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an item, one a line.")
def list_reviews(
    state: str | None, about: str | None, what: str | None, severity: str | None, mine: bool, limit: int, cursor: str | None, as_json: bool
) -> None:
    """The queue, the severest first, then the oldest."""
    from cli.review import me, show_queue
    from resources.store.review_list import Filters

    filters = Filters(
        state=StateName(state) if state else None,
        about=About(about) if about else None,
        what=what,
        severity=Severity(severity) if severity else None,
        mine=me().reviewer.id if mine else None,
    )
    show_queue(settings_now(), filters, limit=limit, cursor=cursor, as_json=as_json)


_item = click.argument("item_id", type=click.UUID)
_reason = click.option("--reason", required=True, help="What you heard or read that decides it.")
_as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


@review.command("show")
@_item
@_as_json
def show_review(item_id: UUID, as_json: bool) -> None:
    """One item: the redacted words, where to listen, and what was done about it."""
    from cli.review import show_item

    show_item(settings_now(), item_id, as_json=as_json)


@review.command("claim")
@_item
@_as_json
def claim_review(item_id: UUID, as_json: bool) -> None:
    """Take it for 30 minutes, or keep it as long from now on."""
    from cli.review import claim

    claim(settings_now(), item_id, as_json=as_json)


@review.command("release")
@_item
@_as_json
def release_review(item_id: UUID, as_json: bool) -> None:
    """Give it back undecided."""
    from cli.review import release

    release(settings_now(), item_id, as_json=as_json)


@review.command("confirm")
@_item
@_reason
@_as_json
def confirm_review(item_id: UUID, reason: str, as_json: bool) -> None:
    """It is as it was found."""
    from cli.review import confirm

    confirm(settings_now(), item_id, reason, as_json=as_json)


@review.command("overturn")
@_item
@_reason
@click.option("--corrected", type=click.Choice(["met", "not_met"]), help="What it is; needed where nobody could tell.")
@_as_json
def overturn_review(item_id: UUID, reason: str, corrected: str | None, as_json: bool) -> None:
    """It is otherwise; the next run judges the call by it."""
    from cli.review import overturn

    overturn(settings_now(), item_id, reason, Verdict(corrected) if corrected else None, as_json=as_json)


@review.command("escalate")
@_item
@_reason
@_as_json
def escalate_review(item_id: UUID, reason: str, as_json: bool) -> None:
    """Leave it to another compliance officer, or an admin."""
    from cli.review import escalate

    escalate(settings_now(), item_id, reason, as_json=as_json)


@review.command("close")
@_item
@_reason
@_as_json
def close_review(item_id: UUID, reason: str, as_json: bool) -> None:
    """Put it away without a decision."""
    from cli.review import close

    close(settings_now(), item_id, reason, as_json=as_json)


@review.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export_reviews(file: Path) -> None:
    """Write the overturned verdicts, with the redacted words about them, as cases for tests."""
    from cli.review import export

    export(settings_now(), file)
