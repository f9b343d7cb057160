"""Calls whose first minute is noise, made of a demo call. The rest is as it was, so that only the opening cannot be heard."""

import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resources.media import decode, ffmpeg_path, probe

OPENING_S = 60
RATE_HZ = 16_000
LOUD = 20_000  # of 32,767
FRAME = 512
SILENT = 200  # root mean square of a frame below which nobody speaks

Sound = NDArray[np.float64]
Noise = Callable[[Sound, np.random.Generator], Sound]
"""Both channels of the call and a source of chance -> one channel's opening, of OPENING_S."""


def _white(_: Sound, chance: np.random.Generator) -> Sound:
    return chance.standard_normal(OPENING_S * RATE_HZ)


def _pink(_: Sound, chance: np.random.Generator) -> Sound:
    """As loud in every octave."""
    spectrum = np.fft.rfft(chance.standard_normal(OPENING_S * RATE_HZ))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))))


def _babble(call: Sound, chance: np.random.Generator, voices: int) -> Sound:
    """So many people at once, each of them a party of the call backwards, without pauses."""
    total = np.zeros(OPENING_S * RATE_HZ)
    for _ in range(voices):
        frames = call[chance.integers(len(call))][::-1]
        frames = frames[: len(frames) // FRAME * FRAME].reshape(-1, FRAME)
        spoken = frames[np.sqrt((frames**2).mean(axis=1)) > SILENT].reshape(-1)
        total += np.resize(np.roll(spoken, chance.integers(len(spoken))), len(total))
    return total


def _silence(_: Sound, __: np.random.Generator) -> Sound:
    return np.zeros(OPENING_S * RATE_HZ)


OPENINGS: Mapping[str, Noise] = {
    "white": _white,
    "pink": _pink,
    "babble of six": partial(_babble, voices=6),
    "babble of twelve": partial(_babble, voices=12),
    "silence": _silence,
}


def with_opening(call: Path, opening: str, target: Path, seed: int = 0) -> Path:
    """The call with this for its first minute, another one on each channel, as Ogg/Opus."""
    folder = target.parent
    sound = np.array([channel[0 : len(channel)] for channel in decode(call, folder, probe(call))], dtype=np.float64)
    chance = np.random.default_rng(seed)
    noises = [OPENINGS[opening](sound, chance) for _ in sound]
    for channel, noise in zip(sound, noises, strict=True):
        channel[: len(noise)] = noise * LOUD / np.abs(noise).max() if noise.any() else noise
    samples = sound.T.astype("<i2").tobytes()
    raw = ["-f", "s16le", "-ar", str(RATE_HZ), "-ac", str(len(sound)), "-i", "pipe:0"]
    command = [ffmpeg_path(), "-nostdin", "-loglevel", "error", "-y", *raw, "-c:a", "libopus", "-b:a", "96k", str(target)]
    subprocess.run(command, input=samples, check=True)
    return target
