"""The phrases in a customer's words that may be an answer about being recorded, and how well each was heard. What they amount to is decided in answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.rules.phrases import HARDLY, Phrase
from domain.rules.places import DENIALS, Read
from domain.rules.rules import IDIOM, consent_kind
from domain.rules.tokens import Break

MOST_MASKED = 8  # words of somebody else's that are told
BREATH = 4  # words between a phrase and what it is about
ALIKE = 0.84  # how well a word must be heard that its own denial sounds like
ALONE = 0.72  # and a word that is the whole answer
_SOUNDS_DENIED = frozenset(
    ["can", "do", "would", "did", "could", "does", "is", "are", "have", "on", "want", "mine", "find", "know", "now", "ever"]
)
_CLASSES = ("refuse", "grant", "unsure", "nay", "yea", "curt", "brief", "neutral")  # of two that are equally long, the first counts

_ALONE = {"curt": "nay", "brief": "yea"}  # they count only where nothing follows


@dataclass(frozen=True, slots=True)
class Tag:
    """``kind``: yea, nay, grant, refuse, unsure, denial (a "not" that is left over), doubtful (may be a refusal that was badly heard).

    ``clean``: its own words were heard well, and those beside it. ``heard``: its own, and what stands before it.
    """

    kind: str
    start: int
    end: int
    clean: bool
    heard: bool


@dataclass(frozen=True, slots=True)
class Tagged:
    """``explained``: the places of words that a phrase accounts for, be it an answer or not; ``hidden``: somebody else's words."""

    tags: tuple[Tag, ...]
    explained: frozenset[int]
    hidden: frozenset[int]


def of(phrases: Mapping[str, Sequence[Phrase]], name: str) -> Sequence[Phrase]:
    return phrases.get(consent_kind(name), ())


def within(heard: Read, name: str, begin: int, end: int) -> list[Phrase]:
    return [one for one in of(heard.sure, name) if begin <= one.start and one.end <= end]


def badly(heard: Read, place: int) -> bool:
    return heard.said.tokens[place].confidence < HARDLY


def one_sentence(heard: Read, first: int, last: int) -> bool:
    """Whether no sentence ends from place ``first`` to before ``last``."""
    return not any(heard.said.breaks[place].ends_sentence for place in range(first, last))


def tagged(heard: Read, begin: int, end: int) -> Tagged:
    """The phrases that count, without overlap, and the denials that none of them explains, in order."""
    said = heard.said
    hidden = _told_of_others(heard, begin, end)
    spans = [
        (name, phrase.start, phrase.end)
        for name in _CLASSES
        for phrase in within(heard, name, begin, end)
        if (name not in _ALONE or phrase.end == end or said.breaks[phrase.end - 1]) and one_sentence(heard, phrase.start, phrase.end - 1)
    ]
    spans += [("neutral", idiom.start, idiom.end) for idiom in heard.sure.get(IDIOM, ()) if begin <= idiom.start and idiom.end <= end]
    taken: set[int] = set()
    chosen: list[tuple[str, int, int]] = []
    for name, start, stop in sorted(spans, key=lambda span: (span[1] - span[2], _CLASSES.index(span[0]), span[1])):
        if not taken & set(range(start, stop)):
            taken |= set(range(start, stop))
            chosen.append((name, start, stop))
    tags = [
        Tag(_ALONE.get(name, name), start, stop, *_heard(heard, start, stop, taken))
        for name, start, stop in chosen
        if name != "neutral" and start not in hidden
    ]
    asked = {place for place in range(begin, end) if _in_question(heard, place, end)}
    tags = [replace(tag, kind="unsure") if tag.kind == "grant" and tag.start in asked else tag for tag in tags]
    contrary = {one.start for one in of(heard.sure, "contrary")}
    for place in range(begin, end):
        if place not in taken and place not in hidden and (said.tokens[place].text in DENIALS or place in contrary):
            tags.append(Tag("denial", place, place + 1, True, True))
    tags += [
        Tag("doubtful", one.start, one.end, False, False)
        for one in of(heard.perhaps, "refuse")
        if begin <= one.start
        and one.end <= end
        and not any(tag.kind == "refuse" and tag.start < one.end and one.start < tag.end for tag in tags)
        and not any(start <= one.start and one.end <= stop for name, start, stop in chosen if name in {"grant", "neutral"})
    ]
    explained = {place for name, start, stop in chosen if name not in {"refuse", "unsure"} for place in range(start, stop)}
    return Tagged(tuple(sorted(tags, key=lambda tag: (tag.start, tag.end))), frozenset(explained), frozenset(hidden))


def _in_question(heard: Read, place: int, end: int) -> bool:
    """Whether a word stands in a sentence that the customer asks: nothing is granted there."""
    breaks = heard.said.breaks
    return next((breaks[at] for at in range(place, end) if breaks[at].ends_sentence), Break.NONE) is Break.QUESTION


def _told_of_others(heard: Read, begin: int, end: int) -> set[int]:
    """Places of words that are told as somebody else's, up to the end of the clause."""
    hidden: set[int] = set()
    for quote in of(heard.sure, "quote"):
        if not begin <= quote.start < end:
            continue
        for place in range(quote.start, min(end, quote.end + MOST_MASKED)):
            if place >= quote.end and heard.said.tokens[place].text in {"but", "so", "i", "me"}:
                break
            hidden.add(place)
            if place >= quote.end and heard.said.breaks[place] not in {0, 2}:
                break
    return hidden


def _heard(heard: Read, start: int, end: int, taken: set[int]) -> tuple[bool, bool]:
    """(whether a phrase and its neighbours were heard, whether it and what stands just before it was)."""
    said = heard.said
    if any(said.tokens[place].confidence < _needed(heard, place) for place in range(start, end)):
        return False, False
    if end - start == 1 and said.tokens[start].confidence < ALONE:
        return False, False
    if any(place in said.lost for place in range(start - 2, end - 1)):
        return False, False
    turn = said.tokens[start].turn
    before = [place for place in (start - 2, start - 1) if place >= 0 and place not in taken and said.tokens[place].turn == turn]
    if any(badly(heard, place) for place in before):
        return False, False
    after = end < len(said.tokens) and end not in taken and badly(heard, end) and said.tokens[end].turn == turn
    return not (after or end - 1 in said.lost), True


def _needed(heard: Read, place: int) -> float:
    """How well a word must have been heard. One that is denied as it stands needs no more than others."""
    tokens = heard.said.tokens
    denied = place + 1 < len(tokens) and tokens[place + 1].text == "not"
    return ALIKE if tokens[place].text in _SOUNDS_DENIED and not denied else HARDLY


def among_unheard(heard: Read, tag: Tag) -> bool:
    """Whether a mere yes or no stands in one sentence with words that were not heard."""
    said = heard.said
    for at in range(tag.end - 1, min(len(said.tokens), tag.end + BREATH)):
        if at in said.lost or badly(heard, at):
            return True
        if said.breaks[at] >= Break.TURN:
            break
    for at in range(tag.start - 1, max(-2, tag.start - BREATH - 2), -1):
        if at >= 0 and said.breaks[at] >= Break.TURN:
            return at in said.lost
        if at in said.lost or (at >= 0 and badly(heard, at)):
            return True
    return False
