"""``make eval``: precision and recall over the labelled dialogues, as they are and as recognisers of 5, 10 and 20 % word error rate hear them.

Status 1 if a limit does not hold on the half that is only scored. Of that half numbers are printed and nothing else: neither names nor words.
What the figures are is told in scoring and entities, what must hold in limits.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from domain.redaction.shapes import Sensitive
from domain.rules.rules import Rules
from resources.policies.rules import compliance_rules
from resources.redaction.finding import Recognisers, find, load_recognisers
from tests.corpus import limits
from tests.corpus.damage import damaged
from tests.corpus.entities import Counts, Miss, as_turns, compared
from tests.corpus.limits import Measured
from tests.corpus.reading import CORPUS, VALUES, Dialogue, dialogues
from tests.corpus.scoring import Scores, score

RATES = (0.0, 0.05, 0.1, 0.2)
COLUMNS = 120
Share = tuple[float, float, float]


@click.command()
@click.option("--half", type=click.Choice(["dev", "scored", "all"]), default="all", show_default=True)
@click.option(
    "--damage", type=click.FloatRange(0, 1), multiple=True, help="a word error rate; several may be given; all of 0, 0.05, 0.1, 0.2 without"
)
@click.option("--seed", default=0, show_default=True)
@click.option("--wrong", is_flag=True, help="name the dialogues that are judged wrong (development half only)")
@click.option("--corpus", type=click.Path(path_type=Path, exists=True, file_okay=False), default=CORPUS, help="where the halves are")
def main(half: str, damage: Sequence[float], seed: int, wrong: bool, corpus: Path) -> None:
    """Scores rules and redaction over the labelled dialogues."""
    console = Console(width=COLUMNS, highlight=False)
    rules, recognisers = compliance_rules(), load_recognisers()
    held = True
    for part in ["dev", "scored"] if half == "all" else [half]:
        read = dialogues(part, corpus)
        found: dict[float, Measured] = {}
        for rate in damage or RATES:
            misses: list[Miss] = []
            with _progress(f"{part}, {_damage(rate)}", len(read)) as step:
                found[rate] = measure((damaged(one, rate, seed) for one in read), rules, recognisers, misses, step)
            console.print(_table(f"{part}, {_damage(rate)}: {len(read)} dialogues", found[rate]))
            if wrong and part == "dev":
                _name(console, found[rate].rules, misses)
        together = sum(found.values(), Measured(Scores(), {}))
        if len(found) > 1:
            console.print(_table(f"{part}, together", together))
        table, holds = _limits(part, found.get(0.0), together)
        console.print(table)
        held = holds if part == "scored" or half == "dev" else held
    raise SystemExit(0 if held else 1)


def measure(
    read: Iterable[Dialogue], rules: Rules, recognisers: Recognisers, misses: list[Miss], step: Callable[[], None] = lambda: None
) -> Measured:
    """Judges and redacts each dialogue. What redaction gets wrong is added to ``misses``, what the rules do is in the scores."""
    scores = Scores()
    values = {kind: Counts() for kind in Sensitive if kind in VALUES}
    for dialogue in read:
        scores += score([dialogue], rules)
        counts, wrong = compared(dialogue, find(as_turns(dialogue.call.turns), recognisers))
        values = {kind: total + counts[kind] for kind, total in values.items()}
        misses += wrong
        step()
    return Measured(scores, values)


class _progress:
    """A bar on standard error while dialogues are scored; gone when they are."""

    def __init__(self, words: str, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(words, total=total)

    def __enter__(self) -> Callable[[], None]:
        self._bar.start()
        return lambda: self._bar.advance(self._task)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _damage(rate: float) -> str:
    return f"{rate:.0%} word error rate" if rate else "as written"


def _table(title: str, measured: Measured) -> Table:
    table = Table("", "there", "precision (95 %)", "recall (95 %)", "cannot tell: of those there, of the others", title=title)
    for name, one in measured.rules.by.items():
        there, others = one.right + one.missed + one.open_yes, one.rightly_not + one.wrongly_found + one.open_no
        open_ = f"{one.open_yes} of {there}, {one.open_no} of {others}"
        table.add_row(name, str(there), _share(one.precision), _share(one.recall), open_)
    table.add_section()
    for kind, counts in measured.values.items():
        table.add_row(kind, str(counts.labelled), _share(counts.precision), _share(counts.recall), "")
    table.add_section()
    table.add_row(limits.NEVER, str(measured.rules.refusals), str(len(measured.rules.refusals_taken)))
    return table


def _limits(half: str, clean: Measured | None, together: Measured) -> tuple[Table, bool]:
    """(the limits against what was measured, whether they all hold)."""
    columns: Mapping[str, Measured] = ({"as written": clean} if clean else {}) | {"together": together}
    heads = [head for name in columns for head in (name, "")]
    table = Table("", "limit", *heads, title=f"Limits on the half {half}")
    holds = [limits.refusals_hold(measured) for measured in columns.values()]
    taken = [f"{len(measured.rules.refusals_taken)} of {measured.rules.refusals}" for measured in columns.values()]
    table.add_row(limits.NEVER, "0", *(cell for pair in zip(taken, map(_verdict, holds), strict=True) for cell in pair))
    for row in zip(*(limits.checked(measured) for measured in columns.values()), strict=True):
        cells = [cell for one in row for cell in (_share(one.found), _verdict(one.holds))]
        table.add_row(row[0].what, f"{row[0].limit:.2f}", *cells)
        holds += [one.holds for one in row]
    return table, all(holds)


def _name(console: Console, scores: Scores, misses: Iterable[Miss]) -> None:
    """The dialogues of the development half that went wrong."""
    console.print(f"{limits.NEVER}: {', '.join(scores.refusals_taken) or 'none'}")
    for name, one in scores.by.items():
        console.print(f"{name}: {', '.join(one.wrong)}")
    for kind in Sensitive:
        wrong = sorted(("wrong " if miss.predicted else "missed ") + miss.dialogue for miss in misses if miss.kind is kind)
        if wrong:
            console.print(f"{kind}: {', '.join(wrong)}")


def _share(share: Share) -> str:
    return "-" if math.isnan(share[0]) else f"{share[0]:.3f} ({share[1]:.3f}-{share[2]:.3f})"


def _verdict(holds: bool) -> str:
    return "holds" if holds else "does not hold"


if __name__ == "__main__":
    main()
