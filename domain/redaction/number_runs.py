"""Strings of numbers as they are really read out: in groups, with "mm-hm" and "go ahead" between, over several turns.

A run ends where something else is talked about, or where a cue says that another number comes. What a run is: kinds_of_numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from domain.redaction.counted import counted_pieces
from domain.redaction.cues import Cue
from domain.redaction.number_words import words
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, NUMBERS, Piece, Reading, Said, Speaker
from domain.redaction.spoken_words import Pause

SOFT = words(
    "/ um uh er erm ah hm hmm mm mhm mm-hm mm-hmm uh-huh mhmm uh-hm huh oh ok okay yes yeah yep yup right sure got gotcha it "
    "it's its that's that is so go ahead and then next continue please well let me see sorry no wait hold on one sec second "
    "moment just a an the perfect great thanks thank you correct again repeat all ready i'm i am i've alright dash hyphen "
    "minus space slash of in to from with was my bad actually rather ends ending starts starting what what's after finally "
    "followed by keep going listening here there you're still have last first other number numbers digit digits group rest "
    "remaining more set four three two comma good read reads reading back for make sorry, pardon say said meant mean scratch "
    "not nope copy noted mm-kay fine lovely okey cool bear but be would your are do take time need ma'am sir we writing down "
    "typing catch didn't missed missing part bit can could did get this at like or should double triple exactly slowly slower "
    "once too yet up end middle beginning month day year "
)
"""Words that may stand between the groups of one number."""


_NO_CODE = words("a i o k u r x")
"""Letters that are words, too, or stand for a digit that is not told."""


_AS_PHONE = (3, 3, 4)

LONGEST_ASIDE = 12
"""Words between two groups of one number, at most."""


@dataclass(frozen=True)
class Run:
    """``places`` are the number pieces' places in Reading.pieces, in order."""

    reading: Reading
    places: tuple[int, ...]

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(self.reading.pieces[place] for place in self.places)

    @cached_property
    def digits(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def first(self) -> int:
        return self.places[0]

    @property
    def last(self) -> int:
        return self.places[-1]

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The places that are said in one breath: no pause and no word between them."""
        found: list[list[int]] = []
        for place in self.places:
            before = self.reading.pieces[found[-1][-1]] if found else None
            if (
                before
                and found[-1][-1] == place - 1
                and before.pause is Pause.NONE
                and before.position == self.reading.pieces[place].position
            ):
                found[-1].append(place)
            else:
                found.append([place])
        return tuple(tuple(group) for group in found)

    @cached_property
    def only_digits(self) -> bool:
        return all(piece.said is Said.DIGITS for piece in self.pieces)

    @cached_property
    def mostly_digits(self) -> bool:
        """Whether hardly anything but digits was read out: "seventy one hundred" among them is 7100, an ordinal a digit misheard."""
        digits = sum(piece.said is Said.DIGITS for piece in self.pieces)
        others = sum(piece.said is Said.ORDINAL or (piece.said is Said.QUANTITY and len(piece.text) <= 4) for piece in self.pieces[1:])
        others += self.pieces[0].said is Said.QUANTITY and len(self.pieces[0].text) == 3 and digits >= 5
        others += self.pieces[0].said is Said.ORDINAL and self.pieces[0].confidence < DOUBTFUL_BELOW
        return digits + others == len(self.pieces) and (not others or digits >= 3 * others)

    @property
    def position(self) -> int:
        """The turn in which it begins."""
        return self.pieces[0].position

    @property
    def speaker(self) -> Speaker:
        return self.reading.speakers[self.position]

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """How many digits each group has."""
        return tuple(sum(len(self.reading.pieces[place].text) for place in group) for group in self.groups)

    @cached_property
    def lead(self) -> int:
        """How many words of the turn before the number say something else."""
        return sum(1 for word in self._before if word not in SOFT)

    @cached_property
    def _before(self) -> tuple[str, ...]:
        turn = self.reading.turns[self.position]
        return tuple(piece.text for piece in turn if piece.start < self.pieces[0].start and piece.said not in NUMBERS)

    @cached_property
    def strange(self) -> int:
        """How many words of the sentence in which it begins surely say something else."""
        turn = self.reading.turns[self.position]
        here = next(n for n, piece in enumerate(turn) if piece.start == self.pieces[0].start)
        first = next((n for n in range(here, 0, -1) if turn[n - 1].pause is Pause.HARD), 0)
        last = next((n for n in range(here, len(turn)) if turn[n].pause is Pause.HARD), len(turn) - 1)
        sure = [piece for piece in turn[first : last + 1] if piece.confidence >= DOUBTFUL_BELOW]
        return sum(1 for piece in sure if piece.said not in NUMBERS and piece.text not in SOFT)

    @cached_property
    def coded(self) -> bool:
        """Whether a letter that was surely heard stands among its digits or right beside them, as in the numbers of parcels and parts.

        Or whether it is a range, or has decimals.
        """
        pieces = self.reading.pieces
        if any(pieces[place].text in ("through", "point") and not _doubtful(pieces[place]) for place in range(self.first, self.last)):
            return True
        ends = [(self.first - 1, self.first), (self.last, self.last + 1)]
        beside = [one for one in ends if one[0] >= 0 and one[1] < len(pieces) and _together(pieces[one[0]], pieces[one[1]])]
        around = {place for pair in beside for place in pair}.union(range(self.first, self.last + 1))
        first = self.first - 1
        spelled = (
            first > 0
            and all(pieces[place].said is Said.LETTER for place in (first, first - 1))
            and _together(pieces[first], pieces[self.first])
        )
        return spelled or any(
            pieces[place].said is Said.LETTER and pieces[place].text not in _NO_CODE and not _doubtful(pieces[place]) for place in around
        )

    def part(self, places: Sequence[int]) -> "Run":
        return Run(self.reading, tuple(places))


def runs(reading: Reading, cues: Sequence[Cue]) -> tuple[Run, ...]:
    """In the order in which they begin; each is one speaker's, over what others say back in between. Linear in the words."""
    cued = _cued(reading, cues)
    counted = counted_pieces(reading, cued)
    found: list[list[int]] = []
    going_on: dict[Speaker, list[int]] = {}
    for place, piece in enumerate(reading.pieces):
        if cued[place] > 1:
            going_on.clear()
        if piece.said not in NUMBERS or counted[place]:
            continue
        speaker = reading.speakers[piece.position]
        current = going_on.get(speaker)
        if current is None or not _bridged(reading, current[-1], place) or _whole_phone(reading, current, piece.position):
            current = going_on[speaker] = []
            found.append(current)
        current.append(place)
    return tuple(Run(reading, tuple(places)) for places in found)


def _cued(reading: Reading, cues: Sequence[Cue]) -> bytearray:
    """Which pieces belong to a cue (2: one that begins something else).

    Numbers do ("the last three on the back") unless another number stands right before.
    """
    cued = bytearray(len(reading.pieces))
    for cue in cues:
        for place in range(cue.first, cue.last + 1):
            numbers = reading.pieces[place].said in NUMBERS and place and _digit_before(reading, place)
            same_turn = place and reading.pieces[place - 1].position == reading.pieces[place].position
            if not (numbers and same_turn and place == cue.first):
                cued[place] = max(cued[place], 2 if cue.strong or isinstance(cue.kind, Sensitive) else 1)
    return cued


def _digit_before(reading: Reading, place: int) -> bool:
    """Whether a digit stands before the piece, with a word that was misheard between them at most."""
    one, other = reading.pieces[place - 1], reading.pieces[max(place - 2, 0)]
    return one.said is Said.DIGITS or (_doubtful(one) and other.said is Said.DIGITS and other.position == one.position)


def _together(one: Piece, other: Piece) -> bool:
    return one.position == other.position and one.pause is not Pause.HARD


def _doubtful(piece: Piece) -> bool:
    return piece.confidence < DOUBTFUL_BELOW


def _bridged(reading: Reading, last: int, place: int) -> bool:
    """Whether only asides stand between two number pieces of a speaker: in the same turn one strange word at most (a digit misheard)."""
    pieces = reading.pieces
    ended = any(pieces[between].pause is Pause.HARD for between in range(last, place))
    if ended and pieces[place].position == pieces[last].position and place - last > 1 and len(pieces[last].text) == 4:
        return False  # a year, and another sentence
    said_else = any(piece.said not in NUMBERS and piece.text not in SOFT for piece in pieces[last + 1 : place])
    in_order = pieces[last].said is Said.ORDINAL and pieces[place].said is Said.DIGITS
    if in_order and (said_else or ended) and not _dated(reading, last):
        return False  # "first Horizon: zero eight four"
    if ended and pieces[place].said is Said.ORDINAL and pieces[last].said is Said.DIGITS and pieces[place].confidence >= DOUBTFUL_BELOW:
        return False  # "eight three one. And can you do the fifteenth?"
    if pieces[place].position != pieces[last].position and Said.QUANTITY in (pieces[place].said, pieces[last].said):
        return False
    if place - last - 1 > LONGEST_ASIDE or pieces[place].position - pieces[last].position > 4:
        return place - last == 1
    strange = 0
    for between in range(last + 1, place):
        piece = pieces[between]
        if piece.said not in NUMBERS and piece.text not in SOFT and not _reads_back(reading, piece.position, (last, place)):
            strange += 1 if piece.pause is Pause.NONE or piece.confidence < DOUBTFUL_BELOW else 2
        elif piece.said is Said.QUANTITY:
            strange += 2
    if pieces[place].position != pieces[last].position or place - last > 4:
        return strange == 0
    misheard = sum(1 for between in range(last + 1, place) if pieces[between].confidence < DOUBTFUL_BELOW)
    return strange <= max(int(place - last <= 3), misheard)


def _whole_phone(reading: Reading, places: Sequence[int], position: int) -> bool:
    """Whether a phone number is said that far, in three, three and four, and what follows is another turn's."""
    if reading.pieces[places[-1]].position == position:
        return False
    return _AS_PHONE in (Run(reading, tuple(places)).lengths, tuple(len(reading.pieces[place].text) for place in places))


def _dated(reading: Reading, place: int) -> bool:
    """Whether a month stands right beside the ordinal."""
    around = reading.pieces[max(place - 2, 0) : place + 4]
    return any(piece.said is Said.MONTH for piece in around) or reading.pieces[place].confidence < DOUBTFUL_BELOW


def _reads_back(reading: Reading, position: int, ends: tuple[int, int]) -> bool:
    """Whether it is a turn in between that says hardly anything but digits: what was heard as a word there was one."""
    if position in (reading.pieces[ends[0]].position, reading.pieces[ends[1]].position):
        return False
    turn = reading.turns[position]
    return len(turn) <= LONGEST_ASIDE and 3 * sum(piece.said is Said.DIGITS for piece in turn) >= 2 * len(turn)


def only_asides(run: Run) -> bool:
    """Whether the turn in which the run begins says hardly anything but numbers."""
    said = [piece.text for piece in run.reading.turns[run.position] if piece.said not in NUMBERS]
    strange = sum(1 for word in said if word not in SOFT)
    return strange <= max(int(len(said) <= 4), len(said) // 4)
