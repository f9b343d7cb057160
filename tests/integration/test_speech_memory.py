"""Four hours of a call are heard in the memory of minutes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.media_files import DATA, make

HOURS_MS = 4 * 3_600_000
ALLOWED_BYTES = 1 << 30
ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
def test_a_four_hour_recording_stays_under_one_gibibyte_beyond_the_model(tmp_path: Path) -> None:
    """Ten minutes with a call in them, again and again, on a line that hums loud enough for every second to go through the voice model."""
    hum = "anoisesrc=r=48000:a=0.004:c=pink:d=600:s=1,pan=stereo|c0=c0|c1=c0,volume=1.4[hum];[0:a]apad=whole_dur=600[call]"
    mixed = f"{hum};[call][hum]amix=inputs=2:normalize=0:duration=first[out]"
    opus = ("-c:a", "libopus", "-b:a", "32k", "-application", "voip", "-frame_duration", "60")
    part = make(tmp_path / "part.ogg", "-filter_complex", mixed, "-map", "[out]", *opus, source=DATA / "call.ogg")
    recording = make(tmp_path / "long.ogg", "-stream_loop", "23", "-i", part, "-c", "copy", source=None)

    child = [sys.executable, "-m", "tests.integration.four_hours", str(recording), str(tmp_path)]
    done = subprocess.run(child, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})

    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert abs(facts["audio_ms"] - HOURS_MS) < 10_000
    assert facts["last_word_ms"] > HOURS_MS - 600_000
    assert all(count > 24 * 10 for count in facts["words"])
    assert facts["grown_bytes"] < ALLOWED_BYTES
