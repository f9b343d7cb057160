"""Finds the phrases of many classes in an utterance at once. What follows from a phrase is decided elsewhere.

A pattern is a row of segments with gaps between. Segments of one word are looked up, longer ones matched by spaCy's Matcher around their rarest
word; the gaps are bridged here, for the Matcher expands a gap into one state for every way to fill it. So time grows with the words that matter.

A loose search also takes words that were hardly heard, and places where one seems to be missing, for one word that a pattern wants: a candidate,
not a find.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from domain.rules.rarity import FUNCTION, commonness, rarest
from domain.rules.syntax import Item, read
from domain.rules.tokens import Utterance

UNHEARD = "⁇"  # stands in a loose search for a word that nobody can be sure of
HARDLY = 0.62  # below this a word may be any other
LEAST_HEARD = 2  # words that a candidate must have besides the one that was not heard
MOST_WAYS = 200  # in which one pattern is joined around one segment; more is a pattern that says nothing


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens ``start`` to before ``end`` say something of the class ``kind``.

    ``literal``: which of them the pattern names. ``unheard``: how many it only supposes.
    """

    kind: str
    start: int
    end: int
    literal: frozenset[int]
    unheard: int = 0


@dataclass(frozen=True, slots=True)
class _Hit:
    """Where a segment is, and which of its tokens were not heard."""

    start: int
    end: int
    literal: tuple[int, ...]
    unheard: int


@dataclass(frozen=True, slots=True)
class _Row:
    """Segments by number; ``gaps[n]``: how many words may lie between segment n and the next."""

    kind: str
    segments: tuple[int, ...]
    gaps: tuple[int, ...]


@dataclass(slots=True)
class _Group:
    """Longer segments with the same rarest word and the same second one. ``before`` and ``after``: how far they reach from the rarest word."""

    needs: frozenset[str]
    segments: list[int] = field(default_factory=list)
    before: int = 0
    after: int = 0
    matcher: Matcher | None = None


class PhraseBook:
    """Patterns by class, compiled. Raises WrongPattern."""

    def __init__(
        self, patterns: Mapping[str, Iterable[str]], lists: Mapping[str, Sequence[str]], loosely: Collection[str] | None = None
    ) -> None:
        """``loosely``: the classes that a loose search is for; all of them where it is not given."""
        self._vocab = Vocab()
        self._numbers: dict[tuple[Item, ...], int] = {}
        self._segments: list[tuple[Item, ...]] = []
        self._rows: list[_Row] = []
        self._words: dict[str, list[int]] = defaultdict(list)
        self._longer: dict[bool, dict[str, list[_Group]]] = {False: defaultdict(list), True: defaultdict(list)}
        self._groups: dict[tuple[bool, frozenset[str], frozenset[str]], _Group] = {}
        self._loosened: set[int] = set()
        self._around: dict[int, list[int]] = defaultdict(list)  # rows by their rarest segment
        self._loosely: dict[int, list[int]] = defaultdict(list)  # and by their two rarest
        for kind, written in patterns.items():
            for items in dict.fromkeys(items for pattern in written for items in read(pattern, lists)):
                self._add(kind, items, loosely is None or kind in loosely)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, said: Utterance) -> list[Phrase]:
        """Every phrase, by class and place; the same place once for each class."""
        return self._search([token.text for token in said.tokens], False)

    def find_loosely(self, said: Utterance) -> list[Phrase]:
        """What might be phrases if a word that was hardly heard, or is missing, were the right one. Nothing where every word is sure."""
        texts: list[str] = []
        places: list[int] = []
        for place, token in enumerate(said.tokens):
            texts.append(UNHEARD if token.confidence < HARDLY else token.text)
            places.append(place)
            if place in said.lost:
                texts.append(UNHEARD)
                places.append(place)
        if UNHEARD not in texts:
            return []
        return [
            Phrase(one.kind, places[one.start], places[one.end - 1] + 1, frozenset(places[place] for place in one.literal), one.unheard)
            for one in self._search(texts, True)
        ]

    def _add(self, kind: str, items: tuple[Item, ...], loosely: bool) -> None:
        segments, gaps = _split(items)
        row = _Row(kind, tuple(self._number(segment) for segment in segments), tuple(gaps))
        self._rows.append(row)
        by_rarity = sorted(set(row.segments), key=lambda number: commonness(self._segments[number]))
        self._around[by_rarity[0]].append(len(self._rows) - 1)
        if loosely:
            for number in row.segments:
                self._loosen(number)
            for number in by_rarity[:2]:
                self._loosely[number].append(len(self._rows) - 1)

    def _number(self, segment: tuple[Item, ...]) -> int:
        if segment in self._numbers:
            return self._numbers[segment]
        number = self._numbers[segment] = len(self._segments)
        self._segments.append(segment)
        if len(segment) == 1:
            for word in segment[0].words:
                self._words[word].append(number)
            return number
        first, further = rarest(segment)
        self._join(False, first, further, number)
        return number

    def _loosen(self, number: int) -> None:
        """A longer segment is also sought where one of its words was not heard: around its rarest word, or else around the second one."""
        segment = self._segments[number]
        if len(segment) == 1 or number in self._loosened:
            return
        self._loosened.add(number)
        first, further = rarest(segment)
        if further:
            self._join(True, first, further | {UNHEARD}, number)
            self._join(True, further, first | {UNHEARD}, number)
        else:
            self._join(True, first, frozenset(), number)

    def _join(self, loose: bool, words: frozenset[str], needs: frozenset[str], number: int) -> None:
        group = self._groups.get((loose, words, needs))
        if group is None:
            group = self._groups[loose, words, needs] = _Group(needs)
            for word in words:
                self._longer[loose][word].append(group)
        group.segments.append(number)
        for place, item in enumerate(self._segments[number]):
            if item.words == words and not item.optional:
                group.before = max(group.before, place)
                group.after = max(group.after, len(self._segments[number]) - place)

    def _search(self, texts: list[str], loose: bool) -> list[Phrase]:
        hits: dict[int, list[_Hit]] = defaultdict(list)
        for place, text in enumerate(texts):
            for number in self._words.get(text, ()):
                hits[number].append(_Hit(place, place + 1, (place,), 0))
        for number, hit in set(self._match(texts, loose)):
            hits[number].append(hit)
        for some in hits.values():
            some.sort(key=lambda hit: (hit.start, hit.end))
        unheard = [_Hit(place, place + 1, (place,), 1) for place, text in enumerate(texts) if loose and text == UNHEARD]
        best: dict[tuple[str, int, int], Phrase] = {}
        rows = self._loosely if loose else self._around
        for number in list(hits):
            for row in (self._rows[place] for place in rows.get(number, ())):
                missing = sum(segment not in hits for segment in row.segments)
                if missing > bool(unheard):
                    continue
                for phrase in self._joined(row, number, hits, unheard):
                    if loose and not _worth(phrase, texts):
                        continue
                    key = (phrase.kind, phrase.start, phrase.end)
                    if key not in best or phrase.unheard < best[key].unheard:
                        best[key] = phrase
        return sorted(best.values(), key=lambda phrase: (phrase.start, phrase.end, phrase.kind))

    def _match(self, texts: list[str], loose: bool) -> Iterator[tuple[int, _Hit]]:
        """Segments of more than one word."""
        doc: Doc | None = None
        anchors = self._longer[loose]
        for place, text in enumerate(texts):
            for group in anchors.get(text, ()):
                begin, beyond = max(0, place - group.before), place + group.after
                if group.needs and group.needs.isdisjoint(texts[begin:beyond]):
                    continue
                if doc is None:
                    doc = Doc(self._vocab, words=texts)
                if group.matcher is None:
                    group.matcher = Matcher(self._vocab)
                    for number in group.segments:
                        also = (UNHEARD,) if loose else ()
                        group.matcher.add(str(number), [[item.for_spacy(also) for item in self._segments[number]]])
                for key, start, end in group.matcher(doc[begin:beyond]):
                    literal = tuple(range(begin + start, begin + end))
                    unheard = sum(texts[at] == UNHEARD for at in literal)
                    if unheard <= 1:
                        yield int(self._vocab.strings[key]), _Hit(begin + start, begin + end, literal, unheard)

    def _joined(self, row: _Row, number: int, hits: Mapping[int, Sequence[_Hit]], unheard: Sequence[_Hit]) -> Iterator[Phrase]:
        """The row around each hit of one of its segments."""
        for at in (place for place, segment in enumerate(row.segments) if segment == number):
            for hit in hits[number]:
                ways = 0
                for left in _to_the_left(row, at, hit, hits, unheard):
                    for right in _to_the_right(row, at, hit, hits, unheard):
                        all_ = (*left, hit, *right)
                        doubt = sum(one.unheard for one in all_)
                        if doubt <= 1:
                            literal = frozenset(place for one in all_ for place in one.literal)
                            yield Phrase(row.kind, all_[0].start, all_[-1].end, literal, doubt)
                        ways += 1
                        if ways >= MOST_WAYS:
                            return


