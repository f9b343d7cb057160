"""What a consultation is called and which kind it is. How LiveKit's events change one belongs to domain.call_events."""

import json
import re
from datetime import UTC, datetime
from enum import StrEnum


class ConsultationType(StrEnum):
    QUOTE = "quote"
    CLAIMS = "claims"
    SUPPORT = "support"
    TRAINING = "training"


_ROOM_NAME = re.compile(r"consultation_(quote|claims|support|training)_[0-9A-Za-z]+_[0-9A-Za-z-]+")


def type_from_room(name: str, metadata: str = "") -> ConsultationType | None:
    """The type that a room's name (consultation_{type}_{timestamp}_{id}) or its JSON metadata ({"type": …}) states; None: not a room of ours."""
    if match := _ROOM_NAME.fullmatch(name):
        return ConsultationType(match.group(1))
    try:
        stated = json.loads(metadata).get("type") if metadata else None
        return ConsultationType(stated) if stated else None
    except (ValueError, AttributeError, RecursionError):
        return None


def new_room_name(kind: ConsultationType, now: datetime, unguessable: str) -> str:
    """consultation_{type}_{UTC, to the second}_{id}. ``unguessable``: letters and digits of 96 bits at least, for whoever knows a name knows a call."""
    return f"consultation_{kind.value}_{now.astimezone(UTC):%Y%m%dT%H%M%SZ}_{unguessable}"


def name_of_later_room(room_name: str, room_sid: str) -> str:
    """The name under which a room is kept when an earlier room holds its own: names are unique, rooms are told apart by SID."""
    return f"{room_name}~{room_sid}"


def spoken_line(start_ms: int, role: str, text: str) -> str:
    """One line of a consultation's plain transcript: ``[mm:ss] role: text``, minutes counting on past the hour."""
    minutes, seconds = divmod(start_ms // 1000, 60)
    return f"[{minutes:02d}:{seconds:02d}] {role}: {text}"
