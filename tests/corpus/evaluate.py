"""``make eval``: precision and recall over the labelled dialogues, as they are and as recognisers of 5, 10 and 20 % word error rate hear them.

Status 1 if a refusal is taken for consent anywhere.
"""

import math
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table

from resources.policies.rules import compliance_rules
from tests.corpus.damage import damaged
from tests.corpus.reading import dialogues
from tests.corpus.scoring import Score, Scores, score

RATES = (0.0, 0.05, 0.1, 0.2)


@click.command()
@click.option("--half", type=click.Choice(["dev", "scored", "all"]), default="all", show_default=True)
@click.option(
    "--damage", type=click.FloatRange(0, 1), multiple=True, help="a word error rate; several may be given; all of 0, 0.05, 0.1, 0.2 without"
)
@click.option("--seed", default=0, show_default=True)
@click.option("--wrong", is_flag=True, help="name the dialogues that are judged wrong (development half only)")
def main(half: str, damage: Sequence[float], seed: int, wrong: bool) -> None:
    """Scores the rules over the labelled dialogues."""
    console = Console(width=160)
    rules = compliance_rules()
    read = [dialogue for part in (["dev", "scored"] if half == "all" else [half]) for dialogue in dialogues(part)]
    together = Scores()
    for rate in damage or RATES:
        found = score([damaged(dialogue, rate, seed) for dialogue in read], rules)
        together += found
        console.print(_table(f"{half}, {'as written' if not rate else f'{rate:.0%} word error rate'}: {len(read)} dialogues", found))
        if wrong and half == "dev":
            for name, one in found.by.items():
                console.print(f"{name}: {', '.join(one.wrong)}", highlight=False)
    if len(damage or RATES) > 1:
        console.print(_table(f"{half}, together", together))
    raise SystemExit(1 if together.refusals_taken else 0)


def _table(title: str, scores: Scores) -> Table:
    table = Table("", "there", "precision", "95 %", "recall", "95 %", "recall of all", "cannot tell", title=title)
    for name, one in scores.by.items():
        table.add_row(name, *_row(one))
    table.add_section()
    taken = ", ".join(scores.refusals_taken) or "none"
    table.add_row("refusals taken for consent", str(scores.refusals), taken)
    return table


def _row(one: Score) -> tuple[str, ...]:
    there = one.right + one.missed + one.open_yes
    precision, recall = one.precision, one.recall
    return (
        *(str(there), _share(precision[0]), f"{precision[1]:.3f}-{precision[2]:.3f}"),
        *(_share(recall[0]), f"{recall[1]:.3f}-{recall[2]:.3f}", _share(one.recall_of_all[0])),
        f"{one.open_yes} of {there}, {one.open_no} of {one.rightly_not + one.wrongly_found + one.open_no}",
    )


def _share(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.3f}"


if __name__ == "__main__":
    main()
