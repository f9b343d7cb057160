"""Answers of which hardly a digit was heard: who was asked for a code, a date or a number, and said something in a word or two.

What was asked for stands in the turn before, or in front of the words themselves ("CVV …"). A question that was answered with digits is
none of this: kinds_of_numbers.
"""

from collections.abc import Iterator, Mapping

from domain.redaction.call_so_far import Call, Find
from domain.redaction.cues import Cue
from domain.redaction.fitting import GUESS
from domain.redaction.number_runs import SOFT
from domain.redaction.number_words import EVERYDAY, HOMOPHONES, OH, PLURALS, TIMES, words
from domain.redaction.shapes import Sensitive
from domain.redaction.spoken_numbers import DOUBTFUL_BELOW, NUMBERS, Piece, Said
from domain.redaction.spoken_words import Pause

_WORDS: Mapping[Sensitive, int] = {
    Sensitive.SECURITY_CODE: 5,
    Sensitive.EXPIRY_DATE: 5,
    Sensitive.DATE_OF_BIRTH: 4,
    Sensitive.SSN: 10,
    Sensitive.CARD_NUMBER: 18,
    Sensitive.BANK_ACCOUNT: 12,
}
"""So many words such a value has, at most."""

_AFTER_CUE = 6
_LEAD = 6
_SHORT_ANSWER = 3
_REST_ASKED = 2
_LONG = frozenset({Sensitive.CARD_NUMBER, Sensitive.BANK_ACCOUNT, Sensitive.SSN})
_LINKS = words("is it's its it that's are the of was and um uh number code date year month on there")


def hardly_heard(call: Call) -> Iterator[Find]:
    """What was asked for and not found, of which recognition was not sure."""
    found = {place for find in call.finds for place in find.places}
    told = {call.reading.pieces[find.places[-1]].position for find in call.finds if find.kind is Sensitive.DATE_OF_BIRTH}
    named = {place for cue in call.cues if cue.strong for place in range(cue.first, cue.last + 1)}
    for number, cue in enumerate(call.cues):
        if not isinstance(cue.kind, Sensitive) or cue.kind not in _WORDS or call.used.get(number):
            continue
        partly = cue.kind is Sensitive.DATE_OF_BIRTH and told.intersection(range(cue.position - _REST_ASKED, cue.position))
        if not _asks(call, cue) and not partly:  # "and the year?"
            continue
        places = _behind(call, cue) or _answer(call, cue, named)
        if places and not found.intersection(places) and not named.intersection(places):
            found.update(places)
            yield Find(cue.kind, call.next_entity(), places, GUESS)


def _asks(call: Call, cue: Cue) -> bool:
    if cue.kind is Sensitive.SECURITY_CODE or cue.kind is Sensitive.EXPIRY_DATE:
        return call.paying(cue.position) and (cue.strong or cue.position - call.last_card_data() <= 4)
    return cue.strong and (cue.kind is not Sensitive.CARD_NUMBER or any(word in cue.text for word in ("number", "digit", "16")))


def _behind(call: Call, cue: Cue) -> tuple[int, ...]:
    """The last words of a sentence that names the code or the date: "CVV white"."""
    if cue.kind not in (Sensitive.SECURITY_CODE, Sensitive.EXPIRY_DATE) or not call.gives(cue.position):
        return ()
    pieces = call.reading.pieces
    at = cue.last + 1
    if pieces[cue.last].pause is Pause.HARD:
        return ()
    linked = [
        n for n in range(at, min(at + _LEAD, len(pieces))) if pieces[n].position == cue.position and pieces[n].text in ("it's", "is", "its")
    ]
    at = linked[0] if linked else at
    while at < len(pieces) and pieces[at].position == cue.position and pieces[at].text in _LINKS:
        at += 1
    end = at
    while end < len(pieces) and pieces[end].position == cue.position:
        end += 1
        if pieces[end - 1].pause is Pause.HARD:
            break
    said = range(at, end)
    if said and pieces[said[-1]].text in ("now", "okay", "thanks", "please", "right"):
        said = said[:-1]
    if not 1 <= len(said) <= _SHORT_ANSWER:
        return ()
    doubtful = sum(1 for n in said if pieces[n].confidence < DOUBTFUL_BELOW or _digit_like(pieces[n]))
    return tuple(said) if doubtful == len(said) else ()


