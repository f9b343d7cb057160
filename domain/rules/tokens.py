"""Words as rules read them: lower case, without punctuation, contractions taken apart, each with its place in the call.

What is lost is kept apart from what is heard: where a word seems to be missing between two tokens, and where a sentence ends.
Numbers that are spelled out belong to domain.redaction; patterns to domain.rules.phrases.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from domain.parties import Party
from domain.rules.shapes import HeardTurn

HOLE_MS = 280  # a silence within a clause that is long enough for a word that was not recognised,
PAUSE_MS = 600  # and one at a comma
SHORTEST_MS = 200  # no word is over sooner, whatever its recogniser says of its end
LONG_MS = 440  # a word that takes longer, and is not sure, may have swallowed its neighbour
LONG_PER_LETTER_MS = 55
SURE = 0.86
LEAST_CLIPPED = 5  # letters, with the apostrophe, of a word that ends in "in'"
JOINED_MS = 4000  # a speaker goes on after an interruption of at most this, and
JOINED_WORDS = 6  # of at most so many words of the others
CUT_IN_WORDS = 2  # of the others, up to which they did not take their turn


class Break(IntEnum):
    """What comes after a token: nothing, a pause in the sentence, the end of a turn, the end of a sentence, of a question."""

    NONE = 0
    PAUSE = 1
    TURN = 2
    STOP = 3
    QUESTION = 4

    @property
    def ends_sentence(self) -> bool:
        return self >= Break.STOP


@dataclass(frozen=True, slots=True)
class Token:
    """``turn`` and ``word`` are places in the call's turns and in that turn's words."""

    text: str
    turn: int
    word: int
    confidence: float
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one party said, across interruptions: ``breaks[i]`` is what follows token i.

    ``lost``: after which tokens a word seems to be missing; -1 before the first.
    """

    role: Party
    tokens: tuple[Token, ...]
    breaks: tuple[Break, ...]
    lost: frozenset[int]


_WHOLE = {
    "can't": "can not", "cannot": "can not", "cant": "can not", "won't": "will not", "wont": "will not", "shan't": "shall not",
    "ain't": "is not", "aint": "is not", "let's": "let us", "gonna": "going to", "wanna": "want to", "gotta": "got to",
    "gimme": "give me", "lemme": "let me", "dunno": "do not know", "kinda": "kind of", "y'all": "you all", "c'mon": "come on",
    "ok": "ok", "okay": "ok", "okey": "ok", "okie": "ok", "kay": "ok", "'kay": "ok", "k": "ok", "o.k": "ok", "mkay": "ok",
    "alright": "all right", "alrighty": "all right",
    "a.i": "ai", "ai": "ai", "mm-hmm": "mhm", "mm-hm": "mhm", "mhmm": "mhm", "mmhm": "mhm", "mmhmm": "mhm", "mhm": "mhm", "uh-huh": "mhm",
    "hmm-mm": "nope", "uh-uh": "nope", "nuh-uh": "nope", "mm-mm": "nope", "unh-unh": "nope", "nah": "nah",
    "yeah": "yeah", "yea": "yeah", "yah": "yeah", "ya": "yeah", "yep": "yep", "yup": "yep",
    "e-mail": "email", "t&c": "terms", "i'd": "i would", "im": "i am", "ive": "i have", "dont": "do not", "doesnt": "does not",
    "didnt": "did not", "isnt": "is not", "wasnt": "was not", "wouldnt": "would not", "youre": "you are", "thats": "that is",
    "100%": "hundred percent", "%": "percent", "100": "hundred", "could've": "could have", "ma'am": "ma'am", "o'clock": "oclock",
}  # fmt: skip
_TITLES = frozenset({"mr", "mrs", "ms", "dr"})  # their stop ends no sentence
_ENDINGS = {"'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would"}
_FILLERS = frozenset({"uh", "um", "er", "erm", "hm", "hmm", "mm", "ah", "eh", "uhm", "umm", "huh", "ehm"})
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"'})
_EDGES = '.,;:!?…"()[]{}*_~«»<>—–-/'
_MARKS = re.compile(r"[.,;:!?…\"()\[\]{}*_~«»<>—–\-/']*$")


