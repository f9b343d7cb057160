"""Speaks the demo calls with flite's voices: NAME.ogg as LiveKit's egress writes it (Ogg/Opus, 48 kHz) and NAME.json with what is said when.

    python -m demo.recipe.speak [NAME ...]

Needs Debian's flite and an ffmpeg. The same script gives the same speech; only the codec's version can change a file.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from demo.recipe.calls import CALLS, Call, Failure, Line, Person, Recording

CALLS_FOLDER = Path(__file__).resolve().parent.parent / "calls"
RATE_HZ = 16_000  # flite's
FLOOR_DBFS = -75.0
"""What a telephone line has instead of digital silence."""

PEAK = 0.5
TAIL_MS = 800
LEAVING_MS = 1200
PREFIXES = {"customer": "cus", "agent": "agt", "assistant": "ast", "partner": "par"}
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def main(names: list[str]) -> None:
    for call in CALLS:
        if not names or call.name in names:
            truth = speak(call)
            path = CALLS_FOLDER / f"{call.name}.json"
            path.write_text(json.dumps(truth, indent=2) + "\n")
            print(f"{call.name}: {truth['duration_ms'] / 1000:.1f} s, {len(call.lines)} turns")


def speak(call: Call) -> dict:
    """Writes the call's sound files and returns its ground truth."""
    spoken = [utter(line.text, voice_of(call, line)) for line in call.lines]
    times = timeline(call, spoken)
    duration_ms = call.duration_ms or max(end for _, end in times) + TAIL_MS + LEAVING_MS
    people = [presence(call, person, times, duration_ms) for person in call.people]
    egresses = [
        failed(call, item) if isinstance(item, Failure) else record(call, item, spoken, times, duration_ms - LEAVING_MS)
        for item in call.recordings
    ]
    return {
        "name": call.name,
        "title": call.title,
        "type": call.type,
        "room_name": f"consultation_{call.type}_{call.started_at:%Y%m%dT%H%M%SZ}_{hashed(call.name, 'room')[:24]}",
        "room_sid": sid("RM_", call.name),
        "started_at": f"{call.started_at:%Y-%m-%dT%H:%M:%SZ}",
        "duration_ms": duration_ms,
        "publication": call.publication,
        "participants": people,
        "egresses": egresses,
    }


def timeline(call: Call, spoken: list[np.ndarray]) -> list[tuple[int, int]]:
    """(start, end) of each line in milliseconds of the call. Where somebody interrupts, what follows waits for both to end."""
    times: list[tuple[int, int]] = []
    for line, sound in zip(call.lines, spoken, strict=True):
        if not times:
            start = call.first_line_ms
        elif line.after_ms < 0:
            start = times[-1][1] + line.after_ms
        else:
            start = max(end for _, end in times) + line.after_ms
        times.append((start, start + round(len(sound) * 1000 / RATE_HZ)))
    return times


def presence(call: Call, person: Person, times: list[tuple[int, int]], duration_ms: int) -> dict:
    joined = person.joins_ms if person.joins_after is None else times[person.joins_after][1] + 1200
    left = duration_ms if person.leaves_after is None else times[person.leaves_after][1] + 2600
    letters = hashed(call.name, person.key)
    return {
        "identity": identity(call, person.key),
        "sid": sid("PA_", call.name, person.key),
        "role": person.role,
        "kind": person.kind,
        "joined_ms": joined,
        "left_ms": left if person.leaves_after is not None else duration_ms - int(letters[:2], 16) * 4,
        "microphone_track_sid": sid("TR_AM", call.name, person.key, length=10),
        "consents_ms": joined - 500 if person.role == "partner" else None,
    }


