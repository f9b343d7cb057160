"""What a participant of a call may do in its room, by type: one table. Which caller may ask for which type belongs to api.access,
and turning a row into a token to resources.livekit_tokens.

Nobody gets more than the room: no row lets its holder administer or record a room, or change its own metadata and attributes, because
the role by which its speech is attributed stands there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from domain.parties import Party


class ParticipantType(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    AI = "ai"
    PARTNER = "partner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Grants:
    """``sources`` are what may be published, in LiveKit's names; none means nothing at all. ``can_publish_data`` is chat and files.

    ``kind`` is LiveKit's kind of participant: standard or agent. An agent does not keep a room open and does not count against its size, and
    may send captions in somebody else's name. So the AI worker is one, and who only watches: nobody waits for them, they take nobody's place,
    and they send nothing. Of hiding somebody LiveKit draws neither conclusion.
    """

    sources: tuple[str, ...]
    can_subscribe: bool = True
    can_publish_data: bool = True
    hidden: bool = False
    kind: Literal["standard", "agent"] = "standard"

    @property
    def can_publish(self) -> bool:
        return bool(self.sources)


MICROPHONE, CAMERA, SCREEN, SCREEN_AUDIO = "microphone", "camera", "screen_share", "screen_share_audio"
SPEAKING = (MICROPHONE, CAMERA)
SHOWING = (*SPEAKING, SCREEN, SCREEN_AUDIO)

BY_TYPE: Mapping[ParticipantType, Grants] = MappingProxyType(
    {
        ParticipantType.CUSTOMER: Grants(SPEAKING),
        ParticipantType.AGENT: Grants(SHOWING),
        ParticipantType.AI: Grants((MICROPHONE,), kind="agent"),
        ParticipantType.PARTNER: Grants(SPEAKING),
        # An admin joins to help, so whom he helps must see and hear him. Who only watches is a supervisor.
        ParticipantType.ADMIN: Grants(SPEAKING),
        ParticipantType.SUPERVISOR: Grants((), can_publish_data=False, hidden=True, kind="agent"),
    }
)
TRAINER = Grants(SHOWING)
"""The partner who gives a training."""


def grants_of(kind: ParticipantType, *, trainer: bool = False) -> Grants:
    """The row of a type. Raises ValueError for a trainer who is no partner: nobody else's rights depend on it."""
    if not trainer:
        return BY_TYPE[kind]
    if kind is not ParticipantType.PARTNER:
        raise ValueError(f"only a partner gives a training, not: {kind}")
    return TRAINER


def stated_role(kind: ParticipantType) -> str:
    """The attribute ``role`` of the token, from which ``domain.call_events.party_of`` reads back who speaks; a supervisor is no party."""
    return Party.ASSISTANT.value if kind is ParticipantType.AI else kind.value
