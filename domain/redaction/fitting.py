"""Whether a number is what a cue asks for, and how surely."""

from bisect import bisect_left
from collections.abc import Mapping

from domain.redaction import births, phones
from domain.redaction.call_so_far import Call
from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import Cue
from domain.redaction.dates import is_birth, is_year, may_be_birth, may_be_expiry
from domain.redaction.number_runs import Run, only_asides
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, Said

CERTAIN, CLEAR, FAIR, GUESS = 0.99, 0.9, 0.7, 0.5

REACH: Mapping[Sensitive, int] = {
    Sensitive.CARD_NUMBER: 8,
    Sensitive.SECURITY_CODE: 6,
    Sensitive.EXPIRY_DATE: 5,
    Sensitive.SSN: 6,
    Sensitive.BANK_ACCOUNT: 8,
    Sensitive.PHONE: 5,
    Sensitive.DATE_OF_BIRTH: 5,
}
"""How many turns after its cue a number is still taken for it."""

_LENGTHS: Mapping[Sensitive, int] = {Sensitive.SSN: 18, Sensitive.PHONE: 20, Sensitive.BANK_ACCOUNT: 34}
"""So many digits may be given for a cue, read back once."""
NEAR = 5


def fits(call: Call, run: Run, cue: Cue, passes: frozenset[Sensitive], used: int) -> float | None:
    """None: it is not. ``used``: how many digits were found for this cue before."""
    distance = run.position - cue.position
    if not isinstance(cue.kind, Sensitive) or distance > REACH.get(cue.kind, -1):
        return None
    if (cue.strong or cue.kind is Sensitive.PHONE) and _goes_on(call, run, cue.kind, used):
        return FAIR
    match cue.kind:
        case Sensitive.CARD_NUMBER:
            return _card(call, run, cue, distance, used)
        case Sensitive.SECURITY_CODE:
            return _code(call, run, cue, distance, used)
        case Sensitive.EXPIRY_DATE:
            return _expiry(call, run, cue, distance, used)
        case Sensitive.SSN:
            return _ssn(call, run, cue, distance, used)
        case Sensitive.BANK_ACCOUNT:
            return _bank(call, run, cue, distance)
        case Sensitive.PHONE:
            return phones.answers(call, run, cue, distance, passes)
        case Sensitive.DATE_OF_BIRTH:
            return births.answers(call, run, cue, distance, used)
        case _:
            return None


def _goes_on(call: Call, run: Run, kind: Sensitive, used: int) -> bool:
    """Whether the same speaker just gave a part of it, and more of it is to come."""
    last = call.finds[-1] if call.finds else None
    if last and last.kind is kind is Sensitive.DATE_OF_BIRTH:
        year = is_year(run.digits) or (len(run.digits) == 2 and run.only_digits and run.lead == 0)
        return year and call.lately(run) is kind and not is_birth([call.reading.pieces[place] for place in last.places])
    if last is None or last.kind is not kind or not 0 < used < _LENGTHS.get(kind, 0) or not run.mostly_digits or run.digits == "1":
        return False
    position = call.reading.pieces[last.places[-1]].position
    return call.reading.speakers[position] == run.speaker and run.position - position <= 2 and used + len(run.digits) <= _LENGTHS[kind]


def _card(call: Call, run: Run, cue: Cue, distance: int, used: int) -> float | None:
    card, count = call.card, len(run.digits)
    if only_dates(run) or (count == 3 and distance and not _of_number(cue) and not call.asked(run, cue)):
        return None
    if run.coded or (card and card.complete and count < 8 and (cue.first < card.last or (count <= 4 and not _of_number(cue)))):
        return None
    if run.pieces[0].said is not Said.DIGITS and not run.mostly_digits:
        return None
    if count in (3, 4) and not _of_number(cue) and call.code_asked(run):
        return None
    if cue.strong:
        enough = count >= 3 or used > 0 or (count == 2 and distance > 0 and call.asked(run, cue))
        return None if not enough else CLEAR if 12 <= count <= 19 else FAIR
    if call.banking(run.position) and count < 13:
        return None
    close = distance <= 2 and (only_asides(run) or call.asked(run, cue))
    return FAIR if count >= 12 or (count >= 4 and close and not is_year(run.digits)) else None


def slashed(run: Run) -> bool:
    return len(run.groups) == 2 and run.reading.pieces[run.groups[0][-1] + 1].text == "/"


def only_dates(run: Run) -> bool:
    """Whether it is months and years and nothing else: "06/26", "oh six twenty six, or oh six twenty seven"."""
    if not run.mostly_digits or (run.digits[0] in "3456" and len(run.groups) > 1):
        return False
    if slashed(run):
        return may_be_expiry(run.pieces) and len(run.digits) <= 6
    return len(run.groups) > 1 and all(
        may_be_expiry(part.pieces) and len(part.digits) >= 3 for part in (run.part(group) for group in run.groups)
    )


def _of_number(cue: Cue) -> bool:
    return any(word in cue.text for word in ("number", "digit", "end", "16", "15"))


