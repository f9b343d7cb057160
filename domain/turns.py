"""Words become turns: what one speaker said without a break, in the order of the conversation.

Who spoke a word is decided in domain.attribution; where the words come from is resources.speech.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from domain.parties import Party
from domain.transcripts import Attribution, Turn, Word

PAUSE_MS = 800
"""A speaker who is silent this long has ended a turn. Whisper's word times are good to about 200 ms, and people pause up to half a
second inside a sentence."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whom a word is attributed to. ``voice`` tells unnamed voices apart and is kept nowhere."""

    role: Party
    participant_sid: str | None
    attribution: Attribution
    confidence: float
    voice: str | None = None

    @property
    def identity(self) -> tuple[Party, str | None, Attribution, str | None]:
        return (self.role, self.participant_sid, self.attribution, self.voice)


@dataclass(frozen=True, slots=True)
class SpokenWord:
    word: Word
    speaker: Speaker
    channel: int


def turns_of(spoken: Iterable[SpokenWord]) -> tuple[Turn, ...]:
    """All channels' words as turns, sorted by (start_ms, channel).

    A turn ends at a pause of PAUSE_MS, where its channel changes hands, and where somebody on another channel says a whole word in
    between. People who speak at the same time keep their own, overlapping turns. No word is lost or repeated.
    """
    in_order = sorted(spoken, key=lambda s: (s.channel, s.word.start_ms))
    by_channel = {channel: list(words) for channel, words in groupby(in_order, key=lambda s: s.channel)}
    turns: list[Turn] = []
    for channel, words in by_channel.items():
        others = Interjections([s.word for c, theirs in by_channel.items() if c != channel for s in theirs])
        turns.extend(_turn(part) for part in _parts(words, others))
    return tuple(sorted(turns, key=lambda t: (t.start_ms, t.channel if t.channel is not None else -1, t.end_ms)))


class Interjections:
    """Whether another channel's word lies wholly inside a gap."""

    def __init__(self, words: Sequence[Word]) -> None:
        ordered = sorted(words, key=lambda w: w.start_ms)
        self._starts = [w.start_ms for w in ordered]
        self._earliest_end_from: list[int] = [w.end_ms for w in ordered]
        for i in range(len(ordered) - 2, -1, -1):
            self._earliest_end_from[i] = min(self._earliest_end_from[i], self._earliest_end_from[i + 1])

    def within(self, start_ms: int, end_ms: int) -> bool:
        first = bisect_left(self._starts, start_ms)
        return first < len(self._starts) and self._earliest_end_from[first] <= end_ms


def _parts(words: Sequence[SpokenWord], others: Interjections) -> Iterable[list[SpokenWord]]:
    part: list[SpokenWord] = []
    end_ms = 0
    for current in words:
        start_ms = current.word.start_ms
        changed = bool(part) and part[-1].speaker.identity != current.speaker.identity
        if part and (changed or start_ms - end_ms >= PAUSE_MS or others.within(end_ms, start_ms)):
            yield part
            part, end_ms = [], 0
        part.append(current)
        end_ms = max(end_ms, current.word.end_ms)
    if part:
        yield part


def _turn(part: Sequence[SpokenWord]) -> Turn:
    words = tuple(s.word for s in part)
    speaker = part[0].speaker
    return Turn(
        role=speaker.role,
        participant_sid=speaker.participant_sid,
        channel=part[0].channel,
        start_ms=words[0].start_ms,
        end_ms=max(w.end_ms for w in words),
        text=" ".join(w.text for w in words),
        words=words,
        confidence=round(sum(w.confidence for w in words) / len(words), 4),
        attribution=speaker.attribution,
        attribution_confidence=round(sum(s.speaker.confidence for s in part) / len(part), 4),
    )
