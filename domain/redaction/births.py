"""Whether a date is somebody's date of birth: from the question that it answers, whom it is said of, and what else was asked lately.

Old dates are told of weddings, houses and policies as well. A date counts as a birth where birth is talked about, where it says who
somebody is, or where a person's word stands right before it, and nothing that happens on a day does.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from domain.redaction.call_so_far import Call
from domain.redaction.cue_patterns import Harmless
from domain.redaction.cues import Cue
from domain.redaction.dates import is_birth, is_in_threes, is_recent, is_whole_date, is_year, may_be_birth
from domain.redaction.number_runs import SOFT, Run, only_asides
from domain.redaction.number_words import HOLIDAYS, words
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, Piece, Said
from domain.redaction.spoken_words import Pause

CLEAR, FAIR, GUESS = 0.9, 0.7, 0.5

_PERSONS = words(
    "me mine i'm he he's she she's him her his hers they're we're yours ours myself you're who whose "
    "son daughter kid kids child children boy girl boys girls baby babies twin twins toddler teenager teen infant newborn "
    "wife husband spouse partner fiance fiancé fiancee fiancée boyfriend girlfriend ex "
    "mom mum mother dad father pop papa daddy mama parent parents grandma grandpa grandmother grandfather grandson "
    "granddaughter grandchild grandkids brother sister sibling nephew niece uncle aunt auntie cousin stepson stepdaughter "
    "roommate roommates friend person people family household "
    "driver drivers passenger passengers traveler travelers traveller travellers insured applicant applicants proposer "
    "beneficiary beneficiaries dependent dependents member members tenant tenants guardian bride groom couple owner "
    "owners patient employee employees operator minor adult caller client "
)
_CHILDREN = words(
    "son daughter kid kids child children boy girl boys girls baby babies twins toddler infant newborn grandson granddaughter"
)
_BIRTH = words("birth births birthday birthdays birthdate birthdates dob dobs bday bdays born date dates ages age old")
_DATES_OF = words("date dates dated")
_IDENTITY = words(
    "verify verifying verification confirm confirming identify identity identification security validate authenticate prove "
    "details record records file pull locate match lookup look information info particulars profile account access"
)
_EVENTS = words(
    "when wedding married marry engaged anniversary bought purchase purchased buy built build moved move opened founded started "
    "start begin began issued issue signed sign dated happened happen accident crash collision loss storm fire hail flood theft "
    "stolen retired retirement graduated graduation divorced died passed sold sell installed replaced renewed renewal expired "
    "expires expire runs run lease since until till anniversary event party ceremony reception closing closed inspection surgery "
    "appointment visit letter filed hired joined enrolled flight trip rehearsal due effective deed mortgage licensed holiday "
    "cancelled canceled scheduled arrived leaving departs returns concert show festival took claim claims incident rented "
    "permit serviced painted deposit inception cancellation amended where drive drove"
)
_OWN_EVENTS = _EVENTS | words("policy on since until till from by after before at house home car roof boat building truck")
_AHEAD = 5
_LATELY = 8
_LOOKED_AT = 16
_QUESTION = 2
_LEAD = 4
_LONGEST = 8
_DATES = 4
_YEAR = 6
_NEAR = 7
_READ_BACK = 3


def answers(call: Call, run: Run, cue: Cue, distance: int, used: int) -> float | None:
    """How surely a date is what a cue for one asks for, None where it is not. ``used``: how many digits were found for the cue before."""
    count = len(run.digits)
    asked = call.asked(run, cue)
    if count > _LONGEST and run.only_digits and not any(is_birth(run.pieces[:end]) for end in range(2, len(run.pieces))):
        return None  # too many digits, and not one date said twice
    if count > _DATES * _LONGEST:
        return None
    before = _sentence_before(run)
    recent = count <= _LONGEST and is_recent(run.pieces)
    if recent and (not is_whole_date(run.pieces) or call.paying(run.position) or _eventful(before, _OWN_EVENTS)):
        return None
    if recent and not asked and distance > _QUESTION:
        return None
    shaped = may_be_birth(run.pieces)
    if run.digits == "1" or (count == 1 and distance != 1):
        return None  # "and the little one?"
    if cue.first > run.first and (not shaped or count < 2):
        return None  # "she has had three birthdays"
    if not cue.strong:
        going_on = any(find.kind is Sensitive.DATE_OF_BIRTH for find in call.finds[-3:])
        return FAIR if going_on and asked and (shaped or count <= _YEAR) else None
    if not shaped and count > _YEAR and all(len(piece.text) == 1 for piece in run.pieces):
        return None  # read digit by digit, as codes are
    if asked or (distance <= 2 and only_asides(run)):
        return CLEAR if shaped else GUESS
    if distance == 3 and only_asides(run) and shaped:
        return FAIR
    if distance == 0:
        return CLEAR if shaped and count >= 2 else None
    if _eventful(before, _EVENTS):
        return None
    if distance == 1 and shaped and call.by_another(run, cue) and _lead(run) <= _LEAD:
        return FAIR
    named = run.pieces[0].said in (Said.MONTH, Said.ORDINAL) and shaped and distance <= _QUESTION and call.by_another(run, cue)
    whole = is_birth(run.pieces) or is_whole_date(run.pieces)
    return FAIR if named or (whole and (not used or only_asides(run) or distance <= 2)) else None


def told(call: Call, run: Run) -> bool:
    """Whether a date that no cue explains is a birth all the same, by what is talked about and of whom it is said."""
    before = _sentence_before(run)
    of_a_person = _of_a_person(before)
    question = [piece for turn in _others_before(call, run) for piece in turn]
    lately = _birth_lately(call, run) or _asked_unclearly(question)
    whole = _is_whole(run, of_a_person or lately)
    if (
        not whole and len(run.groups) > 1 and len(run.digits) > _YEAR and run.lengths[0] <= 2
    ):  # "fifty-one, the third of March seventy-five"
        whole = _is_whole(run.part(run.places[len(run.groups[0]) :]), of_a_person or lately)
    if _is_broken(run) or _eventful(before[-_NEAR:], _OWN_EVENTS) or _dated_lately(call, run):
        return False
    if lately:
        partial = run.pieces[0].said in (Said.MONTH, Said.ORDINAL) and may_be_birth(run.pieces) and _lead(run) <= 1
        going_on = _birth_just_found(call, run) or _birth_behind(call, run) or _asked_unclearly(question)
        return whole or (partial and not _eventful(question, _EVENTS) and going_on) or read_back(call, run, Sensitive.DATE_OF_BIRTH)
    if not whole or (is_recent(run.pieces) and not any(_bare(piece) in _CHILDREN for piece in question)):
        return False
    if of_a_person:
        return True
    if _eventful(question, _EVENTS) or _asks_a_date(question):
        return False
    about = any(_bare(piece) in _PERSONS or _bare(piece) in _BIRTH or _bare(piece) in _IDENTITY for piece in question)
    return (about and _lead(run) <= _LEAD) or (only_asides(run) and not run.lead and is_year(run.digits[-4:]))


def _asks_a_date(question: Sequence[Piece]) -> bool:
    """Whether a date is asked for, and it is plain that not a birth's is: "date of hire?"; with a word misheard behind it may be one."""
    named = any(piece.text in _BIRTH and piece.text not in _DATES_OF for piece in question)
    sure = [
        all(near.confidence >= DOUBTFUL_BELOW for near in question[n : n + 3])
        for n, piece in enumerate(question)
        if piece.text in _DATES_OF
    ]
    return not named and bool(sure) and all(sure)


