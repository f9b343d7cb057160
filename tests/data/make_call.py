"""Makes call.ogg and call.json: a short call between flite's voices awb (the assistant, left) and rms (the customer, right).

python tests/data/make_call.py     needs Debian's flite; ffmpeg comes from the project's environment
"""

import json
import subprocess
import tempfile
import wave
from pathlib import Path

import imageio_ffmpeg
import numpy as np

HERE = Path(__file__).parent
RATE_HZ = 16_000
PAUSE_S = 0.5
# (channel, voice, text, seconds after the turn before it; negative: they overlap)
TURNS = [
    (0, "awb", "Thank you for calling, how may I help you?", PAUSE_S),
    (1, "rms", "I would like a quote for a bike rental in Boston.", PAUSE_S),
    (0, "awb", "This call may be recorded for quality and compliance purposes.", PAUSE_S),
    (0, "awb", "Do you consent to being recorded?", PAUSE_S),
    (1, "rms", "Yes, I consent to being recorded.", PAUSE_S),
    (0, "awb", "How many people do you expect?", PAUSE_S),
    (1, "rms", "We expect about fifty participants.", PAUSE_S),
    (0, "awb", "I will send you the policy documents to review.", PAUSE_S),
    (1, "rms", "That sounds good.", -1.0),
    (1, "rms", "Is there a discount for fifty people?", 1.5),
    (0, "awb", "Let me check that for you.", PAUSE_S),
]


def main() -> None:
    at, sound, truth = RATE_HZ // 2, np.zeros((60 * RATE_HZ, 2), np.int16), []
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/turn.wav"
        for channel, voice, text, wait_s in TURNS:
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", file], check=True)
            with wave.open(file) as spoken:
                samples = np.frombuffer(spoken.readframes(spoken.getnframes()), np.int16)
            at += int(wait_s * RATE_HZ)
            sound[at : at + len(samples), channel] = samples // 2
            truth.append({"channel": channel, "text": text, "start_ms": at // 16, "end_ms": (at + len(samples)) // 16})
            at += len(samples)
        with wave.open(file, "wb") as call:
            call.setparams((2, 2, RATE_HZ, 0, "NONE", ""))
            call.writeframes(sound[: at + RATE_HZ].tobytes())
        ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", "-i", file, "-c:a", "libopus", "-b:a", "40k"]
        subprocess.run([*ffmpeg, str(HERE / "call.ogg")], check=True)
    (HERE / "call.json").write_text(json.dumps(truth, indent=1) + "\n")


if __name__ == "__main__":
    main()
