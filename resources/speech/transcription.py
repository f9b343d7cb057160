"""What is said on a recording's channels: words with times and confidences, straight from faster-whisper.

Silence is cut out, speech packed into windows, and the windows of all channels share the batches, so that a second channel costs its
speech and nothing more. Who speaks belongs to domain.attribution.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from faster_whisper.transcribe import Segment

from domain.hallucinations import repeats_itself, sounds_silent, without_loops, without_stacks
from domain.transcripts import Word
from resources.speech.activity import FRAME, RATE_HZ, Activity, Pcm, find_speech, loud_stretches
from resources.speech.likeness import identical
from resources.speech.model import SpeechModel
from resources.speech.windows import WINDOW, Window, pack

_ACTIVITY_SHARE = 0.1
_FRAMES_PER_WINDOW = 3_000
_BATCHES_AT_A_TIME = 2
_SMOOTHED_FRAMES = 7


@dataclass(frozen=True, slots=True)
class HeardChannel:
    """``speech``: (start_ms, end_ms) where somebody speaks, in order; ``loud``: where it is as loud as speech, whatever it is.

    ``dropped_words``: words that belonged to no speech.
    """

    words: tuple[Word, ...]
    speech: tuple[tuple[int, int], ...]
    loud: tuple[tuple[int, int], ...]
    speech_ms: int
    dropped_words: int


@dataclass(frozen=True, slots=True)
class Heard:
    """``identical_channels``: the file's channels carry the same sound; ``channels`` then has it once, and it is a mix."""

    channels: tuple[HeardChannel, ...]
    audio_ms: int
    identical_channels: bool
    language: str | None


def transcribe(model: SpeechModel, channels: Sequence[Pcm], *, on_progress: Callable[[float], None] | None = None) -> Heard:
    """Hears every channel. Memory does not grow with the length; ``on_progress`` gets 0 to 1 and may raise to give up.

    A recording in which nobody speaks has channels without words.
    """
    report = on_progress or (lambda share: None)
    same = identical(channels)
    heard = channels[:1] if same else channels
    found = [
        find_speech(channel, lambda share, n=n: report(_ACTIVITY_SHARE * (n + share) / len(heard)))  # type: ignore[misc]
        for n, channel in enumerate(heard)
    ]
    windows = [w for n, activity in enumerate(found) for w in pack(n, activity.regions, activity.length, _quietest_of(activity))]
    words: list[list[Word]] = [[] for _ in heard]
    dropped = [0] * len(heard)
    language = model.settings.language
    for first, group in _groups(windows, model.settings.batch_size * _BATCHES_AT_A_TIME):
        segments, language = _recognise(model, heard, group, language)
        for window, (kept, lost) in zip(group, segments, strict=True):
            words[window.channel].extend(kept)
            dropped[window.channel] += lost
        report(_ACTIVITY_SHARE + (1 - _ACTIVITY_SHARE) * (first + len(group)) / len(windows))
    report(1.0)
    return Heard(
        tuple(_channel(said, activity, lost) for said, activity, lost in zip(words, found, dropped, strict=True)),
        max((len(channel) for channel in channels), default=0) * 1000 // RATE_HZ,
        same,
        language,
    )


def _channel(words: Sequence[Word], activity: Activity, dropped: int) -> HeardChannel:
    speech, loud = (
        tuple((start * 1000 // RATE_HZ, end * 1000 // RATE_HZ) for start, end in stretches)
        for stretches in (activity.regions, loud_stretches(activity.energy))
    )
    return HeardChannel(tuple(sorted(words, key=lambda w: w.start_ms)), speech, loud, activity.speech_ms, dropped)


def _groups(windows: Sequence[Window], size: int) -> Iterator[tuple[int, Sequence[Window]]]:
    for first in range(0, len(windows), size):
        yield first, windows[first : first + size]


def _quietest_of(activity: Activity) -> Callable[[int, int], int]:
    def quietest(start: int, end: int) -> int:
        first, last = -(-start // FRAME), end // FRAME
        smooth = np.convolve(activity.energy[first:last], np.ones(_SMOOTHED_FRAMES), "same")
        return (first + int(np.argmin(smooth[1:-1])) + 1) * FRAME

    return quietest


def _recognise(
    model: SpeechModel, channels: Sequence[Pcm], windows: Sequence[Window], language: str | None
) -> tuple[list[tuple[tuple[Word, ...], int]], str | None]:
    """For each window its words in the recording's time and how many were dropped; and the language, found out once a recording."""
    buffer = np.zeros(len(windows) * WINDOW, np.float32)
    for n, window in enumerate(windows):
        at = n * WINDOW
        for start, end in window.pieces:
            buffer[at : at + end - start] = channels[window.channel][start:end]
            at += end - start
    buffer /= 32_768
    segments, language = _run(model, buffer, windows, range(len(windows)), language)
    looping = [n for n, said in enumerate(segments) if repeats_itself("".join(s.text for s in said))]
    if looping:
        again, _ = _run(model, buffer, windows, looping, language, no_repeat_ngram_size=4)
        for n in looping:
            segments[n] = again[n]
    return [_words(window, n * WINDOW, said) for n, (window, said) in enumerate(zip(windows, segments, strict=True))], language


def _run(
    model: SpeechModel,
    buffer: np.ndarray[tuple[int], np.dtype[np.float32]],
    windows: Sequence[Window],
    chosen: Sequence[int],
    language: str | None,
    no_repeat_ngram_size: int = 0,
) -> tuple[list[list[Segment]], str | None]:
    settings = model.settings
    # Half a sample more, for faster-whisper cuts seconds off to whole samples.
    clips = [{"start": n * WINDOW / RATE_HZ, "end": (n * WINDOW + windows[n].length + 0.5) / RATE_HZ} for n in chosen]
    segments, info = model.pipeline.transcribe(
        buffer,
        language=language,
        beam_size=settings.beam_size,
        batch_size=settings.batch_size,
        hotwords=settings.hotwords,
        clip_timestamps=clips,
        word_timestamps=True,
        temperature=0.0,
        condition_on_previous_text=False,
        no_repeat_ngram_size=no_repeat_ngram_size,
    )
    said: list[list[Segment]] = [[] for _ in windows]
    for segment in segments:
        said[segment.seek // _FRAMES_PER_WINDOW].append(segment)
    return said, info.language


def _words(window: Window, offset: int, segments: Sequence[Segment]) -> tuple[tuple[Word, ...], int]:
    placed: list[Word] = []
    total = 0
    for segment in segments:
        said = [w for w in segment.words or () if w.word.strip()]
        total += len(said)
        if sounds_silent(segment.no_speech_prob, segment.avg_logprob):
            continue
        for word in said:
            start, end = round(word.start * RATE_HZ) - offset, round(word.end * RATE_HZ) - offset
            if place := window.restore(max(0, start), max(0, start, end)):
                start_ms, end_ms = (int(sample * 1000 // RATE_HZ) for sample in place)
                placed.append(Word(word.word.strip(), start_ms, end_ms, round(min(1.0, max(0.0, float(word.probability))), 4)))
    kept = without_stacks(placed)
    if repeats_itself(" ".join(w.text for w in kept)):
        kept = without_loops(kept)
    return kept, total - len(kept)
