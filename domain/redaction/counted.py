"""Numbers that are read out for nobody's sake: those that count something, label what follows, or are a pronoun."""

from collections.abc import Iterator, Sequence

from domain.redaction.number_words import words
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, NUMBERS, Reading, Said
from domain.redaction.spoken_words import Pause

_UNITS = words(
    "dollar dollars cent cents bucks percent percentage guests guest people persons person attendees kids children adults "
    "guys friends vendors tables table chairs players musicians bartenders servers staff employees students families couples "
    "hours hour minutes minute mins seconds days day weeks week months month years year o'clock am pm miles mile feet foot "
    "inches acres square times events event weddings calls emails copies pages questions things options cards policies claims "
    "street st avenue ave road rd boulevard blvd drive lane court place parkway degrees pounds gallons nights night rooms "
    "cars vehicles units items pieces digit digits numbers letters others k business million thousand hundred bottles trays "
    "kegs tents quotes tickets steps parts locations venues halls pence minutes' days' hours' claims' words points star "
    "bedroom bathroom story "
)
"""What is counted: a number before it is none that is read out."""
_BEFORE_COUNT = words("last first final next other middle these those remaining all only another the ")
_PRONOUN_BEFORE = words(
    "have got need see that this the which another every each any no some number just only not either wrong right new old "
    "other same good big final next last first for at on is as there's with in by my your "
)
_PRONOUN_AFTER = words(
    "moment second sec more thing of or day time question is was for that who i you we to other person last minute way with "
    "on in and but if before after from at quick could can will would has had does "
)
_NUMBERED = words("number numbers code card routing account option set part policy do go start")
_IN_ORDER = words("please then set group batch half bit part chunk lot number numbers row line")


def counted_pieces(reading: Reading, cued: bytearray) -> bytearray:
    """Which number pieces are no values: those of cues, those that count something, "one" as a pronoun."""
    counted = bytearray(len(reading.pieces))
    for group in _adjacent(reading):
        pieces = [reading.pieces[place] for place in group]
        before = _word(reading, group[0] - 1, pieces[0].position)
        after = _word(reading, group[-1] + 1, pieces[0].position) if pieces[-1].pause is not Pause.HARD else ""
        digits = "".join(piece.text for piece in pieces)
        for place in group:
            counted[place] |= cued[place] > 0
        named = after in ("day", "month", "year") and _word(reading, group[-1] + 2, pieces[0].position) in ("is", "was", "it's")
        unit = after in ("a", "per", "each", "every", "an") and _word(reading, group[-1] + 2, pieces[0].position) in _UNITS
        size = after in ("by", "x", "out") and (after == "out" or _word(reading, group[-1] + 2, pieces[0].position).isdecimal())
        doubtful = bool(after) and reading.pieces[group[-1] + 1].confidence < DOUBTFUL_BELOW
        dated = any(piece.said in (Said.MONTH, Said.ORDINAL) for piece in pieces) and len(pieces) > 1
        misheard = dated or (doubtful and len(group) >= 2) or len(group) >= 5
        unit = (
            unit
            or size
            or (
                pieces[-1].pause is Pause.NONE
                and after in _UNITS
                and not named
                and not (pieces[-1].said is Said.ORDINAL and after == "month")
            )
        )
        if (
            (unit and not misheard)
            or (after in ("number", "numbers") and pieces[-1].said is Said.QUANTITY)
            or (pieces[0].said is Said.DIGITS and before in _BEFORE_COUNT and len(digits) <= 2)
        ):
            _mark(counted, group)
        elif (
            pieces[0].said is Said.DIGITS
            and before in ("last", "first", "final", "next")
            and digits[0] in "234"
            and len(digits) - 1 == int(digits[0])
            and len(pieces[0].text) == 1
        ):
            _mark(counted, group[:1])
        elif (len(group) == 1 and _labels(reading, group[0], before, after)) or (
            digits == "1" and pieces[0].said is Said.DIGITS and _is_pronoun(reading, group[0], before, after)
        ):
            _mark(counted, group)
        elif (
            len(group) == 1
            and pieces[0].said is Said.ORDINAL
            and after in ("time", "one", "of", "thing", "party", "place", "floor", "half")
        ):
            behind = reading.pieces[group[0] + 2 : group[0] + 4]  # "the ninth of (the) tenth"
            dated = any(piece.said in (Said.MONTH, Said.ORDINAL) or piece.confidence < DOUBTFUL_BELOW for piece in behind)
            counted[group[0]] = not (after == "of" and dated)
    return counted


def _labels(reading: Reading, place: int, before: str, after: str) -> bool:
    """ "Code two: …", "the routing number first, please"."""
    piece = reading.pieces[place]
    if piece.said is Said.ORDINAL:
        return piece.confidence >= DOUBTFUL_BELOW and (before in _NUMBERED or after in _IN_ORDER)
    if (
        len(piece.text) != 1
        or piece.pause is not Pause.SOFT
        or before not in _NUMBERED
        or reading.pieces[place - 1].pause is not Pause.NONE
    ):
        return False
    group = [reading.pieces[place + 1 : place + 3]] if place + 2 < len(reading.pieces) else []
    return any(one.said is Said.DIGITS is other.said and one.pause is Pause.NONE for one, other in group)


def _is_pronoun(reading: Reading, place: int, before: str, after: str) -> bool:
    """ "the old one", "one moment": no digit stands beside it."""
    following = reading.pieces[place + 1] if place + 1 < len(reading.pieces) else None
    follows = following and following.said in NUMBERS and following.position == reading.pieces[place].position
    return not follows and (before in _PRONOUN_BEFORE or (after in _PRONOUN_AFTER and reading.pieces[place].pause is Pause.NONE))


def _adjacent(reading: Reading) -> Iterator[list[int]]:
    group: list[int] = []
    for place, piece in enumerate(reading.pieces):
        number = piece.said in NUMBERS
        if group and (
            not number or reading.pieces[group[-1]].position != piece.position or reading.pieces[group[-1]].pause is not Pause.NONE
        ):
            yield group
            group = []
        if number:
            group.append(place)
    if group:
        yield group


def _mark(counted: bytearray, places: Sequence[int]) -> None:
    for place in places:
        counted[place] = 1


def _word(reading: Reading, place: int, position: int) -> str:
    if not 0 <= place < len(reading.pieces) or reading.pieces[place].position != position:
        return ""
    return reading.pieces[place].text
