"""Asset ``transcripts``: who said what and when, as a new version of the recording's transcript."""

import time
from collections.abc import Callable, Sequence

import dagster as dg

from assets.batches import Done, Report, Selection, work_through
from assets.checks import coverage_check, coverage_result
from assets.partitions import partitions
from assets.recordings import recordings
from assets.reporting import given_up_check, result
from assets.services import Services
from assets.workspace import bring, workspace
from domain.attribution import Layout, NamedVoices, attribute, needs_voices
from domain.coverage import noise, wordless
from domain.hearing import Person, layout_of, live_ms
from domain.media_checks import ChannelSpeech, Flag, attribution_flags, egress_flags, length_flags, speech_flags
from domain.transcripts import Turn
from domain.voices import name_voices
from resources.media import PcmFile, decode
from resources.speech.diarization import Diarizer
from resources.speech.transcription import Heard, transcribe
from resources.store import media
from resources.store import transcripts as versions
from resources.store.media import Recording
from resources.store.transcripts import NewTranscript
from resources.store.work import Claim, hold

PROGRESS_EVERY_S = 60


@dg.asset(
    partitions_def=partitions,
    deps=[recordings],
    group_name="consultations",
    kinds={"whisper"},
    check_specs=[*given_up_check("transcripts"), *coverage_check("transcripts")],
)
def transcripts(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], selection: Selection) -> dg.MaterializeResult:
    """The day's recordings as speaker-attributed turns with word times and confidences. Naming recordings transcribes them again."""

    def hear(claimed: Claim, report: Report) -> Done:
        settings = services.settings.speech()
        with services.engine.begin() as connection:
            recording = media.load(connection, claimed.recording_id)
            made = versions.exists(connection, recording.id, settings.fingerprint())
            if made is not None:  # this model with these settings has heard it before
                hold(connection, recording.id, context.run_id)
                versions.make_current(connection, recording.id, made)
                return Done.PROCESSED
            people = media.people(connection, recording)
        assert recording.media is not None and recording.sha256 is not None
        speech = services.speech  # first of all: a missing model is no recording's fault
        with workspace(services, recording.id) as folder:
            pcm = decode(bring(services, recording, folder), folder, recording.media)
            heard = transcribe(speech, pcm, on_progress=_progress(context, recording))
            turns, flags = _attributed(services.diarizer, recording, people, heard, pcm)
        new = NewTranscript(
            fingerprint=settings.fingerprint(),
            model=settings.model,
            language=heard.language,
            media_sha256=recording.sha256,
            speech_ms=sum(channel.speech_ms for channel in heard.channels),
            dropped_words=sum(channel.dropped_words for channel in heard.channels),
            wordless=_wordless(heard),
            turns=turns,
            run_id=context.run_id,
        )
        with services.engine.begin() as connection:
            versions.save(connection, recording.id, context.run_id, new, [flag.value for flag in flags])
        report.counters["audio_seconds"] += heard.audio_ms // 1000
        report.counters["turns"] += len(turns)
        report.counters["dropped_words"] += new.dropped_words
        return Done.PROCESSED

    report = work_through(context, services, selection, "transcripts", hear, again=True)
    return result(context, services, "transcripts", report, [coverage_result(context, services)])


def _attributed(
    diarizer: Diarizer | None, recording: Recording, people: Sequence[Person], heard: Heard, pcm: Sequence[PcmFile]
) -> tuple[tuple[Turn, ...], list[Flag]]:
    """The turns with their speakers, and what is odd about the recording."""
    layout = layout_of(recording.layout, len(pcm), people, heard.audio_ms)
    alive = live_ms(recording.layout, len(pcm), people, heard.audio_ms)
    if heard.identical_channels:
        layout, alive = layout.as_mix(), [0]
    words = {channel: heard.channels[channel].words for channel in range(len(heard.channels))}
    turns = attribute(words, layout, _voices(diarizer, layout, heard, pcm))
    channels = [ChannelSpeech(channel.speech_ms, live) for channel, live in zip(heard.channels, alive, strict=True)]
    flags = [
        *egress_flags(recording.egress_status),
        *speech_flags(channels, audio_ms=heard.audio_ms, identical_channels=heard.identical_channels),
        *length_flags(heard.audio_ms, recording.expected_ms),
        *attribution_flags(turns),
    ]
    return turns, flags


def _wordless(heard: Heard) -> tuple[tuple[int, int], ...]:
    """Where there is speech of which no words came, or noise that may hide speech."""
    unworded = [stretch for channel in heard.channels for stretch in wordless(channel.speech, channel.words)]
    loud = [stretch for channel in heard.channels for stretch in channel.loud]
    speech = [stretch for channel in heard.channels for stretch in channel.speech]
    return tuple(sorted([*unworded, *noise(loud, speech)]))


def _voices(diarizer: Diarizer | None, layout: Layout, heard: Heard, pcm: Sequence[PcmFile]) -> dict[int, NamedVoices]:
    """Only where the layout leaves somebody unnamed and somebody can tell voices apart."""
    named = {}
    for channel, said in enumerate(heard.channels):
        if diarizer is not None and needs_voices(layout, channel, said.words):
            candidates = layout.candidates(channel)
            voices = diarizer.voices(pcm[channel], speakers=len(candidates) or None)
            named[channel] = name_voices(voices, said.words, candidates)
    return named


def _progress(context: dg.AssetExecutionContext, recording: Recording) -> Callable[[float], None]:
    """Says once a minute how far a long recording is."""
    last = time.monotonic()

    def report(share: float) -> None:
        nonlocal last
        if time.monotonic() - last > PROGRESS_EVERY_S:
            last = time.monotonic()
            context.log.info(f"transcripts: recording {recording.id} is at {share:.0%}")

    return report
