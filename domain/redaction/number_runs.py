"""Strings of numbers as they are really read out: in groups, with "mm-hm" and "go ahead" between, over several turns.

A run ends where something else is talked about, or where a cue says that another number comes. What a run is: kinds_of_numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from domain.redaction.cues import Cue
from domain.redaction.number_words import words
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import NUMBERS, Piece, Reading, Said, Speaker
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

DOUBTFUL_BELOW = 0.8
"""A word of less confidence among digits, or beside them, may be a digit that was misheard."""

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
        """How many words of the sentence in which it begins say something else."""
        turn = self.reading.turns[self.position]
        here = next(n for n, piece in enumerate(turn) if piece.start == self.pieces[0].start)
        first = next((n for n in range(here, 0, -1) if turn[n - 1].pause is Pause.HARD), 0)
        last = next((n for n in range(here, len(turn)) if turn[n].pause is Pause.HARD), len(turn) - 1)
        return sum(1 for piece in turn[first : last + 1] if piece.said not in NUMBERS and piece.text not in SOFT)

    def part(self, places: Sequence[int]) -> "Run":
        return Run(self.reading, tuple(places))


def runs(reading: Reading, cues: Sequence[Cue]) -> tuple[Run, ...]:
    """In the order in which they begin; each is one speaker's, over what others say back in between. Linear in the words."""
    cued = _cued(reading, cues)
    counted = _counted(reading, cued)
    found: list[list[int]] = []
    going_on: dict[Speaker, list[int]] = {}
    for place, piece in enumerate(reading.pieces):
        if cued[place] > 1:
            going_on.clear()
        if piece.said not in NUMBERS or counted[place]:
            continue
        speaker = reading.speakers[piece.position]
        current = going_on.get(speaker)
        if current is None or not _bridged(reading, current[-1], place):
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
            numbers = reading.pieces[place].said in NUMBERS and place and reading.pieces[place - 1].said is Said.DIGITS
            same_turn = place and reading.pieces[place - 1].position == reading.pieces[place].position
            if not (numbers and same_turn and place == cue.first):
                cued[place] = max(cued[place], 2 if cue.strong or isinstance(cue.kind, Sensitive) else 1)
    return cued


def _counted(reading: Reading, cued: bytearray) -> bytearray:
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
        unit = unit or size or (after in _UNITS and not named and not (pieces[-1].said is Said.ORDINAL and after == "month"))
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
        elif digits == "1" and pieces[0].said is Said.DIGITS and _is_pronoun(reading, group[0], before, after):
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


def _bridged(reading: Reading, last: int, place: int) -> bool:
    """Whether only asides stand between two number pieces of a speaker: in the same turn one strange word at most (a digit misheard)."""
    pieces = reading.pieces
    ended = any(pieces[between].pause is Pause.HARD for between in range(last, place))
    if ended and pieces[place].position == pieces[last].position and place - last > 1 and len(pieces[last].text) == 4:
        return False  # a year, and another sentence
    if pieces[place].position != pieces[last].position and Said.QUANTITY in (pieces[place].said, pieces[last].said):
        return False
    if place - last - 1 > LONGEST_ASIDE or pieces[place].position - pieces[last].position > 4:
        return place - last == 1
    strange = 0
    for between in range(last + 1, place):
        piece = pieces[between]
        if piece.said not in NUMBERS and piece.text not in SOFT:
            strange += 1 if piece.pause is Pause.NONE or piece.confidence < DOUBTFUL_BELOW else 2
        elif piece.said is Said.QUANTITY:
            strange += 2
    if pieces[place].position != pieces[last].position or place - last > 4:
        return strange == 0
    misheard = sum(1 for between in range(last + 1, place) if pieces[between].confidence < DOUBTFUL_BELOW)
    return strange <= max(int(place - last <= 3), misheard)


def only_asides(run: Run) -> bool:
    """Whether the turn in which the run begins says hardly anything but numbers."""
    said = [piece.text for piece in run.reading.turns[run.position] if piece.said not in NUMBERS]
    strange = sum(1 for word in said if word not in SOFT)
    return strange <= max(int(len(said) <= 4), len(said) // 4)
