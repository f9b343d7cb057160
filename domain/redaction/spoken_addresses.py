"""E-mail addresses as they are said: "j dot smith at gmail dot com", spelled letter by letter, in several turns, with a word misheard.

Whether what was put together is an address in earnest is checked elsewhere; one that is not stays found, with less confidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import Cue
from domain.redaction.number_runs import SOFT
from domain.redaction.number_words import words
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, NUMBERS, Piece, Reading, Said
from domain.redaction.spoken_words import Pause

_DOTS = frozenset({"dot", ".", "period", "point", "dots", "that", "dock", "got", "not", "dought", "dat"})
_SURE_DOTS = frozenset({"dot", ".", "period", "point"})
_ENDINGS = words("com net org edu gov us io co biz info mil ca uk me calm comm con come kom comma nut")
_CLEAR_ENDINGS = words("com net org edu gov")
_SURE_ENDINGS = words("com net org edu gov us io co biz info mil ca uk me")
_AT = frozenset({"at", "@", "arobase", "arroba", "add", "hat", "et", "ad"})
_PROVIDERS = words(
    "gmail g-mail gmails hotmail yahoo outlook icloud aol comcast verizon protonmail proton fastmail msn att sbcglobal "
    "bellsouth live mac me cox charter earthlink ymail rocketmail googlemail zoho gmx mail hey spectrum optonline juno "
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
    "is it's its my the to um uh so yes yeah okay ok sure email e-mail mail address be that that's and or send me you a on "
    "for in of well right just please can i'm i'll i've we you'll was here there's this our your it as like all no sorry "
    "correct use using under with has have by via emailed sent confirm read reading back got great perfect thanks thank then "
    "spell spelled would should again oh um, good best one's it'll hi hello us online web website out more found site page "
    "visit go find info reach "
)
_ASIDES = words("um uh er and then that's all one word lowercase lower case capital as in like for the letter so it's okay yes")

_REACH = 6
_LONGEST_NAME = 5
_LONGEST_SENTENCE = 10
_MISHEARD = 2
_SHORT_ANSWER = 3
_LEADS = words(
    "it's its is it that's um uh so yes yeah yep sure okay ok well and my email e-mail address be use to send would should just sorry no "
)
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
        cue_end = named.get(position, -1) - offset + 1 if position in named else 0
        in_turn = list(_in_turn(turn, expected, cue_end, position - asked[position] <= 2))
        for first, last, written, sure in in_turn:
            nameless = expected and (turn[first].text in _AT or not written)
            before = list(_name_before(reading, position)) if nameless else list(_begun(reading, asked[position], position, found))
            places = [(place_of_turn[earlier] + low, place_of_turn[earlier] + high) for earlier, low, high in before]
            found.append(Address((*places, (offset + first, offset + last)), written, sure, asked[position]))
        if expected and not in_turn:
            at_once = position == asked[position] + 1 and reading.speakers[position] != reading.speakers[position - 1]
            spelled = _spelled(turn, cue_end) or (_unheard(turn) if at_once else None)
            if spelled:
                first, last = spelled
                found.append(
                    Address(((offset + first, offset + last),), "", _FAIR if _has_sign(turn[first : last + 1]) else _GUESS, asked[position])
                )
    return tuple(found)


def _last_cues(cues: Sequence[Cue]) -> dict[int, int]:
    """Of each turn in which an address is named, the last piece of the last cue for it."""
    return {cue.position: cue.last for cue in cues if cue.kind is Sensitive.EMAIL}


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
            yield at, at, text, _CERTAIN
            at += 1
            continue
        domain = _domain(turn, at, expected, just_asked)
        if domain is None:
            at += 1
            continue
        last, sure = domain
        last = _to_the_end(turn, last)
        name_end = _at_sign(turn, at, sure or expected)
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
        at = last + 1


def _domain(turn: Sequence[Piece], at: int, expected: bool, just_asked: bool) -> tuple[int, bool] | None:
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
            if provider and at and turn[at - 1].text in _AT:
                return end, expected
    # any other name: one to four words or letters after "at"
    if (at and turn[at - 1].text in ("at", "@")) or (expected and at and turn[at - 1].text in _AT):
        for end in range(at, min(at + 9, len(turn) - 2)):
            if turn[end + 1].text in _SURE_DOTS and turn[end + 2].text in _ENDINGS:
                more = end + 2
                while more + 2 < len(turn) and turn[more + 1].text in _SURE_DOTS and turn[more + 2].text in _ENDINGS:
                    more += 2
                return more, False
            if turn[end].pause is Pause.HARD or (
                turn[end].text in _ENDS and turn[end].text not in ("the", "my", "all", "of", "a", "in", "and")
            ):
                break
            if expected and end - at < 3 and turn[end + 1].text in _DOTS and turn[end + 2].text in _SURE_ENDINGS:
                return end + 2, True
    if (
        expected
        and just_asked
        and at + 2 < len(turn)
        and turn[at + 1].text in _SURE_DOTS
        and turn[at + 2].text in _SURE_ENDINGS - {"me", "us", "co"}
    ):
        return at + 2, False
    return None


def _to_the_end(turn: Sequence[Piece], last: int) -> int:
    """With what is said right behind and may belong to it: an ending, or a word that recognition was not sure of."""
    for _ in range(_MISHEARD):
        if last + 1 < len(turn) and turn[last].pause is not Pause.HARD:
            following = turn[last + 1]
            last += following.text in _CLEAR_ENDINGS or following.confidence < DOUBTFUL_BELOW
    return last


def _at_sign(turn: Sequence[Piece], at: int, sure: bool) -> int | None:
    """Where the name before a domain ends (exclusively): before the "at", or right before the domain where that was lost."""
    if at and turn[at - 1].text in _AT:
        return at - 1
    if sure:
        return at
    return None


def _name_start(turn: Sequence[Piece], end: int, cue_end: int, expected: bool) -> int:
    """Where the name that ends before ``end`` begins: signs, letters and digits as far as they go, plain words a few.

    Where an address is expected, all of the sentence but what leads up to it.
    """
    at, plain = end, 0
    while at > cue_end:
        piece = turn[at - 1]
        if piece.pause is Pause.HARD and at < end:
            break
        if piece.said is Said.LETTER or piece.said in NUMBERS or piece.text in _SIGNS or "." in piece.text or "_" in piece.text:
            if (
                not expected
                and piece.said is Said.LETTER
                and piece.text in ("i", "a")
                and at < end
                and turn[at].said is Said.WORD
                and turn[at].text not in _SIGNS
            ):
                break
            at -= 1
            continue
        signed = (at < end and turn[at].text in _SIGNS) or (at - 2 >= 0 and turn[at - 2].text in _SIGNS)
        if piece.text in _ENDS and not signed and not expected and not (at > 2 and turn[at - 2].text == "in" and turn[at - 3].text == "as"):
            break
        plain += 1
        if plain > (_LONGEST_SENTENCE if expected else _LONGEST_NAME) and not signed:
            break
        at -= 1
    while at < end and (turn[at].text in _LEADS or (turn[at].text in _SIGNS and not expected)):
        at += 1
    return at


def _sentence_before(turn: Sequence[Piece], end: int, cue_end: int) -> int:
    """Where the sentence before begins, if it spells something: "M Rodriguez, one nine seven four. And that's at Gmail?"."""
    last = end
    while last > cue_end and turn[last - 1].pause is not Pause.HARD:
        last -= 1
    first = last
    while first > cue_end and (first == last or turn[first - 1].pause is not Pause.HARD) and last - first < _LONGEST_SENTENCE:
        first -= 1
    return first if any(piece.said is Said.LETTER or piece.said in NUMBERS for piece in turn[first:last]) else end


def _spelled(turn: Sequence[Piece], start: int) -> tuple[int, int] | None:
    """The part of a turn that spells though no domain is heard: three letters and more, a sign between words, or an end like "… dot com"."""
    letters = [n for n in range(start, len(turn)) if turn[n].said is Said.LETTER and _is_spelled(turn, n)]
    signs = [n for n in range(start + 1, len(turn)) if _joins(turn, n)]
    ends = [n for n in range(start + 1, len(turn)) if turn[n].text in _CLEAR_ENDINGS and turn[n - 1].text in _DOTS]
    if len(letters) < 3 and not signs and not ends:
        return None
    evidence = [*letters, *signs, *ends]
    first, last = min(evidence), max(evidence)
    before = next((n for n in range(first, start, -1) if turn[n - 1].pause is Pause.HARD), start)
    after = next((n for n in range(last, len(turn)) if turn[n].pause is Pause.HARD), len(turn) - 1)
    first = before if first - before <= _LONGEST_SENTENCE else max(first - 2, start)
    last = after if after - last <= _LONGEST_NAME else last + 1
    while first < min(evidence) and turn[first].text in _LEADS:
        first += 1
    return first, last


def _unheard(turn: Sequence[Piece]) -> tuple[int, int] | None:
    """A short answer of which recognition was not sure."""
    said = [n for n, piece in enumerate(turn) if piece.text not in SOFT and piece.text not in _LEADS]
    unsure = any(turn[n].confidence < DOUBTFUL_BELOW for n in said)
    return (said[0], said[-1]) if unsure and len(said) <= _SHORT_ANSWER else None


def _joins(turn: Sequence[Piece], at: int) -> bool:
    """Whether a "dot" or "underscore" stands between two words of a name."""
    sign = turn[at].text in _SIGNS and turn[at].text not in ("point", "period", "minus", "plus")
    alone = any(piece.text in _ENDS or piece.text in ("no", "with") for piece in (turn[at - 1], *turn[at + 1 : at + 2]))
    return sign and not alone and turn[at - 1].pause is not Pause.HARD


def _is_spelled(turn: Sequence[Piece], at: int) -> bool:
    """Letters that are words too are spelled beside others alone."""
    beside = any(0 <= n < len(turn) and turn[n].said is Said.LETTER for n in (at - 1, at + 1))
    return turn[at].text not in ("i", "a", "o") or beside


def _has_sign(pieces: Sequence[Piece]) -> bool:
    return any(piece.text in _SIGNS for piece in pieces)


def _written(pieces: Sequence[Piece]) -> str:
    """What the pieces spell, without asides."""
    return "".join(_SIGNS.get(piece.text, piece.text) for piece in pieces if piece.text not in _ASIDES and not piece.text.isspace())
