"""The real path from a file to words: decoded, heard by faster-whisper, in time, whatever is or is not said."""

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.vad import get_vad_model

from domain.attribution import Candidate, Layout, attribute
from domain.failures import RecordingError
from domain.parties import Party
from domain.transcripts import Word
from resources.media import decode, probe
from resources.speech.activity import Pcm
from resources.speech.model import ModelUnavailable, SpeechModel
from resources.speech.settings import SpeechSettings
from resources.speech.transcription import Heard, transcribe
from tests.integration.media_files import DATA, make

CALL = DATA / "call.ogg"
TRUTH = json.loads((DATA / "call.json").read_text())
DEMO = SpeechSettings(model="demo", device="cpu", compute_type="int8")
NEAR_MS = 500


@pytest.fixture(scope="module")
def model() -> SpeechModel:
    return SpeechModel.load(DEMO)


def hear(model: SpeechModel, file: Path) -> Heard:
    with tempfile.TemporaryDirectory() as folder:
        return transcribe(model, decode(file, Path(folder), probe(file)))


@pytest.fixture(scope="module")
def heard(model: SpeechModel) -> Heard:
    return hear(model, CALL)


def said_at(at_ms: float, channel: int) -> bool:
    return any(t["channel"] == channel and t["start_ms"] - NEAR_MS <= at_ms <= t["end_ms"] + NEAR_MS for t in TRUTH)


def known(words: Sequence[Word]) -> set[str]:
    return {w.text.lower().strip(".,?") for w in words}


def test_each_channel_has_its_own_words_where_they_were_said(heard: Heard) -> None:
    assistant, customer = heard.channels

    assert {"recorded", "purposes", "policy"} & known(assistant.words)
    assert {"consent", "quote", "discount"} & known(customer.words)
    for n, channel in enumerate(heard.channels):
        assert channel.words
        assert all(said_at((w.start_ms + w.end_ms) / 2, n) for w in channel.words)


def test_speech_is_found_where_it_is(heard: Heard) -> None:
    for n, channel in enumerate(heard.channels):
        spoken_ms = sum(t["end_ms"] - t["start_ms"] for t in TRUTH if t["channel"] == n)
        assert abs(channel.speech_ms - spoken_ms) < 0.25 * spoken_ms
        assert channel.speech_ms == pytest.approx(sum(end - start for start, end in channel.speech), abs=len(channel.speech))
        assert all(said_at((start + end) / 2, n) for start, end in channel.speech)


def test_words_are_plain_values_inside_the_recording(heard: Heard) -> None:
    for word in (w for channel in heard.channels for w in channel.words):
        assert [type(value) for value in (word.text, word.start_ms, word.end_ms, word.confidence)] == [str, int, int, float]
        assert 0 <= word.start_ms <= word.end_ms <= heard.audio_ms
        assert 0 <= word.confidence <= 1
        assert word.text == word.text.strip() != ""
    assert heard.audio_ms == pytest.approx(probe(CALL).duration_ms, abs=50)


def test_people_who_interrupt_each_other_keep_overlapping_turns(heard: Heard) -> None:
    layout = Layout(((Candidate("PA_a", Party.ASSISTANT),), (Candidate("PA_c", Party.CUSTOMER),)))

    turns = attribute({n: c.words for n, c in enumerate(heard.channels)}, layout)

    assert {(t.channel, t.role) for t in turns} == {(0, Party.ASSISTANT), (1, Party.CUSTOMER)}
    assert any(a.channel != b.channel and a.start_ms < b.end_ms and b.start_ms < a.end_ms for a in turns for b in turns)


def test_a_mono_mix_is_heard_as_one_channel(model: SpeechModel, tmp_path: Path) -> None:
    heard = hear(model, make(tmp_path / "mono.ogg", "-ac", "1", "-c:a", "libopus", source=CALL))

    (channel,) = heard.channels
    assert not heard.identical_channels
    assert len(channel.words) > 40


def test_one_mix_on_both_channels_is_heard_once_and_told(model: SpeechModel, tmp_path: Path) -> None:
    heard = hear(model, make(tmp_path / "twice.ogg", "-af", "pan=stereo|c0=c0+c1|c1=c0+c1", "-c:a", "libopus", source=CALL))

    assert heard.identical_channels
    assert len(heard.channels) == 1
    assert len(heard.channels[0].words) > 40


def test_real_voices_are_found_on_their_own_channels(model: SpeechModel) -> None:
    heard = hear(model, DATA / "stereo_diarization.wav")

    assert all(channel.speech_ms > 300 for channel in heard.channels)
    assert not heard.identical_channels


@pytest.mark.parametrize("sound", ["anullsrc=r=48000:cl=stereo:d=40", "anoisesrc=d=40:a=0.002:c=pink:s=3"], ids=["silence", "noise"])
def test_a_call_in_which_nobody_speaks_has_no_words(model: SpeechModel, tmp_path: Path, sound: str) -> None:
    heard = hear(model, make(tmp_path / "quiet.ogg", "-f", "lavfi", "-i", sound, "-c:a", "libopus", source=None))

    assert [(c.words, c.speech, c.speech_ms) for c in heard.channels] == [((), (), 0)] * len(heard.channels)
    assert heard.audio_ms > 39_000


