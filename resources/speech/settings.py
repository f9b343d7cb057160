"""How speech is recognised, and the fingerprint that tells one way from another. Reading the environment belongs to resources.settings."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ALGORITHM = "1"
"""Counts up whenever a change here would give another transcript from the same sound, model and settings."""

DEMO_MODEL = "demo"
_DEMO_FOLDER = Path(__file__).resolve().parents[2] / "demo" / "model"


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """``model``: a name that faster-whisper knows, a hub repository, a folder, or "demo". ``hotwords``: the vocabulary's terms.

    ``diarization_pipeline``: a folder or hub repository of a pyannote pipeline; None: mixes stay unattributed. ``cpu_threads`` 0: the
    library decides. ``model_dir``: where downloaded models are kept.
    """

    model: str = "small"
    device: str = "auto"
    compute_type: str = "default"
    beam_size: int = 5
    language: str | None = "en"
    batch_size: int = 8
    hotwords: str | None = None
    diarization_pipeline: str | None = None
    cpu_threads: int = 0
    model_dir: Path | None = None

    @property
    def model_folder(self) -> Path | None:
        """The folder of a local model; None for one that the hub has. The demo model is only ever used by its name."""
        if self.model == DEMO_MODEL:
            return _DEMO_FOLDER
        folder = Path(self.model)
        is_path = folder.is_absolute() or folder.is_dir() or self.model.startswith((".", "~")) or self.model.count("/") > 1
        return folder.expanduser() if is_path else None

    def fingerprint(self) -> str:
        """16 hex digits that change with whatever changes the words or their speakers: model, its weights where they are local, settings.

        A hub model is known by its name: its revision is only known after a download, and a fingerprint must not change by that.
        """
        folder = self.model_folder
        parts = {
            "algorithm": ALGORITHM,
            "model": self.model if folder is None else _content(folder / "model.bin"),
            "compute_type": self.compute_type,
            "beam_size": self.beam_size,
            "language": self.language,
            "hotwords": self.hotwords,
            "diarization": _pipeline(self.diarization_pipeline),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def read_vocabulary(path: Path) -> str | None:
    """The terms of a vocabulary file as hotwords: one a line, without blank lines and what follows #. None: no term. Raises OSError."""
    terms = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8-sig").splitlines())
    return ", ".join(dict.fromkeys(filter(None, terms))) or None


def _pipeline(name: str | None) -> str | None:
    if name is None or not (Path(name) / "config.yaml").is_file():
        return name
    files = sorted(path for path in Path(name).rglob("*") if path.is_file() and path.suffix in (".bin", ".npz", ".yaml", ".safetensors"))
    return hashlib.sha256("".join(_content(path) for path in files).encode()).hexdigest()


def _content(path: Path) -> str:
    """SHA-256 of a file; a missing one is known by its name, so that the fingerprint can be asked for before the model is there."""
    try:
        stat = path.stat()
    except OSError:
        return f"missing {path.name}"
    return _hash(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash(path: Path, size_bytes: int, changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
