"""Mono mixes: voices told apart by pyannote, named by what they say; and what is left where that cannot be had."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from domain.attribution import Candidate, Layout, Voices, attribute, needs_voices
from domain.media_checks import Flag, attribution_flags
from domain.parties import Party
from domain.transcripts import Attribution, Turn, Word
from domain.voices import name_voices
from resources.media import PcmFile, decode, probe
from resources.speech import diarization
from resources.speech.activity import RATE_HZ
from resources.speech.diarization import MOST_SPEAKERS, Diarizer, load_diarizer, speaker_bounds
from resources.speech.model import SpeechModel
from resources.speech.settings import SpeechSettings
from resources.speech.transcription import transcribe
from tests.integration.media_files import DATA, make

PIPELINE = str(DATA / "diarization")
CALL = DATA / "call.ogg"
TRUTH = json.loads((DATA / "call.json").read_text())
PEOPLE = (Candidate("PA_assistant", Party.ASSISTANT), Candidate("PA_customer", Party.CUSTOMER))
CHANNEL_ROLES = (Party.ASSISTANT, Party.CUSTOMER)


@pytest.fixture(scope="module")
def diarizer() -> Diarizer:
    loaded = load_diarizer(PIPELINE)
    assert loaded is not None
    return loaded


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> PcmFile:
    folder = tmp_path_factory.mktemp("mix")
    file = make(folder / "mono.ogg", "-ac", "1", "-c:a", "libopus", source=CALL)
    return decode(file, folder, probe(file))[0]


@pytest.fixture(scope="module")
def words(mix: PcmFile) -> tuple[Word, ...]:
    model = SpeechModel.load(SpeechSettings(model="demo", device="cpu", compute_type="int8"))
    return transcribe(model, [mix]).channels[0].words


@pytest.fixture(scope="module")
def voices(diarizer: Diarizer, mix: PcmFile) -> Voices:
    return diarizer.voices(mix, speakers=2)


def role_said(start_ms: int, end_ms: int) -> Party | None:
    """Who alone speaks in the middle of this stretch, by the truth; None where nobody or both do."""
    at = (start_ms + end_ms) / 2
    speaking = {t["channel"] for t in TRUTH if t["start_ms"] <= at <= t["end_ms"]}
    return CHANNEL_ROLES[speaking.pop()] if len(speaking) == 1 else None


def share_right(turns: tuple[Turn, ...]) -> float:
    judged = [(turn.role, role_said(w.start_ms, w.end_ms)) for turn in turns for w in turn.words]
    known = [(found, true) for found, true in judged if true is not None]
    return sum(found is true for found, true in known) / len(known)


def test_most_words_of_a_mix_get_the_right_participant(words: tuple[Word, ...], voices: Voices) -> None:
    turns = attribute({0: words}, Layout((PEOPLE,)), {0: name_voices(voices, words, PEOPLE)})

    assert share_right(turns) > 0.7
    named = [t for t in turns if t.role is not Party.UNKNOWN]
    assert {(t.role, t.participant_sid) for t in named} == {(p.role, p.sid) for p in PEOPLE}
    assert all(t.attribution is Attribution.DIARIZATION and 0 < t.attribution_confidence <= 1 for t in named)
    assert attribution_flags(turns) == ()


def test_the_voices_themselves_are_told_apart(voices: Voices) -> None:
    shares: dict[str, dict[Party, int]] = {}
    for segment in voices.segments:
        for at in range(segment.start_ms, segment.end_ms, 50):
            if true := role_said(at, at):
                shares.setdefault(segment.speaker, {}).setdefault(true, 0)
                shares[segment.speaker][true] += 50

    assert len(shares) == 2
    right = sum(max(by_role.values()) for by_role in shares.values())
    assert right / sum(ms for by_role in shares.values() for ms in by_role.values()) > 0.85


def test_a_long_mix_keeps_its_voices_from_block_to_block(
    diarizer: Diarizer, mix: PcmFile, voices: Voices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded by diarizing blocks; the same call twice must not have four voices, nor two that change hands."""
    once = mix[:]
    monkeypatch.setattr(diarization, "BLOCK", len(once))

    twice = diarizer.voices(np.concatenate([once, once]), speakers=2)

    length_ms = len(once) * 1000 // RATE_HZ
    assert {s.speaker for s in twice.segments} == {s.speaker for s in voices.segments}
    first = [(s.speaker, s.start_ms) for s in twice.segments if s.start_ms < length_ms]
    second = [(s.speaker, s.start_ms - length_ms) for s in twice.segments if s.start_ms >= length_ms]
    assert [speaker for speaker, _ in first] == [speaker for speaker, _ in second]
    assert all(abs(a[1] - b[1]) < 100 for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("seconds", [0, 0.2, 5])
def test_silence_and_scraps_have_no_voices(diarizer: Diarizer, seconds: float) -> None:
    assert diarizer.voices(np.zeros(int(seconds * RATE_HZ), np.int16), speakers=2) == Voices()


def test_an_unknown_number_of_speakers_is_found(diarizer: Diarizer, mix: PcmFile) -> None:
    found = {s.speaker for s in diarizer.voices(mix[: 15 * RATE_HZ]).segments}

    assert 1 <= len(found) <= MOST_SPEAKERS


def test_only_one_or_two_people_are_taken_at_their_number() -> None:
    assert speaker_bounds(1) == {"num_speakers": 1}
    assert speaker_bounds(2) == {"num_speakers": 2}
    assert speaker_bounds(3) == {"min_speakers": 2, "max_speakers": 3}
    assert speaker_bounds(99) == {"min_speakers": 2, "max_speakers": MOST_SPEAKERS}
    assert speaker_bounds(None) == {"min_speakers": 1, "max_speakers": MOST_SPEAKERS}


def test_without_voices_a_mix_keeps_its_words_and_is_flagged(words: tuple[Word, ...]) -> None:
    layout = Layout((PEOPLE,))

    turns = attribute({0: words}, layout)

    assert needs_voices(layout, 0, words)
    assert sum(len(t.words) for t in turns) == len(words)
    assert {(t.role, t.attribution) for t in turns} == {(Party.UNKNOWN, Attribution.UNKNOWN)}
    assert attribution_flags(turns) == (Flag.UNATTRIBUTED_MONO,)


def test_no_setting_means_no_diarizer_and_no_complaint(caplog: pytest.LogCaptureFixture) -> None:
    assert load_diarizer(None) is None
    assert not caplog.records


@pytest.mark.parametrize("missing", ["pyannote", "torch"])
def test_without_the_extra_there_is_no_diarizer_and_a_word_on_what_to_install(caplog: pytest.LogCaptureFixture, missing: str) -> None:
    assert load_diarizer(PIPELINE, find=lambda name: None if name == missing else object()) is None
    assert "verbatim[diarization]" in caplog.text


def damaged(folder: Path) -> str:
    (folder / "config.yaml").write_text("pipeline: {name: nothing.Nowhere, params: {}}\n")
    return str(folder)


def lacking_weights(folder: Path) -> str:
    (folder / "config.yaml").write_text((DATA / "diarization" / "config.yaml").read_text())
    return str(folder)


@pytest.mark.parametrize("make_folder", [lambda folder: str(folder / "nowhere"), str, damaged, lacking_weights])
def test_a_pipeline_that_cannot_be_loaded_costs_no_transcript(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, make_folder: Callable[[Path], str]
) -> None:
    with caplog.at_level(logging.WARNING):
        assert load_diarizer(make_folder(tmp_path)) is None
    assert "VERBATIM_DIARIZATION_PIPELINE" in caplog.text


def test_pyannote_reports_to_nobody() -> None:
    """In a process of its own whose environment asks for telemetry: it is off before pyannote is imported."""
    script = (
        "import resources.speech.diarization, sys\n"
        "assert 'pyannote.audio' not in sys.modules and 'torch' not in sys.modules\n"
        "from pyannote.audio.telemetry.metrics import is_metrics_enabled\n"
        "print(is_metrics_enabled())\n"
    )
    environment = {**os.environ, "PYANNOTE_METRICS_ENABLED": "1", "PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "False"
