"""The recordings of one call read as one conversation, and what is found in it brought home to each of them.

A call may be recorded in a file for each party, or in several that follow each other: what one asks for another one answers. What counts as
personal belongs elsewhere. Times of a call count from its start, those of a recording from its first sample.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from uuid import UUID

from domain.redaction.muting import usable_times
from domain.redaction.shapes import Redaction
from domain.transcripts import Turn, Word
from domain.turns import Interjections

Speaker = str | tuple[int, int | None]
"""A participant's SID, the same in every file; where nobody is named, a channel of one file."""


@dataclass(frozen=True, slots=True)
class Part:
    """One recording: where in its call it begins, and its turns in order of time."""

    offset_ms: int
    turns: Sequence[Turn]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a turn of the call comes from: the recording's turn at ``position``, from ``first_word`` on."""

    part: int
    position: int
    first_word: int


@dataclass(frozen=True, slots=True)
class WholeCall:
    """``turns`` are the call's, on its clock; a turn's channel is a number of its speaker's own. ``origins``: of each turn."""

    turns: tuple[Turn, ...]
    origins: tuple[Origin, ...]

    def at_home(self, found: Iterable[Redaction], parts: Sequence[Part]) -> tuple[tuple[Redaction, ...], ...]:
        """For each part what was found in it, with places, channel and times as in its own transcript."""
        homes: list[list[Redaction]] = [[] for _ in parts]
        for one in found:
            origin = self.origins[one.position]
            turn = parts[origin.part].turns[origin.position]
            first, last = one.first_word + origin.first_word, one.last_word + origin.first_word
            start, end = usable_times(turn, first, last) or (None, None)
            home = replace(
                one, position=origin.position, channel=turn.channel, first_word=first, last_word=last, start_ms=start, end_ms=end
            )
            homes[origin.part].append(home)
        return tuple(tuple(sorted(home, key=lambda one: (one.position, one.first_word))) for home in homes)


def whole_call(parts: Sequence[Part]) -> WholeCall:
    """All turns in the order in which they begin. One of which somebody else says a word in a pause, in another file, is cut there.

    A lone recording is its call as it stands. No word is lost or repeated.
    """
    if len(parts) == 1:
        turns = tuple(parts[0].turns)
        return WholeCall(turns, tuple(Origin(0, position, 0) for position in range(len(turns))))
    said: dict[tuple[int, Speaker], list[Word]] = {}
    for number, part in enumerate(parts):
        for turn in part.turns:
            said.setdefault((number, _speaker(number, turn)), []).extend(_later(turn.words, part.offset_ms))
    others = {
        mine: Interjections(
            [word for one, words in said.items() if one[0] != mine[0] and one[1] != mine[1] for word in words if _timed(word)]
        )
        for mine in said
    }
    speakers: dict[Speaker, int] = {}
    found: list[tuple[tuple[int, Origin], Turn]] = []
    for number, part in enumerate(parts):
        for position, turn in enumerate(part.turns):
            speaker = _speaker(number, turn)
            moved = _moved(turn, part.offset_ms, speakers.setdefault(speaker, len(speakers)))
            begin_ms = moved.start_ms
            for first, piece in _pieces(moved, others[number, speaker]):
                begin_ms = max(begin_ms, piece.start_ms)
                found.append(((begin_ms, Origin(number, position, first)), piece))
    found.sort(key=lambda one: (one[0][0], one[0][1].part, one[0][1].position, one[0][1].first_word))
    return WholeCall(tuple(turn for _, turn in found), tuple(origin for (_, origin), _ in found))


def version_together(version: str, offset_ms: int, others: Iterable[tuple[UUID, int]]) -> str:
    """The version of a redaction for which these transcripts of the call were read, too: each with where its recording begins in the call."""
    beside = sorted((str(transcript_id), begin_ms - offset_ms) for transcript_id, begin_ms in others)
    if not beside:
        return version
    return f"{version}, beside {hashlib.sha256(repr(beside).encode()).hexdigest()[:12]}"


def _speaker(part: int, turn: Turn) -> Speaker:
    return turn.participant_sid or (part, turn.channel)


def _moved(turn: Turn, by_ms: int, channel: int) -> Turn:
    return replace(
        turn, channel=channel, start_ms=turn.start_ms + by_ms, end_ms=turn.end_ms + by_ms, words=tuple(_later(turn.words, by_ms))
    )


def _later(words: Iterable[Word], by_ms: int) -> list[Word]:
    return [replace(word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms) if _has_times(word) else word for word in words]


def _has_times(word: Word) -> bool:
    return word.start_ms is not None and word.end_ms is not None


def _timed(word: Word) -> bool:
    return _has_times(word) and word.start_ms <= word.end_ms


def _pieces(turn: Turn, others: Interjections) -> Iterable[tuple[int, Turn]]:
    """(place of its first word, piece) of each: cut where a word of somebody else lies wholly in the pause between two words."""
    cuts = [0]
    end_ms: int | None = None
    for place, word in enumerate(turn.words):
        if place and end_ms is not None and _timed(word) and others.within(end_ms, word.start_ms):
            cuts.append(place)
            end_ms = None
        if _timed(word):
            end_ms = word.end_ms if end_ms is None else max(end_ms, word.end_ms)
    if len(cuts) == 1:
        yield 0, turn
        return
    for first, after in pairwise([*cuts, len(turn.words)]):
        words = turn.words[first:after]
        times = [time for word in words if _timed(word) for time in (word.start_ms, word.end_ms)]
        start_ms, end_ms = min(times, default=turn.start_ms), max(times, default=turn.end_ms)
        yield first, replace(turn, start_ms=start_ms, end_ms=end_ms, words=words, text=" ".join(word.text for word in words))
