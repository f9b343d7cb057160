"""Whether a number is what a cue asks for, and how surely; or is explained by a cue for something that may be kept."""

from bisect import bisect_left
from collections.abc import Mapping

from domain.redaction import births, phones
from domain.redaction.call_so_far import Call
from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import Cue
from domain.redaction.dates import is_birth, is_year, may_be_expiry
from domain.redaction.number_runs import DOUBTFUL_BELOW, Run, only_asides
from domain.redaction.number_words import words
from domain.redaction.shapes import CARD_DATA, Sensitive
from domain.redaction.spoken_numbers import Said
from domain.redaction.spoken_words import Pause

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
_LINKED = 3
_OF = words("on of for to from with in at")


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
            return _ssn(call, run, cue, distance)
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
    if last is None or last.kind is not kind or not 0 < used < _LENGTHS.get(kind, 0) or not run.mostly_digits:
        return False
    position = call.reading.pieces[last.places[-1]].position
    return call.reading.speakers[position] == run.speaker and run.position - position <= 2 and used + len(run.digits) <= _LENGTHS[kind]


def _card(call: Call, run: Run, cue: Cue, distance: int, used: int) -> float | None:
    card, count = call.card, len(run.digits)
    if card and card.complete and cue.first < card.last and count < 8:
        return None
    if run.pieces[0].said is not Said.DIGITS and not run.mostly_digits:
        return None
    if cue.strong:
        enough = count >= 3 or used > 0 or (count == 2 and call.asked(run, cue))
        return None if not enough else CLEAR if 12 <= count <= 19 else FAIR
    if call.banking(run.position) and count < 13:
        return None
    close = distance <= 2 and (only_asides(run) or call.asked(run, cue))
    return FAIR if count >= 12 or (count >= 4 and close and not is_year(run.digits)) else None


def _code(call: Call, run: Run, cue: Cue, distance: int, used: int) -> float | None:
    count = len(run.digits)
    digits = all(piece.said in (Said.DIGITS, Said.QUANTITY, Said.ORDINAL) for piece in run.pieces)
    asked = call.asked(run, cue)
    digits = digits and run.pieces[0].said is not Said.ORDINAL
    if not digits or count > 24 or (count == 5 and run.pieces[0].said is Said.QUANTITY):
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
    asked_now = call.asked(run, cue) and distance and cue.strong and run.mostly_digits
    mmyy = asked_now and (may_be_expiry(run.pieces) or (count <= 4 and only_asides(run)))
    if not (call.paying(run.position) or mmyy) or (used and distance > 2) or count > 9 or _other_thing_expires(call, cue):
        return None
    first_said = run.pieces[0].start == call.reading.turns[run.position][0].start
    shaped = may_be_expiry(run.pieces) and not (used and count <= 2 and not first_said)
    asked = call.asked(run, cue)
    if not cue.strong:
        near = run.position - call.last_card_data() <= 4
        return FAIR if near and shaped and (count >= 3 or month or asked) else GUESS if near and asked and not used and count <= 4 else None
    if shaped and (count >= 2 or month):
        return CLEAR
    return GUESS if not used and (asked or (count >= 2 and (only_asides(run) or distance == 0))) else None


def _ssn(call: Call, run: Run, cue: Cue, distance: int) -> float | None:
    count = len(run.digits)
    if not run.mostly_digits or count > 20:
        return None
    if not cue.strong:
        return FAIR if count in (3, 4) and distance <= 2 and call.asked(run, cue) else None
    if count < 3 and (not call.asked(run, cue) or run.digits == "1"):
        return None
    return CLEAR if count in (4, 9) else FAIR if distance <= 2 else GUESS


def _bank(call: Call, run: Run, cue: Cue, distance: int) -> float | None:
    count = len(run.digits)
    if not run.mostly_digits or count > 40:
        return None
    if not cue.strong:
        return FAIR if count >= 6 and distance <= 3 else None
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


def explains(call: Call, run: Run, cue: Cue) -> bool:
    """Whether a number is explained by a cue for something that may be kept."""
    distance = run.position - cue.position
    adjacent = distance == 0 and 0 < run.first - cue.last <= 2
    if not isinstance(cue.kind, Harmless) or distance > 3 or not _suits(cue.kind, run, cue.strong or adjacent):
        return False
    at_once = _asked_at_once(call, run, cue, distance)
    by_phone = not at_once or not (cue.strong or _asked_last(call, run, cue))
    if cue.confidence < DOUBTFUL_BELOW or (phones.is_like(run) and (distance or not cue.strong) and by_phone):
        return False
    if at_once and not _pending(call, run):
        return True
    if distance and _superseded(call, cue):
        return False
    if cue.kind is Harmless.IDENTIFIER and not cue.strong and is_birth(run.pieces) and births.reads_as_date(run):
        return False
    by_another = call.by_another(run, cue)
    awaited = _awaited(call, run, cue.first if by_another else -1)
    if not cue.strong and _pending(call, run):
        return False
    near = (distance == 0 and run.first - cue.last <= (_LINKED if awaited else NEAR)) or cue.first > run.first
    if near and ((cue.strong and not awaited) or not _sentence_ends_between(call, cue, run)):
        return not _modifies(call, cue)
    if not cue.strong or (cue.kind in (Harmless.AMOUNT, Harmless.TIME) and distance):
        return False
    return not awaited and (by_another or distance == 0)


