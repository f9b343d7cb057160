"""What was said about a recording turn by turn: the stretches of an utterance, and what stands in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.parties import Party
from domain.rules.phrases import HARDLY, Phrase
from domain.rules.places import DENIALS, Read
from domain.rules.rules import consent_kind
from domain.rules.tokens import Break

MOST_GARBLED = 0.2  # share of the words after what tells of the recording that were not heard
WELL = 0.8
_HERE = frozenset(["is", "are", "am", "being", "we", "this", "call", "calls", "line", "be", "on"])
_ELSEWHERE = DENIALS | frozenset(["she", "he", "they", "will", "would", "her", "his", "your", "that", "if", "may", "can", "could", "to"])
BESIDE = 3  # words before what tells of the recording in which a "not" would count


@dataclass(frozen=True, slots=True)
class Stretch:
    """The tokens of one turn (or of one cut short and taken up again) within an utterance."""

    heard: Read
    begin: int
    end: int
    turn: int


def stretches(heard: Sequence[Read]) -> list[Stretch]:
    """What was said, turn by turn, in order of time. What the customer goes on with after a short interruption stays one answer."""
    found: list[Stretch] = []
    for one in heard:
        tokens = one.said.tokens
        begin = 0
        for place in range(1, len(tokens) + 1):
            last = place == len(tokens)
            if last or (tokens[place].turn != tokens[begin].turn and (one.said.role is not Party.CUSTOMER or not _unfinished(one, place))):
                found.append(Stretch(one, begin, place, tokens[begin].turn))
                begin = place
    return sorted(found, key=lambda stretch: stretch.turn)


def _unfinished(one: Read, place: int) -> bool:
    """Whether the turn that ends before this place broke off in mid-sentence, and was taken up again."""
    tokens, breaks = one.said.tokens, one.said.breaks
    return tokens[place].turn != tokens[place - 1].turn and breaks[place - 1] < Break.STOP and tokens[place - 1].text in _HANGING


_HANGING_WORDS = """
i i'd would do not to the a and but so you rather if prefer want am is my can we can't
"""
_HANGING = frozenset(_HANGING_WORDS.split())


def phrases(stretch: Stretch, name: str) -> list[Phrase]:
    return [
        phrase for phrase in stretch.heard.sure.get(consent_kind(name), ()) if stretch.begin <= phrase.start and phrase.end <= stretch.end
    ]


def last_turn(stretch: Stretch) -> int:
    return stretch.heard.said.tokens[stretch.end - 1].turn


def garbled(stretch: Stretch, recording: Sequence[Phrase]) -> bool:
    """Whether a "not" may hide beside what tells of the recording, or a question in words that were hardly heard after it."""
    said = stretch.heard.said
    bad = [at for at in range(stretch.begin, stretch.end) if said.tokens[at].confidence < HARDLY or at in said.lost]
    if not recording:
        return bool(bad)
    if all(any(one.start - BESIDE <= at < one.end + 1 for at in bad) for one in recording):
        return True
    tail = [at for at in bad if at >= recording[-1].end]
    return len(tail) > 1 and len(tail) > MOST_GARBLED * (stretch.end - recording[-1].end)


def told_clearly(stretch: Stretch, recording: Sequence[Phrase]) -> bool:
    """Whether what tells of the recording was heard, with the words before it, and none of them denies it."""
    said = stretch.heard.said
    for one in recording:
        places = range(max(stretch.begin, one.start - BESIDE), one.end)
        bad = any(said.tokens[at].confidence < HARDLY or said.tokens[at].text in _ELSEWHERE for at in places)
        here = any(said.tokens[at].text in _HERE for at in places)
        if here and not bad and said.tokens[one.start].confidence >= WELL and not any(at in said.lost for at in places[:-1]):
            return True
    return False


def in_question(stretch: Stretch, phrase: Phrase) -> bool:
    """Whether the sentence in which a phrase stands ends in a question mark."""
    breaks = stretch.heard.said.breaks
    return (
        next((breaks[place] for place in range(phrase.end - 1, stretch.end) if breaks[place].ends_sentence), Break.NONE) is Break.QUESTION
    )


def inside(phrase: Phrase, others: Sequence[Phrase]) -> bool:
    return any(other.start <= phrase.start and phrase.end <= other.end for other in others)
