"""What was said about a recording turn by turn: the stretches of an utterance, and what stands in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.parties import Party
from domain.rules.phrases import HARDLY, Phrase
from domain.rules.places import Read
from domain.rules.rules import consent_kind
from domain.rules.tokens import Break

MOST_GARBLED = 0.08  # share of the words that tell of the recording, or stand beside, that were not heard


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
i i'd would do not to the a and but so that you rather if prefer want am is it my please can we can't
"""
_HANGING = frozenset(_HANGING_WORDS.split())


def phrases(stretch: Stretch, name: str) -> list[Phrase]:
    return [
        phrase for phrase in stretch.heard.sure.get(consent_kind(name), ()) if stretch.begin <= phrase.start and phrase.end <= stretch.end
    ]


def last_turn(stretch: Stretch) -> int:
    return stretch.heard.said.tokens[stretch.end - 1].turn


def garbled(stretch: Stretch) -> bool:
    """Whether a question, or a "not", may hide among words of the business that were hardly heard."""
    places = range(stretch.begin, stretch.end)
    said = stretch.heard.said
    return sum((said.tokens[place].confidence < HARDLY) + (place in said.lost) for place in places) > MOST_GARBLED * len(places)


def in_question(stretch: Stretch, phrase: Phrase) -> bool:
    """Whether the sentence in which a phrase stands ends in a question mark."""
    breaks = stretch.heard.said.breaks
    return (
        next((breaks[place] for place in range(phrase.end - 1, stretch.end) if breaks[place].ends_sentence), Break.NONE) is Break.QUESTION
    )


def inside(phrase: Phrase, others: Sequence[Phrase]) -> bool:
    return any(other.start <= phrase.start and phrase.end <= other.end for other in others)


def asks_more(stretch: Stretch, since: int) -> bool:
    """Whether something else is asked after the question, by the marks alone: a later sentence than the question's ends in one."""
    breaks = stretch.heard.said.breaks
    ends = next((place for place in range(since - 1, stretch.end) if breaks[place].ends_sentence), stretch.end)
    return any(breaks[place] is Break.QUESTION for place in range(ends + 1, stretch.end))
