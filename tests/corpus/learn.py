"""Fits the second reading to the development half, and tells how well it judges dialogues that it was not fitted to.

    python -m tests.corpus.learn            # writes resources/policies/rules/second_reading.json; some minutes
    python -m tests.corpus.learn --dry      # only tells

It learns from the dialogues, as they are written and damaged, and from the single sentences that the tests of the rules use. A dialogue says
something where its highest look does, so nobody has to label sentences. The thresholds come from dialogues that were left out: five times a
fifth of them is judged by what was fitted to the rest. What is doubted are finds of the patterns, so that threshold comes from the looks at them.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import torch
import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from domain.parties import Party
from domain.rules.judging import judge
from domain.rules.rules import Rules
from domain.rules.second_reading import looks, probability
from domain.rules.shapes import Verdict
from domain.rules.tokens import utterances
from resources.policies.rules import RULES, compliance_rules
from resources.policies.second_reading import FILE
from tests.corpus.damage import damaged
from tests.corpus.reading import CORPUS, SAID, Dialogue, dialogue_of, dialogues

SHORT = CORPUS.parent / "unit" / "rule_examples.yaml"
FOLDS = 5
DAMAGES = ((0.0, 0), (0.1, 11), (0.2, 12))
"""(word error rate, seed) of what is learnt from; other seeds than those that are scored with."""
RARE = 2  # what fewer dialogues have is noise
ROUNDS, RATE, SHRINK, POSITIVE = 70, 0.03, 2e-3, 3.0
SMALLEST = 0.03  # weights below it are left out
NEVER = -20.0
DOUBTED, SUSPECTED = 0.15, 0.005
"""The thresholds: of dialogues that say it this share is doubted, and of those that do not, this share is suspected."""

BUSINESS, CUSTOMER = frozenset({Party.AGENT, Party.ASSISTANT}), frozenset({Party.CUSTOMER})
WHO = {rule: CUSTOMER if rule in {"complaint", "legal_threat"} else BUSINESS for rule in SAID}
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """``looks``: (the classes that its speaker can say, features). ``labels``: of each class, 1 or 0. ``finds``: of each class, the looks at a find."""

    looks: tuple[tuple[tuple[bool, ...], frozenset[str]], ...]
    labels: tuple[int, ...]
    finds: tuple[frozenset[int], ...] = ()


def example(dialogue: Dialogue, patterns: Rules | None = None) -> Example:
    """``patterns``: with them it is told where they find something."""
    said = dialogue.said or frozenset()
    findings = judge(dialogue.call, patterns).findings if patterns else ()
    where = [{(one.turn_id, one.first_word) for one in findings if one.rule_id == rule and one.verdict is Verdict.NOT_MET} for rule in SAID]
    looked: list[tuple[tuple[bool, ...], frozenset[str]]] = []
    finds: list[set[int]] = [set() for _ in SAID]
    for utterance in utterances(dialogue.call.turns):
        may = tuple(utterance.role in WHO[rule] for rule in SAID)
        for look in looks(utterance) if any(may) else ():
            words = {(dialogue.call.turns[token.turn].turn_id, token.word) for token in utterance.tokens[look.start : look.end]}
            for number, places in zip(finds, where, strict=True):
                if words & places:
                    number.add(len(looked))
            looked.append((may, look.features))
    return Example(tuple(looked), tuple(int(rule in said) for rule in SAID), tuple(map(frozenset, finds)))


@dataclass(frozen=True)
class Fitted:
    """``weights``: features by classes, in the order of ``vocabulary`` and SAID."""

    vocabulary: Mapping[str, int]
    weights: Scores
    bias: Scores

    def scores(self, one: Example) -> Scores:
        """Looks by classes."""
        found = np.full((len(one.looks) + 1, len(SAID)), NEVER)  # the last row is for a dialogue without any
        for row, (may, features) in enumerate(one.looks):
            known = [self.vocabulary[feature] for feature in features if feature in self.vocabulary]
            found[row] = np.where(may, self.weights[known].sum(axis=0) + self.bias, NEVER)
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
    highest, finds = _left_out(read, learnt)
    thresholds = {}
    table = Table(
        "class", "said", "not said", "area under ROC", "doubted below", "of wrong finds below", "suspected from", "of those said above"
    )
    for rule in SAID:
        those, others = ([score for label, score in highest[rule] if label is said] for said in (True, False))
        right, wrong = ([score for label, score in finds[rule] if label is said] for said in (True, False))
        least, most = np.quantile(right, DOUBTED), np.quantile(others, 1 - SUSPECTED)
        thresholds[rule] = [round(probability(float(one)), 4) for one in (least, max(least, most))]
        area = (np.array(those)[:, None] > np.array(others)[None]).mean()
        doubted = f"{sum(score < least for score in wrong)} of {len(wrong)}"
        suspected = f"{np.mean(np.array(those) >= most):.2f}"
        cells = (f"{area:.3f}", f"{thresholds[rule][0]:.3f}", doubted, f"{thresholds[rule][1]:.3f}", suspected)
        table.add_row(rule, str(len(those)), str(len(others)), *cells)
    Console(width=130).print(table)
    if not dry:
        few = [example(copy) for one in short() for copy in (one, damaged(one, 0.1, 13))]
        fitted = fit([copy for one in read for copy in learnt[one.id]] + few)
        (RULES / FILE).write_text(_written(fitted, thresholds), encoding="utf-8")


Labelled = Mapping[str, list[tuple[bool, float]]]
"""By class, (whether it is said, a score)."""


def _left_out(read: Sequence[Dialogue], learnt: Mapping[str, Sequence[Example]]) -> tuple[Labelled, Labelled]:
    """(each dialogue's highest score, the score at each find of the patterns), by what was fitted to other dialogues."""
    patterns = replace(compliance_rules(), second=None)
    highest: dict[str, list[tuple[bool, float]]] = {rule: [] for rule in SAID}
    finds: dict[str, list[tuple[bool, float]]] = {rule: [] for rule in SAID}
    few = [example(copy) for one in short() for copy in (one, damaged(one, 0.1, 13))]
    fold = {one.id: int(hashlib.sha256(one.id.encode()).hexdigest(), 16) % FOLDS for one in read}
    for out in track(range(FOLDS), description="judging what was left out"):
        fitted = fit([copy for one in read if fold[one.id] != out for copy in learnt[one.id]] + few)
        for copy in (copy for one in read if fold[one.id] == out for copy in (one, damaged(one, 0.1))):
            asked = example(copy, patterns)
            scores = fitted.scores(asked)
            for place, rule in enumerate(SAID):
                said = bool(asked.labels[place])
                highest[rule].append((said, float(scores[:, place].max())))
                if asked.finds[place]:
                    finds[rule].append((said, float(scores[sorted(asked.finds[place]), place].max())))
    return highest, finds


def short() -> list[Dialogue]:
    """Single sentences that say it, and that only sound like it, as one-turn dialogues."""
    said = {"complaint": Party.CUSTOMER, "legal_threat": Party.CUSTOMER, "ai_denial": Party.ASSISTANT}
    found = []
    for rule, both in yaml.safe_load(SHORT.read_text(encoding="utf-8")).items():
        for kind in ("said", "not_said"):
            for number, words in enumerate(both[kind] if rule in SAID else ()):
                who = said.get(rule, Party.AGENT)
                head = {"kind": "plain", "expect": f"said={rule if kind == 'said' else 'none'}"}
                found.append(dialogue_of(SHORT.name, f"{rule}-{kind}-{number}", head, [(None, who, words, False)]))
    return found


def fitted_to() -> str:
    """A digest of what was learnt from: another one means that the weights should be fitted anew."""
    digest = hashlib.sha256()
    for path in [*sorted((CORPUS / "dev").rglob("*.txt")), SHORT]:
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
