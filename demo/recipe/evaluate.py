"""Word error rate of a model on the demo calls, heard the way the product hears them, and on sentences that nobody trained on.

    python -m demo.recipe.evaluate [MODEL_FOLDER] [--unseen COUNT] [--show]

Without a folder it is demo/model. ``--unseen`` speaks that many sentences of the corpus anew; ``--show`` prints every wrong line.
"""

import argparse
import random
import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import jiwer
import numpy as np

from demo.recipe.corpus import VOICES, sentence
from demo.recipe.speak import CALLS_FOLDER, RATE_HZ, utter
from demo.truth import load_calls
from resources.speech.model import SpeechModel
from resources.speech.settings import SpeechSettings
from resources.speech.transcription import transcribe

UNSEEN_SEED = 20_250_306  # train.py's sentences come from other seeds


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model", nargs="?", default=str(CALLS_FOLDER.parent / "model"))
    arguments.add_argument("--unseen", type=int, default=0)
    arguments.add_argument("--show", action="store_true")
    options = arguments.parse_args()
    model = SpeechModel.load(SpeechSettings(model=options.model, device="cpu", compute_type="int8"))
    said, heard = [], []
    for call in load_calls(CALLS_FOLDER):
        pairs = [pair for egress in call.egresses if egress.file for pair in hear(model, CALLS_FOLDER / egress.file, egress.turns)]
        if pairs:
            report(call.name, pairs, options.show)
            said += [a for a, _ in pairs]
            heard += [b for _, b in pairs]
    print(f"{'all calls':28} {jiwer.wer(said, heard):.3f}")
    if options.unseen:
        unseen(model, options.unseen, options.show)


def hear(model: SpeechModel, file: Path, turns) -> list[tuple[str, str]]:
    """(said, heard) of each channel."""
    channels = decode(file, 1 + max(turn.channel or 0 for turn in turns))
    found = transcribe(model, channels).channels
    said = [" ".join(turn.text for turn in turns if (turn.channel or 0) == n) for n in range(len(channels))]
    return [(plain(a), plain(" ".join(word.text for word in b.words))) for a, b in zip(said, found, strict=True)]


def unseen(model: SpeechModel, count: int, show: bool) -> None:
    """Sentences of the corpus with each voice, eight a recording with a second between them."""
    for voice in VOICES:
        pairs, rng = [], random.Random(f"{UNSEEN_SEED}{voice}")
        for _ in range(0, count // len(VOICES), 8):
            texts = [sentence(rng) for _ in range(8)]
            gap = np.zeros(RATE_HZ, "float32")
            sound = np.concatenate([part for text in texts for part in (gap, utter(text, voice))] + [gap])
            found = transcribe(model, [(sound * 32767).astype("<i2")]).channels[0]
            pairs.append((plain(" ".join(texts)), plain(" ".join(word.text for word in found.words))))
        report(f"unseen sentences, {voice}", pairs, show)


def report(name: str, pairs: list[tuple[str, str]], show: bool) -> None:
    print(f"{name:28} {jiwer.wer([a for a, _ in pairs], [b for _, b in pairs]):.3f}")
    for said, heard in pairs if show else ():
        measured = jiwer.process_words(said, heard)
        words, others = said.split(), heard.split()
        for chunk in measured.alignments[0]:
            if chunk.type != "equal":
                before = " ".join(words[max(0, chunk.ref_start_idx - 3) : chunk.ref_start_idx])
                wrong = " ".join(words[chunk.ref_start_idx : chunk.ref_end_idx])
                print(f"    … {before} [{wrong}] heard as [{' '.join(others[chunk.hyp_start_idx : chunk.hyp_end_idx])}]")


def decode(file: Path, channels: int) -> list[np.ndarray]:
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-loglevel",
        "error",
        "-i",
        str(file),
        "-f",
        "s16le",
        "-ar",
        str(RATE_HZ),
        "-ac",
        str(channels),
        "-",
    ]
    sound = subprocess.run(command, check=True, capture_output=True).stdout
    return list(np.frombuffer(sound, "<i2").reshape(-1, channels).T)


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z' ]", " ", text.lower()).split())


if __name__ == "__main__":
    main()
