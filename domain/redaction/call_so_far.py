"""What of a conversation is known at some point of it: the cues, what was found, the card number that is being read out."""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import PAYMENT_AHEAD, PAYMENT_REACH, Cue, near, pays
from domain.redaction.number_runs import Run
from domain.redaction.shapes import CARD_DATA, Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, Reading, Speaker

CARD_GOES_ON = 6
"""Turns without a digit after which a card number that was begun is not gone on with."""

_OF_A_CARD = CARD_DATA | {Sensitive.EXPIRY_DATE}
_ROUTING = 9
_IN_A_TURN = 8
_BANK_REACH = 8
_NAMED = 10
_REMEMBERED = 24


@dataclass(frozen=True, slots=True)
class Find:
    """``places`` are pieces of the reading. ``entity`` is the same for the parts of one value, ``expected`` how many digits it has (0: not known)."""

    kind: Sensitive
    entity: int
    places: tuple[int, ...]
    confidence: float
    expected: int = 0


@dataclass
class Card:
    """The card number that was read out last: by whom, up to which turn and piece, and its digits so far (read back ones do not count)."""

    speaker: Speaker
    position: int
    digits: str
    entity: int
    last: int

    @property
    def complete(self) -> bool:
        return len(self.digits) >= self.length

    @property
    def length(self) -> int:
        return 15 if self.digits[0] == "3" else 16