def record(call: Call, recording: Recording, spoken: list[np.ndarray], times: list[tuple[int, int]], ends_ms: int) -> dict:
    """Mixes and encodes one egress's file."""
    channels = 2 if recording.left else 1
    length = (ends_ms - recording.starts_ms) * RATE_HZ // 1000
    mix = np.random.default_rng(int(hashed(call.name, recording.suffix)[:8], 16)).normal(0, 10 ** (FLOOR_DBFS / 20), (length, channels))
    turns = []
    for line, sound, (start, end) in zip(call.lines, spoken, times, strict=True):
        if recording.only not in (None, line.who):
            continue
        side = int(line.who in recording.right)
        start, end = start - recording.starts_ms, end - recording.starts_ms
        first = start * RATE_HZ // 1000
        mix[first : first + len(sound), side] += sound
        turns.append(
            {
                "role": person_of(call, line.who).role,
                "identity": identity(call, line.who),
                "channel": side if channels == 2 else None,
                "text": line.text,
                "start_ms": start,
                "end_ms": end,
            }
        )
    file = f"{call.name}{recording.suffix}.ogg"
    encode(mix, CALLS_FOLDER / file)
    return {
        "egress_id": sid("EG_", call.name, recording.suffix),
        "status": "EGRESS_COMPLETE",
        "error": "",
        "started_ms": recording.starts_ms,
        "ended_ms": ends_ms,
        "request": request(call, recording),
        "file": file,
        "turns": turns,
    }


def failed(call: Call, failure: Failure) -> dict:
    return {
        "egress_id": sid("EG_", call.name),
        "status": "EGRESS_FAILED",
        "error": failure.error,
        "started_ms": failure.starts_ms,
        "ended_ms": failure.ends_ms,
        "request": request(call, failure),
        "file": None,
        "turns": [],
    }


def request(call: Call, item: Recording | Failure) -> dict:
    if item.left:
        return {"kind": "routes", "left": [identity(call, p) for p in item.left], "right": [identity(call, p) for p in item.right]}
    if isinstance(item, Recording) and item.only:
        return {"kind": "participant", "identity": identity(call, item.only)}
    return {"kind": "room_composite"}


def utter(text: str, voice: str, stretch: float = 1.0) -> np.ndarray:
    """The text as float32 samples at RATE_HZ, its silent edges cut off, peak PEAK."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", text, "-o", file.name], check=True)
        with wave.open(file.name) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE_HZ, 1, 2)
            samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype("float32") / 32768
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[max(0, loud[0] - 800) : loud[-1] + 1600]
    return samples / np.abs(samples).max() * PEAK


def encode(mix: np.ndarray, path: Path) -> None:
    channels = mix.shape[1]
    raw = (np.clip(mix, -1, 1) * 32767).astype("<i2").tobytes()
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y"]
    command += ["-f", "s16le", "-ar", str(RATE_HZ), "-ac", str(channels), "-i", "pipe:", "-ar", "48000"]
    # Without a fixed serial number and with the encoder's name in it, the same sound would be another file each time.
    command += ["-c:a", "libopus", "-b:a", f"{20 * channels}k", "-frame_duration", "20", "-fflags", "+bitexact", "-flags", "+bitexact"]
    subprocess.run([*command, "-serial_offset", "1", str(path)], input=raw, check=True)


def voice_of(call: Call, line: Line) -> str:
    return person_of(call, line.who).voice


def person_of(call: Call, key: str) -> Person:
    return next(person for person in call.people if person.key == key)


def identity(call: Call, key: str) -> str:
    """Opaque: says who it is to nobody, and by its first letters in which part."""
    return f"{PREFIXES[person_of(call, key).role]}_{hashed(call.name, key, 'identity')[:16]}"


def sid(prefix: str, *names: str, length: int = 12) -> str:
    """An id in LiveKit's shape that is the same every time."""
    number = int(hashed(prefix, *names), 16)
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(BASE58))
        letters.append(BASE58[digit])
    return prefix + "".join(letters)


def hashed(*names: str) -> str:
    return hashlib.sha256("/".join(names).encode()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
