"""What a number that was read out is: from the cue that asks for it or names it, across turns and speakers, and from its shape.

Card numbers and security codes fail closed: while one is expected, digits count as it however damaged they are. Everything else needs
its cue, or a shape that nothing else has. A cue for something harmless (a policy's number, a price) that stands nearer wins.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import Cue
from domain.redaction.dates import may_be_birth, may_be_expiry
from domain.redaction.number_runs import Run, only_asides
from domain.redaction.number_words import words
from domain.redaction.shapes import CARD_DATA, Sensitive
from domain.redaction.spoken_numbers import Pause, Reading, Said, Speaker

LOW_CONFIDENCE = 0.6
"""Below this a redaction stands all the same, and somebody looks at it."""

_CERTAIN, _CLEAR, _FAIR, _GUESS = 0.99, 0.9, 0.7, 0.5

_REACH = {
    Sensitive.CARD_NUMBER: 8,
    Sensitive.SECURITY_CODE: 6,
    Sensitive.EXPIRY_DATE: 5,
    Sensitive.SSN: 6,
    Sensitive.BANK_ACCOUNT: 8,
    Sensitive.PHONE: 5,
    Sensitive.DATE_OF_BIRTH: 5,
}
"""How many turns after its cue a number is still taken for it."""

_FARTHEST = 10
_CUES_LOOKED_AT = 14
_PAYMENT_REACH = 12
_REMEMBERED = 24
_NEAR = 5
_LINKED = 3
_CARD_GOES_ON = 6
_LINKS = words("is was on for as that's it's those are the my your of a his her would be and that being")


@dataclass(frozen=True, slots=True)
class Find:
    """``places`` are pieces of the reading."""

    kind: Sensitive
    entity: int
    places: tuple[int, ...]
    confidence: float


@dataclass
class _Card:
    """The card number that was read out last: by whom, up to which turn, and the digits so far (read back ones do not count)."""

    speaker: Speaker
    position: int
    digits: str
    entity: int
    last: int

    @property
    def complete(self) -> bool:
        return len(self.digits) >= (15 if self.digits[0] == "3" else 16)


@dataclass
class _Call:
    """What has been found so far."""

    reading: Reading
    cues: Sequence[Cue]
    firsts: list[int]
    payments: list[int]
    finds: list[Find] = field(default_factory=list)
    known: deque[tuple[str, Sensitive | None, int]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    used: dict[int, int] = field(default_factory=dict)
    entity: int = 0
    card: _Card | None = None
    runs_before: int = -1

    def add(self, kind: Sensitive, run: Run, confidence: float) -> None:
        if kind is Sensitive.CARD_NUMBER:
            entity = self._card_entity(run)
        else:
            entity = self.entity = self.entity + 1
        self.finds.append(Find(kind, entity, run.places, confidence))
        self.remember(kind, run)

    def remember(self, kind: Sensitive | None, run: Run) -> None:
        if len(run.digits) >= 3:
            self.known.append((run.digits, kind, run.pieces[-1].position))

    def _card_entity(self, run: Run) -> int:
        first, last = run.pieces[0].position, run.pieces[-1].position
        speaker = self.reading.speakers[first]
        card = self.card
        if card and first - card.position <= _CARD_GOES_ON:
            if card.speaker != speaker:  # read back
                card.position, card.last = last, run.last
                return card.entity
            if not card.complete:
                card.digits, card.position, card.last = card.digits + run.digits, last, run.last
                return card.entity
        self.entity += 1
        self.card = _Card(speaker, last, run.digits, self.entity, run.last)
        return self.entity

    def paying(self, position: int) -> bool:
        """Whether a card is talked about in the turns around ``position``."""
        near = bisect_left(self.payments, position - _PAYMENT_REACH)
        asked = near < len(self.payments) and self.payments[near] <= position + 6
        return asked or (self.card is not None and position - self.card.position <= _PAYMENT_REACH)


def name(reading: Reading, runs: Sequence[Run], cues: Sequence[Cue], checked: Sequence[frozenset[Sensitive]]) -> tuple[Find, ...]:
    """``checked`` says of each run which kinds' own check (a checksum, a numbering plan) it passes. Linear in the words."""
    card = (Sensitive.CARD_NUMBER, Sensitive.SECURITY_CODE)
    call = _Call(reading, cues, [cue.first for cue in cues], [cue.position for cue in cues if cue.kind in card])
    left: list[Run] = []
    for run, passes in zip(runs, checked, strict=True):
        found = len(call.finds)
        if not _name_run(call, run, passes) and (len(call.finds) == found or call.finds[-1].kind is Sensitive.PHONE):
            left.append(run)
        call.runs_before = max(run.last, call.runs_before)
    return (*call.finds, *_begun(call, left))


