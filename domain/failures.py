"""Why a recording could not be processed, and when it is tried again.

A reason is a code for machines and a sentence for people. Neither ever carries what was said, a name or a number.
"""

from datetime import timedelta
from enum import StrEnum

MAX_ATTEMPTS = 5
FIRST_DELAY = timedelta(minutes=1)
DELAY_FACTOR = 4


class Reason(StrEnum):
    """What went wrong with one recording at one stage."""

    NEVER_ARRIVED = "never_arrived"
    EMPTY = "empty"
    NO_MEDIA = "no_media"  # a container without a single packet: the 44-byte WAV, the header-only OGG
    TRUNCATED = "truncated"
    NOT_MEDIA = "not_media"
    NO_AUDIO = "no_audio"
    CHANGED = "changed_after_ingest"
    UNSAFE_KEY = "unsafe_key"
    EGRESS_FAILED = "egress_failed"
    NO_FILE = "no_file"
    OUT_OF_MEMORY = "out_of_memory"
    ARCHIVE_MISMATCH = "archive_mismatch"
    CARD_DATA_LEFT = "card_data_left"  # redaction's second look still finds some
    LOCKED = "archive_locked"  # the archive does not let go of what may no longer be kept
    UNEXPECTED = "unexpected"


PERMANENT = frozenset(
    {
        Reason.NEVER_ARRIVED,
        Reason.EMPTY,
        Reason.NO_MEDIA,
        Reason.TRUNCATED,
        Reason.NOT_MEDIA,
        Reason.NO_AUDIO,
        Reason.CHANGED,
        Reason.UNSAFE_KEY,
        Reason.EGRESS_FAILED,
        Reason.NO_FILE,
        Reason.CARD_DATA_LEFT,
        Reason.LOCKED,
    }
)
"""Reasons that another attempt cannot change: they are given up at once and wait for a person."""


class RecordingError(Exception):
    """One recording cannot go on. ``str()`` is safe to log: it names the reason and the facts, never content."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


def gives_up(reason: Reason, attempt: int) -> bool:
    """Whether attempt number ``attempt`` (1 for the first) was the last one."""
    return reason in PERMANENT or attempt >= MAX_ATTEMPTS


def retry_delay(attempt: int) -> timedelta:
    """How long to wait after failed attempt number ``attempt``: 1, 4, 16, 64 minutes."""
    factor: int = DELAY_FACTOR ** (max(attempt, 1) - 1)
    return FIRST_DELAY * factor
