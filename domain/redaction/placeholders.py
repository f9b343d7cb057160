"""What a redacted turn says: a typed placeholder in the place of each value. Which words those are belongs elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from domain.redaction.shapes import Redaction
from domain.transcripts import Turn, Word


def placeholder(redaction: Redaction) -> str:
    return f"[{redaction.kind.value}]"


def redacted_words(words: Sequence[Word], redactions: Iterable[Redaction]) -> tuple[Word, ...]:
    """The words of a turn, one placeholder for each piece, from its first word's start to its last word's end. ``redactions``: this turn's."""
    found: list[Word] = []
    at = 0
    for redaction in sorted(redactions, key=lambda redaction: redaction.first_word):
        if redaction.last_word < at:
            continue
        found.extend(words[at : max(redaction.first_word, at)])
        hidden = words[max(redaction.first_word, at) : redaction.last_word + 1]
        if hidden:
            confidence = min(word.confidence for word in hidden)
            found.append(Word(placeholder(redaction), hidden[0].start_ms, hidden[-1].end_ms, confidence))
        at = redaction.last_word + 1
    return (*found, *words[at:])


def redacted(turns: Sequence[Turn], redactions: Iterable[Redaction]) -> tuple[Turn, ...]:
    """The turns with placeholders, in the same order and at the same times."""
    by_turn: Mapping[int, list[Redaction]] = _by_turn(redactions)
    return tuple(_redacted(turn, by_turn[position]) if position in by_turn else turn for position, turn in enumerate(turns))


def _redacted(turn: Turn, redactions: Sequence[Redaction]) -> Turn:
    words = redacted_words(turn.words, redactions)
    return replace(turn, words=words, text=" ".join(word.text for word in words))


def _by_turn(redactions: Iterable[Redaction]) -> dict[int, list[Redaction]]:
    found: dict[int, list[Redaction]] = {}
    for redaction in redactions:
        found.setdefault(redaction.position, []).append(redaction)
    return found
