"""Whether a number is explained by a cue for something that may be kept: a policy, a price, the day of an event."""

from bisect import bisect_left

from domain.redaction import births, phones
from domain.redaction.call_so_far import Call
from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import Cue
from domain.redaction.dates import is_birth, may_be_birth, may_be_expiry
from domain.redaction.fitting import NEAR
from domain.redaction.number_runs import Run
from domain.redaction.number_words import words
from domain.redaction.shapes import CARD_DATA, Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, Said
from domain.redaction.spoken_words import Pause

_SSN = 9
_MORE_THAN_A_DATE = 7
_LINKED = 3
_OF = words("on of for to from with in at")


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
    if at_once and not _pending(call, run) and (cue.strong or not call.reading_card(run)):
        return True
    if _aside_at_a_payment(call, run, cue) or (not cue.strong and _of_the_card(call, run)):
        return False
    if distance and (_superseded(call, cue) or _when_it_ends(call, run, cue)):
        return False
    if distance and len(run.digits) == _SSN and call.unanswered(Sensitive.SSN, cue.position):
        return False  # "your social, if you don't have the policy number"
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


def _aside_at_a_payment(call: Call, run: Run, cue: Cue) -> bool:
    """ "What happened? Okay, four, seven, six, three …": too many digits for a day, in another sentence, while a card is talked about."""
    on_a_day = cue.kind in (Harmless.DATE, Harmless.TIME) and len(run.digits) >= _MORE_THAN_A_DATE and run.mostly_digits
    return on_a_day and not may_be_birth(run.pieces) and call.paying(run.position) and _sentence_ends_between(call, cue, run)


def _of_the_card(call: Call, run: Run) -> bool:
    """Whether they are digits of the card's number that was just read out: "the last group is four three seven"."""
    card = call.card
    return card is not None and run.position - card.position <= 2 and len(run.digits) >= 3 and run.digits in card.digits


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


def _when_it_ends(call: Call, run: Run, cue: Cue) -> bool:
    """ "When does it …?", and a month and a year, right behind the card's number."""
    if cue.kind is not Harmless.DATE or not cue.text.startswith(("when", "what")) or not may_be_expiry(run.pieces):
        return False
    return len(run.digits) >= 3 and run.position - call.last_card_data() <= 3


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
