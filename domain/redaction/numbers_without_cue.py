"""Numbers for which no cue is heard, or that hold more than was asked for: told by their shape and by what was found before."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from domain.redaction import births, phones
from domain.redaction.call_so_far import CARD_GOES_ON, Call, Card, Find
from domain.redaction.checksum import passes_luhn
from domain.redaction.cues import PAYMENT_AHEAD
from domain.redaction.dates import is_year, may_be_expiry
from domain.redaction.fitting import FAIR, GUESS, only_dates, slashed
from domain.redaction.number_runs import Run, only_asides
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, Said

_OF_A_CARD = (Sensitive.CARD_NUMBER, Sensitive.SECURITY_CODE, Sensitive.EXPIRY_DATE)
_BROKEN_OFF = 14


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
    whole = len(run.digits) > 16 and run.only_digits and passes_luhn(run.digits) and not passes_luhn(digits)
    tail = _tail(run.part([place for group in rest for place in group])) if rest and taken and not whole else None
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


def date_and_code(call: Call, run: Run) -> list[tuple[Sensitive, Run]] | None:
    """Both, given in one answer: "March thirty, and oh six six"."""
    if not (run.position - call.last_card_data() <= CARD_GOES_ON or call.awaits(run, (Sensitive.SECURITY_CODE, Sensitive.EXPIRY_DATE))):
        return None
    if (
        call.reading_card(run)
        or call.reading_back(run)
        or not 4 <= len(run.digits) <= 10
        or (not run.mostly_digits and not any(piece.said is Said.MONTH for piece in run.pieces))
    ):
        return None
    american = call.card is not None and call.card.digits[0] == "3"
    pieces = run.reading.pieces
    starts = {group[0] for group in run.groups}
    starts.update(
        place for place in run.places[1:] if pieces[place].said is Said.MONTH or len(pieces[place].text) > len(pieces[place - 1].text) == 1
    )
    inserted = len(run.pieces[-1].text) == 1 and run.pieces[-1].confidence < DOUBTFUL_BELOW
    for place in run.places[1:]:
        if place not in starts:
            continue
        one, other = run.part([p for p in run.places if p < place]), run.part([p for p in run.places if p >= place])
        misheard = (
            len(one.digits) <= 3 and place - one.last > 1 and any(pieces[n].confidence < DOUBTFUL_BELOW for n in range(one.last + 1, place))
        )
        for date, code in ((one, other), (other, one)) if call.awaits(run, (Sensitive.SECURITY_CODE,)) else ((one, other),):
            dated = (may_be_expiry(date.pieces) and len(date.digits) >= 3) or (misheard and date is one)
            if dated and code.only_digits and len(code.digits) - (inserted and code is other) == (4 if american else 3):
                return [(Sensitive.EXPIRY_DATE, date), (Sensitive.SECURITY_CODE, code)]
    return None


def _dates(run: Run) -> bool:
    return may_be_expiry(run.pieces) and (len(run.digits) >= 3 or run.pieces[0].said is Said.MONTH)


def left_over(call: Call, left: Sequence[Run]) -> Iterator[Find]:
    """Numbers that nothing explains while a card is being read out: parts of it that were broken off, begun again or misheard."""
    cards = [(find, call.reading.pieces[find.places[0]].position) for find in call.finds if find.kind in _OF_A_CARD]
    positions = [position for _, position in cards]
    for run in left:
        if _begun_in_the_same_turn(call, run, cards):
            yield Find(Sensitive.CARD_NUMBER, next(find.entity for find, at in cards if at == run.position), run.places, GUESS)
            continue
        if not run.mostly_digits or run.coded or len(run.digits) < 2 or _aside(run) or (len(run.digits) == 2 and not only_asides(run)):
            continue
        near = cards[bisect_left(positions, run.position - CARD_GOES_ON) : bisect_left(positions, run.position + PAYMENT_AHEAD)]
        dates = [find.entity for find, _ in near if find.kind is Sensitive.EXPIRY_DATE]
        if near and may_be_expiry(run.pieces) and len(run.digits) >= (4 if dates else 3) and only_asides(run):
            yield Find(Sensitive.EXPIRY_DATE, dates[0] if dates else call.next_entity(), run.places, GUESS)
        elif len(run.digits) == 3 and run.only_digits and any(find.kind is not Sensitive.CARD_NUMBER for find, _ in near):
            yield Find(Sensitive.SECURITY_CODE, call.next_entity(), run.places, GUESS)
        elif near:
            numbers = [find.entity for find, _ in near if find.kind is Sensitive.CARD_NUMBER]
            yield Find(Sensitive.CARD_NUMBER, numbers[0] if numbers else call.next_entity(), run.places, GUESS)


def _begun_in_the_same_turn(call: Call, run: Run, cards: Sequence[tuple[Find, int]]) -> bool:
    """Digits that were broken off: the card's number is read out right behind them."""
    if not run.only_digits or len(run.digits) < 3 or call.harmless_asked(run):
        return False
    behind = [find.places[0] - run.last for find, at in cards if at == run.position and find.kind is Sensitive.CARD_NUMBER]
    return any(0 < distance <= _BROKEN_OFF for distance in behind)


