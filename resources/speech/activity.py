"""Where in a channel somebody speaks: Silero's voice activity model, as faster-whisper ships it, over sound of any length.

Only frames that could be speech are shown to the model, so a silent party costs next to nothing. Packing speech into windows belongs to
resources.speech.windows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from faster_whisper.vad import get_vad_model
from numpy.typing import NDArray

RATE_HZ = 16_000
FRAME = 512  # samples; what the model takes at a time
FLOOR_DBFS = -65.0
"""Quieter frames cannot be speech: comfort noise and what a codec leaves of silence lie below, a whisper lies 20 dB above."""

LOUD_DBFS = -40.0
"""Louder frames can hide a voice: a room and its fan lie below, speech lies 10 to 25 dB above."""

SPEECH_FROM = 0.5
SPEECH_UNTIL = 0.35
MIN_SILENCE_MS = 400
"""A shorter silence stays inside its region: whole phrases are recognised better than words, and longer silences cost windows."""

MIN_SPEECH_MS = 90
_MARGIN_FRAMES = 10
_WARM_UP_FRAMES = 32
_BLOCK_FRAMES = 1_875  # a minute


class Pcm(Protocol):
    """One channel: 16-bit samples at 16 kHz, read by the slice. A NumPy array is one, and so is resources.media.PcmFile."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> NDArray[np.int16]: ...


@dataclass(frozen=True, slots=True)
class Activity:
    """``regions``: (start, end) in samples, in order and apart. ``energy``: mean square of each frame, of full scale 1."""

    regions: tuple[tuple[int, int], ...]
    energy: NDArray[np.float32]
    length: int

    @property
    def speech_ms(self) -> int:
        return sum(end - start for start, end in self.regions) * 1000 // RATE_HZ


def find_speech(channel: Pcm, on_progress: Callable[[float], None]) -> Activity:
    """Reads the channel in blocks of a minute; 8 bytes a frame are all that stays in memory."""
    energy = frame_energy(channel)
    probability = np.zeros(len(energy), np.float32)
    stretches = audible_stretches(energy)
    total, done = sum(end - start for start, end in stretches), 0
    model = get_vad_model()
    warm_up = np.zeros(0, np.float32)
    for start, end in _blocks(stretches):
        sound = np.concatenate([warm_up, _floats(channel, start, end)])
        known = len(warm_up) // FRAME
        probability[start:end] = model(sound).reshape(-1)[known:]
        warm_up = sound[-_WARM_UP_FRAMES * FRAME :]
        done += end - start
        on_progress(done / total)
    return Activity(tuple(regions_of(probability, len(channel))), energy, len(channel))


def frame_energy(channel: Pcm) -> NDArray[np.float32]:
    frames = -(-len(channel) // FRAME)
    energy = np.zeros(frames, np.float32)
    for start in range(0, frames, _BLOCK_FRAMES):
        end = min(start + _BLOCK_FRAMES, frames)
        block = _floats(channel, start, end).reshape(-1, FRAME)
        energy[start:end] = np.einsum("ij,ij->i", block, block) / FRAME
    return energy


def audible_stretches(energy: NDArray[np.float32]) -> list[tuple[int, int]]:
    """(first, behind last) frame of what rises over the floor, with some around it, so that the model hears it begin and end."""
    loud = np.flatnonzero(energy > 10 ** (FLOOR_DBFS / 10))
    if loud.size == 0:
        return []
    breaks = np.flatnonzero(np.diff(loud) > 2 * _MARGIN_FRAMES)
    starts = loud[np.concatenate([[0], breaks + 1])] - _MARGIN_FRAMES
    ends = loud[np.concatenate([breaks, [loud.size - 1]])] + _MARGIN_FRAMES + 1
    return [(max(0, int(start)), min(len(energy), int(end))) for start, end in zip(starts, ends, strict=True)]


def loud_stretches(energy: NDArray[np.float32]) -> list[tuple[int, int]]:
    """(start, end) samples of what is as loud as speech, whatever it is; shorter pauses than MIN_SILENCE_MS stay inside."""
    loud = np.flatnonzero(energy > 10 ** (LOUD_DBFS / 10))
    if loud.size == 0:
        return []
    breaks = np.flatnonzero((np.diff(loud) - 1) * FRAME * 1000 >= MIN_SILENCE_MS * RATE_HZ)
    starts, ends = loud[np.concatenate([[0], breaks + 1])], loud[np.concatenate([breaks, [loud.size - 1]])] + 1
    return [(int(start) * FRAME, int(end) * FRAME) for start, end in zip(starts, ends, strict=True)]


def regions_of(probability: NDArray[np.float32], length: int) -> Iterator[tuple[int, int]]:
    """(start, end) samples of speech: it begins at SPEECH_FROM and ends where it stays under SPEECH_UNTIL for MIN_SILENCE_MS."""
    decided = np.where(probability >= SPEECH_FROM, 1, np.where(probability < SPEECH_UNTIL, -1, 0))
    last = np.maximum.accumulate(np.where(decided != 0, np.arange(len(decided)), -1))
    on = np.concatenate([[False], (last >= 0) & (decided[last] == 1), [False]]) if len(decided) else np.zeros(2, bool)
    edges = np.flatnonzero(np.diff(on.astype(np.int8)))
    open_start = open_end = -1
    for start, end in edges.reshape(-1, 2).tolist():
        if open_start >= 0 and (start - open_end) * FRAME * 1000 < MIN_SILENCE_MS * RATE_HZ:
            open_end = end
            continue
        yield from _long_enough(open_start, open_end, length)
        open_start, open_end = start, end
    yield from _long_enough(open_start, open_end, length)


def _long_enough(start: int, end: int, length: int) -> Iterator[tuple[int, int]]:
    if start >= 0 and (end - start) * FRAME * 1000 >= MIN_SPEECH_MS * RATE_HZ:
        yield start * FRAME, min(end * FRAME, length)


def _blocks(stretches: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in stretches:
        for first in range(start, end, _BLOCK_FRAMES):
            yield first, min(first + _BLOCK_FRAMES, end)


def _floats(channel: Pcm, first_frame: int, last_frame: int) -> NDArray[np.float32]:
    """Whole frames as floats; the file's last one is filled up with silence."""
    sound: NDArray[np.float32] = channel[first_frame * FRAME : last_frame * FRAME].astype(np.float32) / np.float32(32_768)
    missing = (last_frame - first_frame) * FRAME - len(sound)
    return np.concatenate([sound, np.zeros(missing, np.float32)]) if missing else sound
