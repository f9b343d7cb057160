"""Media files made on the spot with the project's own ffmpeg. What they are for is said in the tests that use them."""

import subprocess
from pathlib import Path

from resources.media import ffmpeg_path

DATA = Path(__file__).parents[1] / "data"
SPEECH = DATA / "jfk.flac"  # 11 s, stereo, 44.1 kHz


def make(target: Path, *arguments: str | Path, source: Path | None = SPEECH) -> Path:
    """Runs ffmpeg from ``source`` (None: the arguments name their own inputs) to ``target``."""
    inputs = [] if source is None else ["-i", str(source)]
    command = [ffmpeg_path(), "-nostdin", "-loglevel", "error", "-y", *inputs, *map(str, arguments), str(target)]
    subprocess.run(command, check=True)
    return target


def cut(source: Path, target: Path, keep: float) -> Path:
    """The first ``keep`` (share) of a file's bytes."""
    content = source.read_bytes()
    target.write_bytes(content[: int(len(content) * keep)])
    return target