def _begun(call: _Call, left: Sequence[Run]) -> Iterator[Find]:
    """Card numbers that were begun and broken off: the same digits come again in a card number soon after."""
    cards = [(find, call.reading.pieces[find.places[0]].position) for find in call.finds if find.kind is Sensitive.CARD_NUMBER]
    positions = [position for _, position in cards]
    for run in left:
        position = run.pieces[-1].position
        for find, _ in cards[bisect_left(positions, position) : bisect_left(positions, position + _CARD_GOES_ON)]:
            digits = "".join(call.reading.pieces[place].text for place in find.places)
            if run.only_digits and len(run.digits) >= 4 and run.digits[:4] in digits:
                yield Find(Sensitive.CARD_NUMBER, find.entity, run.places, _GUESS)
                break


def _name_run(call: _Call, run: Run, passes: frozenset[Sensitive]) -> bool:
    """Whether it is settled what the number is; one found by its shape alone may still turn out to be a part of another."""
    if Sensitive.CARD_NUMBER in passes and run.only_digits:
        _add_card(call, run, _CERTAIN)
        return True
    candidates = _candidates(call, run)
    again, kind_again = _said_before(call, run)
    for number, cue, distance in candidates:
        if isinstance(cue.kind, Harmless):
            if not again and _stops(call, run, cue, distance):
                call.remember(None, run)
                return True
            continue
        if again and kind_again is not cue.kind and distance:
            continue
        taken = _taken(run, cue.kind)
        confidence = _fits(call, taken, cue, distance, passes, call.used.get(number)) if taken else None
        if taken and confidence is not None:
            call.used[number] = call.used.get(number, 0) + len(taken.digits)
            _add(call, cue.kind, taken, confidence)
            return True
    if again:
        if kind_again:
            call.add(kind_again, run, _FAIR)
        return True
    _by_shape(call, run, passes, candidates)
    return False


def _taken(run: Run, kind: Sensitive) -> Run | None:
    """The part of the run that may be meant: all of it, but for "member since 2011 and then 06/28"."""
    if kind is not Sensitive.EXPIRY_DATE or may_be_expiry(run.pieces):
        return run
    groups = run.groups
    for length in (1, 2, 3):
        for first in range(len(groups) - length, -1, -1):
            part = run.part([place for group in groups[first : first + length] for place in group])
            if len(part.digits) >= 3 and may_be_expiry(part.pieces):
                return part
    return run


def _add(call: _Call, kind: Sensitive, run: Run, confidence: float) -> None:
    if kind is Sensitive.CARD_NUMBER:
        _add_card(call, run, confidence)
    elif kind is Sensitive.SECURITY_CODE and len(run.digits) >= 9:
        _add_card(call, run, _FAIR)
    else:
        call.add(kind, run, confidence)


def _add_card(call: _Call, run: Run, confidence: float) -> None:
    """A card number, and what is read out right behind it: the expiry date, the security code."""
    taken: list[int] = []
    digits = ""
    rest: list[tuple[int, ...]] = []
    for group in run.groups:
        text = "".join(call.reading.pieces[place].text for place in group)
        month = next((n for n, place in enumerate(group) if call.reading.pieces[place].said is Said.MONTH), None)
        if rest or month == 0 or (len(digits) >= (15 if digits[:1] == "3" else 16) and len(text) <= 6):
            rest.append(group)
        elif month:
            taken.extend(group[:month])
            rest.append(group[month:])
        else:
            taken.extend(group)
            digits += text
    tail = _tail(run.part([place for group in rest for place in group])) if rest and taken else None
    if tail is None:
        call.add(Sensitive.CARD_NUMBER, run, confidence)
        return
    call.add(Sensitive.CARD_NUMBER, run.part(taken), confidence)
    for kind, part in tail:
        call.add(kind, part, _FAIR)


def _tail(tail: Run) -> list[tuple[Sensitive, Run]] | None:
    """An expiry date, a security code, or one after the other; None where it is neither (digits that were corrected)."""
    for cut in range(len(tail.places), -1, -1):
        date, code = tail.part(tail.places[:cut]), tail.part(tail.places[cut:])
        if (cut and not may_be_expiry(date.pieces)) or (not cut and len(code.digits) != 3):
            continue
        if cut < len(tail.places) and not (len(code.digits) in (3, 4) and code.only_digits):
            continue
        dated = [(Sensitive.EXPIRY_DATE, date)] if cut else []
        return [*dated, (Sensitive.SECURITY_CODE, code)] if cut < len(tail.places) else dated
    return None


