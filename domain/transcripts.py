"""The shape of a transcript: words, turns, and where their speaker's name comes from.

All times are whole milliseconds from the recording's first sample. Confidences are between 0 and 1.
How speech is recognised belongs to resources.speech; how turns are built from words to domain.turns.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.parties import Party


class Attribution(StrEnum):
    """How the speaker of a turn was found, from the surest to none."""

    CHANNEL = "channel"  # the channel belongs to one party
    FILE = "file"  # the file belongs to one participant
    PRESENCE = "presence"  # several share the channel, one of them was in the room
    DIARIZATION = "diarization"  # pyannote's speaker, matched with a participant
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker said without a break. ``words`` are in order of time; ``text`` is the words joined by spaces."""

    role: Party
    participant_sid: str | None
    channel: int | None
    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...]
    confidence: float
    attribution: Attribution
    attribution_confidence: float
