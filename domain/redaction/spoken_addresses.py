"""E-mail addresses as they are said: "j dot smith at gmail dot com", spelled letter by letter, in several turns, with a word misheard.

Whether what was put together is an address in earnest is checked elsewhere; one that is not stays found, with less confidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import Cue
from domain.redaction.number_words import words
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import NUMBERS, Pause, Piece, Reading, Said

_DOTS = frozenset({"dot", ".", "period", "point", "dots", "that", "dock", "got", "not", "dought", "dat"})
_SURE_DOTS = frozenset({"dot", ".", "period", "point"})
_ENDINGS = words("com net org edu gov us io co biz info mil ca uk me calm comm con come kom comma nut")
_SURE_ENDINGS = words("com net org edu gov us io co biz info mil ca uk me")
_AT = frozenset({"at", "@", "add", "hat", "et", "ad"})
_PROVIDERS = words(
    "gmail g-mail gmails hotmail yahoo outlook icloud aol comcast verizon protonmail proton fastmail msn att sbcglobal bellsouth live mac me cox"
    " charter earthlink ymail rocketmail googlemail zoho gmx mail hey spectrum optonline juno"
)
_SURE_PROVIDERS = _PROVIDERS - words("live mac me mail hey spectrum charter cox proton att")
_SIGNS = {
    "dot": ".",
    "period": ".",
    "point": ".",
    "underscore": "_",
    "dash": "-",
    "hyphen": "-",
    "minus": "-",
    "plus": "+",
    "_": "_",
    "+": "+",
    "-": "-",
}
_ENDS = words(
    "is it's its my the to um uh so yes yeah okay ok sure email e-mail mail address be that that's and or send me you a on for in of well right just"
    " please can i'm i'll i've we you'll was here there's this our your it as like all no sorry correct use using under with has have by via"
    " emailed sent confirm read reading back got great perfect thanks thank then spell spelled would should again oh um, good best one's it'll hi hello"
)
_ASIDES = words("um uh er and then that's all one word lowercase lower case capital as in like for the letter so it's okay yes")

_REACH = 6
_LONGEST_NAME = 5
_CERTAIN, _FAIR, _GUESS = 0.9, 0.7, 0.5


@dataclass(frozen=True, slots=True)
class Address:
    """``places`` are pieces of the reading, first to last of each turn; ``written`` is what they spell."""

    places: tuple[tuple[int, int], ...]
    written: str
    confidence: float


def addresses(reading: Reading, cues: Sequence[Cue]) -> tuple[Address, ...]:
    """Linear in the words."""
    asked = _asked(cues)
    place_of_turn = list(accumulate((len(turn) for turn in reading.turns), initial=0))
    found: list[Address] = []
    for position, turn in enumerate(reading.turns):
        offset = place_of_turn[position]
        expected = any(position - near in asked for near in range(_REACH + 1))
        in_turn = list(_in_turn(turn, expected))
        found.extend(Address(((offset + first, offset + last),), written, sure) for first, last, written, sure in in_turn)
        if expected and not in_turn:
            spelled = _spelled(turn)
            if spelled:
                first, last = spelled
                found.append(Address(((offset + first, offset + last),), "", _FAIR if _has_sign(turn[first : last + 1]) else _GUESS))
    return tuple(found)


def _asked(cues: Sequence[Cue]) -> frozenset[int]:
    """The turns in which an address is asked for or announced, and nothing else that is spelled after it."""
    last: dict[int, Cue] = {}
    for cue in cues:
        if cue.kind in (Sensitive.EMAIL, Harmless.NAME):
            last[cue.position] = cue
    return frozenset(position for position, cue in last.items() if cue.kind is Sensitive.EMAIL)


def _in_turn(turn: Sequence[Piece], expected: bool) -> Iterator[tuple[int, int, str, float]]:
    at = 0
    while at < len(turn):
        text = turn[at].text
        if "@" in text and len(text) > 1:
            yield at, at, text, _CERTAIN
            at += 1
            continue
        domain = _domain(turn, at, expected)
        if domain is None:
            at += 1
            continue
        last, sure = domain
        name_end = _at_sign(turn, at, sure or expected)
        if name_end is None:
            at = last + 1
            continue
        first = _name_start(turn, name_end)
        written = _written(turn[first:name_end]) + "@" + _written(turn[at : last + 1])
        if first < name_end:
            yield first, last, written, _CERTAIN if sure and name_end < at else _FAIR
        elif expected or sure:
            yield min(name_end, at), last, "", _FAIR if expected else _GUESS
        at = last + 1


def _domain(turn: Sequence[Piece], at: int, expected: bool) -> tuple[int, bool] | None:
    """Where a domain that begins at ``at`` ends, and whether it is certainly one of a mail address."""
    text = turn[at].text
    name, dot, ending = text.rpartition(".")
    if dot and name and ending in _SURE_ENDINGS:
        return at, name in _SURE_PROVIDERS
    if text in _PROVIDERS or text in ("g", "i", "hot", "proton", "a"):
        end = at
        if text in ("g", "i", "hot", "proton") and at + 1 < len(turn) and turn[at + 1].text in ("mail", "cloud", "male"):
            end = at + 1
        elif text == "a" and [piece.text for piece in turn[at + 1 : at + 3]] == ["o", "l"]:
            end = at + 2
        elif text not in _PROVIDERS:
            end = -1
        if end >= 0:
            provider = end > at or text in _SURE_PROVIDERS
            if end + 2 < len(turn) and turn[end + 1].text in _DOTS and turn[end + 2].text in _ENDINGS:
                return end + 2, provider
            if end + 1 < len(turn) and turn[end + 1].text in _ENDINGS and provider:
                return end + 1, provider
            if end + 2 < len(turn) and turn[end + 1].text in _SURE_DOTS and provider and turn[end].pause is Pause.NONE:
                return end + 2, provider
            if provider and (expected or (at and turn[at - 1].text in _AT)):
                return end, expected
    # any other name: one to four words or letters after "at"
    if (at and turn[at - 1].text in ("at", "@")) or (expected and at and turn[at - 1].text in _AT):
        for end in range(at, min(at + 9, len(turn) - 2)):
            if turn[end + 1].text in _SURE_DOTS and turn[end + 2].text in _ENDINGS:
                more = end + 2
                while more + 2 < len(turn) and turn[more + 1].text in _SURE_DOTS and turn[more + 2].text in _ENDINGS:
                    more += 2
                return more, True
            if turn[end].pause is Pause.HARD or (
                turn[end].text in _ENDS and turn[end].text not in ("the", "my", "all", "of", "a", "in", "and")
            ):
                break
            if expected and end - at < 3 and turn[end + 1].text in _DOTS and turn[end + 2].text in _SURE_ENDINGS:
                return end + 2, True
    if expected and at + 2 < len(turn) and turn[at + 1].text in _SURE_DOTS and turn[at + 2].text in _SURE_ENDINGS - {"me", "us", "co"}:
        return at + 2, False
    return None


def _at_sign(turn: Sequence[Piece], at: int, sure: bool) -> int | None:
    """Where the name before a domain ends (exclusively): before the "at", or right before the domain where that was lost."""
    if at and turn[at - 1].text in _AT:
        return at - 1
    if sure:
        return at
    return None


def _name_start(turn: Sequence[Piece], end: int) -> int:
    """Where the name that ends before ``end`` begins: signs, letters and digits as far as they go, plain words a few."""
    at, plain = end, 0
    while at > 0:
        piece = turn[at - 1]
        if piece.pause is Pause.HARD and at < end:
            break
        if piece.said is Said.LETTER or piece.said in NUMBERS or piece.text in _SIGNS or "." in piece.text or "_" in piece.text:
            if (
                piece.said is Said.LETTER
                and piece.text in ("i", "a")
                and at < end
                and turn[at].said is Said.WORD
                and turn[at].text not in _SIGNS
            ):
                break
            at -= 1
            continue
        if at > 1 and turn[at - 2].text == "in" and at > 2 and turn[at - 3].text == "as":
            at -= 3
            continue
        if piece.text in ("one", "word", "all", "lowercase", "case", "lower") and at < end:
            at -= 1
            continue
        if piece.text in _ENDS and not (at - 2 >= 0 and turn[at - 2].text in _SIGNS):
            break
        plain += 1
        signed = (at < end and turn[at].text in _SIGNS) or (at - 2 >= 0 and turn[at - 2].text in _SIGNS)
        if plain > _LONGEST_NAME and not signed:
            break
        at -= 1
    while at < end and (turn[at].text in _SIGNS or turn[at].text in ("all", "one", "word")) and at + 1 < end:
        at += 1
    return at


def _spelled(turn: Sequence[Piece]) -> tuple[int, int] | None:
    """The part of a turn that spells: three letters and more, or a word with "dot" or "underscore" beside it."""
    spelling = [
        n
        for n, piece in enumerate(turn)
        if (piece.said is Said.LETTER and piece.text not in ("i", "a")) or piece.text in _SIGNS or piece.said is Said.DIGITS
    ]
    letters = [n for n in spelling if turn[n].said is Said.LETTER]
    signs = [n for n in spelling if turn[n].text in _SIGNS and turn[n].text != "point"]
    if len(letters) < 3 and not signs:
        return None
    first, last = spelling[0], spelling[-1]
    while first > 0 and (turn[first].text in _SIGNS or turn[first - 1].said is Said.LETTER) and turn[first - 1].text not in _ENDS:
        first -= 1
    while (
        last + 1 < len(turn)
        and (turn[last].text in _SIGNS or turn[last + 1].said is Said.LETTER)
        and turn[last + 1].text not in _ENDS - _ASIDES
    ):
        last += 1
    return first, last


def _has_sign(pieces: Sequence[Piece]) -> bool:
    return any(piece.text in _SIGNS for piece in pieces)


def _written(pieces: Sequence[Piece]) -> str:
    """What the pieces spell, without asides."""
    return "".join(_SIGNS.get(piece.text, piece.text) for piece in pieces if piece.text not in _ASIDES and not piece.text.isspace())