def _asked_unclearly(question: Sequence[Piece]) -> bool:
    """Whether a "date of" is asked for, and what is behind it was hardly heard."""
    return any(
        piece.text in _DATES_OF and of.text == "of" and (len(question) == n + 2 or question[n + 2].confidence < DOUBTFUL_BELOW)
        for n, (piece, of) in enumerate(pairwise(question))
    )


def read_back(call: Call, run: Run, kind: Sensitive) -> bool:
    """Whether somebody else told such a value right before, and digits are the first thing that is said now: it is read back, if with errors."""
    last = call.finds[-1] if call.finds else None
    if last is None or last.kind is not kind or len(run.digits) < _READ_BACK or run.lead > 1:
        return False
    position = call.reading.pieces[last.places[-1]].position
    return run.position == position + 1 and call.reading.speakers[position] != run.speaker and not call.harmless_near(run)


def _bare(piece: Piece) -> str:
    text = piece.text
    return text.removesuffix("'s").removesuffix("'") if text not in _PERSONS else text


def _lead(run: Run) -> int:
    """How many words that weigh stand before the date in its turn."""
    return sum(piece.text not in SOFT and piece.text not in HOLIDAYS for piece in _sentence_before(run))


def _sentence_before(run: Run) -> Sequence[Piece]:
    """What of the sentence was said before the date."""
    first = run.first
    pieces = run.reading.pieces
    while first > 0 and pieces[first - 1].position == run.position and pieces[first - 1].pause is not Pause.HARD:
        first -= 1
    return pieces[first : run.first]


