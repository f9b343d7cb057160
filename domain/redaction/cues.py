"""What is said around a number and tells what it is: "the last three on the back?", "date of birth?", "your policy number is".

Patterns over the text of spoken_numbers (numbers there are digits: "the last 3 on the back"). What a cue does to the numbers near it
belongs to kinds_of_numbers.
"""

import re
from dataclasses import dataclass

from domain.redaction.cue_patterns import PATTERNS, Harmless
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import Reading


@dataclass(frozen=True, slots=True)
class Cue:
    """``first`` and ``last`` are places in Reading.pieces; ``strong`` cues name the value, weak ones only its surroundings."""

    kind: Sensitive | Harmless
    strong: bool
    first: int
    last: int
    position: int
    text: str
    confidence: float


_COMPILED = tuple(
    (kind, strong, re.compile(rf"(?<![\w'])(?:{'|'.join(alternatives)})(?:'s)?(?![\w'])", re.MULTILINE))
    for kind, strong, alternatives in PATTERNS
)


def cues(reading: Reading) -> tuple[Cue, ...]:
    """In the order in which they are said. Where several patterns meet in a word, the one that is listed first stands, longer for equal rank."""
    taken = bytearray(len(reading.text))
    found: list[Cue] = []
    for kind, strong, pattern in _COMPILED:
        for match in pattern.finditer(reading.text):
            start, end = match.span()
            if any(taken[start:end]):
                continue
            taken[start:end] = b"\x01" * (end - start)
            first, last = reading.piece_at(start), reading.piece_at(end - 1)
            confidence = max(piece.confidence for piece in reading.pieces[first : last + 1])
            found.append(Cue(kind, strong, first, last, reading.pieces[first].position, match.group(), confidence))
    return tuple(sorted(found, key=lambda cue: cue.first))
