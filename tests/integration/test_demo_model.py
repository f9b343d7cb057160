"""The demo's speech model hears the demo's calls through the real faster-whisper, from the committed files alone."""

import re
from pathlib import Path

import jiwer
import numpy as np
import pytest
from faster_whisper.audio import decode_audio
from numpy.typing import NDArray

import demo
from demo.truth import DemoCall, DemoEgress, load_calls
from resources.media import decode, probe
from resources.speech.model import SpeechModel
from resources.speech.settings import SpeechSettings
from resources.speech.transcription import transcribe

FOLDER = Path(demo.__path__[0])
CALLS = {call.name: call for call in load_calls(FOLDER / "calls") if any(egress.file for egress in call.egresses)}
RATE_HZ = 16_000
HIGHEST_ERROR = 0.15
DIGITS = frozenset(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])

Sound = NDArray[np.float32]
Pair = tuple[str, str]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Pair]]:
    """For each call (said, heard) of each channel of each of its files."""
    model = SpeechModel.load(SpeechSettings(model="demo", device="cpu"))
    return {
        name: [pair for egress in call.egresses for pair in hear(model, egress, tmp_path_factory.mktemp("heard"))]
        for name, call in CALLS.items()
    }


def test_all_calls_together_are_understood(heard: dict[str, list[Pair]]) -> None:
    assert error([pair for pairs in heard.values() for pair in pairs]) <= HIGHEST_ERROR


@pytest.mark.parametrize("name", CALLS)
def test_each_call_is_understood(name: str, heard: dict[str, list[Pair]]) -> None:
    assert error(heard[name]) <= HIGHEST_ERROR


def test_the_card_number_and_the_security_code_come_out_digit_by_digit(heard: dict[str, list[Pair]]) -> None:
    for said, found in heard["payment-card-read-out"]:
        assert digits_of(found) == digits_of(said)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_silent_party_is_as_quiet_as_a_telephone_line_and_no_quieter(call: DemoCall) -> None:
    for egress in call.egresses:
        for n, sound in enumerate(channels_of(egress)):
            quiet = np.ones(len(sound), bool)
            for turn in egress.turns:
                if turn.channel in (n, None):
                    quiet[(turn.start_ms - 300) * RATE_HZ // 1000 : (turn.end_ms + 300) * RATE_HZ // 1000] = False
            level = 10 * np.log10(np.mean(np.square(sound[quiet], dtype=np.float64)))
            assert -95 < level < -65


def hear(model: SpeechModel, egress: DemoEgress, folder: Path) -> list[Pair]:
    """As the product hears it: voice activity, packed windows, both channels in one batch."""
    assert egress.file is not None
    path = FOLDER / "calls" / egress.file
    heard = transcribe(model, decode(path, folder, probe(path)))
    pairs = []
    for n, channel in enumerate(heard.channels):
        said = " ".join(turn.text for turn in egress.turns if (turn.channel or 0) == n)
        pairs.append((plain(said), plain(" ".join(word.text for word in channel.words))))
    return pairs


def channels_of(egress: DemoEgress) -> list[Sound]:
    assert egress.file is not None
    path = str(FOLDER / "calls" / egress.file)
    return list(decode_audio(path, split_stereo=True)) if egress.request.kind == "routes" else [decode_audio(path)]


def error(pairs: list[Pair]) -> float:
    return float(jiwer.wer([said for said, _ in pairs], [found for _, found in pairs]))


def digits_of(text: str) -> list[str]:
    return [word for word in text.split() if word in DIGITS]


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z' ]", " ", text.lower()).split())
