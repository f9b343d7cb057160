"""The piece of a turn that is shown for a hit, as fragments: whoever shows them decides how, and nothing can be injected."""

from collections.abc import Collection

from domain.search import tokens
from resources.search import Fragment

BEFORE_TOKENS = 8
LONGEST_TOKENS = 32
ELLIPSIS = "…"


def snippet(text: str, marked: Collection[int]) -> tuple[Fragment, ...]:
    """About LONGEST_TOKENS words around the first marked one. ``marked`` are numbers of tokens, from 0."""
    words = tokens(text)
    if not words:
        return (Fragment(text, False),)
    first = max(0, min(marked, default=0) - BEFORE_TOKENS)
    first = max(0, min(first, len(words) - LONGEST_TOKENS))
    last = min(len(words), first + LONGEST_TOKENS)
    begin = words[first].start if first else 0
    end = words[last - 1].end if last < len(words) else len(text)
    fragments: list[Fragment] = []

    def add(start: int, stop: int, highlighted: bool) -> None:
        if start < stop:
            fragments.append(Fragment(text[start:stop], highlighted))

    position = begin
    number = first
    while number < last:
        if number in marked:
            upto = number
            while upto + 1 < last and upto + 1 in marked:
                upto += 1
            add(position, words[number].start, False)
            add(words[number].start, words[upto].end, True)
            position, number = words[upto].end, upto + 1
        else:
            number += 1
    add(position, end, False)
    if first:
        fragments.insert(0, Fragment(ELLIPSIS, False))
    if last < len(words):
        fragments.append(Fragment(ELLIPSIS, False))
    return tuple(fragments)