def _candidates(call: _Call, run: Run) -> list[tuple[int, Cue, int]]:
    """The cues that may be meant, the likeliest first, with the turns between: the number's own sentence, then what was said before."""
    position = run.pieces[0].position
    at = bisect_left(call.firsts, run.first)
    before: list[tuple[int, Cue, int]] = []
    for number in range(at - 1, max(at - 1 - _CUES_LOOKED_AT, -1), -1):
        cue = call.cues[number]
        if position - cue.position > _FARTHEST:
            break
        before.append((number, cue, position - cue.position))
    after = _after(call, run)
    if after is None:
        return before
    own = bool(before) and before[0][1].position == position and before[0][1].first > call.runs_before
    return [*before[:1], after, *before[1:]] if own and before[0][1].strong else [after, *before]


def _after(call: _Call, run: Run) -> tuple[int, Cue, int] | None:
    """The cue that follows the number in its sentence: "… is the code", "… on the back"."""
    last = run.pieces[-1]
    at = bisect_left(call.firsts, run.last + 1)
    if (
        at == len(call.cues)
        or call.cues[at].first - run.last > _NEAR
        or call.cues[at].position != last.position
        or last.pause is Pause.HARD
    ):
        return None
    cue = call.cues[at]
    between = [call.reading.pieces[place] for place in range(run.last + 1, cue.first)]
    if any(piece.pause is Pause.HARD or piece.text not in _LINKS for piece in between):
        return None
    if (between and between[0].text == "and") or (not between and not cue.text.startswith("on ")):
        following = cue.last + 1 < len(call.reading.pieces) and call.reading.pieces[cue.last + 1].position == cue.position
        if between or following:
            return None
    return at, cue, 0


def _stops(call: _Call, run: Run, cue: Cue, distance: int) -> bool:
    """Whether a number is explained by a cue for something that may be kept."""
    count = len(run.digits)
    awaited = _awaited(call, run)
    near = (distance == 0 and run.first - cue.last <= (_LINKED if awaited else _NEAR)) or cue.first > run.first
    dated = not run.only_digits
    fits = (
        {
            Harmless.IDENTIFIER: run.only_digits and (count <= 12 or cue.strong),
            Harmless.AMOUNT: count <= 7 and not any(piece.said is Said.MONTH for piece in run.pieces),
            Harmless.COUNT: count <= 4,
            Harmless.TIME: count <= 4,
            Harmless.DATE: dated or count <= 8,
            Harmless.ADDRESS: count <= 9,
            Harmless.NAME: False,
            Harmless.CODE: count <= 8,
            Harmless.NOTHING: False,
        }[cue.kind]
        if isinstance(cue.kind, Harmless)
        else False
    )
    if not fits or distance > 3:
        return False
    if near and ((cue.strong and not awaited) or not _sentence_ends_between(call, cue, run)):
        return True
    if not cue.strong or (cue.kind in (Harmless.AMOUNT, Harmless.TIME) and distance):
        return False
    return not awaited


def _sentence_ends_between(call: _Call, cue: Cue, run: Run) -> bool:
    return any(call.reading.pieces[place].pause is Pause.HARD for place in range(cue.last, run.first))


def _awaited(call: _Call, run: Run) -> bool:
    """Whether card data was asked for in the last two turns."""
    at = bisect_left(call.firsts, run.first)
    position = run.pieces[0].position
    return any(
        cue.strong and cue.kind in CARD_DATA and position - cue.position <= 2 and call.used.get(number) is None
        for number, cue in ((n, call.cues[n]) for n in range(max(at - 6, 0), at))
    )


def _fits(call: _Call, run: Run, cue: Cue, distance: int, passes: frozenset[Sensitive], used: int | None) -> float | None:
    """How surely the number is what the cue asks for; None where it is not."""
    kind, count = cue.kind, len(run.digits)
    if not isinstance(kind, Sensitive) or distance > _REACH.get(kind, 0):
        return None
    position = run.pieces[0].position
    answers = only_asides(run)
    digits = all(piece.said in (Said.DIGITS, Said.QUANTITY) for piece in run.pieces)
    if kind is Sensitive.CARD_NUMBER:
        card = call.card
        if card and card.complete and cue.first < card.last and count < 8:
            return None
        if cue.strong:
            enough = count >= 3 or (count == 2 and answers and distance <= 2) or used is not None
            return None if not enough or run.pieces[0].said is not Said.DIGITS else _CLEAR if 12 <= count <= 19 else _FAIR
        return _FAIR if count >= 12 or (digits and count >= 4 and (answers and distance <= 2)) else None
    if kind is Sensitive.SECURITY_CODE:
        if not digits or (not cue.strong and not (call.paying(position) and 3 <= count <= 5)):
            return None
        if (used and distance > 3) or (count == 1 and not answers) or count > 24 or (not cue.strong and distance > 2):
            return None
        return _CLEAR if count in (3, 4) and cue.strong else _GUESS
    if kind is Sensitive.EXPIRY_DATE:
        if (
            not call.paying(position)
            or (used and distance > 2)
            or (not 2 <= count <= 9 and run.pieces[0].said is not Said.MONTH)
            or _other_thing_expires(call, cue)
        ):
            return None
        fits = may_be_expiry(run.pieces) and not (used and count <= 2)
        if not cue.strong:
            near = call.card is not None and position - call.card.position <= 4
            return _FAIR if fits and count >= 3 and near else None
        return _CLEAR if fits else _GUESS if not used and (answers or distance == 0) else None
    if kind is Sensitive.SSN:
        if not run.only_digits or not 3 <= count <= 20:
            return None
        return _CLEAR if count in (4, 9) else _FAIR if distance <= 2 else _GUESS
    if kind is Sensitive.BANK_ACCOUNT:
        if not run.only_digits or count < (3 if cue.strong else 6) or count > 40 or (not cue.strong and distance > 3):
            return None
        return _CLEAR if cue.strong and count >= 6 else _FAIR
    if kind is Sensitive.PHONE:
        if not run.only_digits or not 3 <= count <= 24 or (count not in (7, 10, 11) and (distance > 2 or not answers)):
            return None
        return _CLEAR if Sensitive.PHONE in passes or count in (7, 10, 11) else _GUESS
    if kind is Sensitive.DATE_OF_BIRTH:
        if count > 16 or (used and used >= 6 and distance > 3):
            return None
        if count <= 2 and (not answers or distance > 2):
            return None
        return _CLEAR if may_be_birth(run.pieces) else _GUESS if answers and count >= 2 and digits else None
    return None


