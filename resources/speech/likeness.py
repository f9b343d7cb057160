"""Whether two channels carry the same sound, as they do where one mix was written to both. What follows from it: domain.media_checks."""

from collections.abc import Sequence

import numpy as np

from resources.speech.activity import RATE_HZ, Pcm

SAME_FROM = 0.98
"""Correlation of a mix with itself after a lossy codec; two microphones in one room stay far below."""

_BLOCK = 60 * RATE_HZ
_AUDIBLE_MEAN_SQUARE = 32_768**2 * 1e-7


def identical(channels: Sequence[Pcm]) -> bool:
    """Whether all of two or more channels are one sound, at whatever levels. Silent channels are not."""
    return len(channels) > 1 and all(_same(channels[0], other) for other in channels[1:])


def _same(one: Pcm, other: Pcm) -> bool:
    length = min(len(one), len(other))
    sums = np.zeros(3)
    for start in range(0, length, _BLOCK):
        a = one[start : min(length, start + _BLOCK)].astype(np.float32)
        b = other[start : min(length, start + _BLOCK)].astype(np.float32)
        sums += (np.dot(a, a), np.dot(b, b), np.dot(a, b))
    if length == 0 or min(sums[0], sums[1]) / length < _AUDIBLE_MEAN_SQUARE:
        return False
    return bool(sums[2] / np.sqrt(sums[0] * sums[1]) >= SAME_FROM)
