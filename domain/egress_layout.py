"""What an egress was asked to put on which channel, and so whose voice a channel can carry.

The file's own channel count decides, never the request's echo: LiveKit ignores some requests silently. Who of the candidates
spoke at a moment belongs to domain.attribution.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from domain.parties import Party


class LayoutKind(StrEnum):
    ROUTES = "routes"  # StartEgress with audio routes
    AGENTS_LEFT = "dual_channel_agent"  # participants of kind AGENT left, everybody else right
    ALTERNATE = "dual_channel_alternate"  # per track, flips when a track is published again
    ONE_PARTICIPANT = "participant"
    MIXED = "mixed"  # everybody together
    ROLES = "roles"  # an import whose channels were named by role


@dataclass(frozen=True, slots=True)
class Route:
    """Who goes to a channel (``left``, ``right`` or ``both``), by one of identity, track SID, participant kind or role."""

    channel: str
    identity: str | None = None
    track_sid: str | None = None
    kind: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class EgressLayout:
    kind: LayoutKind
    routes: tuple[Route, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind.value, "routes": [{k: v for k, v in asdict(r).items() if v is not None} for r in self.routes]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "EgressLayout":
        """Reads ``to_json``; an empty or unknown value is a mix, which claims nothing."""
        try:
            return cls(LayoutKind(value["kind"]), tuple(Route(**route) for route in value.get("routes", [])))
        except (KeyError, ValueError, TypeError):
            return cls(LayoutKind.MIXED)


@dataclass(frozen=True, slots=True)
class Listed:
    """A participant as the layout needs to know it."""

    sid: str
    identity: str
    role: Party
    audio_tracks: tuple[str, ...] = ()


def separates(layout: EgressLayout, channel_count: int) -> bool:
    """Whether the file's channels keep the parties apart."""
    if layout.kind is LayoutKind.ONE_PARTICIPANT:
        return True
    return channel_count == 2 and layout.kind is not LayoutKind.MIXED


def channel_members(layout: EgressLayout, channel_count: int, people: Iterable[Listed]) -> list[list[Listed]]:
    """For each channel of the file, the participants it can carry; everybody where the layout cannot tell."""
    everybody = list(people)
    if layout.kind is LayoutKind.ONE_PARTICIPANT:
        chosen = [p for p in everybody if any(_named(r, p) for r in layout.routes)]
        return [list(chosen) for _ in range(channel_count)]
    if channel_count != 2 or layout.kind in (LayoutKind.MIXED, LayoutKind.ALTERNATE):
        return [list(everybody) for _ in range(channel_count)]
    sides: list[list[Listed]] = [[], []]
    for person in everybody:
        for side in _sides(layout, person):
            sides[side].append(person)
    return sides


def _sides(layout: EgressLayout, person: Listed) -> tuple[int, ...]:
    if layout.kind is LayoutKind.AGENTS_LEFT:
        return (0,) if person.role is Party.ASSISTANT else (1,)
    named = [r for r in layout.routes if _named(r, person)]
    by_role = [r for r in layout.routes if r.role is not None and r.role == person.role.value]
    by_kind = [r for r in layout.routes if r.kind is not None and (r.kind == "AGENT") == (person.role is Party.ASSISTANT)]
    for routes in (named, by_role, by_kind):
        if routes:
            return tuple({"left": (0,), "right": (1,)}.get(routes[0].channel, (0, 1)))
    return (0, 1)


def _named(route: Route, person: Listed) -> bool:
    return route.identity == person.identity if route.identity is not None else route.track_sid in person.audio_tracks