@lru_cache(maxsize=65_536)
def normalised(text: str) -> tuple[tuple[str, ...], Break]:
    """(the tokens that a written word amounts to, what its punctuation says comes after it). Fillers amount to nothing."""
    word = text.translate(_APOSTROPHES).lower()
    after = _break(_MARKS.search(word).group())  # type: ignore[union-attr]  # the pattern matches the empty end
    word = word.strip(_EDGES)
    if word in _TITLES and after is Break.STOP:
        after = Break.NONE
    if word in _WHOLE:
        return tuple(_WHOLE[word].split()), after
    word = (word[:-1] + "g" if word.endswith("in'") and len(word) > LEAST_CLIPPED else word).strip("'")  # "recordin'"
    tokens: list[str] = []
    for part in re.split(r"[-–—/…]+", word) if word not in _WHOLE else [word]:
        tokens += _taken_apart(part.strip(_EDGES))
    return tuple(token for token in tokens if token and token not in _FILLERS), after


def _break(marks: str) -> Break:
    if "?" in marks:
        return Break.QUESTION
    if "..." in marks or "…" in marks or "-" in marks or "—" in marks or "–" in marks:
        return Break.PAUSE
    if "." in marks or "!" in marks:
        return Break.STOP
    return Break.PAUSE if set(marks) & {",", ";", ":"} else Break.NONE


def _taken_apart(word: str) -> list[str]:
    if word in _WHOLE:
        return _WHOLE[word].split()
    if word.endswith("n't") and len(word) > 3:
        return [word[:-3], "not"]
    for ending, full in _ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending):
            return [word[: -len(ending)], full]
    if word.endswith("'s") and len(word) > 2:
        return [word[:-2], "is"]  # or the possessive: patterns that care allow for it
    return [word.replace(".", "").replace("'", "")]


def utterances(turns: Sequence[HeardTurn]) -> tuple[Utterance, ...]:
    """What each party said, in order of where it begins. A speaker who is cut short and goes on is read as if nobody had spoken between."""
    open_: dict[Party, list[int]] = {}
    between: dict[Party, int] = {}
    groups: list[list[int]] = []
    for place, turn in enumerate(turns):
        group = open_.get(turn.role)
        last = turns[group[-1]] if group else None
        joined = last is not None and between[turn.role] <= JOINED_WORDS and turn.start_ms - last.end_ms <= JOINED_MS
        if group is None or not joined:
            open_[turn.role] = group = []
            groups.append(group)
        group.append(place)
        for role in between:
            between[role] += len(turn.words)
        between[turn.role] = 0
    return tuple(_utterance(turns, group) for group in groups)


def _hole(after: Break, silence_ms: int) -> bool:
    return not after.ends_sentence and silence_ms > (PAUSE_MS if after is Break.PAUSE else HOLE_MS)


def _answered(turns: Sequence[HeardTurn], places: Sequence[int], place: int) -> bool:
    """Whether somebody else took their turn after this one, and did not merely cut in: what comes then is a new sentence."""
    later = [other for other in places if other > place]
    between = turns[place + 1 : later[0]] if later else ()
    return sum(len(turn.words) for turn in between) > CUT_IN_WORDS and between[0].start_ms >= turns[place].end_ms


def _utterance(turns: Sequence[HeardTurn], places: Sequence[int]) -> Utterance:
    tokens: list[Token] = []
    breaks: list[Break] = []
    lost: set[int] = set()
    for place in places:
        turn = turns[place]
        last_end = turn.start_ms
        for number, word in enumerate(turn.words):
            texts, after = normalised(word.text)
            if _hole(breaks[-1] if number and breaks else Break.NONE, word.start_ms - last_end):
                lost.add(len(tokens) - 1)
            last_end = max(word.end_ms, word.start_ms + SHORTEST_MS)
            if not texts:
                if tokens and after:
                    breaks[-1] = max(breaks[-1], after)
                continue
            long = word.end_ms - word.start_ms > LONG_MS + LONG_PER_LETTER_MS * max(0, len(word.text) - 6)
            if long and word.confidence < SURE:
                lost |= {len(tokens) - 1, len(tokens) + len(texts) - 1}
            for text in texts:
                tokens.append(Token(text, place, number, word.confidence, word.start_ms, word.end_ms))
                breaks.append(Break.NONE)
            breaks[-1] = after
        if tokens and turn.end_ms - last_end > HOLE_MS:
            lost.add(len(tokens) - 1)
        if tokens and breaks[-1] < Break.TURN:
            breaks[-1] = Break.STOP if _answered(turns, places, place) else Break.TURN
    return Utterance(turns[places[0]].role, tuple(tokens), tuple(breaks), frozenset(lost))
