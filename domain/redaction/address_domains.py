"""The part of an e-mail address that follows its "at": where it begins and ends, with words misheard in it, its ending spelled, or without one."""

from collections.abc import Sequence

from domain.redaction.address_words import (
    AT,
    CLEAR_ENDINGS,
    COUNTRIES,
    DOTS,
    ENDINGS,
    ENDS,
    FILLERS,
    LIKE_AT,
    NEW_ENDINGS,
    PROVIDERS,
    SURE_AT,
    SURE_DOTS,
    SURE_ENDINGS,
    SURE_PROVIDERS,
)
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, Piece, Said
from domain.redaction.spoken_words import Pause

_LONGEST = 9
_MISHEARD = 3
_FILLED = 3
_SURELY_ONE = 3


def domain(turn: Sequence[Piece], at: int, expected: bool, just_asked: bool) -> tuple[int, bool] | None:
    """Where a domain that begins at ``at`` ends, and whether it is certainly one of a mail address."""
    text = turn[at].text
    name, dot, ending = text.rpartition(".")
    if dot and name and ending in SURE_ENDINGS:
        return chained(turn, at), name in SURE_PROVIDERS
    of_provider = _of_provider(turn, at, expected)
    if of_provider:
        return of_provider
    if at and (turn[at - 1].text in SURE_AT or (expected and turn[at - 1].text in AT)):
        own = _own(turn, at, expected)
        if own:
            return own
    if expected and just_asked and at + 2 < len(turn) and turn[at + 1].text in SURE_DOTS:
        last = _ending(turn, at + 2)
        if last is not None and turn[at + 2].text not in ("me", "us", "co", "in", "at", "no", "so", "it", "be"):
            return chained(turn, last), False
    return None


def _of_provider(turn: Sequence[Piece], at: int, expected: bool) -> tuple[int, bool] | None:
    """ "gmail dot com", "g mail com", "at yahoo"."""
    text = turn[at].text
    following = [piece.text for piece in turn[at + 1 : at + 3]]
    if text in ("g", "i", "hot", "proton") and following[:1] and following[0] in ("mail", "cloud", "male"):
        end = at + 1
    elif text == "a" and following == ["o", "l"]:
        end = at + 2
    elif text in PROVIDERS:
        end = at
    else:
        return None
    provider = end > at or text in SURE_PROVIDERS
    if end + 2 < len(turn) and _is_dot(turn[end + 1], provider) and (last := _ending(turn, end + 2)) is not None:
        return chained(turn, last), provider
    if end + 1 < len(turn) and turn[end + 1].text in ENDINGS and provider:
        return end + 1, provider
    if end + 2 < len(turn) and turn[end + 1].text in SURE_DOTS and provider and turn[end].pause is Pause.NONE:
        return end + 2, provider
    if provider and end + 2 == len(turn) and turn[end + 1].text in SURE_DOTS:
        return end + 1, provider
    if provider and at and (turn[at - 1].text in AT or at_sign(turn, at, True) != at):
        return end, expected
    return None


def _own(turn: Sequence[Piece], at: int, expected: bool) -> tuple[int, bool] | None:
    """Any other name: one to four words or letters behind "at"."""
    if (
        turn[at].text in SURE_DOTS
        and at + 1 < len(turn)
        and (turn[at + 1].confidence < DOUBTFUL_BELOW or _ending(turn, at + 1) is not None)
    ):
        return chained(turn, at + 1), False  # the name was lost
    for end in range(at, min(at + _LONGEST, len(turn) - 2)):
        dot = turn[end + 1]
        guess = expected or (end - at < _SURELY_ONE and turn[at].text not in ENDS)
        last = _ending(turn, end + 2)
        if dot.text in SURE_DOTS and last is not None:
            return chained(turn, last), False
        doubtful = guess and turn[end + 2].confidence < DOUBTFUL_BELOW
        final = turn[end + 2].text in COUNTRIES and turn[end + 2].pause is not Pause.NONE
        if dot.text in SURE_DOTS and (doubtful or final or turn[end + 2].text in NEW_ENDINGS or (expected and _may_end(turn[end + 2]))):
            return chained(turn, end + 2), False
        if guess and dot.confidence < DOUBTFUL_BELOW and turn[end + 2].text in CLEAR_ENDINGS:
            return chained(turn, end + 2), False
        if end + 1 < len(turn) and dot.text in SURE_AT:
            break
        stops = turn[end].text in ENDS and turn[end].text not in ("the", "my", "all", "of", "a", "in", "and")
        if turn[end].pause is Pause.HARD or (stops and turn[end].confidence >= DOUBTFUL_BELOW):
            break
        if expected and end - at < 3 and dot.text in DOTS and turn[end + 2].text in SURE_ENDINGS:
            return chained(turn, end + 2), True
    return None


def _may_end(piece: Piece) -> bool:
    return piece.said is Said.WORD and piece.text not in ENDS


def _is_dot(piece: Piece, surely: bool) -> bool:
    return piece.text in DOTS or (surely and piece.confidence < DOUBTFUL_BELOW)


def _ending(turn: Sequence[Piece], at: int) -> int | None:
    """Where an ending that begins at ``at`` ends: "com", "c o m", "d e"."""
    if at >= len(turn):
        return None
    if turn[at].text in ENDINGS:
        return at
    end = at
    while end < len(turn) and end - at < 4 and turn[end].said is Said.LETTER:
        end += 1
        if turn[end - 1].pause is Pause.HARD:
            break
    spelled = "".join(piece.text for piece in turn[at:end])
    return end - 1 if spelled in CLEAR_ENDINGS or spelled in COUNTRIES or spelled in ("biz", "mil") else None


def chained(turn: Sequence[Piece], last: int) -> int:
    """With the further endings: "dot co dot uk", "dot com dot n g"."""
    while last + 2 < len(turn) and turn[last].pause is not Pause.HARD and _is_dot(turn[last + 1], False):
        more = _ending(turn, last + 2)
        if more is None and turn[last + 1].text in SURE_DOTS and turn[last + 2].text in COUNTRIES:
            more = last + 2
        if more is None or (turn[last + 1].text not in SURE_DOTS and turn[last + 2].text not in CLEAR_ENDINGS):
            break
        last = more
    return last


def to_the_end(turn: Sequence[Piece], last: int) -> int:
    """With what is said right behind and may belong to it: an ending, or a word that recognition was not sure of."""
    for _ in range(_MISHEARD):
        if last + 1 < len(turn) and turn[last].pause is not Pause.HARD:
            following = turn[last + 1]
            unsure = turn[last].confidence < DOUBTFUL_BELOW and following.text in SURE_ENDINGS
            last += following.text in CLEAR_ENDINGS or following.confidence < DOUBTFUL_BELOW or unsure
    return chained(turn, last)


def at_sign(turn: Sequence[Piece], at: int, sure: bool) -> int | None:
    """Where the name before a domain ends (exclusively): before the "at", or right before the domain where that was lost."""
    if at and (turn[at - 1].text in AT or (sure and _is_at(turn[at - 1]))):
        return at - 1
    if not sure:
        return None
    for before in range(at - 1, max(at - 1 - _FILLED, -1), -1):
        piece = turn[before]
        if piece.text not in FILLERS and piece.confidence >= DOUBTFUL_BELOW:
            break
        if before and _is_at(turn[before - 1]):
            return before - 1
    return at


def _is_at(piece: Piece) -> bool:
    return piece.text in SURE_AT or (piece.text in LIKE_AT and piece.confidence < DOUBTFUL_BELOW)
