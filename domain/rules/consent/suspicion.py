"""What among a customer's words may refuse, put off, set a condition or withdraw, though no known phrase says so. Any of it keeps a yes from counting.

Where the recording has just been asked about or told of, nearly any "but", "if" or "rather" may be about it; later only what touches it is.
Words that a known phrase accounts for raise no suspicion.
"""

from collections.abc import Collection, Sequence

from domain.rules.consent.tags import BREATH, Tag, Tagged, of, within
from domain.rules.places import Read
from domain.rules.tokens import Break

AFTER = 9  # words after a yes that still belong to it, where nothing marks the end of its sentence
OPENS = 3  # words of the next sentence in which it takes back or limits what was said
BRIEF = 7  # a sentence of so many words after a yes is read with it
CURT = 8  # an answer of so few words may say nothing of what else was asked
OPENING = 25  # words of a customer who was told, in which they speak of that
_TURNS = frozenset(["but", "so", "then", "ok", "fine", "kidding", "joking", "well", "anyway", "case"])


def beside(heard: Read, begin: int, end: int, found: Tagged, yes: Sequence[Tag], explicit: bool) -> bool:
    """Whether something beside a yes may limit it. ``yes``: the phrases that say it, in order."""
    stop = _zone(heard, yes[-1].end, end)
    first = yes[0].start
    for name in ("hedge", "delay", "averse"):
        for one in within(heard, name, begin, end):
            if one.start >= stop or _explained(range(one.start, one.end), found):
                continue
            if one.end <= first and (one.start in found.hidden or (explicit and _turned(heard, one.start, one.end, first))):
                continue
            if 0 <= first - one.end <= 1 and heard.said.tokens[one.start].text in _TURNS:
                continue
            return True
    return touches(heard, begin, end, found, first)


def _zone(heard: Read, last: int, end: int) -> int:
    """Up to where words belong to a yes that ends before ``last``."""
    breaks = heard.said.breaks
    stop = next((place + 1 for place in range(last - 1, end) if breaks[place].ends_sentence), None)
    if stop is None:
        return min(end, last + AFTER)
    following = next((place + 1 for place in range(stop, end) if breaks[place].ends_sentence), end)
    return following if following - stop <= BRIEF else min(end, stop + OPENS)


def _turned(heard: Read, at: int, since: int, start: int) -> bool:
    """Whether the customer turns from what was said before to a yes."""
    said = heard.said
    if any(at <= one.start <= start for one in of(heard.sure, "correction")):
        return True
    return any(said.breaks[place - 1].ends_sentence or said.tokens[place].text in _TURNS for place in range(since, start + 1))


def touches(heard: Read, begin: int, end: int, found: Tagged, yes: int = -1) -> bool:
    """Whether words touch the recording, being heard, or stopping it, and no known phrase says how. One word just before a yes takes up the question."""
    apart = within(heard, "apart", begin, end)
    for one in within(heard, "touch", begin, end):
        if _explained(range(one.start, one.end), found) or (one.end - one.start == 1 and 0 <= yes - one.end <= BREATH):
            continue
        if one.end <= yes and one.start in found.hidden:
            continue
        if not any(other.start <= one.start and one.end <= other.end for other in apart):
            return True
    return False


def limits(heard: Read, begin: int, end: int, found: Tagged) -> bool:
    """Whether words that are no clear answer may be meant as a refusal, or as a yes within limits."""
    stop = min(end, begin + OPENING)
    return any(not _explained(range(one.start, one.end), found) for name in ("hedge", "averse") for one in within(heard, name, begin, stop))


def at_once(heard: Read, begin: int, end: int, found: Tagged, other_asked: bool, fresh: bool) -> bool:
    """Whether somebody who was just told may object. ``other_asked``: something else was asked since, which the words may well answer.

    ``fresh``: these are their first words since.
    """
    reaches = {"averse": OPENING}
    if not other_asked or (fresh and end - begin <= CURT):
        reaches |= {"hedge": OPENS + 1, "delay": OPENS + 1}
    for name, reach in reaches.items():
        if any(not _explained(range(one.start, one.end), found) for one in within(heard, name, begin, min(end, begin + reach))):
            return True
    return touches(heard, begin, end, found)


def yields(heard: Read, begin: int, end: int) -> bool:
    """Whether the business speaks as to somebody who has refused, and does not ask."""
    breaks = heard.said.breaks
    for one in within(heard, "yields", begin, end):
        if next((breaks[at] for at in range(one.end - 1, end) if breaks[at].ends_sentence), Break.NONE) is not Break.QUESTION:
            return True
    return False


def _explained(places: Collection[int], found: Tagged) -> bool:
    return all(place in found.explained for place in places)
