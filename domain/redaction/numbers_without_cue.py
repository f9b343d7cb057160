"""Numbers for which no cue is heard, or that hold more than was asked for: told by their shape and by what was found before."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from domain.redaction import births, phones
from domain.redaction.call_so_far import CARD_GOES_ON, PAYMENT_AHEAD, Call, Card, Find
from domain.redaction.cues import Cue
from domain.redaction.dates import is_year, may_be_expiry
from domain.redaction.fitting import FAIR, GUESS
from domain.redaction.number_runs import DOUBTFUL_BELOW, SOFT, Run, only_asides
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import Said

_OF_A_CARD = (Sensitive.CARD_NUMBER, Sensitive.SECURITY_CODE, Sensitive.EXPIRY_DATE)
_SHORT_ANSWER = 3
_REST_ASKED = 2
_ASKED_IN_A_WORD = (Sensitive.SECURITY_CODE, Sensitive.EXPIRY_DATE, Sensitive.SSN, Sensitive.DATE_OF_BIRTH)


def add_card(call: Call, run: Run, confidence: float) -> None:
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
        call.add(kind, part, FAIR)


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


def left_over(call: Call, left: Sequence[Run]) -> Iterator[Find]:
    """Numbers that nothing explains while a card is being read out: parts of it that were broken off, begun again or misheard."""
    cards = [(find, call.reading.pieces[find.places[0]].position) for find in call.finds if find.kind in _OF_A_CARD]
    positions = [position for _, position in cards]
    for run in left:
        if not run.mostly_digits or len(run.digits) < 2 or _aside(run) or (len(run.digits) == 2 and not only_asides(run)):
            continue
        near = cards[bisect_left(positions, run.position - CARD_GOES_ON) : bisect_left(positions, run.position + PAYMENT_AHEAD)]
        if near:
            numbers = [find.entity for find, _ in near if find.kind is Sensitive.CARD_NUMBER]
            yield Find(Sensitive.CARD_NUMBER, numbers[0] if numbers else call.next_entity(), run.places, GUESS)


def unheard(call: Call) -> Iterator[Find]:
    """What was asked for and answered at once in a word or two that recognition was not sure of, none of them a number."""
    found = {place for find in call.finds for place in find.places}
    told = {call.reading.pieces[find.places[-1]].position for find in call.finds if find.kind is Sensitive.DATE_OF_BIRTH}
    found.update(place for cue in call.cues if cue.strong for place in range(cue.first, cue.last + 1))
    for number, cue in enumerate(call.cues):
        if not isinstance(cue.kind, Sensitive) or cue.kind not in _ASKED_IN_A_WORD or call.used.get(number):
            continue
        partly = cue.kind is Sensitive.DATE_OF_BIRTH and told.intersection(range(cue.position - _REST_ASKED, cue.position))
        if not cue.strong and not partly:  # "and the year?"
            continue
        if cue.kind is Sensitive.EXPIRY_DATE and not call.paying(cue.position):
            continue
        places = _answer(call, cue)
        if 1 <= len(places) <= _SHORT_ANSWER and not found.intersection(places) and any(_doubtful(call, place) for place in places):
            yield Find(cue.kind, call.next_entity(), tuple(places), GUESS)


def _answer(call: Call, cue: Cue) -> list[int]:
    """What is said of weight in the turn after the cue, which must be the last words of its own turn."""
    end = cue.last + 1
    pieces = call.reading.pieces
    while end < len(pieces) and pieces[end].position == cue.position and pieces[end].text in SOFT:
        end += 1
    if end >= len(pieces) or pieces[end].position != cue.position + 1 or not cue.position + 1 < len(call.reading.turns):
        return []
    if call.reading.speakers[cue.position] == call.reading.speakers[cue.position + 1]:
        return []
    return [place for place in range(end, end + len(call.reading.turns[cue.position + 1])) if pieces[place].text not in SOFT]


def _doubtful(call: Call, place: int) -> bool:
    return call.reading.pieces[place].confidence < DOUBTFUL_BELOW


def by_shape(call: Call, run: Run, passes: frozenset[Sensitive]) -> None:
    """What a number is for which no cue is heard."""
    count = len(run.digits)
    card = call.card
    paying = call.paying(run.position)
    looks = run.mostly_digits and (count >= 13 or _grouped_like_a_card(run) or (paying and count >= 8 and not _like_another(run)))
    goes_on = card and not card.complete and run.position - card.position <= CARD_GOES_ON and run.mostly_digits and count >= 2
    echoes = card is not None and card.speaker != run.speaker and run.position - card.position <= 1 and count >= 3 and len(run.pieces) >= 3
    if looks or (goes_on and not _aside(run, echoes)):
        add_card(call, run, GUESS)
    elif run.position - call.last_card_data() <= CARD_GOES_ON and _answers(call, run):
        _after_card(call, card, run)
    elif run.only_digits and run.lengths == (3, 2, 4):
        call.add(Sensitive.SSN, run, GUESS)
    elif births.told(call, run):
        call.add(Sensitive.DATE_OF_BIRTH, run, GUESS)
    elif phones.goes_on(call, run):
        call.add(Sensitive.PHONE, run, GUESS)
    elif not run.mostly_digits or (call.harmless_near(run) and not phones.is_like(run)):
        return
    elif (Sensitive.PHONE in passes or phones.is_grouped(run)) and not phones.is_spelled(run):
        call.add(Sensitive.PHONE, run, GUESS)
    elif (count >= 6 and call.banking(run.position)) or Sensitive.BANK_ACCOUNT in passes:
        call.add(Sensitive.BANK_ACCOUNT, run, GUESS)
    elif count >= 7 and (lately := call.lately(run)) in (Sensitive.PHONE, Sensitive.SSN, Sensitive.BANK_ACCOUNT):
        call.add(lately, run, GUESS)
    elif count == 9 and only_asides(run) and not run.lead:
        call.add(Sensitive.SSN, run, GUESS)
    elif (
        9 <= count <= 11
        and not phones.is_spelled(run)
        and all(len(piece.text) != 2 for piece in run.pieces[:5])
        and set(run.lengths) != {4}
        and not is_year(run.digits[:4])
    ):
        call.add(Sensitive.PHONE, run, GUESS)


def _grouped_like_a_card(run: Run) -> bool:
    """Read in fours (or four, six, five), and begun as cards begin: a card number of which the rest is still to come."""
    lengths = run.lengths
    fours = all(length in (4, 8) for length in lengths[:-1]) and lengths[-1] <= 8
    amex = lengths[:2] == (4, 6) and run.digits[0] == "3"
    return run.digits[0] in "3456" and len(run.digits) >= 8 and len(lengths) > 1 and (fours or amex)


def _like_another(run: Run) -> bool:
    """Whether it is grouped as a phone number or a social security number is."""
    return len(run.digits) == 10 or run.lengths in ((3, 2, 4), (3, 3, 4), (1, 3, 3, 4), (3, 7), (6, 4))


def _aside(run: Run, echoes: bool = False) -> bool:
    """Whether it is a year, or a number in the middle of a long sentence."""
    if echoes:
        return False
    return (run.strange >= 1 and (is_year(run.digits) or len(run.digits) < 4)) or (run.strange >= 2 and len(run.digits) <= 5)


def _answers(call: Call, run: Run) -> bool:
    """Whether a number behind card data may be more of it: it is all that is said, or as long as a code that was not given yet."""
    if call.harmless_near(run):
        return False
    american = call.card is not None and call.card.digits[0] == "3"
    code = (
        run.mostly_digits
        and len(run.digits) == (4 if american else 3)
        and not any(find.kind is Sensitive.SECURITY_CODE for find in call.finds[-2:])
    )
    return only_asides(run) or run.lead <= 1 or code


def _after_card(call: Call, card: Card | None, run: Run) -> None:
    """What follows a card's number or code, though nobody is heard asking for it."""
    count = len(run.digits)
    dated = any(find.kind is Sensitive.EXPIRY_DATE and (not card or find.entity > card.entity) for find in call.finds[-4:])
    at_once = card is not None and run.position - card.position <= 2 and not call.questioned(card, run)
    read_back = at_once and card is not None and (card.speaker != run.speaker or not card.complete)
    if may_be_expiry(run.pieces) and (count >= 3 or run.pieces[0].said is Said.MONTH) and not dated and not read_back:
        call.add(Sensitive.EXPIRY_DATE, run, GUESS)
    elif read_back and run.mostly_digits and 2 <= count <= 8:
        call.add(Sensitive.CARD_NUMBER, run, GUESS)
    elif run.mostly_digits and (count == 3 or (count == 4 and card is not None and card.digits[0] == "3")):
        call.add(Sensitive.CARD_NUMBER if at_once and not dated else Sensitive.SECURITY_CODE, run, GUESS)
    elif card and run.mostly_digits and count >= 4 and not _aside(run) and not (count == 5 and card.complete):
        call.add(Sensitive.CARD_NUMBER, run, GUESS)
