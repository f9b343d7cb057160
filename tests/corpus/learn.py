"""Fits the second reading to the development half, and tells how well it judges dialogues that it was not fitted to.

    python -m tests.corpus.learn            # writes resources/policies/rules/second_reading.json; some minutes
    python -m tests.corpus.learn --dry      # only tells

A dialogue says something where its highest look does, so nobody has to label sentences. It is learnt from as it is written and damaged. The
thresholds come from dialogues that were left out: five times a fifth of them is judged by what was fitted to the rest.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from domain.parties import Party
from domain.rules.second_reading import looks, probability
from domain.rules.tokens import utterances
from resources.policies.rules import RULES
from resources.policies.second_reading import FILE
from tests.corpus.damage import damaged
from tests.corpus.reading import CORPUS, SAID, Dialogue, dialogues

FOLDS = 5
DAMAGES = ((0.0, 0), (0.1, 11), (0.2, 12))
"""(word error rate, seed) of what is learnt from; other seeds than those that are scored with."""
RARE = 2  # what fewer dialogues have is noise
ROUNDS, RATE, SHRINK, POSITIVE = 70, 0.03, 2e-3, 3.0
SMALLEST = 0.03  # weights below it are left out
NEVER = -20.0
DOUBTED, SUSPECTED = 0.08, 0.005
"""The thresholds: of dialogues that say it this share is doubted, and of those that do not, this share is suspected."""

BUSINESS, CUSTOMER = frozenset({Party.AGENT, Party.ASSISTANT}), frozenset({Party.CUSTOMER})
WHO = {rule: CUSTOMER if rule in {"complaint", "legal_threat"} else BUSINESS for rule in SAID}
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """``looks``: (the classes that its speaker can say, features). ``labels``: of each class, 1 or 0."""

    looks: tuple[tuple[tuple[bool, ...], frozenset[str]], ...]
    labels: tuple[int, ...]


def example(dialogue: Dialogue) -> Example:
    said = dialogue.said or frozenset()
    return Example(tuple(_looks(dialogue)), tuple(int(rule in said) for rule in SAID))


def _looks(dialogue: Dialogue) -> Iterator[tuple[tuple[bool, ...], frozenset[str]]]:
    for said in utterances(dialogue.call.turns):
        may = tuple(said.role in WHO[rule] for rule in SAID)
        if any(may):
            yield from ((may, look.features) for look in looks(said))


@dataclass(frozen=True)
class Fitted:
    """``weights``: features by classes, in the order of ``vocabulary`` and SAID."""

    vocabulary: Mapping[str, int]
    weights: Scores
    bias: Scores

    def highest(self, some: Sequence[Example]) -> Scores:
        """Of each example's looks the highest score, by class."""
        found = np.full((len(some), len(SAID)), NEVER)
        for row, one in enumerate(some):
            for may, features in one.looks:
                known = [self.vocabulary[feature] for feature in features if feature in self.vocabulary]
                found[row] = np.where(may, np.maximum(found[row], self.weights[known].sum(axis=0) + self.bias), found[row])
        return found


def fit(some: Sequence[Example]) -> Fitted:
    """Repeats itself exactly: nothing is drawn by chance."""
    seen = Counter(feature for one in some for feature in set[str]().union(*(features for _, features in one.looks)))
    often = sorted(feature for feature, count in seen.items() if count >= RARE * len(DAMAGES))
    vocabulary = {feature: place for place, feature in enumerate(often)}
    flat: list[int] = []
    offsets, bags, may = [], [], []
    for row, one in enumerate(some):
        for allowed, features in one.looks:
            offsets.append(len(flat))
            flat += [vocabulary[feature] for feature in sorted(features) if feature in vocabulary]
            bags.append(row)
            may.append(allowed)
    weights = torch.nn.EmbeddingBag(len(vocabulary), len(SAID), mode="sum", include_last_offset=True)
    torch.nn.init.zeros_(weights.weight)
    bias = torch.nn.Parameter(torch.full((len(SAID),), -2.0))
    steps = torch.optim.Adam([*weights.parameters(), bias], lr=RATE)
    where = torch.tensor(bags)[:, None].expand(-1, len(SAID))
    looked, ends, not_theirs = torch.tensor(flat), torch.tensor([*offsets, len(flat)]), ~torch.tensor(may)
    labels = torch.tensor([one.labels for one in some], dtype=torch.float32)
    more = torch.tensor(POSITIVE)
    for _ in range(ROUNDS):
        scores = (weights(looked, ends) + bias).masked_fill(not_theirs, NEVER)
        highest = torch.full(labels.shape, NEVER).scatter_reduce(0, where, scores, "amax")
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(highest, labels, pos_weight=more, reduction="sum") / len(some)
        steps.zero_grad()
        (wrong + SHRINK * weights.weight.square().sum()).backward()  # type: ignore[no-untyped-call]
        steps.step()
    return Fitted(vocabulary, weights.weight.detach().double().numpy(), bias.detach().double().numpy())


