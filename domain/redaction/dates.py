"""Whether numbers that were read out may be a date of birth, or the month and year in which a card ends."""

from collections.abc import Sequence

from domain.redaction.spoken_numbers import Piece, Said

_HEARD = 0.8
LATEST = 2030
"""The last year in which somebody may be born. When a call was is not known here."""

_OLD_ENOUGH = (1915, 2012)


def may_be_birth(pieces: Sequence[Piece]) -> bool:
    """A month's name or an ordinal with more; or digits that read as month, day and year in one of the usual orders, or as a year alone."""
    if any(piece.said is Said.MONTH for piece in pieces):
        return True
    text = "".join(piece.text for piece in pieces)
    if any(piece.said is Said.ORDINAL for piece in pieces):
        return len(pieces) > 1
    return (
        _year(text, 1900, LATEST)
        or (_year(text[:4], 1900, LATEST) and _day_and_month(text[4:]))
        or any(
            _day_and_month(text[:cut]) and (_year(text[cut:], 1900, LATEST) or len(text[cut:]) == 2) for cut in range(2, min(len(text), 5))
        )
    )


def is_birth(pieces: Sequence[Piece]) -> bool:
    """Month, day and a year in which somebody may be born who takes out insurance, in one of the usual orders."""
    text = "".join(piece.text for piece in pieces)
    months = [n for n, piece in enumerate(pieces) if piece.said is Said.MONTH]
    if len(months) > 1 or len(text) > 8:
        return False
    if not months:
        if pieces[-1].said is Said.ORDINAL:
            return False
        last = any(_day_and_month(text[:cut]) and _of_birth(text[cut:]) for cut in range(2, min(len(text), 5)))
        return len(text) >= 5 and (last or (_year(text[:4], *_OLD_ENOUGH) and _day_and_month(text[4:])))
    before, after = ("".join(piece.text for piece in part) for part in (pieces[: months[0]], pieces[months[0] + 1 :]))
    if len(before) > 4:
        return _of_birth(before[:4]) and _day(before[4:]) and not after
    if before:
        return (_day(before) and _of_birth(after)) or (_day(after) and len(before) == 4 and _of_birth(before))
    return any(_day(after[:cut]) and _of_birth(after[cut:]) for cut in (1, 2))


def is_recent(pieces: Sequence[Piece]) -> bool:
    """Whether it ends in a year in which nobody was born who takes out insurance: a child's birth, or the date of something else."""
    text = "".join(piece.text for piece in pieces)
    return len(text) >= 6 and _year(text[-4:], 2017, 2045)


def is_whole_date(pieces: Sequence[Piece]) -> bool:
    """Day, month and a year of four digits up to these days, whoever was born then."""
    text = "".join(piece.text for piece in pieces)
    year = _year(text[-4:], 1900, LATEST)
    if any(piece.said is Said.MONTH for piece in pieces):
        return year and 6 <= len(text) <= 8
    return year and _day_and_month(text[:-4])


def is_in_threes(lengths: Sequence[int], digits: str) -> bool:
    """Whether digits are read as day, month and a year in short, whichever: "oh four, oh two, oh-ten", "six one fifty"."""
    if len(lengths) != 3 or max(lengths[:2]) > 2 or lengths[2] not in (2, 3) or not digits.isdecimal():
        return False
    return (lengths[2] == 2 or digits[-3] == "0") and _day_and_month_are(digits[: lengths[0]], digits[lengths[0] : lengths[0] + lengths[1]])


def _of_birth(year: str) -> bool:
    return _year(year, *_OLD_ENOUGH) or (len(year) == 2 and int(year) >= 30)


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
    return any(_day_and_month_are(text[:cut], text[cut:]) for cut in range(1, len(text)))


def _day_and_month_are(one: str, other: str) -> bool:
    if not 1 <= len(one) <= 2 or not 1 <= len(other) <= 2:
        return False
    return (1 <= int(one) <= 12 and 1 <= int(other) <= 31) or (1 <= int(one) <= 31 and 1 <= int(other) <= 12)


def is_year(text: str) -> bool:
    return _year(text, 1900, 2045)
