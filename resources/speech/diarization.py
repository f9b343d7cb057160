"""Which voices a mix has and when each speaks: pyannote.audio, an optional extra, on sound of any length.

Without the extra, or without the pipeline's weights, there are no voices and nothing fails: the mix stays unattributed, which is flagged.
Whose voice is whose belongs to domain.voices.
"""

import importlib.util
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.attribution import SpeakerSegment, Voices
from resources.speech.activity import RATE_HZ, Pcm

BLOCK = 30 * 60 * RATE_HZ
"""Sound that is diarized at a time: pyannote keeps all of it, as floats, and what it finds in it."""

SAME_VOICE_FROM = 0.3
"""Cosine of two blocks' mean embeddings from which they are one voice."""

MOST_SPEAKERS = 6

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Block:
    """What one block holds: segments, overlaps and each label's mean embedding, in milliseconds of the recording."""

    segments: tuple[SpeakerSegment, ...]
    overlaps: tuple[tuple[int, int], ...]
    embeddings: dict[str, NDArray[np.float64]]


class Diarizer:
    """A loaded pipeline."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline

    def voices(self, channel: Pcm, *, speakers: int | None = None, on_progress: Callable[[float], None] | None = None) -> Voices:
        """Voices of one channel. ``speakers``: how many people could be heard, None where nobody knows.

        Two are taken at their word; of more, some may never speak, so their number is only a bound.
        """
        found: list[_Block] = []
        for start in range(0, len(channel), BLOCK):
            end = min(len(channel), start + BLOCK)
            if end - start >= RATE_HZ:
                found.append(self._block(channel[start:end], start, speakers))
            if on_progress:
                on_progress(end / len(channel))
        return _joined(found, speakers)

    def _block(self, sound: NDArray[np.int16], offset: int, speakers: int | None) -> _Block:
        import torch

        waveform = torch.from_numpy(sound.astype(np.float32) / 32_768)[None]
        if not bool(waveform.abs().max() > 0):
            return _Block((), (), {})
        output = self._pipeline({"waveform": waveform, "sample_rate": RATE_HZ, "uri": "recording"}, **speaker_bounds(speakers))
        offset_ms = offset * 1000 // RATE_HZ
        segments = _segments(output.exclusive_speaker_diarization, offset_ms)
        everything = _segments(output.speaker_diarization, offset_ms)
        labels = output.speaker_diarization.labels()
        means = output.speaker_embeddings
        embeddings = {} if means is None else {str(label): np.asarray(means[n], float) for n, label in enumerate(labels) if n < len(means)}
        return _Block(segments, tuple(_overlaps(everything)), embeddings)


def load_diarizer(
    pipeline: str | None, *, device: str = "cpu", find: Callable[[str], object | None] = importlib.util.find_spec
) -> Diarizer | None:
    """The diarizer of a pipeline (a folder or a hub repository), or None where it cannot be had; the reason is logged once.

    ``find`` says whether a module is installed. A missing pipeline must not cost a transcript, so nothing is raised.
    """
    if pipeline is None:
        return None
    if find("pyannote") is None or find("torch") is None:
        log.warning(
            "VERBATIM_DIARIZATION_PIPELINE is set, but its extra is missing: pip install 'verbatim[diarization]'. Mixes stay unattributed."
        )
        return None
    looks_local = pipeline.startswith(("/", ".", "~")) or pipeline.count("/") != 1 or Path(pipeline).exists()
    folder = Path(pipeline).expanduser()
    if looks_local and not (folder / "config.yaml").is_file():
        log.warning("VERBATIM_DIARIZATION_PIPELINE names a folder without config.yaml. Mixes stay unattributed.")
        return None
    try:
        from pyannote.audio import Pipeline

        loaded = Pipeline.from_pretrained(folder if looks_local else pipeline)
        if loaded is None:
            raise ValueError("the hub gave nothing")
        if device == "cuda":
            import torch

            loaded.to(torch.device("cuda"))
        return Diarizer(loaded)
    except Exception as error:  # pyannote, torch, yaml and the hub client each raise their own; none may cost a transcript
        log.warning("VERBATIM_DIARIZATION_PIPELINE cannot be loaded (%s). Mixes stay unattributed.", type(error).__name__)
        return None


def speaker_bounds(speakers: int | None) -> dict[str, int]:
    """pyannote's arguments for a number of people. Forcing a number that is wrong makes voices up or merges them."""
    if speakers is None or speakers < 1:
        return {"min_speakers": 1, "max_speakers": MOST_SPEAKERS}
    if speakers <= 2:
        return {"num_speakers": speakers}
    return {"min_speakers": 2, "max_speakers": min(speakers, MOST_SPEAKERS)}


def _segments(annotation: Any, offset_ms: int) -> tuple[SpeakerSegment, ...]:
    return tuple(
        SpeakerSegment(offset_ms + round(turn.start * 1000), offset_ms + round(turn.end * 1000), str(label))
        for turn, _, label in annotation.itertracks(yield_label=True)
    )


def _overlaps(segments: Iterable[SpeakerSegment]) -> Iterable[tuple[int, int]]:
    """Where two segments of one block run at the same time."""
    reach = 0
    for before, after in pairwise(sorted(segments, key=lambda s: s.start_ms)):
        reach = max(reach, before.end_ms)
        if after.start_ms < reach:
            yield after.start_ms, min(after.end_ms, reach)


def _joined(blocks: Sequence[_Block], speakers: int | None) -> Voices:
    """Gives one voice one label in every block, by its embedding; a voice like none before becomes a new one."""
    known: dict[str, NDArray[np.float64]] = {}
    segments: list[SpeakerSegment] = []
    most = speakers if speakers and speakers > 0 else MOST_SPEAKERS
    for block in blocks:
        labels = {s.speaker for s in block.segments}
        names = _same_voices({label: block.embeddings.get(label) for label in sorted(labels)}, known, most)
        segments += [SpeakerSegment(s.start_ms, s.end_ms, names[s.speaker]) for s in block.segments]
    return Voices(tuple(segments), tuple(o for block in blocks for o in block.overlaps))


def _same_voices(new: dict[str, NDArray[np.float64] | None], known: dict[str, NDArray[np.float64]], most: int) -> dict[str, str]:
    """Pairs the labels of a block with known voices, the likest first, and adds what is left to ``known``."""
    likeness = sorted(
        ((_cosine(mean, theirs), label, voice) for label, mean in new.items() if mean is not None for voice, theirs in known.items()),
        reverse=True,
    )
    names: dict[str, str] = {}
    for like, label, voice in likeness:
        full = len(known) + len([n for n in new if n not in names]) > most
        if label not in names and voice not in names.values() and (like >= SAME_VOICE_FROM or full):
            names[label] = voice
    for label, mean in new.items():
        if label not in names:
            names[label] = f"voice {len(known) + 1}"
            known[names[label]] = mean if mean is not None else np.zeros(1)
    return names


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    norm = float(np.linalg.norm(one) * np.linalg.norm(other)) if one.shape == other.shape else 0.0
    return float(np.dot(one, other)) / norm if norm > 0 else -1.0