def _code(call: Call, run: Run, cue: Cue, distance: int, used: int) -> float | None:
    count = len(run.digits)
    digits = all(piece.said in (Said.DIGITS, Said.QUANTITY, Said.ORDINAL) for piece in run.pieces)
    asked = call.asked(run, cue)
    digits = digits and run.pieces[0].said is not Said.ORDINAL
    if not digits or count > 8 or run.coded or slashed(run) or (count == 5 and run.pieces[0].said is Said.QUANTITY):
        return None
    if (used >= 3 or cue.first > run.first) and may_be_expiry(run.pieces) and not run.part(run.places[1:]).only_digits:
        return None
    american = call.card is not None and call.card.digits[0] == "3"
    if count >= (5 if american else 4) and may_be_expiry(run.pieces) and call.given(Sensitive.SECURITY_CODE, run.position):
        return None
    if count > 4 and (cue.at_a_payment or not (asked or only_asides(run))):
        return None
    if not cue.strong:
        close = call.paying(run.position) and distance <= 2
        return FAIR if close and (3 <= count <= 4 or (asked and count <= 4)) else None
    at_once = distance == 1 and not used and count <= 4 and (count > 1 or _beside_misheard(run)) and call.by_another(run, cue)
    if at_once:
        return CLEAR if count in (3, 4) else GUESS
    if (used and distance > 3) or (count <= 1 and not asked and not only_asides(run) and not (used and distance == 0)):
        return None
    return CLEAR if count in (3, 4) else GUESS


def _beside_misheard(run: Run) -> bool:
    around = run.reading.pieces[max(run.first - 1, 0) : run.last + 2]
    return any(piece.confidence < DOUBTFUL_BELOW for piece in around)


def _expiry(call: Call, run: Run, cue: Cue, distance: int, used: int) -> float | None:
    count = len(run.digits)
    month = run.pieces[0].said is Said.MONTH
    if all(piece.said is Said.ORDINAL and piece.confidence >= DOUBTFUL_BELOW for piece in run.pieces):
        return None
    asked_now = call.asked(run, cue) and distance and cue.strong and run.mostly_digits
    mmyy = asked_now and (may_be_expiry(run.pieces) or (count <= 4 and only_asides(run)))
    alone = cue.strong and distance == 0 and may_be_expiry(run.pieces) and not call.harmless_around(run)
    if not (call.paying(run.position) or mmyy or alone) or (used and distance > 2) or count > 12 or _other_thing_expires(call, cue):
        return None
    first_said = run.pieces[0].start == call.reading.turns[run.position][0].start
    shaped = may_be_expiry(run.pieces) and not (used and count <= 2 and not first_said)
    asked = call.asked(run, cue)
    if not cue.strong:
        near = run.position - call.last_card_data() <= 4
        return FAIR if near and shaped and (count >= 3 or month or asked) else GUESS if near and asked and not used and count <= 4 else None
    if shaped and (count >= 2 or month):
        return CLEAR
    if (count == 1 and not month and not _beside_misheard(run)) or (cue.at_a_payment and not asked):
        return None
    return GUESS if not used and (asked or (count >= 2 and (only_asides(run) or distance == 0))) else None


def _ssn(call: Call, run: Run, cue: Cue, distance: int, used: int) -> float | None:
    count = len(run.digits)
    if not run.mostly_digits or count > 20 or run.coded:
        return None
    asked = call.asked(run, cue)
    if distance and count < 9 and may_be_birth(run.pieces) and call.unanswered(Sensitive.DATE_OF_BIRTH, cue.position):
        return None
    if used >= 9 and not (distance <= 1 and count in (4, 9)):
        return None
    in_tens = all(len(piece.text) == 2 for piece in run.pieces) and not only_asides(run)
    if distance > 2 and in_tens and call.given(Sensitive.SSN, run.position):
        return None  # "it's fourteen seventy-five now"
    if distance and not asked and (is_birth(run.pieces) or count in (10, 11)):
        return None
    if not cue.strong:
        return FAIR if count in (3, 4) and distance <= 2 and call.asked(run, cue) else None
    if count < 3 and (not call.asked(run, cue) or run.digits == "1"):
        return None
    return CLEAR if count in (4, 9) else FAIR if distance <= 2 else GUESS


def _bank(call: Call, run: Run, cue: Cue, distance: int) -> float | None:
    count = len(run.digits)
    if not run.mostly_digits or count > 40 or run.coded:
        return None
    if not cue.strong:
        return FAIR if 6 <= count <= 17 and distance <= 3 and not call.card_meant(run) else None
    if count < 3 and (not call.asked(run, cue) or run.digits == "1"):
        return None
    return CLEAR if count >= 6 else FAIR


def _other_thing_expires(call: Call, cue: Cue) -> bool:
    """ "The policy expires on …": said of something that is no card."""
    at = bisect_left(call.firsts, cue.first)
    return any(
        other.position == cue.position
        and cue.first - other.last <= NEAR
        and other.kind in (Harmless.IDENTIFIER, Harmless.AMOUNT, Harmless.CODE)
        for other in call.cues[max(at - 2, 0) : at]
    )
