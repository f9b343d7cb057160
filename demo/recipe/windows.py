"""Training windows as the product makes them: speech of one channel, its silences cut short, packed into at most 30 s.

Whisper's features are padded with zeros, which is not silence: a model that was trained on silence invents sentences in the padding.
"""

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor

from demo.recipe.speak import RATE_HZ

FRAMES_A_SECOND = 100


QUIET = 0.02  # of full scale
AUDIBLE_FRAME = RATE_HZ // 100


@dataclass(frozen=True)
class Said:
    """``letters_s``: at which second about each letter of the text is heard."""

    start_s: float
    end_s: float
    text: str
    letters_s: np.ndarray


class Windows:
    """Draws windows: lines of a call in their order, lines in any order, or the corpus."""

    def __init__(self, folder: Path, seed: int, of_calls: float) -> None:
        self._sound = np.load(folder / "sound.npy", mmap_mode="r")
        self._rng, self._of_calls = random.Random(seed), of_calls
        self._noise = np.random.default_rng(seed)
        self._extract = FeatureExtractor()
        utterances = json.loads((folder / "utterances.json").read_text())
        self._corpus = [u for u in utterances if u["call"] is None]
        self._lines = [u for u in utterances if u["call"] is not None]
        self._scenes: dict[tuple, dict] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for u in self._lines:
            for channel in ((u["call"], u["who"] == "customer"), (u["call"], u["call"])):
                self._scenes[channel][u["line"]][u["part"]].append(u)

    def draw(self, seconds: float) -> tuple[np.ndarray, list[Said]]:
        """(features of shape (80, frames), what is said) of a window that is full or nearly so."""
        rng, length = self._rng, int(seconds * RATE_HZ)
        sound, said, at = np.zeros(length, "float32"), [], int(rng.uniform(0.05, 0.5) * RATE_HZ)
        long_pauses = rng.random() < 0.12
        volume = rng.uniform(0.4, 1.6)
        for utterance in self._utterances():
            piece = self._sound[utterance["first"] : utterance["last"]].astype("float32") / 32768 * volume * rng.uniform(0.85, 1.15)
            if at + len(piece) > length:
                break
            sound[at : at + len(piece)] = piece
            said.append(
                Said(at / RATE_HZ, (at + len(piece)) / RATE_HZ, utterance["text"], at / RATE_HZ + spread(utterance["text"], piece / volume))
            )
            at += len(piece) + int((rng.uniform(0.5, 4) if long_pauses else rng.uniform(0.15, 1.0)) * RATE_HZ)
        sound = sound[: min(length, at)]
        if rng.random() < 0.8:
            sound += self._noise.normal(0, 10 ** (rng.uniform(-85, -50) / 20), len(sound)).astype("float32")
        return self._extract(sound, padding=160)[:, : len(sound) * FRAMES_A_SECOND // RATE_HZ], said

    def _utterances(self):
        rng = self._rng
        if rng.random() >= self._of_calls:
            while True:
                yield rng.choice(self._corpus)
        if rng.random() < 0.5:
            yield from self._scene()
        same_voice, voice = rng.random() < 0.7, rng.choice(self._lines)["voice"]
        while True:
            found = rng.choice(self._lines)
            if not same_voice or found["voice"] == voice:
                yield found

    def _scene(self):
        """The lines of a channel from anywhere to its end, each whole or in sentences."""
        rng = self._rng
        lines = sorted(self._scenes[rng.choice(list(self._scenes))].items())
        for _, parts in lines[rng.randrange(len(lines)) :]:
            whole = parts[None]
            sentences = [parts[part] for part in sorted(p for p in parts if p is not None)]
            for choices in sentences if sentences and rng.random() < 0.5 else [whole]:
                yield rng.choice(choices)


def spread(text: str, sound: np.ndarray) -> np.ndarray:
    """The seconds at which the letters are heard, were all equally long and none in a pause."""
    frames = np.abs(sound[: len(sound) // AUDIBLE_FRAME * AUDIBLE_FRAME]).reshape(-1, AUDIBLE_FRAME).max(1)
    audible = np.flatnonzero(frames > QUIET)
    letters = np.cumsum([character.isalpha() for character in text])
    place = (letters - 0.5) / letters[-1] * (len(audible) - 1)
    return audible[np.clip(place.astype(int), 0, None)] * (AUDIBLE_FRAME / RATE_HZ)
