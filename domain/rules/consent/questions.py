"""What the business asks about the recording, and what else with it. What is made of the answer is decided in answers and spoken.

A mere yes answers one question that was heard whole. Where its way round is not known, where it was badly heard or cut short, or where something
else is asked with it, only an answer counts that says itself what it agrees to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.rules.consent.answers import Asked
from domain.rules.consent.stretches import Stretch, in_question, inside, phrases
from domain.rules.consent.tags import BREATH, badly, one_sentence
from domain.rules.phrases import Phrase
from domain.rules.places import DENIALS
from domain.rules.tokens import Break

MOST_AFTER = 24  # words that may follow a question before a mere yes may mean something else
QUESTION_NEAR = 45  # words between what is said of the recording and the question about it
LEAVE_BEFORE, LEAVE_AFTER = 8, 12  # words between what is said of the recording and a word of leave
MOST_UNHEARD = 1  # words after a question: more may be another one
BRIEF = 5  # words of a question that has no subject of its own
_GOOD = frozenset(["ok", "right", "fine", "good", "agreed", "yes", "yeah", "cool", "sound"])
_BARE_WORDS = """
is that a so you sure are then well and do it was or no not all with by for to this we i may can would be
"""
_BARE = _GOOD | frozenset(_BARE_WORDS.split())
_ASKS_LEAVE = _GOOD | frozenset(
    [
        "mind",
        "object",
        "objection",
        "objections",
        "agree",
        "consent",
        "permission",
        "comfortable",
        "problem",
        "may",
        "allow",
        "let",
        "happy",
        "issue",
    ]
)
_LEAVE_WORDS = """
ok fine happy mind object objection objections agree agreeable consent permission comfortable problem acceptable willing
"""
_LEAVE = frozenset(_LEAVE_WORDS.split())
_REQUESTS = frozenset(["tell", "give", "spell", "describe", "walk", "read", "verify", "your", "to", "for"])
_HANGING = frozenset(["to", "for", "with", "be", "being", "if", "the", "a", "of", "and"])


@dataclass(frozen=True, slots=True)
class Question:
    """``asked`` is OTHER also where the recording is asked about with something else (``joint``), NOTHING where only that is told or nothing is asked.

    ``about``: the recording is asked about. ``others``: something else is. ``marked``: a question is, by its mark.
    """

    asked: Asked
    about: bool
    joint: bool
    others: bool
    marked: bool


def question(stretch: Stretch, waiting: bool, refused: bool) -> Question:
    """``waiting``: an earlier question about the recording is still open. ``refused``: after that a new one must name it."""
    recording = phrases(stretch, "recording")
    minds, mays = phrases(stretch, "do_you_mind"), phrases(stretch, "may_we")
    others = [phrase for phrase in phrases(stretch, "other_question") if _may_ask(stretch, phrase)]
    others += [phrase for phrase in phrases(stretch, "wh") if in_question(stretch, phrase)]
    breaks = stretch.heard.said.breaks
    marked = any(breaks[place] is Break.QUESTION for place in range(stretch.begin, stretch.end))
    asks = [phrase for phrase in (*minds, *mays) if _about(phrase, recording, stretch, waiting, refused)]
    known = bool(asks)
    brief: list[Phrase] = []
    if not asks and not refused:
        brief = _by_form(stretch, recording, others, waiting)
        asks = brief or phrases(stretch, "asking") or _of_leave(stretch, recording)
    if not asks:
        other = bool(others) or _of_something_else(stretch, recording, ())
        return Question(Asked.OTHER if other or marked else Asked.NOTHING, False, False, other, marked)
    first, last = min(phrase.start for phrase in asks), max(phrase.end for phrase in asks)
    free = [other for other in others if not _overlaps(other, [*asks, *minds, *mays])]
    later = any(other.start >= last for other in free)
    with_it = any(other.end <= first and one_sentence(stretch.heard, other.start, first) and not _greets(stretch, other) for other in free)
    unheard = sum(badly(stretch.heard, at) for at in range(last, stretch.end)) > MOST_UNHEARD
    if unheard or later or with_it or stretch.end - last > MOST_AFTER or _asks_more(stretch, last) or _cut_short(stretch, last):
        return Question(Asked.OTHER, True, later or with_it, True, marked)
    return Question(_way_round(stretch, asks, minds, bool(brief)) if known or brief else Asked.EITHER, True, False, bool(free), marked)


def _about(phrase: Phrase, recording: Sequence[Phrase], stretch: Stretch, waiting: bool, refused: bool) -> bool:
    """Whether a question is about the recording: that is spoken of close to it, or was just asked about."""
    if refused:
        return any(
            phrase.start <= one.start <= phrase.end + BREATH and one_sentence(stretch.heard, phrase.start, one.start) for one in recording
        )
    return any(-QUESTION_NEAR <= phrase.start - one.start <= QUESTION_NEAR for one in recording) or waiting


def _by_form(stretch: Stretch, recording: Sequence[Phrase], others: Sequence[Phrase], waiting: bool) -> list[Phrase]:
    """Questions about the recording in words that nobody has listed: they name it, or are brief and follow what does."""
    breaks = stretch.heard.said.breaks
    found: list[Phrase] = []
    begin = stretch.begin
    named = waiting
    for place in range(stretch.begin, stretch.end):
        if not breaks[place].ends_sentence and place + 1 < stretch.end:
            continue
        sentence = Phrase("", begin, place + 1, frozenset())
        names = any(begin <= one.start <= place for one in recording)
        asks = breaks[place] is Break.QUESTION and not any(begin <= other.start <= place for other in others)
        if asks and (names or (named and _bare(stretch, begin, place + 1))):
            found.append(sentence)
        begin, named = place + 1, names
    return found


def _may_ask(stretch: Stretch, phrase: Phrase) -> bool:
    """Whether words that ask do so: in a sentence that is marked as a statement only at its beginning."""
    breaks = stretch.heard.said.breaks
    mark = next((breaks[at] for at in range(phrase.end - 1, stretch.end) if breaks[at].ends_sentence), Break.NONE)
    begins = phrase.start - 1 <= stretch.begin or any(breaks[at].ends_sentence for at in (phrase.start - 2, phrase.start - 1))
    return mark is not Break.STOP or begins or stretch.heard.said.tokens[phrase.start].text in _REQUESTS


def _bare(stretch: Stretch, begin: int, end: int) -> bool:
    """Whether a question says too little to be about something else."""
    return end - begin <= BRIEF and all(token.text in _BARE for token in stretch.heard.said.tokens[begin:end])


def _of_something_else(stretch: Stretch, recording: Sequence[Phrase], asks: Sequence[Phrase]) -> bool:
    """Whether a sentence is marked as a question that neither names the recording nor asks for leave."""
    said = stretch.heard.said
    begin = stretch.begin
    for place in range(stretch.begin, stretch.end):
        if said.breaks[place].ends_sentence:
            ours = any(begin <= one.start <= place for one in (*recording, *asks))
            leave = any(said.tokens[at].text in _ASKS_LEAVE for at in range(begin, place + 1))
            if said.breaks[place] is Break.QUESTION and not ours and not leave:
                return True
            begin = place + 1
    return False


def _overlaps(phrase: Phrase, others: Sequence[Phrase]) -> bool:
    return any(phrase.start < other.end and other.start < phrase.end for other in others)


def _of_leave(stretch: Stretch, recording: Sequence[Phrase]) -> list[Phrase]:
    """Words of leave close to the recording: a question may have been asked of which the rest was not heard."""
    said = stretch.heard.said
    found: list[Phrase] = []
    for at in range(stretch.begin + 1, stretch.end):
        opens = said.breaks[at - 1].ends_sentence or at == stretch.begin
        if said.tokens[at].text in _LEAVE and not opens and any(-LEAVE_BEFORE <= at - one.end <= LEAVE_AFTER for one in recording):
            found.append(Phrase("", at, at + 1, frozenset()))
    return found


def _way_round(stretch: Stretch, asks: Sequence[Phrase], minds: Sequence[Phrase], brief: bool) -> Asked:
    said = stretch.heard.said
    first, last = min(phrase.start for phrase in asks), max(phrase.end for phrase in asks)
    begin = next((at for at in range(first, stretch.begin, -1) if said.breaks[at - 1].ends_sentence), stretch.begin)
    end = next((at + 1 for at in range(last - 1, stretch.end) if said.breaks[at].ends_sentence), stretch.end)
    if any(begin <= one.start < end for one in phrases(stretch, "reverse")):
        return Asked.STOP
    if not _well_heard(stretch, asks):
        return Asked.EITHER
    words = {said.tokens[at].text for at in range(first, last)}
    if brief:
        return Asked.MAY_WE if last - first <= BRIEF and words & _GOOD and not words & DENIALS else Asked.EITHER
    minding = any(inside(phrase, minds) for phrase in asks)
    asking = any(not inside(phrase, minds) for phrase in asks)
    if minding:
        return Asked.EITHER if asking else Asked.DO_YOU_MIND
    around = range(max(begin, first - BREATH), min(end, last + BREATH))
    denied = any(said.tokens[at].text in DENIALS and (at == 0 or said.tokens[at - 1].text != "or") for at in around)
    return Asked.EITHER if denied else Asked.MAY_WE


def _well_heard(stretch: Stretch, asks: Sequence[Phrase]) -> bool:
    """Whether one of the questions was heard word by word, with what stands before it: a "mind" or "not" that was lost turns it round."""
    heard = stretch.heard
    for phrase in asks:
        places = range(max(stretch.begin, phrase.start - 1), phrase.end)
        if not any(badly(heard, at) or at in heard.said.lost for at in places[:-1]) and not badly(heard, phrase.end - 1):
            return True
    return False


def _asks_more(stretch: Stretch, since: int) -> bool:
    """Whether something else is asked after the question, by the marks alone: a later sentence than the question's ends in one."""
    breaks = stretch.heard.said.breaks
    begin = next((place + 1 for place in range(since - 1, stretch.end) if breaks[place].ends_sentence), stretch.end)
    for place in range(begin, stretch.end):
        if breaks[place] is Break.QUESTION and not _bare(stretch, begin, place + 1):
            return True
        if breaks[place].ends_sentence:
            begin = place + 1
    return False


def _cut_short(stretch: Stretch, last: int) -> bool:
    """Whether the business was interrupted in its question."""
    said = stretch.heard.said
    ended = any(said.breaks[at].ends_sentence for at in range(last - 1, stretch.end))
    return not ended and said.tokens[stretch.end - 1].text in _HANGING


def _greets(stretch: Stretch, other: Phrase) -> bool:
    """Whether a question only greets, or asks whom one speaks to: nobody answers it with a yes to something else."""
    words = {stretch.heard.said.tokens[at].text for at in range(other.start, min(other.end + 2, stretch.end))}
    return {"how", "you"} <= words
