"""Reads the words of a transcript into text with digits, each character of which knows the words that said it.

"double four oh seven" becomes 4407, "forty one eleven" 4111, "march third nineteen eighty five" 3 3 1985. Amounts ("two hundred and
fifty") are read too, but stay apart from strings of digits. What a number is (a card, a price, a date of birth) is decided elsewhere.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.parties import Party
from domain.redaction.amounts import MONEY, amount, is_month, ordinal, toll_free
from domain.redaction.number_words import (
    DIGITS,
    EVERYDAY,
    HOMOPHONES,
    MONTHS,
    OH,
    PLURALS,
    TEENS,
    TENS,
    TIMES,
)
from domain.redaction.spoken_words import Pause, Token, tokens
from domain.transcripts import Turn


class Said(StrEnum):
    DIGITS = "digits"  # read out digit by digit, or in pairs
    QUANTITY = "quantity"  # an amount: hundreds, thousands, grouped by commas
    MONEY = "money"  # with a currency sign or with decimals
    ORDINAL = "ordinal"
    MONTH = "month"
    LETTER = "letter"
    WORD = "word"


DOUBTFUL_BELOW = 0.8
"""A word of less confidence among digits, or beside them, may be a digit that was misheard."""

NUMBERS = frozenset({Said.DIGITS, Said.QUANTITY, Said.ORDINAL, Said.MONTH})


@dataclass(frozen=True, slots=True)
class Piece:
    """What one or several words say together. ``text`` holds digits alone for everything that is a number (a month's number too).

    ``words`` has, for each character of ``text``, the first and the last word that say it. ``start`` is the piece's place in the text,
    ``confidence`` that of the word that is least sure.
    """

    said: Said
    text: str
    words: tuple[tuple[int, int], ...]
    position: int
    start: int
    pause: Pause
    confidence: float

    @property
    def first_word(self) -> int:
        return self.words[0][0]

    @property
    def last_word(self) -> int:
        return self.words[-1][1]


@dataclass(frozen=True, slots=True)
class Place:
    """Words of one turn, both ends included."""

    position: int
    first_word: int
    last_word: int


Speaker = tuple[Party, str | None, int | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """A conversation's text: a line for each turn, pieces separated by a space, digits that follow each other without a pause joined.

    ``turns`` holds each turn's pieces, ``speakers`` something equal for turns of the same speaker.
    """

    text: str
    pieces: tuple[Piece, ...]
    turns: tuple[tuple[Piece, ...], ...]
    starts: tuple[int, ...]
    speakers: tuple[Speaker, ...]

    def piece_at(self, character: int) -> int:
        """The place in ``pieces`` of the one that holds the character (the one before, where it is a separator)."""
        return max(bisect_right(self.starts, character) - 1, 0)

    def places(self, start: int, end: int) -> tuple[Place, ...]:
        """The words that say the text from ``start`` up to ``end``, one place for each turn that it touches."""
        found: dict[int, tuple[int, int]] = {}
        for n in range(self.piece_at(start), len(self.pieces)):
            piece = self.pieces[n]
            if piece.start >= end:
                break
            for first, last in piece.words[max(start - piece.start, 0) : end - piece.start]:
                low, high = found.get(piece.position, (first, last))
                found[piece.position] = (min(low, first), max(high, last))
        return tuple(Place(position, first, last) for position, (first, last) in sorted(found.items()))


def read(turns: Sequence[Turn]) -> Reading:
    """Linear in the words."""
    lines: list[str] = []
    by_turn: list[tuple[Piece, ...]] = []
    start = 0
    for position, turn in enumerate(turns):
        pieces: list[Piece] = []
        line: list[str] = []
        at = start
        for said, text, words, pause in _announced(list(_pieces(tokens(word.text for word in turn.words)))):
            if pieces and not (said is pieces[-1].said is Said.DIGITS and pieces[-1].pause is Pause.NONE):
                line.append(" ")
                at += 1
            confidence = min(word.confidence for word in turn.words[words[0][0] : words[-1][1] + 1])
            pieces.append(Piece(said, text, words, position, at, pause, confidence))
            line.append(text)
            at += len(text)
        by_turn.append(tuple(pieces))
        lines.append("".join(line))
        start = at + 1
    speakers = tuple((turn.role, turn.participant_sid, turn.channel) for turn in turns)
    everything = tuple(piece for pieces in by_turn for piece in pieces)
    return Reading("\n".join(lines), everything, tuple(by_turn), tuple(piece.start for piece in everything), speakers)


_Words = tuple[tuple[int, int], ...]
_Found = tuple[Said, str, _Words, Pause]


def _pieces(parts: list[Token]) -> Iterator[_Found]:
    digit = _digits_by_context(parts)
    at = 0
    while at < len(parts):
        said, text, words, used = _piece(parts, digit, at)
        yield said, text, words, parts[at + used - 1].pause
        at += used


def _announced(pieces: list[_Found]) -> Iterator[_Found]:
    """In "the last four nine one four three" the four is said apart from the digits that it announces."""
    for at, (said, text, words, pause) in enumerate(pieces):
        if said is Said.DIGITS and text in ("3", "4") and at and pieces[at - 1][1] in ("last", "first", "final") and pause is Pause.NONE:
            end = at
            while end + 1 < len(pieces) and pieces[end + 1][0] is Said.DIGITS and pieces[end][3] is Pause.NONE:
                end += 1
            if sum(len(piece[1]) for piece in pieces[at + 1 : end + 1]) == int(text):
                pause = Pause.SOFT
        yield said, text, words, pause


def _piece(parts: list[Token], digit: list[str | None], at: int) -> tuple[Said, str, _Words, int]:
    """What stands at ``at``, and how many tokens it takes."""
    token = parts[at]
    counted = amount(parts, digit, at)
    if counted:
        value, used = counted
        said = Said.MONEY if MONEY.search(token.text) else Said.QUANTITY
        return said, value, ((token.word, parts[at + used - 1].word),) * len(value), used
    free = toll_free(parts, digit, at)
    if free:
        return Said.DIGITS, free, ((token.word, parts[at + 1].word),) * 3, 2
    ranked = ordinal(parts, at)
    if ranked:
        value, used = ranked
        return Said.ORDINAL, value, ((token.word, parts[at + used - 1].word),) * len(value), used
    follows = at + 1 < len(parts) and token.pause is Pause.NONE
    repeated = _repeated(parts, digit, at) if follows else None
    if repeated:
        return Said.DIGITS, repeated, ((token.word, parts[at + 1].word),) * len(repeated), 2
    if token.text in TENS:
        if follows and parts[at + 1].text in DIGITS and DIGITS[parts[at + 1].text] != "0":
            text = TENS[token.text][0] + DIGITS[parts[at + 1].text]
            return Said.DIGITS, text, ((token.word, token.word), (parts[at + 1].word, parts[at + 1].word)), 2
        return Said.DIGITS, TENS[token.text], ((token.word, token.word),) * 2, 1
    value = digit[at] or ""
    if value:
        return Said.DIGITS, value, ((token.word, token.word),) * len(value), 1
    if is_month(parts, digit, at):
        value = str(MONTHS[token.text])
        return Said.MONTH, value, ((token.word, token.word),) * len(value), 1
    said = Said.LETTER if len(token.text) == 1 and token.text.isalpha() else Said.WORD
    return said, token.text, ((token.word, token.word),) * len(token.text), 1


def _plain(token: Token) -> str | None:
    """The digits that a token says whatever stands beside it; the tens are read with what follows."""
    return DIGITS.get(token.text) or TEENS.get(token.text) or TENS.get(token.text) or (token.text if token.text.isdecimal() else None)


def _digits_by_context(parts: list[Token]) -> list[str | None]:
    """What each token says as digits: "oh" beside a digit and homophones among digits too."""
    digit = [_plain(token) for token in parts]
    at = 0
    while at < len(parts):
        end = at
        while end < len(parts) and _may_be_digit(parts[end], digit[end]):
            end += 1
            if parts[end - 1].pause is Pause.HARD:
                break
        if end > at:
            _settle(parts, digit, at, end)
        at = max(end, at + 1)
    return digit


def _may_be_digit(token: Token, digit: str | None) -> bool:
    return digit is not None or token.text in OH or token.text in HOMOPHONES or token.text in TIMES or token.text in PLURALS


def _settle(parts: list[Token], digit: list[str | None], start: int, end: int) -> None:
    """Among the tokens from ``start`` up to ``end``, all of which may be digits, those that sound like one and are taken for one."""
    sure = [n for n in range(start, end) if digit[n] is not None]
    alike = [n for n in range(start, end) if parts[n].text in OH or parts[n].text in HOMOPHONES.keys() - EVERYDAY]
    if len(alike) >= 3 or (sure and alike and len(sure) + len(alike) >= 4):  # "ate oh oh"
        for n in alike:
            digit[n] = "0" if parts[n].text in OH else HOMOPHONES[parts[n].text]
        sure = sorted({*sure, *alike})
    if not sure:
        return
    single = sum(1 for n in sure if len(digit[n] or "") == 1 or (parts[n].text.isdecimal() and len(parts[n].text) > 2))
    long = any(parts[n].text.isdecimal() and len(parts[n].text) > 2 for n in sure)
    for n in range(start, end):
        text = parts[n].text
        if digit[n] is not None or text in TIMES or (text in PLURALS and text not in HOMOPHONES):
            continue
        inside = sure[0] < n < sure[-1]
        if text in OH:
            # "oh," at the beginning of what is said is an exclamation
            if inside or n > sure[0] or parts[n].pause is Pause.NONE:
                digit[n] = "0"
        elif inside:
            if text not in EVERYDAY or single >= 3 or (long and len(sure) > 2):
                digit[n] = HOMOPHONES[text]
        elif text not in EVERYDAY:
            if len(sure) >= 2 and single >= 2:
                digit[n] = HOMOPHONES[text]
        elif single >= 3 and ((n > sure[-1] and (end == len(parts) or parts[end - 1].pause is not Pause.NONE)) or (n < sure[0] and n == 0)):
            digit[n] = HOMOPHONES[text]


def _repeated(parts: list[Token], digit: list[str | None], at: int) -> str | None:
    """ "double four", "triple oh", "three sevens"."""
    first, second = parts[at], parts[at + 1]
    times = TIMES.get(first.text)
    if times:
        value = second.text if second.text.isdecimal() else DIGITS.get(second.text) or HOMOPHONES.get(second.text)
        value = "0" if second.text in OH else value
        return value * times if value and len(value) == 1 else None
    count = DIGITS.get(first.text, "0")
    if second.text in PLURALS and "2" <= count <= "8":
        return PLURALS[second.text] * int(count)
    return None
