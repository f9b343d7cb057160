"""Whether numbers that were read out may be a date of birth, or the month and year in which a card ends."""

from collections.abc import Sequence

from domain.redaction.spoken_numbers import Piece, Said

_HEARD = 0.8


def may_be_birth(pieces: Sequence[Piece]) -> bool:
    """A month's name or an ordinal with more; or digits that read as month, day and year in one of the usual orders, or as a year alone."""
    if any(piece.said is Said.MONTH for piece in pieces):
        return True
    text = "".join(piece.text for piece in pieces)
    if any(piece.said is Said.ORDINAL for piece in pieces):
        return len(pieces) > 1
    return _year(text, 1900, 2016) or any(
        _day_and_month(text[:cut]) and (_year(text[cut:], 1900, 2016) or len(text[cut:]) == 2) for cut in range(2, min(len(text), 5))
    )


def is_birth(pieces: Sequence[Piece]) -> bool:
    """Month, day and a year in which somebody may be born who takes out insurance, in one of the usual orders."""
    text = "".join(piece.text for piece in pieces)
    months = [n for n, piece in enumerate(pieces) if piece.said is Said.MONTH]
    if len(months) > 1 or len(text) > 8:
        return False
    if not months:
        return any(_day_and_month(text[:cut]) and _of_birth(text[cut:]) for cut in range(2, min(len(text), 5))) and len(text) >= 5
    before, after = ("".join(piece.text for piece in part) for part in (pieces[: months[0]], pieces[months[0] + 1 :]))
    if len(before) > 4:
        return _of_birth(before[:4]) and _day(before[4:]) and not after
    if before:
        return (_day(before) and _of_birth(after)) or (_day(after) and len(before) == 4 and _of_birth(before))
    return any(_day(after[:cut]) and _of_birth(after[cut:]) for cut in (1, 2))


def _of_birth(year: str) -> bool:
    return _year(year, 1915, 2012) or (len(year) == 2 and int(year) >= 30)


def _day(text: str) -> bool:
    return len(text) in (1, 2) and 1 <= int(text) <= 31


def may_be_expiry(pieces: Sequence[Piece]) -> bool:
    """Month and year: "oh nine twenty seven", "september twenty twenty seven", "9 2027"."""
    months = [n for n, piece in enumerate(pieces) if piece.said is Said.MONTH]
    if months:
        if len(pieces) == 2 and any(piece.said is Said.ORDINAL and piece.confidence >= _HEARD for piece in pieces):
            return False  # "march sixth" is a day
        rest = "".join(piece.text for piece in pieces[months[0] + 1 :])
        return len(rest) in (0, 1, 2, 3, 4, 6)
    text = "".join(piece.text for piece in pieces)
    return any(text[:cut].isdigit() and 1 <= int(text[:cut]) <= 12 and _soon(text[cut:]) for cut in (1, 2) if len(text) > cut)


def _soon(text: str) -> bool:
    return (len(text) == 2 and 20 <= int(text) <= 45) or (len(text) == 4 and 2020 <= int(text) <= 2045)


def _year(text: str, first: int, last: int) -> bool:
    return len(text) == 4 and first <= int(text) <= last


def _day_and_month(text: str) -> bool:
    """Two numbers, one of which may be a month and the other a day."""
    return any(
        (1 <= int(text[:cut]) <= 12 and 1 <= int(text[cut:]) <= 31) or (1 <= int(text[:cut]) <= 31 and 1 <= int(text[cut:]) <= 12)
        for cut in range(1, len(text))
    )


def is_year(text: str) -> bool:
    return _year(text, 1900, 2045)
