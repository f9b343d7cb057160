"""Hears one recording in this process alone and prints what that took beyond the loaded model: four_hours.py RECORDING WORKDIR"""

import json
import resource
import sys
from pathlib import Path

import numpy as np

from resources.media import decode, probe
from resources.speech.model import SpeechModel
from resources.speech.settings import SpeechSettings
from resources.speech.transcription import transcribe


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(recording: Path, workdir: Path) -> None:
    model = SpeechModel.load(SpeechSettings(model="demo", device="cpu", compute_type="int8"))
    transcribe(model, [np.zeros(16_000, np.int16)])
    before = peak_bytes()
    heard = transcribe(model, decode(recording, workdir, probe(recording)))
    facts = {
        "grown_bytes": peak_bytes() - before,
        "audio_ms": heard.audio_ms,
        "words": [len(channel.words) for channel in heard.channels],
        "last_word_ms": max(word.end_ms for channel in heard.channels for word in channel.words),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