def by_shape(call: Call, run: Run, passes: frozenset[Sensitive]) -> None:
    """What a number is for which no cue is heard."""
    count = len(run.digits)
    card = call.card
    paying = call.paying(run.position)
    if paying and (slashed(run) or not call.reading_card(run)) and _ends(call, run):
        call.add(Sensitive.EXPIRY_DATE, run, GUESS)
        return
    done = call.card is not None and call.card.complete and call.card.speaker == run.speaker and count < 13
    harmless = call.harmless_asked(run) if count < 13 else call.harmless_near(run) and call.harmless_asked(run)
    bank = call.last_named(run) is Sensitive.BANK_ACCOUNT and call.banking(run.position) and count < 13
    looks = run.mostly_digits and not (run.coded or bank or done or harmless) and _looks_like_a_card(run, paying)
    goes_on = card and not card.complete and run.position - card.position <= CARD_GOES_ON and run.mostly_digits and count >= 2
    echoes = card is not None and card.speaker != run.speaker and run.position - card.position <= 1 and count >= 3 and len(run.pieces) >= 3
    if looks or (goes_on and not _aside(run, echoes)):
        add_card(call, run, GUESS)
    elif run.position - call.last_card_data() <= CARD_GOES_ON and _answers(call, run):
        _after_card(call, card, run)
    elif run.only_digits and run.lengths == (3, 2, 4):
        lost = _lost_inside(run) and not call.named(Sensitive.SSN, run.position)
        call.add(Sensitive.PHONE if lost else Sensitive.SSN, run, GUESS)
    elif births.told(call, run):
        call.add(Sensitive.DATE_OF_BIRTH, run, GUESS)
    elif phones.goes_on(call, run):
        call.add(Sensitive.PHONE, run, GUESS)
    elif not run.mostly_digits or (call.harmless_near(run) and not phones.is_like(run)):
        return
    elif (Sensitive.PHONE in passes or phones.is_grouped(run)) and not phones.is_spelled(run):
        call.add(Sensitive.PHONE, run, GUESS)
    elif run.coded:
        return
    elif count >= 6 and call.banking(run.position):
        call.add(Sensitive.BANK_ACCOUNT, run, GUESS)
    elif count >= 7 and (lately := call.lately(run)) in (Sensitive.PHONE, Sensitive.SSN, Sensitive.BANK_ACCOUNT):
        call.add(lately, run, GUESS)
    elif count == 9 and only_asides(run) and not run.lead and call.named(Sensitive.SSN, run.position):
        call.add(Sensitive.SSN, run, GUESS)
    elif (
        Sensitive.BANK_ACCOUNT in passes
        and not call.harmless_asked(run)
        and (call.named(Sensitive.BANK_ACCOUNT, run.position) or (only_asides(run) and not run.lead))
    ):
        call.add(Sensitive.BANK_ACCOUNT, run, GUESS)
    elif (
        9 <= count <= 11
        and not phones.is_spelled(run)
        and all(len(piece.text) != 2 for piece in run.pieces[:5])
        and set(run.lengths) != {4}
        and not is_year(run.digits[:4])
    ):
        call.add(Sensitive.PHONE, run, GUESS)


def _ends(call: Call, run: Run) -> bool:
    """Whether it is a month and a year, or several of them, where nothing else has a date."""
    if call.dated_otherwise(run):
        return False
    dated = run.position - call.last_card_data() <= CARD_GOES_ON or call.named(Sensitive.EXPIRY_DATE, run.position)
    several = only_dates(run) and (dated or slashed(run) or len(run.pieces[0].text) <= 2)
    return several or _month_and_year(run) or _year_again(call, run)


def _month_and_year(run: Run) -> bool:
    named = run.pieces[0].said is Said.MONTH and all(piece.said in (Said.DIGITS, Said.QUANTITY) for piece in run.pieces[1:])
    return named and len(run.pieces) > 1 and may_be_expiry(run.pieces) and "24" <= run.digits[-2:] <= "45"


