"""What recognising speech costs, in CPU seconds, our way and faster-whisper's. Ratios of one run mean something; absolute times do not.

Every function takes a loaded model, so that loading is not measured, and returns user plus system time of this process and of the ffmpeg it
starts. Printing and writing results belongs to whoever calls.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from faster_whisper.audio import decode_audio

from resources.media import decode, ffmpeg_path, probe
from resources.speech.model import SpeechModel
from resources.speech.transcription import Heard, transcribe

RATE_HZ = 16_000


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU that ``work`` takes here and in the children it waits for."""
    before = os.times()
    work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def ours(model: SpeechModel, recording: Path) -> float:
    """The pipeline's way from a file to words: probe, decode to disk, voice activity, windows, words."""
    return cpu_seconds(lambda: hear(model, recording))


def hear(model: SpeechModel, recording: Path) -> Heard:
    with tempfile.TemporaryDirectory() as folder:
        return transcribe(model, decode(recording, Path(folder), probe(recording)))


def bare(model: SpeechModel, recording: Path) -> float:
    """faster-whisper alone on the same file with the same settings: its batched pipeline, its VAD, channels mixed down."""
    return cpu_seconds(lambda: _exhaust(model, recording, vad_filter=True))


def whole_channels(model: SpeechModel, recording: Path) -> float:
    """faster-whisper on each whole channel without VAD, silence and all: ``WhisperModel.transcribe``, with our settings."""

    def work() -> None:
        settings = model.settings
        for channel in decode_audio(str(recording), split_stereo=True):
            segments, _ = model.whisper.transcribe(
                channel,
                language=settings.language,
                beam_size=settings.beam_size,
                hotwords=settings.hotwords,
                word_timestamps=True,
                temperature=0.0,
                condition_on_previous_text=False,
            )
            list(segments)

    return cpu_seconds(work)


def whole_channels_batched(model: SpeechModel, recording: Path) -> float:
    """The same through the batched pipeline, which takes no whole channel without VAD unless it is told where to cut: every 30 s."""
    return cpu_seconds(
        lambda: sum(_exhaust(model, channel, **_every_30_s(len(channel))) for channel in decode_audio(str(recording), split_stereo=True))
    )


def looped(calls: Iterable[Path], target: Path, seconds: int, channels: int = 2) -> Path:
    """A recording of ``seconds`` made of the calls one after the other, again and again, as Ogg/Opus; one channel is their mix."""
    files = [str(call.resolve()) for call in calls]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as playlist:
        playlist.writelines(f"file '{file}'\n" for file in files)
        playlist.flush()
        source = ["-stream_loop", "-1", "-f", "concat", "-safe", "0", "-i", playlist.name, "-t", str(seconds), "-ac", str(channels)]
        command = [ffmpeg_path(), "-nostdin", "-loglevel", "error", "-y", *source, "-c:a", "libopus", "-b:a", "48k", str(target)]
        subprocess.run(command, check=True)
    return target


def _exhaust(model: SpeechModel, audio: object, **options: object) -> int:
    """Runs the whole transcription and returns how many segments it had."""
    settings = model.settings
    segments, _ = model.pipeline.transcribe(
        str(audio) if isinstance(audio, Path) else audio,
        language=settings.language,
        beam_size=settings.beam_size,
        batch_size=settings.batch_size,
        hotwords=settings.hotwords,
        word_timestamps=True,
        temperature=0.0,
        condition_on_previous_text=False,
        **options,
    )
    return sum(1 for _ in segments)


def _every_30_s(samples: int) -> dict[str, object]:
    starts = range(0, samples, 30 * RATE_HZ)
    return {"clip_timestamps": [{"start": s / RATE_HZ, "end": min(samples, s + 30 * RATE_HZ) / RATE_HZ} for s in starts]}
