"""The speech model: found, checked and loaded once a run. Using it belongs to resources.speech.transcription."""

import errno
import socket
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.utils import download_model
from huggingface_hub import constants as hub

from resources.speech.settings import DEMO_MODEL, SpeechSettings

_HUB_PATIENCE_S = 3.0
_NEEDED = ("model.bin", "config.json", "tokenizer.json")


class ModelUnavailable(Exception):
    """The speech model cannot be had, so no recording can be transcribed: it stops a run and is no recording's fault.

    ``str()`` names the setting to change.
    """


class SpeechModel:
    """A loaded model. ``loads`` counts how often this process has loaded one."""

    loads: ClassVar[int] = 0

    def __init__(self, settings: SpeechSettings, whisper: WhisperModel) -> None:
        self.settings = settings
        self.whisper = whisper
        self.pipeline = BatchedInferencePipeline(whisper)

    @classmethod
    def load(cls, settings: SpeechSettings) -> "SpeechModel":
        """Finds the model (a folder, the cache, then the hub) and loads it. Raises ModelUnavailable."""
        folder = settings.model_folder or _from_hub(settings)
        _check_folder(folder, settings)
        try:
            whisper = WhisperModel(
                str(folder),
                device=settings.device,
                compute_type=settings.compute_type,
                cpu_threads=settings.cpu_threads,
                local_files_only=True,
            )
        except (ValueError, RuntimeError, OSError, MemoryError) as error:
            raise ModelUnavailable(_why_not_loaded(error, settings)) from error
        cls.loads += 1
        return cls(settings, whisper)


def _check_folder(folder: Path, settings: SpeechSettings) -> None:
    """faster-whisper would ask the hub for a tokenizer that is not in the folder, and try for a long time."""
    what = f"the speech model {settings.model!r} (VERBATIM_SPEECH_MODEL)"
    if not folder.is_dir():
        is_demo = settings.model == DEMO_MODEL
        hint = "The demo model is part of a source checkout only." if is_demo else "Set it to a folder or a model's name."
        raise ModelUnavailable(f"{what} has no folder {folder}. {hint}")
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ModelUnavailable(
            f"{what} lacks {', '.join(missing)} in {folder}. Set VERBATIM_SPEECH_MODEL to a complete CTranslate2 model with its tokenizer."
        )


def _from_hub(settings: SpeechSettings) -> Path:
    """The cached copy, else a download. A hub that nobody answers at is found out at once rather than by retries."""
    cache = str(settings.model_dir) if settings.model_dir else None
    try:
        folder = Path(download_model(settings.model, local_files_only=True, cache_dir=cache))
        if all((folder / name).is_file() for name in _NEEDED):
            return folder
    except ValueError as error:
        if "Invalid model size" in str(error):
            known = str(error).partition("expected")[2]
            raise ModelUnavailable(
                f"VERBATIM_SPEECH_MODEL is {settings.model!r}: neither a folder nor a known model; expected{known}"
            ) from error
    except OSError:
        pass  # not in the cache
    try:
        if not getproxies():
            address = urlsplit(hub.ENDPOINT)
            socket.create_connection((address.hostname or "", address.port or 443), timeout=_HUB_PATIENCE_S).close()
        return Path(download_model(settings.model, cache_dir=cache))
    except Exception as error:  # the hub client raises its own, httpx's and the socket's errors; each means the same here
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        why = "the disk is full" if full else f"the hub could not be asked ({type(error).__name__})"
        raise ModelUnavailable(
            f"the speech model {settings.model!r} (VERBATIM_SPEECH_MODEL) is not on this machine and {why}. Download it where there is a "
            "network and set VERBATIM_SPEECH_MODEL to its folder, or VERBATIM_SPEECH_MODEL_DIR to the folder that holds the hub's cache."
        ) from error


def _why_not_loaded(error: Exception, settings: SpeechSettings) -> str:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "compute type" in said:
        return f"VERBATIM_SPEECH_COMPUTE_TYPE is {settings.compute_type!r}, which this device cannot do ({said}). Set it to default."
    if "device" in said.lower() or "cuda" in said.lower():
        return f"VERBATIM_SPEECH_DEVICE is {settings.device!r}, which cannot be used ({said}). Set it to cpu."
    what = f"the speech model {settings.model!r} (VERBATIM_SPEECH_MODEL)"
    return f"{what} cannot be loaded ({said}). Its files are damaged or do not fit: replace them."
