"""The small language in which patterns are written, and what it amounts to in spaCy's.

    a word                recorded
    one of some words     call/line/conversation
    one of some phrases   (is being|will be)
    perhaps               [please]  [if that is]
    up to n words         ..3
    any word but some     !@call  !call/line    (only beside words that must be there)
    a named list          @line     (lists are data, too; they may hold phrases and name other lists)

Words are as domain.rules.tokens has them: lower case, contractions taken apart ("do not", "i am").
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

LIMIT = 4000  # what one pattern may amount to; more is a mistake in writing it
_PIECE = re.compile(r"\s*(\.\.\d+|[()\[\]|]|!?@[a-z_]+|[^\s()\[\]|@]+)")


class WrongPattern(ValueError):
    """A pattern cannot be read. ``str()`` says why, with the pattern."""


@dataclass(frozen=True, slots=True)
class Item:
    """One place in a pattern: any of ``words``, which may be missing, or any word but those of ``but``; a gap takes up to ``most`` words."""

    words: frozenset[str]
    optional: bool = False
    most: int = 1
    but: frozenset[str] = frozenset()

    @property
    def gap(self) -> bool:
        return not self.words and not self.but

    def for_spacy(self, also: Sequence[str] = ()) -> dict[str, Any]:
        """The token pattern; ``also`` are words that any place of the pattern accepts."""
        if self.gap:
            return {"OP": f"{{0,{self.most}}}"}
        if self.but:
            return {"ORTH": {"NOT_IN": sorted(self.but)}}
        words = sorted({*self.words, *also})
        token: dict[str, Any] = {"ORTH": words[0] if len(words) == 1 else {"IN": words}}
        return token | {"OP": "?"} if self.optional else token


Sequence_ = tuple[Item, ...]


def read(pattern: str, lists: Mapping[str, Sequence[str]]) -> tuple[Sequence_, ...]:
    """Every sequence of items that the pattern allows. Raises WrongPattern."""
    pieces = _PIECE.findall(pattern)
    if "".join(pieces) != re.sub(r"\s+", "", pattern):
        raise WrongPattern(f"{pattern!r}: what stands there is no pattern")
    found, rest = _alternatives(pieces, lists, pattern, ())
    if rest:
        raise WrongPattern(f"{pattern!r}: a bracket is closed that was not opened")
    found = list(dict.fromkeys(_trimmed(items) for items in found))
    for items in found:
        if not any(not item.gap and not item.optional for item in items):
            raise WrongPattern(f"{pattern!r}: it can match without a word")
        if _alone(items):
            raise WrongPattern(f"{pattern!r}: beside any word but some there must be one that is named")
    return tuple(found)


def _alone(items: Sequence_) -> bool:
    """Whether "any word but" stands between gaps with nothing by which to find it."""
    runs: list[list[Item]] = [[]]
    for item in items:
        if item.gap:
            runs.append([])
        else:
            runs[-1].append(item)
    return any(any(item.but for item in run) and not any(item.words and not item.optional for item in run) for run in runs)


def _trimmed(items: Sequence_) -> Sequence_:
    while items and items[0].gap:
        items = items[1:]
    while items and items[-1].gap:
        items = items[:-1]
    return items


def _alternatives(
    pieces: list[str], lists: Mapping[str, Sequence[str]], pattern: str, inside: tuple[str, ...]
) -> tuple[list[Sequence_], list[str]]:
    """The sequences up to the end of the bracket, and the pieces after it."""
    done: list[Sequence_] = []
    current: list[Sequence_] = [()]
    while pieces and pieces[0] not in ")]":
        piece, pieces = pieces[0], pieces[1:]
        if piece == "|":
            done, current = done + current, [()]
            continue
        if piece in "([":
            options, pieces = _alternatives(pieces, lists, pattern, inside)
            closing = ")" if piece == "(" else "]"
            if not pieces or pieces[0] != closing:
                raise WrongPattern(f"{pattern!r}: {closing} is missing")
            pieces = pieces[1:]
            options = _merged(options)
            if piece == "[":
                one = options[0][0] if len(options) == 1 and len(options[0]) == 1 else None
                options = [(Item(one.words, True),)] if one is not None and one.words else [(), *options]
        elif piece.startswith(".."):
            options = [(Item(frozenset(), True, int(piece[2:])),)]
        elif piece.startswith("!"):
            options = [(Item(frozenset(), but=_names(piece[1:], lists, pattern, inside)),)]
        elif piece.startswith("@"):
            options = _listed(piece[1:], lists, pattern, inside)
        else:
            options = [(Item(frozenset(piece.split("/"))),)]
        current = [before + after for before, after in product(current, options)]
        if len(current) > LIMIT:
            raise WrongPattern(f"{pattern!r}: it amounts to more than {LIMIT} sequences")
    return done + current, pieces


def _names(written: str, lists: Mapping[str, Sequence[str]], pattern: str, inside: tuple[str, ...]) -> frozenset[str]:
    """The single words of a list, or those that are written out."""
    if not written.startswith("@"):
        return frozenset(word for word in written.split("/") if word)
    return frozenset(word for items in _listed(written[1:], lists, pattern, inside) if len(items) == 1 for word in items[0].words)


def _listed(name: str, lists: Mapping[str, Sequence[str]], pattern: str, inside: tuple[str, ...]) -> list[Sequence_]:
    if name not in lists:
        raise WrongPattern(f"{pattern!r}: there is no list @{name}")
    if name in inside:
        raise WrongPattern(f"{pattern!r}: the list @{name} names itself")
    options: list[Sequence_] = []
    for entry in lists[name]:
        found, rest = _alternatives(_PIECE.findall(entry), lists, entry, (*inside, name))
        if rest:
            raise WrongPattern(f"{entry!r}: a bracket is closed that was not opened")
        options += found
    return _merged(options)


def _merged(options: Iterable[Sequence_]) -> list[Sequence_]:
    """Single words become one item with alternatives; the rest stays as it is."""
    single: set[str] = set()
    rest: list[Sequence_] = []
    for items in options:
        if len(items) == 1 and items[0].words and not items[0].optional:
            single |= items[0].words
        else:
            rest.append(items)
    return ([(Item(frozenset(single)),)] if single else []) + rest