def _eventful(pieces: Sequence[Piece], events: frozenset[str]) -> bool:
    """Whether something is named that happens on a day."""
    return any((piece.text in events or _bare(piece) in events) and piece.confidence >= DOUBTFUL_BELOW for piece in pieces)


def _of_a_person(before: Sequence[Piece]) -> bool:
    """Whether a person's word stands right before, with hardly more than a name in between: "my son Peter, …", "and she is …"."""
    for piece in reversed(before[-_AHEAD:]):
        if _bare(piece) in _PERSONS:
            return True
        if piece.text.endswith("ed") or piece.said is not Said.WORD:
            return False
    return False


def reads_as_date(run: Run) -> bool:
    """Whether it is said in parts as long as a date's, not digit by digit as codes are."""
    amounts = any(piece.said is Said.QUANTITY and not is_year(piece.text) for piece in run.pieces)
    return not amounts and any(len(piece.text) > 1 or piece.said is not Said.DIGITS for piece in run.pieces[-2:])


def _is_whole(run: Run, likely: bool) -> bool:
    """Whether it is a date with its year; in three short numbers only where a birth is ``likely``."""
    return reads_as_date(run) and (is_birth(run.pieces) or is_whole_date(run.pieces) or (likely and _is_in_threes(run)))


def _is_in_threes(run: Run) -> bool:
    return is_in_threes(run.lengths, run.digits) or is_in_threes([len(piece.text) for piece in run.pieces], run.digits)


def _is_broken(run: Run) -> bool:
    """Whether a sentence ends inside, or something else is said: "since the first of May. Thirty-four guests"."""
    between = run.reading.pieces[run.first : run.last]
    return any(piece.pause is Pause.HARD for piece in between) or any(
        piece.said is Said.WORD and piece.text not in SOFT and piece.confidence >= DOUBTFUL_BELOW for piece in between
    )


def _others_before(call: Call, run: Run) -> Iterator[Sequence[Piece]]:
    """What others said in the turns right before."""
    for position in range(run.position - 1, max(run.position - 1 - _QUESTION, -1), -1):
        if call.reading.speakers[position] != run.speaker:
            yield call.reading.turns[position]
            if len(call.reading.turns[position]) > 2:
                return


def _cues_before(call: Call, run: Run) -> Iterator[Cue]:
    at = bisect_left(call.firsts, run.first)
    return reversed(call.cues[max(at - _LOOKED_AT, 0) : at])


def _birth_lately(call: Call, run: Run) -> bool:
    """Whether a birth was asked for or told in the turns before."""
    asked = any(
        cue.kind is Sensitive.DATE_OF_BIRTH and cue.strong and run.position - cue.position <= _LATELY for cue in _cues_before(call, run)
    )
    return (
        asked
        or _birth_behind(call, run)
        or any(
            find.kind is Sensitive.DATE_OF_BIRTH and run.position - call.reading.pieces[find.places[-1]].position <= _LATELY
            for find in call.finds[-4:]
        )
    )


def _birth_behind(call: Call, run: Run) -> bool:
    """Whether birth is named behind it in its own turn: "I have March third here as your birthday"."""
    at = bisect_left(call.firsts, run.last + 1)
    return any(cue.kind is Sensitive.DATE_OF_BIRTH and cue.position == run.position for cue in call.cues[at : at + 2])


def _birth_just_found(call: Call, run: Run) -> bool:
    """Whether the last turns told one, of which this may be said again or put right."""
    return call.lately(run) is Sensitive.DATE_OF_BIRTH


def _dated_lately(call: Call, run: Run) -> bool:
    """Whether the date of something that happens was asked for in the last turn, or is named in this one."""
    return any(
        cue.kind is Harmless.DATE and cue.strong and cue.confidence >= DOUBTFUL_BELOW and run.position - cue.position <= 1
        for cue in _cues_before(call, run)
    )