def _year_again(call: Call, run: Run) -> bool:
    """ "Was that oh six twenty six?", and the answer is the year alone."""
    last = call.finds[-1] if call.finds else None
    if last is None or last.kind is not Sensitive.EXPIRY_DATE or not run.only_digits or len(run.digits) not in (2, 4) or run.lead:
        return False
    said = [call.reading.pieces[place] for place in last.places]
    return run.position - said[-1].position == 1 and len(run.digits) >= 2 and "".join(piece.text for piece in said).endswith(run.digits)


def _looks_like_a_card(run: Run, paying: bool) -> bool:
    """While a card is talked about whatever is long enough; otherwise it must begin as cards do, and be as long as they are."""
    begins = run.digits[0] in "3456" or "22" <= run.digits[:2] <= "27" or _unsure_beginning(run)
    if paying:
        return (
            (len(run.digits) >= 13 and begins)
            or _grouped_like_a_card(run)
            or (_heard(run) >= 8 and len(run.digits) <= 12 and begins and not _like_another(run))
        )
    spoken = sum(len(piece.text) == 1 for piece in run.pieces) >= len(run.pieces) - 1 and _grouped_like_a_card(run)
    written = phones.written(run)
    lost = _unsure_beginning(run) and (({4} in (set(run.lengths), set(written)) and len(run.digits) == 12) or written == (6, 5))
    dated = begins and written[:3] == (4, 4, 4) and len(written) > 3 and may_be_expiry(run.part(run.places[3:]).pieces)
    phone = run.lengths[0] == 10 or run.lengths[:3] == (3, 3, 4)
    return (_heard(run) >= 13 and len(run.digits) <= 17 and begins and not phone) or spoken or lost or dated


def _heard(run: Run) -> int:
    """How many digits were read out: words among them of which recognition was not sure were digits, too, where nothing else is said."""
    if not run.only_digits:
        return len(run.digits)
    pieces, inside = run.reading.pieces, set(run.places)
    misheard = (pieces[place] for place in range(run.first, run.last) if place not in inside)
    return len(run.digits) + sum(piece.position == run.position and piece.confidence < DOUBTFUL_BELOW for piece in misheard)


def _unsure_beginning(run: Run) -> bool:
    """Whether what a card begins with may have been misheard."""
    around = run.reading.pieces[max(run.first - 1, 0) : run.first + 3]
    return any(piece.confidence < DOUBTFUL_BELOW for piece in around)


def _grouped_like_a_card(run: Run) -> bool:
    """Read in fours (or four, six, five), and begun as cards begin: a card number of which the rest is still to come."""
    lengths = run.lengths
    fours = all(length in (4, 8) for length in lengths[:-1]) and lengths[-1] <= 8
    amex = lengths[:2] == (4, 6) and run.digits[0] == "3"
    return run.digits[0] in "3456" and len(run.digits) >= 8 and len(lengths) > 1 and (fours or amex)


def _lost_inside(run: Run) -> bool:
    """Whether a word that was misheard stands among the digits: there was one more of them."""
    pieces, inside = run.reading.pieces, set(run.places)
    return any(pieces[place].confidence < DOUBTFUL_BELOW for place in range(run.first, run.last) if place not in inside)


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
    dates = _dates(run) and len(run.digits) >= 4 and run.digits[0] in "01" and run.position - call.last_card_data() <= 2
    return only_asides(run) or run.lead <= 1 or code or dates or only_dates(run)


def _after_card(call: Call, card: Card | None, run: Run) -> None:
    """What follows a card's number or code, though nobody is heard asking for it."""
    count = len(run.digits)
    dated = any(find.kind is Sensitive.EXPIRY_DATE and (not card or find.entity > card.entity) for find in call.finds[-4:])
    at_once = card is not None and run.position - card.position <= 2 and not call.questioned(card, run)
    read_back = at_once and card is not None and (card.speaker != run.speaker or not card.complete)
    if _dates(run) and not read_back and (not dated or (count >= 4 and card is not None and card.complete)):
        call.add(Sensitive.EXPIRY_DATE, run, GUESS)
    elif read_back and run.mostly_digits and 2 <= count <= 8:
        call.add(Sensitive.CARD_NUMBER, run, GUESS)
    elif call.given(Sensitive.SECURITY_CODE, run.position) and not at_once:
        return
    elif run.mostly_digits and (count == 3 or (count == 4 and card is not None and card.digits[0] == "3")):
        call.add(Sensitive.CARD_NUMBER if at_once and not dated and card and not card.complete else Sensitive.SECURITY_CODE, run, GUESS)
    elif card and run.mostly_digits and count >= 4 and not _aside(run) and not (count == 5 and card.complete):
        call.add(Sensitive.CARD_NUMBER, run, GUESS)
