"""From numbers to the words that are hidden: all that is said inside a number, and where digits are missing what stands beside it.

Recognition mishears digits. A value that has all of its digits ends where they end; of one that has not, the words at its edges may
be digits that were misheard, and are hidden with it up to the end of the sentence, a cue or another number: better too much than too little.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.redaction.call_so_far import Find
from domain.redaction.checksum import passes_luhn
from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import Cue
from domain.redaction.dates import is_birth, is_whole_date, is_year, may_be_expiry
from domain.redaction.number_words import EVERYDAY, HOLIDAYS, HOMOPHONES, words
from domain.redaction.shapes import CARD_DATA, Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, NUMBERS, Piece, Reading, Said
from domain.redaction.spoken_words import Pause

_ASIDE = {True: 4, False: 3}
"""So many words beside card data (True) or another value are taken, if nothing else is said on that side."""

_MISSING = 2
"""So many are taken of a longer sentence."""

_GAP = 5
_HOLIDAY = 5
_OF_HOLIDAYS = words("on of in the day eve that and it was day's")
_MISHEARD = 3


@dataclass(frozen=True, slots=True)
class Hidden:
    """Words of a turn, both ends included."""

    find: Find
    position: int
    first_word: int
    last_word: int


def hidden(reading: Reading, cues: Sequence[Cue], finds: Sequence[Find]) -> tuple[Hidden, ...]:
    """Linear in the words."""
    blocked = bytearray(len(reading.pieces))
    for cue in cues:
        if isinstance(cue.kind, Harmless) and (not cue.strong or cue.confidence < DOUBTFUL_BELOW):
            continue
        for place in range(cue.first, cue.last + 1):
            blocked[place] = 1
    for find in finds:
        for place in find.places:
            blocked[place] = 1
    entities: dict[tuple[Sensitive, int], list[Find]] = {}
    for find in finds:
        entities.setdefault((find.kind, find.entity), []).append(find)
    card = _card_digits(reading, finds)
    found: list[Hidden] = []
    for (kind, _), parts in entities.items():
        whole = _whole(reading, kind, parts)
        for find, (first, last) in _pieces(reading, parts, blocked):
            if not whole and not _has_all(reading, kind, find, card):
                first, last = _widened(reading, blocked, first, last, kind in CARD_DATA)
            else:
                first, last = _with_misheard(reading, blocked, first, last)
            first = _with_lead(reading, kind, first)
            if kind is Sensitive.DATE_OF_BIRTH:
                first, last = _with_holiday(reading, first, last)
            pieces = reading.pieces[first : last + 1]
            found.append(Hidden(find, pieces[0].position, pieces[0].first_word, max(piece.last_word for piece in pieces)))
    return tuple(found)


def _pieces(reading: Reading, finds: Sequence[Find], blocked: bytearray) -> Iterator[tuple[Find, tuple[int, int]]]:
    """For each turn of each find the first and the last place; those of one value that nearly meet are joined."""
    spans: list[tuple[Find, int, int]] = []
    for find in finds:
        for place in find.places:
            if spans and _meet(reading, blocked, spans[-1][2], place, spans[-1][0] is find):
                spans[-1] = (spans[-1][0], spans[-1][1], place)
            else:
                spans.append((find, place, place))
    for find, first, last in spans:
        yield find, (first, last)


def _meet(reading: Reading, blocked: bytearray, last: int, place: int, same: bool) -> bool:
    if reading.pieces[last].position != reading.pieces[place].position or place < last:
        return False
    return same or (place - last - 1 <= _GAP and not any(blocked[between] for between in range(last + 1, place)))


def _widened(reading: Reading, blocked: bytearray, first: int, last: int, card: bool) -> tuple[int, int]:
    before = after = 0
    while first - before > 0 and not blocked[first - before - 1] and _goes_on(reading, first - before - 1, first):
        before += 1
    while last + after + 1 < len(reading.pieces) and not blocked[last + after + 1] and _goes_on(reading, last + after, last + after + 1):
        after += 1
    aside = _ASIDE[card]
    return first - (before if before <= aside else _MISSING), last + (after if after <= aside else _MISSING)


def _with_misheard(reading: Reading, blocked: bytearray, first: int, last: int) -> tuple[int, int]:
    """With the words beside it of which recognition was not sure, or which sound like a digit."""
    for _ in range(_MISHEARD):
        if first > 0 and not blocked[first - 1] and _goes_on(reading, first - 1, first) and _misheard(reading.pieces[first - 1]):
            first -= 1
        if (
            last + 1 < len(reading.pieces)
            and not blocked[last + 1]
            and _goes_on(reading, last, last + 1)
            and _misheard(reading.pieces[last + 1])
        ):
            last += 1
    return first, last


def _misheard(piece: Piece) -> bool:
    return piece.confidence < DOUBTFUL_BELOW or piece.text in HOMOPHONES.keys() - EVERYDAY


def _goes_on(reading: Reading, place: int, following: int) -> bool:
    """Whether no sentence and no turn ends behind the piece."""
    return reading.pieces[place].pause is not Pause.HARD and reading.pieces[place].position == reading.pieces[following].position


def _with_lead(reading: Reading, kind: Sensitive, first: int) -> int:
    """With "the" of "the third of march", and "area code"."""
    before = [piece.text for piece in reading.pieces[max(first - 2, 0) : first] if piece.position == reading.pieces[first].position]
    if (
        kind is Sensitive.PHONE
        and before[-1:] == ["code"]
        and (before[0] == "area" or reading.pieces[first - 2].confidence < DOUBTFUL_BELOW)
    ):
        return first - len(before)
    if kind is Sensitive.PHONE and before[-1:] in (["plus"], ["+"]):
        return first - 1
    if kind is Sensitive.DATE_OF_BIRTH and before[-1:] == ["of"] and reading.pieces[first].said is not Said.DIGITS:
        return first - 2 if len(before) == 2 else first - 1  # the day before it was misheard
    dated = reading.pieces[first].said is Said.ORDINAL or (
        kind is Sensitive.DATE_OF_BIRTH and reading.pieces[first].confidence < DOUBTFUL_BELOW
    )
    return first - 1 if dated and before[-1:] == ["the"] else first


def _with_holiday(reading: Reading, first: int, last: int) -> tuple[int, int]:
    """With the day's name: "Christmas Eve, nineteen fifty", "eighty-two, on Halloween"."""
    for ahead in range(first - 1, max(first - 1 - _HOLIDAY, -1), -1):
        piece = reading.pieces[ahead]
        if not _goes_on(reading, ahead, ahead + 1) or piece.text not in HOLIDAYS | _OF_HOLIDAYS:
            break
        first = ahead if piece.text in HOLIDAYS else first
    for behind in range(last + 1, min(last + 1 + _HOLIDAY, len(reading.pieces))):
        piece = reading.pieces[behind]
        if not _goes_on(reading, behind - 1, behind) or piece.text not in HOLIDAYS | _OF_HOLIDAYS:
            break
        last = behind if piece.text in HOLIDAYS | {"day", "eve"} else last
    return first, last


