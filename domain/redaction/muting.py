"""Which stretches of which channels are silenced. Writing sound belongs to resources.media.

All times are whole milliseconds from the recording's first sample. Where words' times cannot be used, the whole turn is silenced.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from domain.redaction.shapes import Redaction
from domain.transcripts import Turn

PADDING_MS = 150
"""Recognisers cut words short at both ends."""

WORD_AT_LEAST_MS = 600
"""How long a word of a turn without usable times is taken to be, where the turn itself is shorter than its words could be."""

Span = tuple[int, int]


def usable_times(turn: Turn, first_word: int, last_word: int) -> Span | None:
    """When the words begin and end; None where one has no time, no length, lies outside its turn or begins before its neighbour."""
    words = turn.words[first_word : last_word + 1]
    times = [(word.start_ms, word.end_ms) for word in words]
    if not times or any(start is None or end is None or not turn.start_ms <= start < end <= turn.end_ms for start, end in times):
        return None
    around = turn.words[max(first_word - 1, 0) : last_word + 2]
    if any(left.start_ms is None or right.start_ms is None or left.start_ms >= right.start_ms for left, right in pairwise(around)):
        return None
    return times[0][0], max(end for _, end in times)


def muted(turns: Sequence[Turn], redactions: Iterable[Redaction], padding_ms: int = PADDING_MS) -> Mapping[int | None, tuple[Span, ...]]:
    """For each channel (None: all of them, where nobody knows which one spoke) the spans to silence, in order, apart from each other."""
    spans: dict[int | None, list[Span]] = {}
    for redaction in redactions:
        turn = turns[redaction.position]
        times = usable_times(turn, redaction.first_word, redaction.last_word)
        start, end = times if times else _whole(turn)
        spans.setdefault(redaction.channel, []).append((max(start - padding_ms, 0), max(end, 0) + padding_ms))
    return {channel: merged(found) for channel, found in spans.items()}


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same milliseconds in as few spans as possible, in order."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def _whole(turn: Turn) -> Span:
    """A turn and all of its words, as long at least as its words can be."""
    times = [turn.start_ms, turn.end_ms, *(time for word in turn.words for time in (word.start_ms, word.end_ms) if time is not None)]
    start, end = min(times), max(times)
    lacking = max(len(turn.words) * WORD_AT_LEAST_MS - (end - start), 0)
    return start - lacking, end + lacking