@click.command()
@click.option("--dry", is_flag=True, help="write nothing")
def main(dry: bool) -> None:
    """Fits the second reading of what may not be said and of what is looked at."""
    read = [one for one in dialogues("dev") if one.said is not None]
    learnt = {one.id: [example(damaged(one, rate, seed)) for rate, seed in DAMAGES] for one in read}
    scores, said = _left_out(read, learnt)
    thresholds = {}
    table = Table(
        "class", "said", "not said", "area under ROC", "doubted below", "of the others below", "suspected from", "of those said above"
    )
    for place, rule in enumerate(SAID):
        those, others = scores[said[:, place], place], scores[~said[:, place], place]
        least, most = np.quantile(those, DOUBTED), max(np.quantile(others, 1 - SUSPECTED), np.quantile(those, DOUBTED))
        thresholds[rule] = [round(probability(float(one)), 4) for one in (least, most)]
        area = (those[:, None] > others[None]).mean()
        shares = [
            f"{share:.3f}" for share in (area, thresholds[rule][0], (others < least).mean(), thresholds[rule][1], (those >= most).mean())
        ]
        table.add_row(rule, str(len(those)), str(len(others)), *shares)
    Console(width=130).print(table)
    if not dry:
        fitted = fit([copy for one in read for copy in learnt[one.id]])
        (RULES / FILE).write_text(_written(fitted, thresholds), encoding="utf-8")


def _left_out(read: Sequence[Dialogue], learnt: Mapping[str, Sequence[Example]]) -> tuple[Scores, npt.NDArray[np.bool_]]:
    """(the scores of each dialogue by what was fitted to others, whether it is said)."""
    scores: list[Scores] = []
    said: list[tuple[int, ...]] = []
    fold = {one.id: int(hashlib.sha256(one.id.encode()).hexdigest(), 16) % FOLDS for one in read}
    for out in track(range(FOLDS), description="judging what was left out"):
        fitted = fit([copy for one in read if fold[one.id] != out for copy in learnt[one.id]])
        asked = [example(copy) for one in read if fold[one.id] == out for copy in (one, damaged(one, 0.1))]
        scores.append(fitted.highest(asked))
        said += [one.labels for one in asked]
    return np.concatenate(scores), np.array(said, dtype=bool)


def fitted_to() -> str:
    """A digest of the dialogues: another one means that the weights should be fitted anew."""
    digest = hashlib.sha256()
    for path in sorted((CORPUS / "dev").rglob("*.txt")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _written(fitted: Fitted, thresholds: Mapping[str, Any]) -> str:
    """JSON with a line for each feature, so that a change can be read."""
    rows = []
    for feature, row in fitted.vocabulary.items():
        weights = {SAID[place]: round(float(weight), 2) for place, weight in enumerate(fitted.weights[row]) if abs(weight) >= SMALLEST}
        if weights:
            rows.append(f"{json.dumps(feature)}: {json.dumps(weights)}")
    bias = {rule: round(float(weight), 3) for rule, weight in zip(SAID, fitted.bias, strict=True)}
    body = ",\n".join(rows)
    about = {"fitted_to": fitted_to()}
    return f'{{"about": {json.dumps(about)},\n"bias": {json.dumps(bias)},\n"thresholds": {json.dumps(thresholds)},\n"weights": {{\n{body}\n}}}}\n'


if __name__ == "__main__":
    main()
