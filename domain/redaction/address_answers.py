"""Answers in which an e-mail address was asked for and no domain is heard: a name alone, letters and signs, or a word that was misheard."""

from collections.abc import Sequence

from domain.redaction.address_words import (
    ASKS,
    CLEAR_ENDINGS,
    DOTS,
    ENDS,
    LEADS,
    REPLIES,
    SIGNS,
    SURE_AT,
    SURE_PROVIDERS,
    TELLS,
    TOLD_OF,
)
from domain.redaction.cues import Cue
from domain.redaction.number_runs import SOFT
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, NUMBERS, Piece, Reading, Said
from domain.redaction.spoken_words import Pause

LONGEST_SENTENCE = 10
_LONGEST_NAME = 5
_SHORT_ANSWER = 3
_LONGEST_ANSWER = 14
_BEFORE = 3


def is_question(reading: Reading, cue: Cue) -> bool:
    """Whether the cue asks for an address; not "I sent you an email"."""
    pieces = reading.pieces
    first = cue.first
    while first > 0 and pieces[first - 1].position == cue.position and pieces[first - 1].pause is not Pause.HARD:
        first -= 1
    sentence = [piece.text for piece in pieces[first : cue.first]]
    told = any(text in TELLS for text in sentence[-_BEFORE:]) or any(
        piece.text in TOLD_OF and piece.position == cue.position for piece in pieces[cue.last + 1 : cue.last + 2]
    )
    return not told or any(text in ("what", "what's", "which", "where", "spell") for text in sentence)


def announces(reading: Reading, cue: Cue) -> bool:
    """Whether it is the speaker's own: "my email is"."""
    before = [piece.text for piece in reading.pieces[max(cue.first - 2, 0) : cue.first] if piece.position == cue.position]
    return "my" in before or "our" in before


def asks_outright(reading: Reading, cue: Cue) -> bool:
    """Whether hardly anything but the question is said in its sentence."""
    pieces = reading.pieces
    before = [piece.text for piece in pieces[max(cue.first - 8, 0) : cue.first] if piece.position == cue.position]
    return len(before) <= 2 or any(text in ASKS for text in before)


def answered(turn: Sequence[Piece]) -> tuple[int, int] | None:
    """An answer that gives the address, or a part of it, without its domain: a name and digits, a sign, a provider."""
    said = [n for n, piece in enumerate(turn) if piece.text not in SOFT and piece.text not in LEADS]
    said += [n for n, piece in enumerate(turn) if piece.said in NUMBERS and n not in said]
    said.sort()
    texts = [turn[n].text for n in said]
    joined = any(text in ("dot", "underscore", "hyphen") for text in texts)
    if not said or (not joined and any(turn[n].text in REPLIES and turn[n].confidence >= DOUBTFUL_BELOW for n in said)):
        return None
    signed = any(text in SIGNS or text in SURE_PROVIDERS or "." in text or "_" in text for text in texts)
    mixed = any(any(c.isdigit() for c in text) and any(c.isalpha() for c in text) for text in texts)
    digits = any(turn[n].said is Said.DIGITS and turn[n].text != "1" for n in said) and any(turn[n].said not in NUMBERS for n in said)
    bare = len(said) <= _SHORT_ANSWER and not any(text in ENDS for text in texts) and any(len(text) > 1 for text in texts)
    if not (signed or mixed or digits or bare) or len(said) > _LONGEST_ANSWER:
        return None
    return _whole(turn, said[0], said[-1])


def provider_alone(turn: Sequence[Piece]) -> tuple[int, int] | None:
    """A turn that hardly says more than the domain, behind the name: "gmail", "at yahoo?", "dot com"."""
    said = [n for n, piece in enumerate(turn) if piece.text not in SOFT and piece.text not in LEADS]
    places = [
        n
        for n in said
        if turn[n].text in SURE_PROVIDERS
        or (turn[n].text in CLEAR_ENDINGS and n and turn[n - 1].text in DOTS)
        or (turn[n].text in ("dot", "dots") and n + 1 < len(turn) and turn[n + 1].text in CLEAR_ENDINGS)
    ]
    if not places or len(said) > _SHORT_ANSWER + 1:
        return None
    first = places[0] - 1 if places[0] and turn[places[0] - 1].text in SURE_AT else places[0]
    return first, places[-1]


def _whole(turn: Sequence[Piece], first: int, last: int) -> tuple[int, int]:
    """With what recognition was not sure of, and what joins, on either side."""
    while first > 0 and turn[first - 1].pause is not Pause.HARD and (_doubtful(turn[first - 1]) or turn[first - 1].said is Said.LETTER):
        first -= 1
    while last + 1 < len(turn) and turn[last].pause is not Pause.HARD and (_doubtful(turn[last + 1]) or turn[last + 1].text in SURE_AT):
        last += 1
    return first, last


def _doubtful(piece: Piece) -> bool:
    return piece.confidence < DOUBTFUL_BELOW


def spelled(turn: Sequence[Piece], start: int) -> tuple[int, int] | None:
    """The part of a turn that spells though no domain is heard: three letters and more, a sign between words, or an end like "… dot com"."""
    letters = [n for n in range(start, len(turn)) if turn[n].said is Said.LETTER and _is_spelled(turn, n)]
    signs = [n for n in range(start + 1, len(turn)) if _joins(turn, n)]
    ends = [n for n in range(start + 1, len(turn)) if turn[n].text in CLEAR_ENDINGS and turn[n - 1].text in DOTS]
    if len(letters) < 3 and not signs and not ends:
        return None
    evidence = [*letters, *signs, *ends]
    first, last = min(evidence), max(evidence)
    before = next((n for n in range(first, start, -1) if turn[n - 1].pause is Pause.HARD), start)
    after = next((n for n in range(last, len(turn)) if turn[n].pause is Pause.HARD), len(turn) - 1)
    first = before if first - before <= LONGEST_SENTENCE else max(first - 2, start)
    last = after if after - last <= _LONGEST_NAME else last + 1
    while first < min(evidence) and turn[first].text in LEADS and not _doubtful(turn[first]):
        first += 1
    return first, last


def unheard(turn: Sequence[Piece]) -> tuple[int, int] | None:
    """A short answer of which recognition was not sure."""
    said = [n for n, piece in enumerate(turn) if (piece.text not in SOFT and piece.text not in LEADS) or _doubtful(piece)]
    unsure = any(_doubtful(turn[n]) for n in said)
    return (said[0], said[-1]) if unsure and len(said) <= _SHORT_ANSWER else None


def _joins(turn: Sequence[Piece], at: int) -> bool:
    """Whether a "dot" or "underscore" stands between two words of a name."""
    sign = turn[at].text in SIGNS and turn[at].text not in ("point", "period", "minus", "plus")
    alone = any(piece.text in ENDS or piece.text in ("no", "with") for piece in (turn[at - 1], *turn[at + 1 : at + 2]))
    return sign and not alone and turn[at - 1].pause is not Pause.HARD


def _is_spelled(turn: Sequence[Piece], at: int) -> bool:
    """Letters that are words too are spelled beside others alone."""
    beside = any(0 <= n < len(turn) and turn[n].said is Said.LETTER for n in (at - 1, at + 1))
    return turn[at].text not in ("i", "a", "o") or beside


def has_sign(pieces: Sequence[Piece]) -> bool:
    return any(piece.text in SIGNS for piece in pieces)
