"""A second reading of what was said, by weights fitted to labelled dialogues: it knows words where patterns know phrases, and so it errs elsewhere.

It decides nothing: what it doubts of what patterns found, and what it suspects where they found nothing, nobody can tell, and a person looks. How the
weights are fitted is told in tests/corpus/learn.py.

The model is logistic regression over the words, pairs and triples of words of one sentence and the words just before it; a call's probability is
its highest sentence's (multiple instances with a maximum: Dietterich, Lathrop and Lozano-Pérez 1997, "Solving the multiple instance problem with
axis-parallel rectangles").
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from domain.rules.tokens import Utterance

LONGEST = 24  # words of one look; longer sentences are looked at in pieces that overlap by half
BEFORE = 8  # words before it that belong to the look


@dataclass(frozen=True, slots=True)
class Look:
    """Tokens ``start`` to before ``end`` of an utterance. ``features`` are what is known of them, each once."""

    start: int
    end: int
    features: frozenset[str]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Below ``least`` a find is doubted; from ``most`` on something is suspected that was not found. Probabilities."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """How probable it is that tokens ``start`` to before ``end`` say something, 0 to 1."""

    start: int
    end: int
    probability: float


@dataclass(frozen=True)
class SecondReading:
    """``classes``: the ids of the rules on which it has an opinion. ``weights``: feature -> (the class's place, weight)."""

    classes: tuple[str, ...]
    bias: tuple[float, ...]
    thresholds: Mapping[str, Thresholds]
    weights: Mapping[str, Sequence[tuple[int, float]]] = field(repr=False)

    def opinions(self, said: Utterance) -> Mapping[str, Sequence[Opinion]]:
        """By class, an opinion on every look at this utterance, in order."""
        found: dict[str, list[Opinion]] = {name: [] for name in self.classes}
        for look in looks(said):
            scores = list(self.bias)
            for feature in look.features:
                for place, weight in self.weights.get(feature, ()):
                    scores[place] += weight
            for name, score in zip(self.classes, scores, strict=True):
                found[name].append(Opinion(look.start, look.end, probability(score)))
        return found


def probability(score: float) -> float:
    """Of a sum of weights: the logistic function, without overflow."""
    return 1 / (1 + math.exp(-score)) if score > -700 else 0.0


def looks(said: Utterance) -> Iterator[Look]:
    """The sentences of an utterance, long ones in pieces."""
    texts = [token.text for token in said.tokens]
    start = 0
    for place, after in enumerate(said.breaks):
        if after.ends_sentence or place + 1 == len(texts):
            for first in range(start, max(start + 1, place + 1 - LONGEST // 2), LONGEST // 2):
                end = min(first + LONGEST, place + 1)
                yield Look(first, end, frozenset(_features(texts[first:end], texts[max(0, first - BEFORE) : first])))
            start = place + 1


def _features(words: Sequence[str], before: Sequence[str]) -> Iterator[str]:
    for number, word in enumerate(words):
        yield word
        if number + 1 < len(words):
            yield f"{word} {words[number + 1]}"
        if number + 2 < len(words):
            yield f"{word} {words[number + 1]} {words[number + 2]}"
            yield f"{word} * {words[number + 2]}"
    for word in before:
        yield f"< {word}"
