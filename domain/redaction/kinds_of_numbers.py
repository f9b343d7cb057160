"""What a number that was read out is: from the cue that asks for it or names it, across turns and speakers, and from its shape.

Card numbers and security codes fail closed: while one is expected, digits count as it however damaged they are. Everything else needs
its cue, or a shape that nothing else has. A cue for something harmless (a policy's number, a price) that stands nearer wins.
"""

from bisect import bisect_left
from collections.abc import Sequence

from domain.redaction.answers import hardly_heard
from domain.redaction.call_so_far import Call, Find
from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import Cue
from domain.redaction.dates import may_be_expiry
from domain.redaction.explaining import explains
from domain.redaction.fitting import CERTAIN, CLEAR, FAIR, NEAR, fits
from domain.redaction.number_runs import Run, only_asides
from domain.redaction.number_words import words
from domain.redaction.numbers_without_cue import add_card, by_shape, date_and_code, left_over
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, Reading
from domain.redaction.spoken_words import Pause

LOW_CONFIDENCE = 0.6
"""Below this a redaction stands all the same, and somebody looks at it."""

_LISTED = (Sensitive.SSN, Sensitive.BANK_ACCOUNT, Sensitive.DATE_OF_BIRTH, Sensitive.PHONE)
_SSN = 9
_SAID_TWICE = 12
_FARTHEST = 10
_CUES_LOOKED_AT = 14
_LINKS = words("is was on for as that's it's those are the my your of a his her would be and that being")


def name(reading: Reading, runs: Sequence[Run], cues: Sequence[Cue], checked: Sequence[frozenset[Sensitive]]) -> tuple[Find, ...]:
    """``checked`` says of each run which kinds' own check (a checksum, a numbering plan) it passes. Linear in the words."""
    call = Call(reading, cues)
    left: list[Run] = []
    for run, passes in zip(runs, checked, strict=True):
        found = len(call.finds)
        if not _name_run(call, run, passes) and (len(call.finds) == found or call.finds[-1].kind is Sensitive.PHONE):
            left.append(run)
        call.runs_before = max(run.last, call.runs_before)
    return (*call.finds, *left_over(call, left), *hardly_heard(call))


def _name_run(call: Call, run: Run, passes: frozenset[Sensitive]) -> bool:
    """Whether it is settled what the number is; one found by its shape alone may still turn out to be a part of another."""
    bank = call.last_named(run) is Sensitive.BANK_ACCOUNT and call.banking(run.position)
    other = (bank or call.harmless_near(run)) and not call.paying(run.position)
    if Sensitive.CARD_NUMBER in passes and run.only_digits and not run.coded and not other:
        add_card(call, run, CERTAIN)
        return True
    again, kind_again = call.said_before(run)
    both = None if again else date_and_code(call, run)
    if both:
        for kind, part in both:
            call.add(kind, part, FAIR)
        return True
    weaker: tuple[int, Run, float] | None = None
    for number, cue in _candidates(call, run):
        if isinstance(cue.kind, Harmless):
            if not again and not weaker and explains(call, run, cue):
                call.remember(None, run)
                return True
            continue
        if again and kind_again is not cue.kind and (cue.position != run.position or (kind_again and not _shaped(run, cue.kind))):
            continue
        if not cue.strong and cue.confidence < DOUBTFUL_BELOW:
            continue
        if weaker and not (cue.strong and not call.used.get(number)):
            continue
        taken = _taken(run, cue.kind)
        confidence = fits(call, taken, cue, passes, call.used.get(number, 0))
        if confidence is None:
            continue
        if weaker and confidence < CLEAR and not call.asked(run, cue):
            continue
        if cue.strong:
            _add(call, cue.kind, taken, confidence, number)
            behind = [place for place in run.places if place > taken.last]
            if behind:
                _name_run(call, run.part(behind), frozenset())
            return True
        weaker = number, taken, confidence
    if weaker:
        number, taken, confidence = weaker
        _add(call, call.cues[number].kind, taken, confidence, number)
        return True
    if again:
        if kind_again:
            call.add(kind_again, run, FAIR)
        return True
    by_shape(call, run, passes)
    return False


