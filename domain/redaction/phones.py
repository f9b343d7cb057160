"""Whether a number is somebody's phone number: what a cue asks for, how it is grouped, whether it begins as numbers abroad do."""

import re
from bisect import bisect_left
from itertools import pairwise

from domain.redaction.births import CLEAR, GUESS, read_back
from domain.redaction.call_so_far import Call
from domain.redaction.cues import Cue
from domain.redaction.dates import is_birth, is_year
from domain.redaction.number_runs import Run, only_asides
from domain.redaction.number_words import words
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import Said
from domain.redaction.spoken_words import Pause

_TOLL_FREE = words("800 888 877 866 855 844 833")
_AMERICAN = ((3, 3, 4), (1, 3, 3, 4), (2, 3, 3, 4))
_BRITISH = ((3, 4, 4), (5, 3, 3), (4, 3, 4), (5, 6), (4, 7))
_NUMBER = re.compile(r"\bnumbers?\b")
_TELEPHONES = ("phone", "cell", "mobile", "call", "reach", "text", "contact", "home", "work", "office", "line", "fax")
_WHOLE = (7, 10, 11)
_LONGEST = 24
_OF_A_CARD = 12
_READ_BACK = 7
_SPELLED = 6


def answers(call: Call, run: Run, cue: Cue, distance: int, passes: frozenset[Sensitive]) -> float | None:
    """How surely a number is what a cue for a phone number asks for, None where it is not."""
    count = len(run.digits)
    if not run.mostly_digits or count > _LONGEST or run.lengths in ((4, 4), (4, 4, 4), (4, 4, 4, 4)):
        return None
    if not cue.strong and not 5 <= count <= 11 and run.lengths[:2] != (3, 3) and not _extended(run):
        return None
    if call.paying(run.position) and not (_names_a_phone(cue) or is_like(run) or _extended(run)):
        return None
    if is_international(run):
        return CLEAR
    if call.paying(run.position) and count >= _OF_A_CARD and run.digits[0] in "3456" and not is_like(run):
        return None
    if not distance and not _answered(run, cue):
        return None
    if count not in _WHOLE and not (distance <= 2 and count >= 3 and (only_asides(run) or call.asked(run, cue))):
        return None
    if count not in _WHOLE and is_birth(run.pieces) and (_born_asked(call, run) or _slashed(run)):
        return None
    return CLEAR if Sensitive.PHONE in passes or count in _WHOLE else GUESS


def goes_on(call: Call, run: Run) -> bool:
    """Whether a number without a cue begins with a country's code, ends one that was begun, or is read back by somebody else."""
    again = len(run.digits) >= _READ_BACK and not run.lead and read_back(call, run, Sensitive.PHONE)
    return is_international(run) or _completes(call, run) or again


def is_grouped(run: Run) -> bool:
    """Three, three and hardly four; three and four; or begun as toll free numbers are."""
    count = len(run.digits)
    if is_spelled(run) or (2 in written(run)[:4] and not is_like(run)):  # "one fifteen, one thirty"
        return False
    return _is_toll_free(run) or (run.lengths[:2] == (3, 3) and 9 <= count <= 11) or is_like(run) or (3, 4) in (run.lengths, written(run))


def is_like(run: Run) -> bool:
    """Whether it is read, or written, in three, three and four, whatever stands before that of a country's code; or is toll free."""
    if _is_toll_free(run) and len(run.digits.removeprefix("1")) == 10:
        return True
    british = _BRITISH if run.digits[0] == "0" else ()
    return any(lengths in (*_AMERICAN, *british) for lengths in (run.lengths, written(run)))


def is_spelled(run: Run) -> bool:
    """Whether letters stand among it or right before: "D E I, four four one"."""
    before = run.reading.pieces[run.first - 1] if run.first else None
    letter = before is not None and before.said is Said.LETTER and before.position == run.position
    within = any(piece.said is Said.LETTER for piece in run.reading.pieces[run.first : run.last])
    ahead = run.reading.pieces[max(run.first - _SPELLED, 0) : run.first]
    spelled = any(
        one.said is other.said is Said.LETTER and one.position == other.position == run.position for one, other in pairwise(ahead)
    )
    return within or spelled or (letter and before is not None and before.pause is not Pause.HARD and before.text != "a")


def is_international(run: Run) -> bool:
    """Whether "plus" stands before as many digits as a phone number has with its country's code."""
    before = run.reading.pieces[run.first - 1] if run.first else None
    plus = before is not None and before.position == run.position and before.text in ("+", "plus")
    return plus and run.pieces[0].said is Said.DIGITS and 7 <= len(run.digits) <= 15


def written(run: Run) -> tuple[int, ...]:
    """How many digits each piece has: "555-0188" is written in three and four."""
    return tuple(len(piece.text) for piece in run.pieces)


def _answered(run: Run, cue: Cue) -> bool:
    """Whether a number in the cue's own sentence or behind it may be meant: no year of another sentence ("who has a fax? It's 2026"),
    and of "a number" none that is grouped as no phone is.
    """
    ended = any(run.reading.pieces[place].pause is Pause.HARD for place in range(cue.last, run.first))
    if ended and len(run.digits) == 4 and is_year(run.digits):
        return False
    return cue.strong or _names_a_phone(cue) or len(run.digits) in _WHOLE or run.lengths[0] <= 3 or _extended(run)


def _names_a_phone(cue: Cue) -> bool:
    """Whether it is about telephones; not "what number", which may be a card's."""
    return not _NUMBER.search(cue.text) or any(word in cue.text for word in _TELEPHONES)


def _is_toll_free(run: Run) -> bool:
    return run.digits.removeprefix("1")[:3] in _TOLL_FREE and 8 <= len(run.digits) <= 11


def _completes(call: Call, run: Run) -> bool:
    """Whether the digits before, of whoever said them, and these are a phone number together: "I have 978 221" "and then 4007"."""
    if not run.only_digits or len(run.digits) not in (3, 4, 7) or call.lately(run) is not Sensitive.PHONE:
        return False
    before = [call.reading.pieces[place] for place in call.finds[-1].places]
    return run.position - before[-1].position <= 2 and sum(len(piece.text) for piece in before) + len(run.digits) == 10


def _extended(run: Run) -> bool:
    return any(piece.text in ("extension", "ext") for piece in run.reading.pieces[run.first : run.last])


def _slashed(run: Run) -> bool:
    return any(piece.text == "/" for piece in run.reading.pieces[run.first : run.last])


def _born_asked(call: Call, run: Run) -> bool:
    """Whether a date of birth was asked for in the last turns as well, and not given yet."""
    at = bisect_left(call.firsts, run.first)
    return any(
        call.cues[n].kind is Sensitive.DATE_OF_BIRTH and run.position - call.cues[n].position <= 2 and not call.used.get(n)
        for n in range(max(at - 6, 0), at)
    )
