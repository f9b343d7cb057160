"""Does to a dialogue what a recogniser does to speech: words misheard, left out, added, with the confidences and times that go with it.

Seeded: the same dialogue at the same rate is always damaged in the same way. How the judgement fares is told by scoring.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from domain.rules.shapes import HeardTurn
from domain.transcripts import Word
from tests.corpus.reading import Dialogue, Mark

SUBSTITUTED, DELETED = 0.6, 0.85  # of all errors; the rest are insertions
SOUNDS_ALIKE = 0.7  # how often a word that has one becomes its homophone
HOLE = 0.5  # how often a word that is left out leaves its time empty; otherwise the neighbours fill it
KEEPS_MARK = 0.5


def _lines(name: str) -> list[str]:
    return [line for line in (Path(__file__).parent / name).read_text().splitlines() if line and not line.startswith("#")]


_COMMON = " ".join(_lines("common_words.txt")).split()
HOMOPHONES = {word: others.split("/") for word, others in (line.split(" ", 1) for line in _lines("homophones.txt"))}


def common_words() -> tuple[str, ...]:
    """What a recogniser puts in when it has no idea."""
    return tuple(_COMMON)


def damaged(dialogue: Dialogue, rate: float, seed: int = 0) -> Dialogue:
    """The dialogue as a recogniser with this word error rate hears it; 0 leaves it as it is."""
    if not rate:
        return dialogue
    chance = random.Random(f"{seed}/{dialogue.id}/{rate}")
    turns: list[HeardTurn] = []
    marks: list[Mark] = []
    for place, turn in enumerate(dialogue.call.turns):
        words, moved = _turn(turn.words, rate, chance)
        turns.append(replace(turn, words=words))
        marks += [moved_mark for mark in dialogue.marks if mark.turn == place and (moved_mark := _moved(mark, moved)) is not None]
    kept = tuple(turn for turn in turns if turn.words)
    renumbered = {place: sum(bool(turn.words) for turn in turns[:place]) for place in range(len(turns))}
    call = replace(dialogue.call, turns=kept)
    return replace(dialogue, call=call, marks=tuple(replace(mark, turn=renumbered[mark.turn]) for mark in marks))


def _turn(words: Sequence[Word], rate: float, chance: random.Random) -> tuple[tuple[Word, ...], list[list[int]]]:
    """(the words as heard, for each word spoken the places of what was heard for it)."""
    found: list[Word] = []
    moved: list[list[int]] = []
    swallowed_ms = 0  # time of words left out, which the next one fills
    for word in words:
        kind = chance.random() if chance.random() < rate else None
        if kind is not None and SUBSTITUTED <= kind < DELETED:
            moved.append([])
            if chance.random() >= HOLE:
                length = word.end_ms - word.start_ms
                share = chance.choice((0.0, 0.5, 1.0)) if found else 0.0
                if share:
                    last = found[-1]
                    found[-1] = replace(
                        last, end_ms=last.end_ms + int(length * share), confidence=last.confidence * chance.uniform(0.6, 0.9)
                    )
                swallowed_ms += length - int(length * share)
            continue
        start = word.start_ms - swallowed_ms
        sure = _right(chance) * (chance.uniform(0.6, 0.9) if swallowed_ms else 1.0)
        swallowed_ms = 0
        first = len(found)
        if kind is not None and kind < SUBSTITUTED:
            texts = _instead(word.text, chance).split()
            step = (word.end_ms - start) // len(texts)
            found += [Word(text, start + n * step, start + (n + 1) * step, _wrong(chance)) for n, text in enumerate(texts)]
        else:
            found.append(Word(word.text, start, word.end_ms, round(sure, 3)))
        moved.append(list(range(first, len(found))))
        if kind is not None and kind >= DELETED:
            middle = (found[-1].start_ms + found[-1].end_ms) // 2
            end = found[-1].end_ms
            found[-1] = replace(found[-1], end_ms=middle)
            found.append(Word(chance.choice(_COMMON), middle, end, _wrong(chance)))
    return tuple(found), moved


def _instead(text: str, chance: random.Random) -> str:
    bare = re.sub(r"[^\w']", "", text).lower()
    mark = text[len(text.rstrip(".,?!;:")) :] if chance.random() < KEEPS_MARK else ""
    if bare in HOMOPHONES and chance.random() < SOUNDS_ALIKE:
        return chance.choice(HOMOPHONES[bare]) + mark
    alike = [word for word in _COMMON if word != bare and bare[:1] == word[:1] and abs(len(word) - len(bare)) <= 2]
    return chance.choice(alike or _COMMON) + mark


def _right(chance: random.Random) -> float:
    """Around 0.9, with a tail."""
    return chance.uniform(0.5, 0.85) if chance.random() < 0.07 else min(0.99, max(0.6, chance.gauss(0.93, 0.05)))


def _wrong(chance: random.Random) -> float:
    return round(min(0.97, max(0.08, chance.gauss(0.56, 0.2))), 3)


def _moved(mark: Mark, moved: Sequence[Sequence[int]]) -> Mark | None:
    places = [place for word in range(mark.first, mark.last + 1) for place in moved[word]]
    return replace(mark, first=min(places), last=max(places)) if places else None
