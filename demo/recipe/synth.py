"""Speaks the training set: OUT/sound.npy (int16, 16 kHz, one utterance behind the other) and OUT/utterances.json.

    python -m demo.recipe.synth OUT [--seed 1] [--corpus 4000]

The lines of the demo calls come whole and sentence by sentence at several speeds, each in its own voice; the corpus in all voices.
"""

import argparse
import json
import random
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from demo.recipe.calls import CALLS
from demo.recipe.corpus import VOICES, sentences_of, utterance
from demo.recipe.speak import RATE_HZ, encode, utter, voice_of

SPEEDS = (1.0, 0.93, 1.0, 1.08, 0.97, 1.04)
CORPUS_SPEEDS = (0.9, 1.0, 1.0, 1.0, 1.1)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--corpus", type=int, default=4000)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    todo = [*lines_of_calls(), *lines_of_corpus(random.Random(options.seed), options.corpus)]
    with ThreadPoolExecutor(2) as pool:
        sounds = list(pool.map(lambda item: utter(item["text"], item["voice"], item.pop("speed")), todo))
    first = 0
    for item, sound in zip(todo, sounds, strict=True):
        item["first"], item["last"] = first, first + len(sound)
        first += len(sound)
    np.save(options.out / "sound.npy", coded(np.concatenate(sounds)))
    (options.out / "utterances.json").write_text(json.dumps(todo))
    print(f"{len(todo)} utterances, {first / RATE_HZ / 3600:.1f} hours")


def lines_of_calls() -> list[dict]:
    """``line``: the line's place in its call; ``part``: the sentence's place in the line, None for the whole line."""
    found = []
    for call in CALLS:
        for n, line in enumerate(call.lines):
            parts = sentences_of(line.text)
            for speed in SPEEDS:
                texts = [(None, line.text)] + [(i, text) for i, text in enumerate(parts) if len(parts) > 1]
                common = {"voice": voice_of(call, line), "speed": speed, "call": call.name, "who": line.who, "line": n}
                found += [{**common, "part": part, "text": text} for part, text in texts]
    return found


def lines_of_corpus(rng: random.Random, count: int) -> list[dict]:
    return [{"voice": rng.choice(VOICES), "speed": rng.choice(CORPUS_SPEEDS), "text": utterance(rng), "call": None} for _ in range(count)]


def coded(sound: np.ndarray) -> np.ndarray:
    """The sound after the codec that recordings go through."""
    with tempfile.NamedTemporaryFile(suffix=".ogg") as file:
        encode(sound[:, None], Path(file.name))
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", file.name, "-f", "s16le", "-ar", str(RATE_HZ), "-"]
        back = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, "<i2")
    assert abs(len(back) - len(sound)) < RATE_HZ, "the codec lost sound"
    return np.resize(back, len(sound))


if __name__ == "__main__":
    main()
