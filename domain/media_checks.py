"""What is odd about a recording although it could be processed: the flags that a person should see.

A flag never stops a recording; what does is in domain.failures. The measurements come from resources.media and resources.speech.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.call_events import EgressStatus
from domain.parties import Party
from domain.transcripts import Attribution, Turn

LENGTH_TOLERANCE_MS = 5_000
LENGTH_TOLERANCE_SHARE = 0.05
"""A recording may differ from the call by 5 s or by 5 %, whichever is more: LiveKit's times are whole seconds and egress starts late."""

LONG_ENOUGH_TO_SPEAK_MS = 15_000
"""A party with a live microphone for this long would have said something."""

UNKNOWN_SHARE = 1 / 3
"""A mix of which more words than this belong to nobody counts as unattributed."""


class Flag(StrEnum):
    DEAD_CHANNEL = "dead_channel"
    IDENTICAL_CHANNELS = "identical_channels"
    MEDIA_SHORTER = "media_shorter"
    MEDIA_LONGER = "media_longer"
    UNATTRIBUTED_MONO = "unattributed_mono"
    NO_SPEECH = "no_speech"  # informational: a finished transcript without a turn
    LIMIT_REACHED = "limit_reached"
    EGRESS_FAILED = "egress_failed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class ChannelSpeech:
    """``live_ms``: how long the channel's parties had an unmuted track while the recording ran; 0 where nobody knows."""

    speech_ms: int
    live_ms: int = 0


def speech_flags(channels: Sequence[ChannelSpeech], *, audio_ms: int, identical_channels: bool) -> tuple[Flag, ...]:
    """Flags about what was, or was not, said on the channels."""
    flags: list[Flag] = []
    if any(_is_dead(channel, audio_ms) for channel in channels):
        flags.append(Flag.DEAD_CHANNEL)
    if identical_channels:
        flags.append(Flag.IDENTICAL_CHANNELS)
    if not any(channel.speech_ms for channel in channels):
        flags.append(Flag.NO_SPEECH)
    return tuple(flags)


def length_flags(media_ms: int, expected_ms: int | None) -> tuple[Flag, ...]:
    """Compares the media with what egress or the call says it should be; None: nobody says."""
    if expected_ms is None:
        return ()
    tolerance = max(LENGTH_TOLERANCE_MS, round(expected_ms * LENGTH_TOLERANCE_SHARE))
    if media_ms < expected_ms - tolerance:
        return (Flag.MEDIA_SHORTER,)
    return (Flag.MEDIA_LONGER,) if media_ms > expected_ms + tolerance else ()


def attribution_flags(turns: Iterable[Turn]) -> tuple[Flag, ...]:
    """UNATTRIBUTED_MONO where too many words are nobody's: a mix without diarization, or one whose speakers could not be named."""
    known = unknown = 0
    for turn in turns:
        if turn.attribution is Attribution.UNKNOWN or turn.role is Party.UNKNOWN:
            unknown += len(turn.words)
        else:
            known += len(turn.words)
    return (Flag.UNATTRIBUTED_MONO,) if unknown > (known + unknown) * UNKNOWN_SHARE else ()


def egress_flags(status: EgressStatus | None) -> tuple[Flag, ...]:
    """How the egress ended, where that was not the ordinary way."""
    match status:
        case EgressStatus.LIMIT_REACHED:
            return (Flag.LIMIT_REACHED,)
        case EgressStatus.FAILED:
            return (Flag.EGRESS_FAILED,)
        case EgressStatus.ABORTED:
            return (Flag.ABORTED,)
        case _:
            return ()


def _is_dead(channel: ChannelSpeech, audio_ms: int) -> bool:
    return channel.speech_ms == 0 and min(channel.live_ms, audio_ms) >= LONG_ENOUGH_TO_SPEAK_MS
