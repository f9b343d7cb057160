"""Finds the phrases of many classes in an utterance at once, with spaCy's Matcher. What follows from a phrase is decided elsewhere.

A pattern is only tried around one of its words (its rarest by rule of thumb), so that time grows with the words that matter. A loose search also
takes words that were hardly heard, and places where one seems to be missing, for whatever a pattern wants there: a candidate, not a find.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from domain.rules.syntax import Item, read
from domain.rules.tokens import Utterance

UNHEARD = "⁇"  # stands in a loose search for a word that nobody can be sure of
HARDLY = 0.62  # below this a word may be any other
MOST_UNHEARD = 1
LEAST_HEARD = 2
_FUNCTION_WORDS = """
a all am an and any are as at be been being but by can could did do does for from get go going got had has have he her here him his how i if
in is it just like me my no not of on one or our out say she so some that the their them then there they this to up us was we what when
which who will with would you your
"""
FUNCTION = frozenset(_FUNCTION_WORDS.split())
_COMMON_WORDS = """
right really know need want everything anything nothing good think said tell mean policy insurance recording recorded record call covered
claim paid coverage person
"""
_COMMON = FUNCTION | frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens ``start`` to before ``end`` say something of the class ``kind``. ``literal``: which of them the pattern
    names. ``unheard``: how many it only supposes."""

    kind: str
    start: int
    end: int
    literal: frozenset[int]
    unheard: int = 0


@dataclass(slots=True)
class _Group:
    """Sequences that share an anchor and need one of the same further words. ``reach``: how far the longest goes from the anchor."""

    sequences: list[int] = field(default_factory=list)
    reach: int = 0
    matcher: Matcher | None = None


Anchored = dict[frozenset[str], _Group]  # by the further words, none for sequences of a single one


class PhraseBook:
    """Patterns by class, compiled. Raises WrongPattern."""

    def __init__(self, patterns: Mapping[str, Iterable[str]], lists: Mapping[str, Sequence[str]]) -> None:
        self._vocab = Vocab()
        self._items: list[tuple[str, tuple[Item, ...]]] = []
        self._strict: dict[str, Anchored] = defaultdict(lambda: defaultdict(_Group))
        self._loose: dict[str, Anchored] = defaultdict(lambda: defaultdict(_Group))
        for kind, written in patterns.items():
            for items in dict.fromkeys(items for pattern in written for items in read(pattern, lists)):
                self._add(kind, items)

    def _add(self, kind: str, items: tuple[Item, ...]) -> None:
        number = len(self._items)
        self._items.append((kind, items))
        length = sum(item.most for item in items)
        needed = sorted((item for item in items if not item.gap and not item.optional), key=_commonness)
        further = needed[1].words if len(needed) > 1 else frozenset()
        for word in needed[0].words:
            _join(self._strict[word][further], number, length)
        if len(needed) > LEAST_HEARD and not needed[0].words & FUNCTION:
            for first, second in ((needed[0], needed[1]), (needed[1], needed[0])):
                for word in first.words - FUNCTION:
                    _join(self._loose[word][second.words | {UNHEARD}], number, 2 * length)

    def __len__(self) -> int:
        return len(self._items)

    def find(self, said: Utterance) -> list[Phrase]:
        """Every phrase, by class and place; the same place once for each class."""
        texts = [token.text for token in said.tokens]
        return _deduplicated(self._search(texts, self._strict, ()))

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
        found = []
        for phrase in self._search(texts, self._loose, (UNHEARD,)):
            unheard = sum(texts[place] == UNHEARD for place in phrase.literal)
            if 0 < unheard <= MOST_UNHEARD and len(phrase.literal) - unheard >= LEAST_HEARD:
                literal = frozenset(places[place] for place in phrase.literal)
                found.append(Phrase(phrase.kind, places[phrase.start], places[phrase.end - 1] + 1, literal, unheard))
        return _deduplicated(found)

    def _search(self, texts: list[str], anchors: Mapping[str, Anchored], also: Sequence[str]) -> Iterable[Phrase]:
        doc: Doc | None = None
        around = ((place, needs, group) for place, text in enumerate(texts) for needs, group in anchors.get(text, {}).items())
        for place, needs, group in around:
            begin, beyond = max(0, place - group.reach), place + group.reach
            if needs and needs.isdisjoint(texts[begin:beyond]):
                continue
            if doc is None:
                doc = Doc(self._vocab, words=texts)
            if group.matcher is None:
                group.matcher = Matcher(self._vocab)
                for number in group.sequences:
                    group.matcher.add(str(number), [[item.for_spacy(also) for item in self._items[number][1]]])
            for key, start, end, aligned in group.matcher(doc[begin:beyond], with_alignments=True):  # type: ignore[misc]  # spaCy's types know three
                kind, items = self._items[int(self._vocab.strings[key])]
                literal = frozenset(begin + start + place for place, item in enumerate(aligned) if not items[item].gap)
                yield Phrase(kind, begin + start, begin + end, literal)


def _join(group: _Group, number: int, length: int) -> None:
    group.sequences.append(number)
    group.reach = max(group.reach, length)


def _commonness(item: Item) -> tuple[int, int]:
    return sum(word in _COMMON for word in item.words), len(item.words)


def _deduplicated(found: Iterable[Phrase]) -> list[Phrase]:
    best: dict[tuple[str, int, int], Phrase] = {}
    for phrase in found:
        key = (phrase.kind, phrase.start, phrase.end)
        if key not in best or phrase.unheard < best[key].unheard:
            best[key] = phrase
    return sorted(best.values(), key=lambda phrase: (phrase.start, phrase.end, phrase.kind))