@dataclass
class Call:
    """``used`` tells of each cue (by its place in ``cues``) how many digits were found for it."""

    reading: Reading
    cues: Sequence[Cue]
    finds: list[Find] = field(default_factory=list)
    used: dict[int, int] = field(default_factory=dict)
    card: Card | None = None
    runs_before: int = -1

    def __post_init__(self) -> None:
        self.firsts = [cue.first for cue in self.cues]
        self._payments = [cue.position for cue in self.cues if pays(cue)]
        self._banks = [cue.position for cue in self.cues if cue.kind is Sensitive.BANK_ACCOUNT and cue.strong]
        self._positions: dict[Sensitive | Harmless, list[int]] = {}
        for cue in self.cues:
            self._positions.setdefault(cue.kind, []).append(cue.position)
        self._by_turn = [cue.position for cue in self.cues]
        self._entity = 0
        self._of_cue: dict[tuple[Sensitive, int | None], int] = {}
        self._known: deque[tuple[str, Sensitive | None, int, int]] = deque(maxlen=_REMEMBERED)

    def add(self, kind: Sensitive, run: Run, confidence: float, cue: int | None = None) -> None:
        """What answers one cue (by its place in ``cues``) is one value, and so is what is said again."""
        entity = self._card_entity(run) if kind is Sensitive.CARD_NUMBER else self._again(kind, run) or self._of_cue.get((kind, cue))
        entity = entity or self.next_entity()
        if cue is not None:
            self._of_cue[kind, cue] = entity
        routing = cue is not None and any(word in self.cues[cue].text for word in ("routing", "aba", "a b a", "transit"))
        self.finds.append(Find(kind, entity, run.places, confidence, _ROUTING if routing and len(run.digits) <= _ROUTING else 0))
        self.remember(kind, run, entity)

    def next_entity(self) -> int:
        self._entity += 1
        return self._entity

    def _again(self, kind: Sensitive, run: Run) -> int | None:
        lately = (one for one in reversed(self._known) if one[1] is kind and run.position - one[2] <= CARD_GOES_ON)
        return next((entity for known, _, _, entity in lately if len(run.digits) >= 3 and run.digits in known), None)

    def remember(self, kind: Sensitive | None, run: Run, entity: int = 0) -> None:
        """None: it was something harmless."""
        if len(run.digits) >= 3:
            self._known.append((run.digits, kind, run.pieces[-1].position, entity))

    def _card_entity(self, run: Run) -> int:
        last = run.pieces[-1].position
        card = self.card
        if card and run.position - card.position <= CARD_GOES_ON:
            if card.speaker != run.speaker:  # read back
                card.position, card.last = last, run.last
                return card.entity
            if not card.complete:
                card.digits, card.position, card.last = card.digits + run.digits, last, run.last
                return card.entity
        self.card = Card(run.speaker, last, run.digits, self.next_entity(), run.last)
        return self.card.entity

    def said_before(self, run: Run) -> tuple[bool, Sensitive | None]:
        """Whether a number is read back, or a part of it said again, and what it was (None: something harmless)."""
        digits = run.digits
        for known, kind, at, _ in reversed(self._known):
            whole = digits == known and run.position - at <= 6 and len(digits) >= 3
            part = len(digits) >= 4 and (digits in known or (known in digits and len(known) >= 4)) and kind is not Sensitive.EXPIRY_DATE
            if whole or part or _alike(digits, known):
                return True, kind
        return False, None

    def paying(self, position: int) -> bool:
        """Whether a card is talked about in the turns around ``position``."""
        return near(self._payments, position, PAYMENT_REACH, PAYMENT_AHEAD) or (
            (self.card is not None and position - self.card.position <= PAYMENT_REACH) or position - self.last_card_data() <= CARD_GOES_ON
        )

    def banking(self, position: int) -> bool:
        return near(self._banks, position, _BANK_REACH, 2)

    def given(self, kind: Sensitive, position: int) -> bool:
        """Whether such a value was found in the last turns."""
        pieces = self.reading.pieces
        return any(find.kind is kind and position - pieces[find.places[-1]].position <= CARD_GOES_ON for find in self.finds[-4:])

    def gives(self, position: int) -> bool:
        """Whether something of a card was read out in this turn."""
        pieces = self.reading.pieces
        return (self.card is not None and self.card.speaker == self.reading.speakers[position]) or any(
            find.kind in _OF_A_CARD and pieces[find.places[0]].position == position for find in self.finds
        )

    def unanswered(self, kind: Sensitive, position: int) -> bool:
        """Whether such a thing is asked for in that turn, and was not given."""
        at = bisect_left(self._by_turn, position)
        cues = enumerate(self.cues[at : at + _IN_A_TURN], at)
        return any(cue.kind is kind and cue.strong and cue.position == position and not self.used.get(n) for n, cue in cues)

    def card_meant(self, run: Run) -> bool:
        """Whether digits at a payment begin as cards do, and are as many, or the card's number was not given yet."""
        return self.paying(run.position) and run.digits[0] in "3456" and (self.card is None or len(run.digits) >= 13)

    def reading_card(self, run: Run) -> bool:
        """Whether a card's number was begun, is not whole, and nothing else of the card was asked for or named since."""
        card = self.card
        if card is None or card.complete or card.speaker != run.speaker or run.position - card.position > CARD_GOES_ON:
            return False
        since = self.cues[bisect_left(self.firsts, card.last) : bisect_left(self.firsts, run.first)]
        return not any(cue.kind in (Sensitive.SECURITY_CODE, Sensitive.EXPIRY_DATE) for cue in since)

    def reading_back(self, run: Run) -> bool:
        """Whether somebody else just said a part of a card's number, and these digits say it again."""
        card = self.card
        if card is None or card.complete or card.speaker == run.speaker or run.position - card.position > 1:
            return False
        since = self.cues[bisect_left(self.firsts, card.last) : bisect_left(self.firsts, run.first)]
        return not any(cue.kind in (Sensitive.SECURITY_CODE, Sensitive.EXPIRY_DATE) for cue in since)

    def last_named(self, run: Run) -> Sensitive | None:
        """The last thing that was named by then, however loosely."""
        at = bisect_left(self.firsts, run.first)
        kinds = (cue.kind for cue in reversed(self.cues[max(at - 6, 0) : at]))
        return next((kind for kind in kinds if isinstance(kind, Sensitive)), None)

    def first_of(self, turn: int) -> int:
        """The place of a turn's first piece."""
        return bisect_left(self.reading.starts, self.reading.turns[turn][0].start)

    def named(self, kind: Sensitive, position: int) -> bool:
        """Whether such a thing was spoken of in the turns before."""
        return near(self._positions.get(kind, ()), position, _NAMED, 0)

    def last_card_data(self) -> int:
        """The turn of the last find of what stands on a card."""
        return next(
            (
                self.reading.pieces[f.places[-1]].position
                for f in reversed(self.finds[-6:])
                if f.kind in CARD_DATA or f.kind is Sensitive.EXPIRY_DATE
            ),
            -1000,
        )

    def asked(self, run: Run, cue: Cue) -> bool:
        """Whether the number answers the cue at once: right behind it, or first thing in the next turn."""
        if cue.position == run.position:
            return 0 <= run.first - cue.last <= 5 or cue.first > run.first
        between = range(cue.position + 1, run.position)
        if self.reading.speakers[cue.position] == run.speaker:
            return False
        return run.lead <= 2 and run.position - cue.position <= 3 and all(len(self.reading.turns[turn]) <= 4 for turn in between)

    def awaits(self, run: Run, kinds: Sequence[Sensitive]) -> bool:
        """Whether the last thing that was asked for or named by now is of these kinds, in the last turns."""
        at = bisect_left(self.firsts, run.first)
        last = next((cue for cue in reversed(self.cues[max(at - 4, 0) : at]) if cue.strong and isinstance(cue.kind, Sensitive)), None)
        return last is not None and last.kind in kinds and run.position - last.position <= 2

    def code_asked(self, run: Run) -> bool:
        """Whether a code is the last thing, but for cards, that was named in this turn or the one before."""
        at = bisect_left(self.firsts, run.first)
        last = next((cue for cue in reversed(self.cues[max(at - 4, 0) : at]) if cue.kind is not Sensitive.CARD_NUMBER), None)
        return last is not None and last.kind is Sensitive.SECURITY_CODE and run.position - last.position <= 1

    def by_another(self, run: Run, cue: Cue) -> bool:
        return self.reading.speakers[cue.position] != run.speaker

    def lately(self, run: Run) -> Sensitive | None:
        """The kind of the last find, if that was in the last turns."""
        last = self.finds[-1] if self.finds else None
        return last.kind if last and run.position - self.reading.pieces[last.places[-1]].position <= 4 else None

    def questioned(self, card: Card, run: Run) -> bool:
        """Whether more than an aside was said between the card's digits and these."""
        return any(len(self.reading.turns[turn]) > 4 for turn in range(card.position + 1, run.position))

    def harmless_asked(self, run: Run) -> bool:
        """Whether something harmless, and nothing else, is named in the turn before the number or in front of it, however loosely."""
        at = bisect_left(self.firsts, run.first)
        named = [cue for cue in self.cues[max(at - 6, 0) : at] if run.position - cue.position <= 1]
        heard = any(isinstance(cue.kind, Harmless) and cue.confidence >= DOUBTFUL_BELOW for cue in named)
        return heard and not any(isinstance(cue.kind, Sensitive) for cue in named)

    def dated_otherwise(self, run: Run) -> bool:
        """Whether something else that has a date is named right before the number: not just "when"."""
        at = bisect_left(self.firsts, run.first)
        named = [cue for cue in self.cues[max(at - 6, 0) : at] if run.position - cue.position <= 1]
        return any(
            cue.kind in (Harmless.DATE, Harmless.IDENTIFIER)
            and (cue.strong or cue.position == run.position)
            and not cue.text.startswith("w")
            for cue in named
        ) and not any(cue.kind is Sensitive.EXPIRY_DATE for cue in named)

    def harmless_around(self, run: Run) -> bool:
        """Whether anything is named nearby that has a number or a date of its own."""
        at = bisect_left(self.firsts, run.first)
        named = (Harmless.IDENTIFIER, Harmless.DATE, Harmless.CODE)
        return any(cue.kind in named and abs(run.position - cue.position) <= 3 for cue in self.cues[max(at - 8, 0) : at + 4])

    def harmless_near(self, run: Run) -> bool:
        """Whether something harmless is named in the turns right before the number."""
        at = bisect_left(self.firsts, run.first)
        return any(
            isinstance(cue.kind, Harmless)
            and cue.kind in (Harmless.IDENTIFIER, Harmless.ADDRESS, Harmless.DATE, Harmless.CODE)
            and cue.strong
            and cue.confidence >= DOUBTFUL_BELOW
            and run.position - cue.position <= 2
            for cue in self.cues[max(at - 4, 0) : at]
        )


def _alike(digits: str, known: str) -> bool:
    """Whether two long numbers differ in a digit or two that were misheard, left out or added."""
    if min(len(digits), len(known)) < 8 or abs(len(digits) - len(known)) > 2:
        return False
    same = _agree(digits, known) + _agree(digits[::-1], known[::-1])
    return same >= max(len(digits), len(known)) - 2


def _agree(digits: str, known: str) -> int:
    """How many digits agree from the first on."""
    return next((n for n, (one, other) in enumerate(zip(digits, known, strict=False)) if one != other), min(len(digits), len(known)))
