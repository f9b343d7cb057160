"""Where something is said that counts: the phrases of a rule in an utterance, without those that are denied, quoted, asked or about something else.

What surrounds a phrase can also leave it open whether it counts: such a place is not clear, and a person decides.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.parties import Party
from domain.rules.phrases import HARDLY, Phrase
from domain.rules.rules import IDIOM, Cue, Rule, Rules, Where, about_kind, answering_kind, saying_kind
from domain.rules.second_reading import Opinion
from domain.rules.shapes import HeardTurn
from domain.rules.tokens import Break, Utterance

CLOSE = 6  # words between two places of one sentence that say it once
ENOUGH = 0.6  # below this confidence nobody can tell
TURNS = "but"  # what is denied before it is not denied after it
DENIALS = frozenset({"not", "never", "no", "nobody", "none", "nothing", "hardly", "without", "neither", "nor"})


@dataclass(frozen=True, slots=True)
class Read:
    """An utterance with the phrases in it by class, sure ones and candidates, and what the second reading thinks of it."""

    said: Utterance
    sure: Mapping[str, Sequence[Phrase]]
    perhaps: Mapping[str, Sequence[Phrase]]
    opinions: Mapping[str, Sequence[Opinion]]


@dataclass(frozen=True, slots=True)
class Place:
    """Tokens ``start`` to before ``end`` of an utterance. ``sure``: whether they were heard to say it; otherwise they might.

    ``clear``: whether it counts; otherwise it can be taken either way.
    """

    read: Read
    start: int
    end: int
    confidence: float
    sure: bool
    clear: bool = True


def read(rules: Rules, said: Utterance) -> Read:
    book = rules.book(said.role, said.tokens[0].start_ms if said.tokens else 0)
    opinions = rules.second.opinions(said) if rules.second else {}
    return Read(said, _by_kind(book.find(said)), _by_kind(book.find_loosely(said)), opinions)


def _by_kind(phrases: Iterable[Phrase]) -> Mapping[str, Sequence[Phrase]]:
    found: dict[str, list[Phrase]] = defaultdict(list)
    for phrase in phrases:
        found[phrase.kind].append(phrase)
    return found


def places(rules: Rules, rule: Rule, heard: Read, turns: Sequence[HeardTurn], asked: Mapping[int, frozenset[str]]) -> list[Place]:
    """Where this utterance says what the rule is about, in order. A speaker whom nobody knows may be any to whom the rule applies.

    ``asked``: the classes of phrases in each turn.
    """
    found: list[Place] = []
    void: list[tuple[int, int]] = []
    cues, doubts = rules.voiding(rule), rules.doubting(rule)
    for number, saying in sorted(enumerate(rule.says), key=lambda one: one[1].doubtful):  # what is clear is found first
        if heard.said.role not in saying.who and heard.said.role is not Party.UNKNOWN:
            continue
        kind = saying_kind(rule.id, number)
        for sure, phrases in ((True, heard.sure.get(kind, ())), (False, heard.perhaps.get(kind, ()))):
            uncut = [phrase for phrase in phrases if not _cut(phrase, cues, heard)]
            if sure and not saying.doubtful and not saying.answering:
                void += [(phrase.start, phrase.end) for phrase in phrases if phrase not in uncut]
            if saying.ends:
                uncut = [phrase for phrase in uncut if heard.said.breaks[phrase.end - 1] >= Break.PAUSE]
            if saying.answering:
                uncut = [phrase for phrase in uncut if answering_kind(rule.id, number) in _before(heard.said, phrase, saying.within, asked)]
            for cluster in _clusters(uncut, heard.said):
                if any(place.start < cluster.end and cluster.start < place.end for place in found):
                    continue
                if saying.doubtful and any(start <= cluster.start and cluster.end <= end for start, end in void):
                    continue  # the clear words of which it is a part do not count
                if _any_keeps(cues, cluster, heard):
                    if sure:
                        void.append((cluster.start, cluster.end))
                else:
                    clear = not saying.doubtful and not _any_keeps(doubts, cluster, heard) and not _all_cut(uncut, cluster, doubts, heard)
                    if saying.about:
                        clear = clear and about_kind(rule.id, number) in _around(heard.said, cluster, asked)
                    found.append(replace(_place(heard, cluster, sure, turns), clear=clear))
    return _one_a_sentence(sorted(found, key=lambda place: place.start), heard.said)


def _one_a_sentence(found: Sequence[Place], said: Utterance) -> list[Place]:
    """Places close together in one sentence say it once."""
    merged: list[Place] = []
    for place in found:
        last = merged[-1] if merged else None
        if (
            last is not None
            and (last.sure, last.clear) == (place.sure, place.clear)
            and place.start - last.end <= CLOSE
            and _together(said.breaks, last.end, place.start, True)
        ):
            merged[-1] = replace(last, end=place.end, confidence=max(last.confidence, place.confidence))
        else:
            merged.append(place)
    return merged


@dataclass(frozen=True, slots=True)
class _Cluster:
    start: int
    end: int
    literal: frozenset[int]


def _clusters(phrases: Sequence[Phrase], said: Utterance) -> list[_Cluster]:
    """Phrases that share words are one; a phrase over the end of a sentence is none."""
    found: list[_Cluster] = []
    for phrase in sorted(phrases, key=lambda phrase: phrase.start):
        if any(said.breaks[place].ends_sentence for place in range(phrase.start, phrase.end - 1)):
            continue
        if found and phrase.start < found[-1].end:
            last = found.pop()
            found.append(_Cluster(last.start, max(last.end, phrase.end), last.literal | phrase.literal))
        else:
            found.append(_Cluster(phrase.start, phrase.end, phrase.literal))
    return found


def _any_keeps(cues: Iterable[tuple[Cue, str]], cluster: _Cluster, heard: Read) -> bool:
    return any(_keeps(cue, heard.sure[kind], cluster, heard) for cue, kind in cues if kind in heard.sure)


def _all_cut(phrases: Iterable[Phrase], cluster: _Cluster, cues: Sequence[tuple[Cue, str]], heard: Read) -> bool:
    """Whether one of these cues stands inside every phrase that makes up the cluster."""
    return all(_cut(phrase, cues, heard) for phrase in phrases if cluster.start <= phrase.start and phrase.end <= cluster.end)


def _keeps(cue: Cue, phrases: Sequence[Phrase], cluster: _Cluster, heard: Read) -> bool:
    """Whether one of these phrases of a cue keeps the cluster from counting."""
    breaks = heard.said.breaks
    for phrase in phrases:
        if any(idiom.start <= phrase.start and phrase.end <= idiom.end for idiom in heard.sure.get(IDIOM, ()) if idiom.end <= cluster.end):
            continue
        if any(breaks[place].ends_sentence for place in range(phrase.start, phrase.end - 1)):
            continue
        if cue.where is Where.OVER:
            if phrase.start < cluster.end and cluster.start < phrase.end:
                return True
        elif cue.where is Where.INSIDE:
            continue
        elif cue.where is Where.NEAR:
            if phrase.start - cue.reach <= cluster.end and cluster.start <= phrase.end + cue.reach:
                return True
        elif cue.where is Where.BEFORE:
            near = phrase.start < cluster.start <= phrase.end + cue.reach
            turned = any(heard.said.tokens[place].text == TURNS for place in range(phrase.start, cluster.start))
            if near and not turned and _together(breaks, phrase.end, cluster.start, cue.over_pause):
                return True
        elif cue.where is Where.AFTER:
            if (
                cluster.end < phrase.end
                and phrase.start <= cluster.end + cue.reach
                and _together(breaks, cluster.end, phrase.start, cue.over_pause)
            ):
                return True
        elif not any(breaks[place].ends_sentence for place in range(min(phrase.start, cluster.start), max(phrase.end, cluster.end) - 1)):
            return True
    return False


def _before(said: Utterance, phrase: Phrase, within: int, asked: Mapping[int, frozenset[str]]) -> frozenset[str]:
    """What was said in the turn to which this phrase is an answer, among its first words."""
    turn = said.tokens[phrase.start].turn
    begins = phrase.start < within or said.tokens[phrase.start - within].turn != turn
    return asked.get(turn - 1, frozenset()) if begins else frozenset()


def _around(said: Utterance, cluster: _Cluster, asked: Mapping[int, frozenset[str]]) -> frozenset[str]:
    """What is said in the turns of these words and in the one before them."""
    first, last = said.tokens[cluster.start].turn, said.tokens[cluster.end - 1].turn
    return frozenset().union(*(asked.get(turn, frozenset()) for turn in range(first - 1, last + 1)))


def _cut(phrase: Phrase, cues: Sequence[tuple[Cue, str]], heard: Read) -> bool:
    """Whether a denial stands among the words of a phrase that the pattern itself does not name."""
    for cue, kind in cues:
        if cue.where is Where.INSIDE:
            for one in heard.sure.get(kind, ()):
                among = phrase.start < one.start and one.end < phrase.end and not one.literal & phrase.literal
                if among and not any(idiom.start <= one.start and one.end <= idiom.end for idiom in heard.sure.get(IDIOM, ())):
                    return True
    return False


def _together(breaks: Sequence[Break], end: int, start: int, over_pause: bool) -> bool:
    """Whether one sentence goes from before ``end`` to ``start``."""
    limit = Break.STOP if over_pause else Break.PAUSE
    return all(breaks[place] < limit or breaks[place] is Break.TURN for place in range(end - 1, start))


def _place(heard: Read, cluster: _Cluster, sure: bool, turns: Sequence[HeardTurn]) -> Place:
    said = heard.said
    words = [said.tokens[place].confidence for place in sorted(cluster.literal)]
    speaker = min(turns[said.tokens[place].turn].attribution_confidence for place in cluster.literal)
    return Place(heard, cluster.start, cluster.end, mean(words) * speaker, sure)


def mean(confidences: Sequence[float]) -> float:
    """The geometric mean: one word that was not heard counts more than one that was heard well."""
    return math.exp(sum(math.log(max(confidence, 0.01)) for confidence in confidences) / len(confidences)) if confidences else 0.0


def may_be_denied(place: Place) -> bool:
    """Whether a "not" may have been lost in or just before the words."""
    said = place.read.said
    if any(at in said.lost for at in range(max(0, place.start - 1), place.end - 1)):
        return True
    return any(said.tokens[at].confidence < HARDLY for at in range(max(0, place.start - 2), place.end))
