"""A recording's sound as 16 kHz numbers on disk, so that hours of it need no memory.

Checking a file belongs to resources.media.probing; what is said in it to resources.speech.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import ffmpeg
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from domain.failures import Reason, RecordingError
from resources.media.probing import MediaInfo

RATE_HZ = 16_000
_SAMPLE_BYTES = 2
_MISSING_SHARE = 0.05
_MISSING_MS = 1_000


class MediaToolMissing(Exception):
    """No ffmpeg program can be found. ``str()`` says what to install."""


class PcmFile:
    """Signed 16-bit samples of one channel in a raw file of interleaved ones. Slices are read when asked for; nothing stays in memory."""

    def __init__(self, path: Path, channel: int = 0, channels: int = 1) -> None:
        self.path = path
        self._channel, self._channels = channel, channels
        self._length = path.stat().st_size // (_SAMPLE_BYTES * channels)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice) -> NDArray[np.int16]:
        start, stop, step = part.indices(self._length)
        if step != 1:
            raise ValueError("PcmFile reads consecutive samples only")
        count = max(0, stop - start) * self._channels
        both = np.fromfile(self.path, dtype="<i2", count=count, offset=start * self._channels * _SAMPLE_BYTES)
        return both[self._channel :: self._channels]


def ffmpeg_path() -> str:
    """The ffmpeg on the PATH, else the one from the wheel imageio-ffmpeg. Raises MediaToolMissing."""
    if found := shutil.which("ffmpeg"):
        return found
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise MediaToolMissing("ffmpeg is not installed: install your system's ffmpeg package, or pip install imageio-ffmpeg") from error


def decode(path: Path, workdir: Path, info: MediaInfo, on_progress: Callable[[float], None] | None = None) -> list[PcmFile]:
    """Writes ``workdir/sound.s16`` (32 kB per second and channel) and returns its channels, left first.

    One file for all, because a second output costs ffmpeg half as much again.

    Time 0 is the file's own: a stream that begins late or has a hole is filled with silence, so that word times match a player's.
    ``on_progress`` gets 0 to 1; what it raises ends ffmpeg and goes through. Raises RecordingError (TRUNCATED, NOT_MEDIA) and
    MediaToolMissing.
    """
    target = workdir / "sound.s16"
    command = _command(path, info, target)
    with tempfile.TemporaryFile(dir=workdir) as messages:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages, text=True)
        try:
            _follow(child, info.duration_ms, on_progress)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
            if child.stdout:
                child.stdout.close()
    if child.returncode != 0:
        raise RecordingError(
            Reason.NOT_MEDIA, f"ffmpeg could not decode the {info.container} ({info.codec}), exit status {child.returncode}"
        )
    channels = [PcmFile(target, n, info.channels) for n in range(info.channels)]
    decoded_ms = len(channels[0]) * 1000 // RATE_HZ
    if decoded_ms < info.duration_ms - max(_MISSING_MS, round(info.duration_ms * _MISSING_SHARE)):
        raise RecordingError(Reason.TRUNCATED, f"only {decoded_ms} of {info.duration_ms} ms could be decoded")
    return channels


def _command(path: Path, info: MediaInfo, target: Path) -> list[str]:
    sound = ffmpeg.input(f"file:{path.resolve()}", f=info.container, protocol_whitelist="file", threads=1)["a:0"]
    resampled = sound.filter("aresample", RATE_HZ, osf="s16", **{"async": 1, "first_pts": 0})
    # Whole seconds at a time: Opus packets of 20 ms would each travel through ffmpeg's threads, for a quarter more CPU.
    seconds = resampled.filter("asetnsamples", n=RATE_HZ, p=0)
    raw = seconds.output(f"file:{target.resolve()}", f="s16le", acodec="pcm_s16le", ac=info.channels)
    quietly = raw.global_args("-nostdin", "-loglevel", "error", "-progress", "pipe:1", "-stats_period", "1").overwrite_output()
    return [str(argument) for argument in quietly.compile(cmd=ffmpeg_path())]


def _follow(child: "subprocess.Popen[str]", duration_ms: int, on_progress: Callable[[float], None] | None) -> None:
    """Reads ffmpeg's ``key=value`` progress lines until it ends."""
    assert child.stdout is not None
    for line in child.stdout:
        key, _, value = line.strip().partition("=")
        if on_progress and key == "out_time_us" and value.isdigit():
            on_progress(min(1.0, int(value) / 1000 / duration_ms))