def test_a_silent_party_costs_no_model_time(model: SpeechModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []
    vad = get_vad_model()

    class Counting:
        def __call__(self, sound: Pcm) -> object:
            shown.append(len(sound))
            return vad(sound)

    monkeypatch.setattr("resources.speech.activity.get_vad_model", Counting)
    hear(model, make(tmp_path / "left.ogg", "-af", "pan=stereo|c0=c0|c1=0*c0", "-c:a", "libopus", "-mapping_family", "1", source=CALL))

    assert sum(shown) < 1.1 * 16 * probe(CALL).duration_ms


def test_speech_longer_than_a_window_is_heard_to_its_end(model: SpeechModel, tmp_path: Path) -> None:
    no_pause = "silenceremove=stop_periods=-1:stop_duration=0.05:stop_threshold=-45dB"
    mono = make(tmp_path / "mono.wav", "-ac", "1", "-af", no_pause, source=CALL)
    long = make(tmp_path / "long.wav", "-stream_loop", "3", "-i", mono, source=None)

    heard = hear(model, long)

    (channel,) = heard.channels
    assert channel.speech[-1][1] > heard.audio_ms - 1_500
    assert max(w.end_ms for w in channel.words) > heard.audio_ms - 3_000
    assert len(channel.words) > 150


def test_the_same_sound_gives_the_same_words(model: SpeechModel, heard: Heard) -> None:
    assert hear(model, CALL) == heard


def test_progress_grows_to_one_and_a_caller_may_give_up(model: SpeechModel, tmp_path: Path) -> None:
    channels = decode(CALL, tmp_path, probe(CALL))
    seen: list[float] = []
    transcribe(model, channels, on_progress=seen.append)

    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    class GivenUp(Exception):
        pass

    def give_up(share: float) -> None:
        raise GivenUp

    with pytest.raises(GivenUp):
        transcribe(model, channels, on_progress=give_up)


def test_a_model_is_loaded_once_and_used_often(tmp_path: Path) -> None:
    before = SpeechModel.loads
    model = SpeechModel.load(DEMO)
    for _ in range(2):
        transcribe(model, [np.zeros(16_000, np.int16)])

    assert SpeechModel.loads == before + 1


def test_the_language_is_found_where_none_is_set() -> None:
    heard = hear(SpeechModel.load(SpeechSettings(model="demo", device="cpu", compute_type="int8", language=None)), CALL)

    assert heard.language == "en"
    assert heard.channels[0].words


def test_hotwords_are_taken(model: SpeechModel) -> None:
    settings = SpeechSettings(model="demo", device="cpu", compute_type="int8", hotwords="bike rental, Boston")

    assert hear(SpeechModel.load(settings), CALL).channels[1].words


def unusable(folder: Path) -> dict[str, tuple[SpeechSettings, str]]:
    whole = DEMO.model_folder
    assert whole is not None
    for name in ("no_tokenizer", "no_model", "damaged"):
        (folder / name).mkdir()
        for file in whole.iterdir():
            (folder / name / file.name).write_bytes(file.read_bytes())
    (folder / "no_tokenizer" / "tokenizer.json").unlink()
    (folder / "no_model" / "model.bin").unlink()
    (folder / "damaged" / "model.bin").write_bytes(b"damaged")
    return {
        "missing folder": (SpeechSettings(model=str(folder / "nowhere"), device="cpu"), "VERBATIM_SPEECH_MODEL"),
        "no tokenizer": (SpeechSettings(model=str(folder / "no_tokenizer"), device="cpu"), "tokenizer.json"),
        "no weights": (SpeechSettings(model=str(folder / "no_model"), device="cpu"), "model.bin"),
        "damaged weights": (SpeechSettings(model=str(folder / "damaged"), device="cpu"), "VERBATIM_SPEECH_MODEL"),
        "unknown name": (SpeechSettings(model="enormous", device="cpu"), "VERBATIM_SPEECH_MODEL"),
        "compute type": (SpeechSettings(model="demo", device="cpu", compute_type="int3"), "VERBATIM_SPEECH_COMPUTE_TYPE"),
        "device": (SpeechSettings(model="demo", device="abacus"), "VERBATIM_SPEECH_DEVICE"),
    }


@pytest.mark.parametrize(
    "what", ["missing folder", "no tokenizer", "no weights", "damaged weights", "unknown name", "compute type", "device"]
)
def test_a_model_that_cannot_be_had_says_which_setting_to_change(tmp_path: Path, what: str) -> None:
    settings, names = unusable(tmp_path)[what]

    with pytest.raises(ModelUnavailable, match=names) as failure:
        SpeechModel.load(settings)

    assert "VERBATIM_" in str(failure.value)
    assert not isinstance(failure.value, RecordingError)


def test_a_hub_that_does_not_answer_is_found_out_by_one_attempt(tmp_path: Path) -> None:
    """In a process of its own, for the hub's address is read on import; its port is one that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        script = (
            "from pathlib import Path\n"
            "from resources.speech.model import ModelUnavailable, SpeechModel\n"
            "from resources.speech.settings import SpeechSettings\n"
            "try:\n"
            f"    SpeechModel.load(SpeechSettings(model='small', model_dir=Path({str(tmp_path)!r})))\n"
            "except ModelUnavailable as error:\n"
            "    print(error)\n"
        )
        environment = {"HF_ENDPOINT": f"http://127.0.0.1:{taken.getsockname()[1]}", "PATH": "", "PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=True)

    assert "VERBATIM_SPEECH_MODEL" in done.stdout
    assert "VERBATIM_SPEECH_MODEL_DIR" in done.stdout
    assert "ConnectionRefusedError" in done.stdout
