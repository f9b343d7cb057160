"""E-mail addresses as they are said: "j dot smith at gmail dot com", spelled letter by letter, in several turns, with a word misheard.

Whether what was put together is an address in earnest is checked elsewhere; one that is not stays found, with less confidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from domain.redaction.address_answers import (
    LONGEST_SENTENCE,
    announces,
    answered,
    asks_outright,
    has_sign,
    is_question,
    provider_alone,
    spelled,
    unheard,
)
from domain.redaction.address_domains import at_sign, domain, to_the_end
from domain.redaction.address_words import ASIDES, AT, ENDS, LEADS, OFFICES, SIGNS
from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import Cue
from domain.redaction.number_runs import SOFT
from domain.redaction.number_words import words
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, NUMBERS, Piece, Reading, Said
from domain.redaction.spoken_words import Pause

_REACH = 6
_LONGEST_NAME = 5
_BEGUN = 3
_NAMES = words("is it's that's to use email try be and")
_READ_BACK = 2
_CERTAIN, _FAIR, _GUESS = 0.9, 0.7, 0.5


@dataclass(frozen=True, slots=True)
class Address:
    """``places`` are pieces of the reading, first to last of each turn; ``written`` is what they spell.

    ``asked`` is the turn in which it was asked for or announced, -1 where it was not: what answers one question is one address.
    """

    places: tuple[tuple[int, int], ...]
    written: str
    confidence: float
    asked: int


def addresses(reading: Reading, cues: Sequence[Cue]) -> tuple[Address, ...]:
    """Linear in the words."""
    asked = _asked(cues, len(reading.turns))
    place_of_turn = list(accumulate((len(turn) for turn in reading.turns), initial=0))
    named = _last_cues(cues)
    found: list[Address] = []
    for position, turn in enumerate(reading.turns):
        offset = place_of_turn[position]
        expected = asked[position] >= 0
        cue_end = named[position].last - offset + 1 if position in named else 0
        lately = bool(found) and position - reading.pieces[found[-1].places[-1][1]].position <= _READ_BACK
        in_turn = list(_in_turn(turn, expected or lately, cue_end, lately or position - asked[position] <= 2))
        for first, last, written, sure in in_turn:
            nameless = expected and (turn[first].text in AT or not written)
            before = list(_name_before(reading, position)) if nameless else list(_begun(reading, asked[position], position, found))
            places = [(place_of_turn[earlier] + low, place_of_turn[earlier] + high) for earlier, low, high in before]
            found.append(Address((*places, (offset + first, offset + last)), written, sure, asked[position]))
        if expected and not in_turn:
            cue = named[asked[position]]
            part = spelled(turn, cue_end) if is_question(reading, cue) else None
            part = part or _without_domain(reading, position, cue, found)
            if part:
                first, last = part
                sure = _FAIR if has_sign(turn[first : last + 1]) else _GUESS
                found.append(Address(((offset + first, offset + last),), "", sure, asked[position]))
    return tuple(found)


def _without_domain(reading: Reading, position: int, cue: Cue, found: Sequence[Address]) -> tuple[int, int] | None:
    """What of a turn answers the question for an address, or goes on with one that was begun, though it has no domain."""
    turn = reading.turns[position]
    begun = bool(found) and reading.pieces[found[-1].places[-1][1]].position >= position - _BEGUN
    if begun and position > cue.position and (more := provider_alone(turn)):
        return more
    by_another = reading.speakers[position] != reading.speakers[cue.position]
    if position != cue.position + 1 or not by_another or not is_question(reading, cue) or announces(reading, cue):
        return None
    return (answered(turn) if asks_outright(reading, cue) else None) or unheard(turn)


def _last_cues(cues: Sequence[Cue]) -> dict[int, Cue]:
    """Of each turn in which an address is named, the last cue for it."""
    return {cue.position: cue for cue in cues if cue.kind is Sensitive.EMAIL}


def _name_before(reading: Reading, position: int) -> Iterator[tuple[int, int, int]]:
    """Where an address begins with its "at", what the same speaker said before: (turn, first piece, last piece) of each last sentence."""
    for earlier in range(position - 1, max(position - 5, -1), -1):
        turn = reading.turns[earlier]
        if reading.speakers[earlier] != reading.speakers[position] or not turn:
            continue
        last = len(turn) - 1
        first = _name_start(turn, last + 1, 0, expected=True)
        if last - first > 2 * _LONGEST_NAME:
            return
        if any(piece.text not in SOFT for piece in turn[first : last + 1]):
            yield earlier, first, last


def _begun(reading: Reading, asked: int, position: int, found: Sequence[Address]) -> Iterator[tuple[int, int, int]]:
    """What the speaker said right behind the announcement, before beginning again: "my email is bo" "sorry what"."""
    if not 0 <= asked < position <= asked + 3 or reading.speakers[asked] != reading.speakers[position]:
        return
    turn = reading.turns[asked]
    if any(address.asked == asked for address in found):
        return
    said = next((n for n in range(len(turn) - 1, -1, -1) if turn[n].text in ("is", "it's")), len(turn))
    if 1 <= len(turn) - 1 - said <= 4:
        yield asked, said + 1, len(turn) - 1


def _asked(cues: Sequence[Cue], turns: int) -> list[int]:
    """Of each turn the one (itself, or shortly before) in which an address was asked for or announced, and nothing else spelled since; or -1."""
    last: dict[int, Cue] = {}
    for cue in cues:
        spelled = cue.kind in (Sensitive.EMAIL, Harmless.NAME) or (cue.kind is Harmless.IDENTIFIER and cue.strong)
        if spelled and (cue.position not in last or last[cue.position].kind is not Sensitive.EMAIL):
            last[cue.position] = cue
    asked: list[int] = []
    at = -1
    for position in range(turns):
        if position in last:
            at = position if last[position].kind is Sensitive.EMAIL else -1
        asked.append(at if position - at <= _REACH else -1)
    return asked


def _in_turn(turn: Sequence[Piece], expected: bool, cue_end: int, just_asked: bool) -> Iterator[tuple[int, int, str, float]]:
    at = 0
    while at < len(turn):
        text = turn[at].text
        if "@" in text and len(text) > 1:
            yield at - (at > 0 and turn[at - 1].said is Said.LETTER), at, text, _CERTAIN
            at += 1
            continue
        ends = domain(turn, at, expected, just_asked)
        if ends is None:
            at += 1
            continue
        last, sure = ends
        last = to_the_end(turn, last)
        name_end = at_sign(turn, at, sure or expected)
        if name_end is None:
            at = last + 1
            continue
        first = _name_start(turn, name_end, cue_end if cue_end <= name_end else 0, expected)
        if first == name_end and expected:
            first = _sentence_before(turn, first, cue_end)
        written = _written(turn[first:name_end]) + "@" + _written(turn[at : last + 1])
        if first < name_end:
            yield first, last, written, _CERTAIN if sure and name_end < at else _FAIR
        elif expected or sure:
            yield min(name_end, at), last, "", _FAIR if expected else _GUESS
        else:
            at += 1
            continue
        at = last + 1


def _name_start(turn: Sequence[Piece], end: int, cue_end: int, expected: bool) -> int:
    """Where the name that ends before ``end`` begins: signs, letters and digits as far as they go, plain words a few.

    Where an address is expected, all of the sentence but what leads up to it.
    """
    at, plain = end, 0
    while at > cue_end:
        piece = turn[at - 1]
        if piece.pause is Pause.HARD and at < end:
            break
        spelled_as = _letter_before(turn, at, cue_end)
        if spelled_as is not None:
            at = spelled_as
            continue
        if piece.said is Said.LETTER or piece.said in NUMBERS or piece.text in SIGNS or "." in piece.text or "_" in piece.text:
            if (
                not expected
                and piece.said is Said.LETTER
                and piece.text in ("i", "a")
                and at < end
                and turn[at].said is Said.WORD
                and turn[at].text not in SIGNS
            ):
                break
            at -= 1
            continue
        signed = (at < end and turn[at].text in SIGNS) or (at - 2 >= 0 and turn[at - 2].text in SIGNS)
        alone = at == end and piece.text in OFFICES and (at == 1 or turn[at - 2].pause is Pause.HARD or turn[at - 2].text in _NAMES)
        doubtful = piece.confidence < DOUBTFUL_BELOW
        inside = piece.text in ("the", "and", "of") and at < end and at - 2 >= cue_end and turn[at - 2].text not in ENDS
        if piece.text in ENDS and not (signed or expected or alone or doubtful or inside):
            break
        plain += 1
        if plain > (LONGEST_SENTENCE if expected else _LONGEST_NAME) and not signed:
            break
        at -= 1
    while at < end and ((turn[at].text in LEADS and turn[at].confidence >= DOUBTFUL_BELOW) or (turn[at].text in SIGNS and not expected)):
        at += 1
    return at


def _letter_before(turn: Sequence[Piece], at: int, start: int) -> int | None:
    """Where "m as in Mary", "m for Mary" begins that ends before ``at``, with one of its small words misheard at most."""
    for length, between in ((4, ("as", "in")), (3, ("for",)), (3, ("like",)), (3, ("as",))):
        first = at - length
        if first >= start and turn[first].said is Said.LETTER and turn[at - 1].said is Said.WORD:
            said = [piece.text for piece in turn[first + 1 : at - 1]]
            if sum(one == other for one, other in zip(said, between, strict=True)) >= max(len(between) - 1, 1):
                return first
    return None


def _sentence_before(turn: Sequence[Piece], end: int, cue_end: int) -> int:
    """Where the sentence before begins, if it spells something: "M Rodriguez, one nine seven four. And that's at Gmail?"."""
    last = end
    while last > cue_end and turn[last - 1].pause is not Pause.HARD:
        last -= 1
    first = last
    while first > cue_end and (first == last or turn[first - 1].pause is not Pause.HARD) and last - first < LONGEST_SENTENCE:
        first -= 1
    return first if any(piece.said is Said.LETTER or piece.said in NUMBERS for piece in turn[first:last]) else end


def _written(pieces: Sequence[Piece]) -> str:
    """What the pieces spell, without asides."""
    return "".join(SIGNS.get(piece.text, piece.text) for piece in pieces if piece.text not in ASIDES and not piece.text.isspace())