def _candidates(call: Call, run: Run) -> list[tuple[int, Cue]]:
    """The cues that may be meant, the likeliest first: the number's own sentence, then what was said before."""
    at = bisect_left(call.firsts, run.first)
    before: list[tuple[int, Cue]] = []
    for number in range(at - 1, max(at - 1 - _CUES_LOOKED_AT, -1), -1):
        if run.position - call.cues[number].position > _FARTHEST:
            break
        before.append((number, call.cues[number]))
    _in_order(call, run, before)
    after = _after(call, run)
    if after is None:
        return before
    own = bool(before) and before[0][1].position == run.position and before[0][1].first > call.runs_before
    return [*before[:1], after, *before[1:]] if own and before[0][1].strong else [after, *before]


def _in_order(call: Call, run: Run, before: list[tuple[int, Cue]]) -> None:
    """Of several things that were asked for in one turn, what was asked for first is given first."""
    asked = 0
    while asked < len(before) and before[asked][1].position == before[0][1].position and _listed(call, run, *before[asked]):
        asked += 1
    before[:asked] = reversed(before[:asked])


def _listed(call: Call, run: Run, number: int, cue: Cue) -> bool:
    return (
        (cue.strong or cue.kind is Sensitive.BANK_ACCOUNT)
        and cue.kind in _LISTED
        and cue.position < run.position
        and not call.used.get(number)
    )


def _after(call: Call, run: Run) -> tuple[int, Cue] | None:
    """The cue that follows the number in its sentence: "… is the code", "… on the back"."""
    last = run.pieces[-1]
    at = bisect_left(call.firsts, run.last + 1)
    if at == len(call.cues) or call.cues[at].first - run.last > NEAR or call.cues[at].position != last.position or last.pause is Pause.HARD:
        return None
    cue = call.cues[at]
    between = [call.reading.pieces[place] for place in range(run.last + 1, cue.first)]
    if any(piece.pause is Pause.HARD or (piece.text not in _LINKS and piece.confidence >= DOUBTFUL_BELOW) for piece in between):
        return None
    if (between and between[0].text == "and") or (not between and not cue.text.startswith("on ")):
        following = cue.last + 1 < len(call.reading.pieces) and call.reading.pieces[cue.last + 1].position == cue.position
        if between or following:
            return None
    return at, cue


def _taken(run: Run, kind: Sensitive) -> Run:
    """The part of the run that may be meant: all of it, but for "member since 2011 and then 06/28", and what follows nine digits."""
    if kind is Sensitive.SSN:
        answer = [place for place, piece in zip(run.places, run.pieces, strict=True) if piece.position == run.position]
        whole = run.part(answer)
        return whole if len(whole.digits) == _SSN else run
    in_a_turn = run.pieces[0].position == run.pieces[-1].position
    if (
        kind is not Sensitive.EXPIRY_DATE
        or may_be_expiry(run.pieces)
        or (in_a_turn and only_asides(run) and len(run.digits) <= _SAID_TWICE)
    ):
        return run
    groups = run.groups
    for length in (1, 2, 3):
        for first in range(len(groups) - length, -1, -1):
            part = run.part([place for group in groups[first : first + length] for place in group])
            if len(part.digits) >= 3 and may_be_expiry(part.pieces):
                return part
    return run


def _shaped(run: Run, kind: Sensitive) -> bool:
    return kind is not Sensitive.EXPIRY_DATE or may_be_expiry(run.pieces)


def _add(call: Call, kind: Sensitive | Harmless, run: Run, confidence: float, cue: int) -> None:
    call.used[cue] = call.used.get(cue, 0) + len(run.digits)
    if isinstance(kind, Harmless):
        return
    if kind is Sensitive.CARD_NUMBER:
        add_card(call, run, confidence)
    elif kind is Sensitive.SECURITY_CODE and len(run.digits) >= 9:
        add_card(call, run, FAIR)
    else:
        call.add(kind, run, confidence, cue)
