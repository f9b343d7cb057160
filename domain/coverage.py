"""How much of what was spoken in a recording its transcript has words for. Times are ms from the recording's first sample.

Where speech is heard and no word comes of it, or noise as loud as speech and no speech, nobody can say what was said: rules must not read
silence into it.
"""

from collections.abc import Iterable, Sequence

from domain.transcripts import Word

LEAST_MS = 2_000
"""People pause for a second in the middle of a sentence, and word times are good to a fifth of one."""
MOST_WORDLESS_SHARE = 0.1
"""A transcript that lacks words for more of the speech than this does not cover its recording."""


def wordless(speech: Iterable[tuple[int, int]], words: Iterable[Word]) -> tuple[tuple[int, int], ...]:
    """Where somebody speaks on a channel for ``LEAST_MS`` or longer and no word stands, in order."""
    spoken = sorted((word.start_ms, word.end_ms) for word in words)
    found: list[tuple[int, int]] = []
    first = 0
    for start, end in sorted(speech):
        while first < len(spoken) and spoken[first][1] <= start:
            first += 1
        at = start
        for n in range(first, len(spoken)):
            word_start, word_end = spoken[n]
            if word_start >= end:
                break
            if word_end <= at:
                continue
            if word_start - at >= LEAST_MS:
                found.append((at, word_start))
            at = max(at, word_end)
        if end - at >= LEAST_MS:
            found.append((at, end))
    return tuple(found)


def noise(loud: Iterable[tuple[int, int]], speech: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Where it is loud for ``LEAST_MS`` or longer on any channel and nobody is heard on any, in order and apart: voices may be hidden there."""
    found: list[tuple[int, int]] = []
    spoken = _joined(speech)
    first = 0
    for start, end in _joined(loud):
        while first < len(spoken) and spoken[first][1] <= start:
            first += 1
        at = start
        for n in range(first, len(spoken)):
            if spoken[n][0] >= end:
                break
            if spoken[n][0] - at >= LEAST_MS:
                found.append((at, spoken[n][0]))
            at = max(at, spoken[n][1])
        if end - at >= LEAST_MS:
            found.append((at, end))
    return tuple(found)


def _joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def covers(wordless_ms: int, speech_ms: int) -> bool:
    """Whether a transcript has words for enough of its recording's speech."""
    return wordless_ms <= MOST_WORDLESS_SHARE * speech_ms


def total_ms(stretches: Sequence[tuple[int, int]]) -> int:
    return sum(end - start for start, end in stretches)