def _other_thing_expires(call: _Call, cue: Cue) -> bool:
    """ "The policy expires on …": said of something that is no card."""
    at = bisect_left(call.firsts, cue.first)
    for other in call.cues[max(at - 2, 0) : at]:
        if (
            other.position == cue.position
            and cue.first - other.last <= _NEAR
            and other.kind in (Harmless.IDENTIFIER, Harmless.AMOUNT, Harmless.CODE)
        ):
            return True
    return False


def _said_before(call: _Call, run: Run) -> tuple[bool, Sensitive | None]:
    """Whether a number is read back, or a part of it said again, and what it was (None: something harmless)."""
    digits, position = run.digits, run.pieces[0].position
    for known, kind, at in reversed(call.known):
        whole = digits == known and position - at <= 6 and len(digits) >= 3
        part = len(digits) >= 4 and (digits in known or (known in digits and len(known) >= 4)) and kind is not Sensitive.EXPIRY_DATE
        if whole or part:
            return True, kind
    return False, None


def _by_shape(call: _Call, run: Run, passes: frozenset[Sensitive], candidates: Sequence[tuple[int, Cue, int]]) -> None:
    count, position = len(run.digits), run.pieces[0].position
    groups = [sum(len(call.reading.pieces[place].text) for place in group) for group in run.groups]
    card = call.card
    after_card = position - card.position if card else _FARTHEST
    if (
        (count >= 13 and run.only_digits)
        or _grouped_like_a_card(run.digits, groups)
        or (card and not card.complete and after_card <= _CARD_GOES_ON and run.only_digits and count >= 2)
    ):
        _add_card(call, run, _GUESS)
    elif card and after_card <= _CARD_GOES_ON and only_asides(run):
        _after_card(call, card, run)
    elif run.only_digits and groups == [3, 2, 4]:
        call.add(Sensitive.SSN, run, _GUESS)
    elif (
        Sensitive.PHONE in passes
        and run.only_digits
        and not any(isinstance(cue.kind, Harmless) and cue.strong and distance <= 2 for _, cue, distance in candidates)
    ):
        call.add(Sensitive.PHONE, run, _GUESS)


def _grouped_like_a_card(digits: str, groups: Sequence[int]) -> bool:
    """Read in fours (or four, six, five), and begun as cards begin: a card number of which the rest is still to come."""
    fours = all(length in (4, 8) for length in groups[:-1]) and groups[-1] <= 8
    amex = groups[:2] == [4, 6] and digits[0] == "3"
    return digits[0] in "3456" and len(digits) >= 8 and len(groups) > 1 and (fours or amex)


def _after_card(call: _Call, card: _Card, run: Run) -> None:
    """What follows a whole card number, though nobody is heard asking for it."""
    count = len(run.digits)
    dated = any(find.kind is Sensitive.EXPIRY_DATE and find.entity > card.entity for find in call.finds[-4:])
    if may_be_expiry(run.pieces) and count >= 3 and not dated:
        call.add(Sensitive.EXPIRY_DATE, run, _GUESS)
    elif run.only_digits and (count == 3 or (count == 4 and card.digits[0] == "3")):
        call.add(Sensitive.SECURITY_CODE, run, _GUESS)
    elif run.only_digits and count >= 4:
        call.add(Sensitive.CARD_NUMBER, run, _GUESS)