def _text(reading: Reading, find: Find) -> str:
    return "".join(reading.pieces[place].text for place in find.places if reading.pieces[place].said in NUMBERS)


def _card_digits(reading: Reading, finds: Sequence[Find]) -> Mapping[int, str]:
    """What was read out of each card number, by its entity, by whoever began."""
    digits: dict[int, str] = {}
    speakers: dict[int, object] = {}
    for find in finds:
        if find.kind is Sensitive.CARD_NUMBER:
            speaker = reading.speakers[reading.pieces[find.places[0]].position]
            if speakers.setdefault(find.entity, speaker) == speaker:
                digits[find.entity] = digits.get(find.entity, "") + _text(reading, find)
    return digits


def _whole(reading: Reading, kind: Sensitive, finds: Sequence[Find]) -> bool:
    """Whether all finds of one value make it up, without one digit too many."""
    speaker = reading.speakers[reading.pieces[finds[0].places[0]].position]
    own = [find for find in finds if reading.speakers[reading.pieces[find.places[0]].position] == speaker]
    return len(own) == len(finds) and kind is Sensitive.CARD_NUMBER and passes_luhn("".join(_text(reading, find) for find in own))


def _has_all(reading: Reading, kind: Sensitive, find: Find, card: Mapping[int, str]) -> bool:
    text = _text(reading, find)
    pieces = [reading.pieces[place] for place in find.places]
    if kind is Sensitive.CARD_NUMBER:
        known = card.get(find.entity, "")
        return passes_luhn(text) or (passes_luhn(known) and text in known and len(text) % 4 == 0)
    if kind is Sensitive.SECURITY_CODE:
        return len(text) == (4 if any(digits[:1] == "3" and len(digits) <= 15 for digits in card.values()) else 3)
    if kind is Sensitive.EXPIRY_DATE:
        return may_be_expiry(pieces) and (len(text) >= 3) and _ends_in_year(pieces)
    if kind is Sensitive.SSN:
        return len(text) in (4, 9)
    if kind is Sensitive.PHONE:
        return len(text) in (7, 10) or (len(text) == 11 and text[0] == "1") or (len(text) > 10 and _after_plus(reading, find))
    if kind is Sensitive.DATE_OF_BIRTH:
        if not text:
            return False
        pieces = [piece for piece in pieces if piece.said in NUMBERS]
        whole = is_birth(pieces) or is_whole_date(pieces) or not _doubtful_beside(reading, find)
        return len(text) >= 4 and whole and _ends_in_year(pieces)
    return kind is Sensitive.BANK_ACCOUNT and len(text) >= (find.expected or 8)


def _doubtful_beside(reading: Reading, find: Find) -> bool:
    around = reading.pieces[max(find.places[0] - _MISHEARD, 0) : find.places[-1] + _MISHEARD + 1]
    return any(piece.confidence < DOUBTFUL_BELOW for piece in around)


def _after_plus(reading: Reading, find: Find) -> bool:
    return find.places[0] > 0 and reading.pieces[find.places[0] - 1].text in ("plus", "+")


def _ends_in_year(pieces: Sequence[Piece]) -> bool:
    """Whether two or four digits stand last, behind something else."""
    tail = ""
    for piece in reversed(pieces):
        if piece.said not in (Said.DIGITS, Said.QUANTITY):
            break
        tail = piece.text + tail
    named = any(piece.said in NUMBERS - {Said.DIGITS, Said.QUANTITY} for piece in pieces)
    return len(tail) == 2 or is_year(tail) or (not named and len(tail) in (3, 4, 5, 6, 7, 8)) or (named and len(tail) in (3, 4, 5, 6))
