"""The fingerprint changes with what changes a transcript and with nothing else; a vocabulary file is read as people write it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resources.speech.settings import SpeechSettings, read_vocabulary


@pytest.fixture
def settings(tmp_path: Path) -> SpeechSettings:
    (tmp_path / "model.bin").write_bytes(b"weights")
    return SpeechSettings(model=str(tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        {"model": "small"},
        {"compute_type": "int8"},
        {"beam_size": 1},
        {"language": None},
        {"hotwords": "kayak"},
        {"diarization_pipeline": "a/b"},
    ],
    ids=str,
)
def test_what_changes_the_text_changes_the_fingerprint(settings: SpeechSettings, change: dict[str, Any]) -> None:
    assert replace(settings, **change).fingerprint() != settings.fingerprint()


@pytest.mark.parametrize("change", [{"device": "cpu"}, {"batch_size": 1}, {"cpu_threads": 7}, {"model_dir": Path("x")}], ids=str)
def test_what_only_changes_the_speed_does_not(settings: SpeechSettings, change: dict[str, Any]) -> None:
    assert replace(settings, **change).fingerprint() == settings.fingerprint()


def test_other_weights_under_the_same_name_are_another_model(settings: SpeechSettings) -> None:
    before = settings.fingerprint()
    (Path(settings.model) / "model.bin").write_bytes(b"other weights")

    assert settings.fingerprint() != before


def test_the_same_weights_elsewhere_are_the_same_model(settings: SpeechSettings, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "model.bin").write_bytes(b"weights")

    assert replace(settings, model=str(copy)).fingerprint() == settings.fingerprint()


def test_the_demo_model_is_used_only_by_its_name() -> None:
    demo = SpeechSettings(model="demo").model_folder

    assert demo is not None and demo.parts[-2:] == ("demo", "model")
    assert SpeechSettings().model_folder is None
    assert SpeechSettings(model="small").model_folder is None
    assert SpeechSettings(model="some/repository").model_folder is None


def test_a_vocabulary_is_one_term_a_line_with_comments(tmp_path: Path) -> None:
    file = tmp_path / "vocabulary.txt"
    file.write_text("\ufeff# products\nkayak rental\n\n  zip line tour  # often misheard\nkayak rental\n", encoding="utf-8")

    assert read_vocabulary(file) == "kayak rental, zip line tour"


def test_an_empty_vocabulary_is_none(tmp_path: Path) -> None:
    (tmp_path / "vocabulary.txt").write_text("# nothing yet\n")

    assert read_vocabulary(tmp_path / "vocabulary.txt") is None