def _asked_at_once(call: Call, run: Run, cue: Cue, distance: int) -> bool:
    """Whether an identifier was asked for in the turn before, every word of the cue was surely heard, and the answer reads as no date."""
    heard = all(piece.confidence >= DOUBTFUL_BELOW for piece in call.reading.pieces[cue.first : cue.last + 1])
    asked = cue.kind is Harmless.IDENTIFIER and distance == 1 and heard and call.asked(run, cue) and not _superseded(call, cue)
    return asked and not (is_birth(run.pieces) and births.reads_as_date(run))


def _asked_last(call: Call, run: Run, cue: Cue) -> bool:
    """Whether the question ends with the cue, or nearly, asks for no phone, and its answer is the number alone: "and the reference?"."""
    last = cue.last
    while last + 1 < len(call.reading.pieces) and call.reading.pieces[last + 1].position == cue.position:
        last += 1
    at = bisect_left(call.firsts, cue.first)
    phone = any(other.kind is Sensitive.PHONE and other.position == cue.position for other in call.cues[max(at - 3, 0) : at + 3])
    return last - cue.last <= _LINKED and not run.lead and not phone


def _suits(kind: Harmless, run: Run, strong: bool) -> bool:
    count = len(run.digits)
    month = any(piece.said is Said.MONTH for piece in run.pieces)
    return {
        Harmless.IDENTIFIER: run.mostly_digits and (count <= 12 or strong),
        Harmless.AMOUNT: count <= 7 and not month,
        Harmless.COUNT: count <= 4 and not month,
        Harmless.TIME: count <= 4 and not month,
        Harmless.DATE: not run.only_digits or count <= 8,
        Harmless.ADDRESS: count <= 9 and not month,
        Harmless.CODE: count <= 8 and not month,
        Harmless.NAME: False,
        Harmless.NOTHING: False,
    }[kind]


def _superseded(call: Call, cue: Cue) -> bool:
    """ "When does the card expire?": in the same turn something sensitive is asked for behind it."""
    at = bisect_left(call.firsts, cue.last + 1)
    behind = call.cues[at : at + 3]
    return any(other.position == cue.position and other.strong and isinstance(other.kind, Sensitive) for other in behind)


def _modifies(call: Call, cue: Cue) -> bool:
    """ "The phone number on the policy": another cue stands before, and this one only says of what."""
    at = bisect_left(call.firsts, cue.first)
    if not at or call.cues[at - 1].position != cue.position or cue.first - call.cues[at - 1].last > NEAR:
        return False
    between = [call.reading.pieces[place].text for place in range(call.cues[at - 1].last + 1, cue.first)]
    named = call.cues[at - 1].strong and isinstance(call.cues[at - 1].kind, Sensitive)
    return named and bool(between) and between[0] in _OF and len(between) <= 3


def _sentence_ends_between(call: Call, cue: Cue, run: Run) -> bool:
    return any(call.reading.pieces[place].pause is Pause.HARD for place in range(cue.last, run.first))


def _pending(call: Call, run: Run) -> bool:
    """Whether somebody else just asked for something sensitive, or a card was named in this turn, and nothing was given yet."""
    at = bisect_left(call.firsts, run.first)
    return any(
        cue.strong
        and isinstance(cue.kind, Sensitive)
        and not call.used.get(number)
        and (
            (1 <= run.position - cue.position <= 2 and call.by_another(run, cue))
            or (run.position == cue.position and cue.kind in CARD_DATA)
        )
        for number, cue in ((n, call.cues[n]) for n in range(max(at - 6, 0), at))
    )


def _awaited(call: Call, run: Run, after: int) -> bool:
    """Whether card data was asked for in the last two turns (behind the piece ``after``), and nothing was given yet."""
    at = bisect_left(call.firsts, run.first)
    return any(
        cue.strong and cue.kind in CARD_DATA and run.position - cue.position <= 2 and not call.used.get(number) and cue.first > after
        for number, cue in ((n, call.cues[n]) for n in range(max(at - 6, 0), at))
    )
