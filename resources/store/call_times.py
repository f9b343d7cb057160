"""Where a recording lies in its call: recordings count from their first sample, calls from their start."""

from datetime import datetime


def call_start(call_started_at: datetime | None, recording_started_at: datetime | None, announced_at: datetime) -> datetime:
    """The call's start or, where LiveKit never told of it, the recording's."""
    return call_started_at or recording_started_at or announced_at


def offset_ms(recording_started_at: datetime | None, call_started_at: datetime | None) -> int:
    """How far into the call a recording begins; 0 where that is not known, and for clocks that disagree."""
    if recording_started_at is None or call_started_at is None:
        return 0
    return max(0, round((recording_started_at - call_started_at).total_seconds() * 1000))
