"""What is said around a number and tells what it is: "the last three on the back?", "date of birth?", "your policy number is".

Patterns over the text of spoken_numbers (numbers there are digits: "the last 3 on the back"). What a cue does to the numbers near it
belongs to kinds_of_numbers.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from domain.redaction.cue_patterns import AT_A_PAYMENT, PATTERNS, Harmless
from domain.redaction.numbers_of_things import ANY_NUMBER
from domain.redaction.shapes import CARD_DATA, Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, Reading
from domain.redaction.spoken_words import Pause


@dataclass(frozen=True, slots=True)
class Cue:
    """``first`` and ``last`` are places in Reading.pieces; ``strong`` cues name the value, weak ones only its surroundings.
    Those that are so only ``at_a_payment`` say where on the card it stands.
    """

    kind: Sensitive | Harmless
    strong: bool
    first: int
    last: int
    position: int
    text: str
    confidence: float
    at_a_payment: bool = False


PAYMENT_REACH = 12
PAYMENT_AHEAD = 8
"""Turns behind and ahead within which a card's cue makes digits card data."""

_COMPILED = tuple(
    (
        kind,
        strong,
        alternatives in AT_A_PAYMENT,
        alternatives is ANY_NUMBER,
        min if alternatives is ANY_NUMBER else max,
        re.compile(rf"(?<![\w'])(?:{'|'.join(alternatives)})(?:'s)?(?![\w'])", re.MULTILINE),
    )
    for kind, strong, alternatives in PATTERNS
)


def cues(reading: Reading) -> tuple[Cue, ...]:
    """In the order in which they are said. Where several patterns meet in a word, the one that is listed first stands, longer for equal rank."""
    taken = bytearray(len(reading.text))
    found: list[Cue] = []
    for kind, strong, at_a_payment, of_anything, of_words, pattern in _COMPILED:
        payments = sorted(cue.position for cue in found if pays(cue)) if at_a_payment else []
        if at_a_payment and not payments:
            continue
        for match in pattern.finditer(reading.text):
            start, end = match.span()
            if any(taken[start:end]):
                continue
            first, last = reading.piece_at(start), reading.piece_at(end - 1)
            position = reading.pieces[first].position
            if at_a_payment and not near(payments, position, PAYMENT_REACH, PAYMENT_AHEAD):
                continue
            confidence = of_words(piece.confidence for piece in reading.pieces[first : last + 1])
            if of_anything and (confidence < DOUBTFUL_BELOW or reading.pieces[first].pause is Pause.HARD):
                continue  # "the sun number": what was said may have been "card"; "Whitcombe. Number's …"
            taken[start:end] = b"\x01" * (end - start)
            found.append(Cue(kind, strong, first, last, position, match.group(), confidence, at_a_payment))
    return tuple(sorted(found, key=lambda cue: cue.first))


def pays(cue: Cue) -> bool:
    """Whether it tells that a card is talked about."""
    return cue.kind in CARD_DATA and (cue.strong or cue.kind is Sensitive.CARD_NUMBER)


def near(positions: Sequence[int], position: int, behind: int, ahead: int) -> bool:
    at = bisect_left(positions, position - behind)
    return at < len(positions) and positions[at] <= position + ahead