def _split(items: tuple[Item, ...]) -> tuple[list[tuple[Item, ...]], list[int]]:
    """(the segments, how many words may lie between each and the next). A segment that need not be there widens the gap that it stands in."""
    segments: list[tuple[Item, ...]] = []
    gaps: list[int] = []
    current: list[Item] = []
    gap = 0
    for item in (*items, Item(frozenset(), True, 0)):
        if not item.gap:
            current.append(item)
            continue
        if any(not one.optional for one in current):
            if segments:
                gaps.append(gap)
            segments.append(tuple(current))
            gap = item.most
        else:
            gap += len(current) + item.most
        current = []
    return segments, gaps


def _to_the_left(row: _Row, at: int, hit: _Hit, hits: Mapping[int, Sequence[_Hit]], unheard: Sequence[_Hit]) -> Iterator[tuple[_Hit, ...]]:
    if at == 0:
        yield ()
        return
    gap = row.gaps[at - 1]
    for some in (hits.get(row.segments[at - 1], ()), unheard):
        for other in some[: bisect_left(some, hit.start, key=lambda one: one.start)][::-1]:
            if other.start < hit.start - gap - LONGEST:
                break
            if hit.start - gap <= other.end <= hit.start:
                for further in _to_the_left(row, at - 1, other, hits, unheard):
                    yield (*further, other)


def _to_the_right(row: _Row, at: int, hit: _Hit, hits: Mapping[int, Sequence[_Hit]], unheard: Sequence[_Hit]) -> Iterator[tuple[_Hit, ...]]:
    if at == len(row.segments) - 1:
        yield ()
        return
    gap = row.gaps[at]
    for some in (hits.get(row.segments[at + 1], ()), unheard):
        first = bisect_left(some, hit.end, key=lambda one: one.start)
        for other in some[first : bisect_right(some, hit.end + gap, key=lambda one: one.start)]:
            for further in _to_the_right(row, at + 1, other, hits, unheard):
                yield (other, *further)


LONGEST = 12  # words of a segment


def _worth(phrase: Phrase, texts: Sequence[str]) -> bool:
    """Whether a candidate has something of its own besides what was not heard."""
    heard = {texts[place] for place in phrase.literal} - {UNHEARD}
    return phrase.unheard == 1 and len(phrase.literal) > LEAST_HEARD and bool(heard - FUNCTION)
