"""A LiveKit webhook as the archive understands it, and what it is evidence of.

Every piece of evidence is merged so that order and repetition do not matter: earliest start, latest end, one row per SID.
Field by field: livekit/protocol livekit_webhook.proto, livekit_models.proto, livekit_egress.proto. Checking signatures and reading
JSON belong to resources.livekit; the merging itself to resources.store.inbox.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.egress_layout import EgressLayout
from domain.failures import Reason
from domain.parties import Party


class EgressStatus(StrEnum):
    STARTING = "EGRESS_STARTING"
    ACTIVE = "EGRESS_ACTIVE"
    ENDING = "EGRESS_ENDING"
    COMPLETE = "EGRESS_COMPLETE"
    FAILED = "EGRESS_FAILED"
    ABORTED = "EGRESS_ABORTED"
    LIMIT_REACHED = "EGRESS_LIMIT_REACHED"


@dataclass(frozen=True, slots=True)
class RoomSeen:
    sid: str
    name: str
    created_at: datetime | None = None
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class ParticipantSeen:
    """``kind`` is LiveKit's (STANDARD, AGENT, EGRESS, …); ``stated_role`` is the attribute ``role`` that only the server can set."""

    sid: str
    identity: str
    kind: str
    stated_role: str
    joined_at: datetime | None


@dataclass(frozen=True, slots=True)
class FileSeen:
    """One entry of fileResults. ``duration_ms`` and ``size_bytes`` are what egress says; the file decides."""

    name: str
    location: str
    started_at: datetime | None
    ended_at: datetime | None
    duration_ms: int | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class EgressSeen:
    id: str
    status: EgressStatus
    started_at: datetime | None
    ended_at: datetime | None
    layout: EgressLayout
    files: tuple[FileSeen, ...]


@dataclass(frozen=True, slots=True)
class CallEvent:
    id: str
    type: str
    sent_at: datetime
    room: RoomSeen | None = None
    participant: ParticipantSeen | None = None
    audio_track_sid: str | None = None
    egress: EgressSeen | None = None


def party_of(person: ParticipantSeen) -> Party | None:
    """Whom a participant speaks for; None for LiveKit's own helpers, which are nobody.

    The attribute decides where it is set; else kind AGENT is the AI worker. An unnamed person is UNKNOWN, never guessed.
    """
    if person.kind in ("EGRESS", "INGRESS") or person.stated_role == "supervisor":  # a supervisor is hidden and silent
        return None
    if person.kind == "AGENT":
        return Party.ASSISTANT
    role = {"ai": "assistant"}.get(person.stated_role, person.stated_role)
    try:
        return Party(role)
    except ValueError:
        return Party.UNKNOWN


def call_started_at(event: CallEvent) -> datetime | None:
    """The earliest moment at which this event shows the call to have been going on."""
    known = [event.room.created_at if event.room else None]
    if event.participant:
        known.append(event.participant.joined_at)
    if event.egress:
        known.append(event.egress.started_at)
    return min((moment for moment in known if moment), default=None)


def call_ended_at(event: CallEvent) -> datetime | None:
    """Only room_finished ends a call. It is sent within a second of the end, and in whole seconds."""
    return event.sent_at if event.type == "room_finished" else None


def endings(egress: EgressSeen) -> tuple[tuple[FileSeen, Reason | None], ...]:
    """What the egress of an egress_ended leaves behind, also where its status is not known here:
    its files, or one empty entry with the reason why there is none.

    A failed egress that uploaded something nonetheless left evidence: its file is taken like any other. One that only names the
    file it meant to write did not.
    """
    went_well = egress.status not in (EgressStatus.FAILED, EgressStatus.ABORTED)
    files = [file for file in egress.files if went_well or file.size_bytes]
    if files:
        return tuple((file, None) for file in files)
    reason = Reason.NO_FILE if went_well else Reason.EGRESS_FAILED
    return ((FileSeen("", "", egress.started_at, egress.ended_at, None, None), reason),)
