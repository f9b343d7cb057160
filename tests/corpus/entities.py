"""Scores redaction against the marked values of dialogues: how many are wholly covered, and how many finds are values at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.redaction.shapes import CARD_DATA, Redaction, Sensitive
from domain.rules.shapes import HeardTurn
from domain.transcripts import Turn
from resources.redaction.finding import Recognisers, find
from tests.corpus.reading import Dialogue, Mark
from tests.corpus.scoring import wilson


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one kind. ``found``: labelled values all of whose words are covered; ``right``: predicted ones that share a word with a labelled one."""

    labelled: int = 0
    found: int = 0
    predicted: int = 0
    right: int = 0

    @property
    def precision(self) -> tuple[float, float, float]:
        return wilson(self.right, self.predicted)

    @property
    def recall(self) -> tuple[float, float, float]:
        return wilson(self.found, self.labelled)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.labelled + other.labelled, self.found + other.found, self.predicted + other.predicted, self.right + other.right)


@dataclass(frozen=True, slots=True)
class Miss:
    """A labelled value that is not wholly covered, or (``predicted``) a find that is no value of its kind. ``words`` are (turn, word)."""

    dialogue: str
    kind: Sensitive
    predicted: bool
    words: frozenset[tuple[int, int]]


def score(dialogues: Iterable[Dialogue], recogniser: Recognisers) -> dict[Sensitive, Counts]:
    """Per kind, over all dialogues; those without any marked value count for precision."""
    total = {kind: Counts() for kind in Sensitive}
    for dialogue in dialogues:
        for kind, counts in compared(dialogue, find(as_turns(dialogue.call.turns), recogniser))[0].items():
            total[kind] += counts
    return total


def compared(dialogue: Dialogue, redactions: Sequence[Redaction]) -> tuple[dict[Sensitive, Counts], list[Miss]]:
    """Card numbers and security codes are found where finds of card data cover them, the other kinds whatever covers them."""
    labelled = _values(dialogue.marks)
    predicted: dict[tuple[Sensitive, int], set[tuple[int, int]]] = {}
    for redaction in redactions:
        words = {(redaction.position, word) for word in range(redaction.first_word, redaction.last_word + 1)}
        predicted.setdefault((redaction.kind, redaction.entity), set()).update(words)
    covered = set().union(*predicted.values())
    muted = set().union(*(words for (kind, _), words in predicted.items() if kind in CARD_DATA))
    counts = {kind: Counts() for kind in Sensitive}
    misses: list[Miss] = []
    for (kind, _), words in labelled.items():
        found = words <= (muted if kind in CARD_DATA else covered)
        counts[kind] += Counts(labelled=1, found=int(found))
        if not found:
            misses.append(Miss(dialogue.id, kind, False, frozenset(words)))
    for (kind, _), words in predicted.items():
        right = any(words & value for (other, _), value in labelled.items() if other is kind)
        counts[kind] += Counts(predicted=1, right=int(right))
        if not right:
            misses.append(Miss(dialogue.id, kind, True, frozenset(words)))
    return counts, misses


def as_turns(heard: Sequence[HeardTurn]) -> list[Turn]:
    """What redaction takes, one channel for each role."""
    channels = {role: number for number, role in enumerate(dict.fromkeys(turn.role for turn in heard))}
    return [
        Turn(
            role=turn.role,
            participant_sid=None,
            channel=channels[turn.role],
            start_ms=turn.start_ms,
            end_ms=turn.end_ms,
            text=" ".join(word.text for word in turn.words),
            words=turn.words,
            confidence=1.0,
            attribution=turn.attribution,
            attribution_confidence=turn.attribution_confidence,
        )
        for turn in heard
    ]


def _values(marks: Iterable[Mark]) -> dict[tuple[Sensitive, int], set[tuple[int, int]]]:
    values: dict[tuple[Sensitive, int], set[tuple[int, int]]] = {}
    for mark in marks:
        words = {(mark.turn, word) for word in range(mark.first, mark.last + 1)}
        values.setdefault((Sensitive(mark.kind), mark.value), set()).update(words)
    return values