def _answer(call: Call, cue: Cue, named: set[int]) -> tuple[int, ...]:
    """From the first to the last word of the answer that may be a digit."""
    turn = _answering(call, cue)
    if turn is None:
        return ()
    pieces = call.reading.pieces
    first = call.first_of(turn)
    said: list[int] = []
    ahead = 0
    for place in range(first, first + len(call.reading.turns[turn])):
        piece = pieces[place]
        if place in named or len(said) >= _WORDS.get(cue.kind, 0) if isinstance(cue.kind, Sensitive) else True:
            break
        if _digit_like(piece) and not _no_digit(call, place):
            said.append(place)
        elif said and piece.text in SOFT:
            pass
        elif said:
            break
        else:
            ahead += piece.text not in SOFT
            if ahead > _LEAD:
                return ()
        if said and piece.pause is Pause.HARD:
            break
    if not said:
        return ()
    span = tuple(range(said[0], said[-1] + 1))
    sure = sum(1 for place in said if _sounds(pieces[place]) and pieces[place].said is not Said.ORDINAL)
    weight = sum(1 for piece in call.reading.turns[turn] if piece.text not in SOFT)
    if cue.kind in _LONG and not any(pieces[place].confidence < DOUBTFUL_BELOW for place in said):
        return ()
    if cue.kind in _LONG and sure < 2:
        return span if weight <= _SHORT_ANSWER and cue.kind is Sensitive.SSN and ahead == 0 else ()
    doubtful = any(pieces[place].confidence < DOUBTFUL_BELOW for place in said)
    return span if sure >= 2 or (doubtful and (weight <= _SHORT_ANSWER or (sure and ahead == 0))) else ()


def _answering(call: Call, cue: Cue) -> int | None:
    """The turn that answers the cue's: somebody else's next one, or the one behind a word of agreement."""
    pieces, turns = call.reading.pieces, call.reading.turns
    behind = [piece for piece in turns[cue.position] if piece.start > pieces[cue.last].start]
    if sum(1 for piece in behind if piece.text not in SOFT) > _AFTER_CUE or any(piece.said in NUMBERS for piece in behind):
        return None
    for turn in range(cue.position + 1, min(cue.position + 4, len(turns))):
        if call.reading.speakers[turn] != call.reading.speakers[cue.position] and not all(_idle(piece) for piece in turns[turn]):
            return turn
        if len(turns[turn]) > _LEAD or not all(_idle(piece) for piece in turns[turn]):
            return None
    return None


def _idle(piece: Piece) -> bool:
    return piece.text in SOFT and piece.confidence >= DOUBTFUL_BELOW


def _no_digit(call: Call, place: int) -> bool:
    """ "Oh, it's …", "one minute": no digit beside it."""
    pieces = call.reading.pieces
    piece = pieces[place]
    if piece.text not in OH and piece.text != "1" and piece.said is not Said.ORDINAL:
        return False
    beside = [pieces[n] for n in (place - 1, place + 1) if 0 <= n < len(pieces) and pieces[n].position == piece.position]
    return not any(_sounds(other) or other.confidence < DOUBTFUL_BELOW for other in beside)


def _sounds(piece: Piece) -> bool:
    """Whether it is a digit, or sounds like one, or tells how often one is said."""
    text = piece.text
    return piece.said in NUMBERS or text in OH or text in TIMES or text in PLURALS or text in HOMOPHONES.keys() - EVERYDAY


def _digit_like(piece: Piece) -> bool:
    return _sounds(piece) or (piece.confidence < DOUBTFUL_BELOW and piece.text not in SOFT)
