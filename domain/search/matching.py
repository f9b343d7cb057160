"""Which words of a turn make it a hit. This is what a query means: an index may find the same turns faster, never other ones.

How words are reduced to stems belongs to the index, for it did so with the turns that it holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.parties import Party
from domain.search.nodes import And, DateRange, Node, Not, Or, Phrase, Speaker, Type, Word
from domain.search.tokens import tokens


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a query asks of a turn. ``call_started_at`` is timezone-aware."""

    stems: Sequence[str]
    speaker: Party
    consultation_type: str
    call_started_at: datetime


def words_of(node: Node) -> frozenset[str]:
    """All tokens that the query asks for, also those behind NOT."""
    match node:
        case Word(said) | Phrase(said):
            return frozenset(token.text for token in tokens(said))
        case And(parts) | Or(parts):
            return frozenset[str]().union(*map(words_of, parts))
        case Not(part):
            return words_of(part)
        case _:
            return frozenset()


def matched(node: Node, spoken: Spoken, stems: Mapping[str, Sequence[str]]) -> frozenset[int] | None:
    """The places in ``spoken.stems`` that make the turn a hit; None if it is none. ``stems`` are those of ``words_of(node)``."""
    match node:
        case Word(said) | Phrase(said):
            return _places([stem for token in tokens(said) for stem in stems[token.text]], spoken.stems) or None
        case Speaker(parties):
            return frozenset() if spoken.speaker in parties else None
        case Type(types):
            return frozenset() if spoken.consultation_type in types else None
        case DateRange(first, last):
            day = spoken.call_started_at.astimezone(UTC).date()
            inside = (first is None or first <= day) and (last is None or day <= last)
            return frozenset() if inside else None
        case Not(part):
            return frozenset() if matched(part, spoken, stems) is None else None
        case And(parts):
            found = [matched(part, spoken, stems) for part in parts]
            return None if None in found else frozenset[int]().union(*(places for places in found if places))
        case Or(parts):
            held = [places for part in parts if (places := matched(part, spoken, stems)) is not None]
            return frozenset[int]().union(*held) if held else None


def _places(phrase: Sequence[str], said: Sequence[str]) -> frozenset[int]:
    """Every place of every occurrence of the phrase, its words side by side."""
    length = len(phrase)
    starts = [n for n, stem in enumerate(said) if length and stem == phrase[0] and list(said[n : n + length]) == list(phrase)]
    return frozenset(start + offset for start in starts for offset in range(length))
