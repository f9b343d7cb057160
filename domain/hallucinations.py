"""What a speech model invents although nobody said it, and how that is told from speech. Finding speech: resources.speech.activity."""

import zlib
from collections.abc import Sequence

from domain.transcripts import Word

LOOP_RATIO = 2.4
"""Text that zlib shrinks by more than this repeats itself; Whisper's own threshold."""

SILENT_FROM = 0.6
UNLIKELY_BELOW = -1.0
"""A window that the model itself takes for silence, with words that it finds unlikely, holds no speech; Whisper's own thresholds."""

_LONGEST_LOOP = 8
_LOOP_TIMES = 4
_STACKED = 3
_UNSURE_BELOW = 0.3


def repeats_itself(text: str) -> bool:
    """Whether a window's text is a loop. Digits read one by one do not reach the threshold, a stuck phrase does."""
    content = text.encode()
    return bool(content) and len(content) / len(zlib.compress(content)) > LOOP_RATIO


def sounds_silent(no_speech_probability: float, average_log_probability: float) -> bool:
    return no_speech_probability > SILENT_FROM and average_log_probability < UNLIKELY_BELOW


def without_loops(words: Sequence[Word]) -> tuple[Word, ...]:
    """Keeps the first of four or more identical phrases (of up to eight words) in a row. Only for text that ``repeats_itself``."""
    kept: list[Word] = []
    texts = [word.text.lower() for word in words]
    position = 0
    while position < len(words):
        length = next((n for n in range(1, _LONGEST_LOOP + 1) if _times(texts, position, n) >= _LOOP_TIMES), 0)
        kept.extend(words[position : position + max(length, 1)])
        position += length * _times(texts, position, length) if length else 1
    return tuple(kept)


def without_stacks(words: Sequence[Word]) -> tuple[Word, ...]:
    """Drops three or more words in a row that have no length, the same time and little confidence: text to which no sound belongs.

    Confident ones stay, for a small model also stacks words that were said; a wrong time is better than a missing word.
    """
    kept: list[Word] = []
    position = 0
    while position < len(words):
        first = words[position]
        end = position
        while end < len(words) and words[end].start_ms == words[end].end_ms == first.start_ms:
            end += 1
        end = max(end, position + 1)
        unsure = sum(word.confidence for word in words[position:end]) < _UNSURE_BELOW * (end - position)
        if end - position < _STACKED or not unsure:
            kept.extend(words[position:end])
        position = end
    return tuple(kept)


def _times(texts: Sequence[str], start: int, length: int) -> int:
    phrase = texts[start : start + length]
    times = 1
    while length and len(phrase) == length and texts[start + times * length : start + (times + 1) * length] == phrase:
        times += 1
    return times
