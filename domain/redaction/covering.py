"""Several finds in the same words: the gravest keeps them. What is found belongs elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from domain.redaction.shapes import Sensitive

GRAVITY = (
    Sensitive.SECURITY_CODE,
    Sensitive.CARD_NUMBER,
    Sensitive.SSN,
    Sensitive.BANK_ACCOUNT,
    Sensitive.DATE_OF_BIRTH,
    Sensitive.EXPIRY_DATE,
    Sensitive.EMAIL,
    Sensitive.PHONE,
    Sensitive.CUSTOM,
)
"""Gravest first: card data, which may not be kept at all, before what may be kept apart."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Words ``first_word`` to ``last_word`` of a turn, both included. ``entity`` is one value's, of one kind."""

    kind: Sensitive
    entity: tuple[str, int]
    position: int
    first_word: int
    last_word: int
    confidence: float
    recogniser: str


@dataclass(frozen=True, slots=True)
class Covered:
    """As Piece, but no word is in two of them, and entities are numbered in the order in which they begin."""

    kind: Sensitive
    entity: int
    position: int
    first_word: int
    last_word: int
    confidence: float
    recogniser: str


def cover(pieces: Iterable[Piece]) -> tuple[Covered, ...]:
    """Every word of a piece is in exactly one result. What is left of a piece of which a graver one takes words stays by itself."""
    taken: set[tuple[int, int]] = set()
    kept: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: (GRAVITY.index(piece.kind), -piece.confidence, piece.position, piece.first_word)):
        free: list[int] = []
        for word in [*range(piece.first_word, piece.last_word + 1), None]:
            if word is not None and (piece.position, word) not in taken:
                free.append(word)
            elif free:
                kept.append(replace(piece, first_word=free[0], last_word=free[-1]))
                free = []
        taken.update((piece.position, word) for word in range(piece.first_word, piece.last_word + 1))
    kept.sort(key=lambda piece: (piece.position, piece.first_word))
    numbers: dict[tuple[str, int], int] = {}
    return tuple(
        Covered(
            piece.kind,
            numbers.setdefault(piece.entity, len(numbers)),
            piece.position,
            piece.first_word,
            piece.last_word,
            piece.confidence,
            piece.recogniser,
        )
        for piece in kept
    )
