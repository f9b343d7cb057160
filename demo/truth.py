"""The demo calls and what is really said in them, as their JSON files tell it. Making those files belongs to demo/recipe.

A call is one consultation in one room; an egress is one recording of it, with the turns that can be heard in its file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from domain.parties import Party
from domain.rules.shapes import Publication

T = TypeVar("T")


class BadTruth(ValueError):
    """A call's file is not what this module expects: ``str()`` names the file and the field."""


@dataclass(frozen=True, slots=True)
class DemoTurn:
    """What somebody says without a break. Times count from the file's first sample; ``channel`` is None where nothing is recorded apart."""

    role: Party
    identity: str
    channel: int | None
    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What the egress was asked for: ``routes`` (identities left and right), ``room_composite`` or ``participant`` (one identity)."""

    kind: str
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    identity: str = ""


@dataclass(frozen=True, slots=True)
class DemoEgress:
    """One recording. ``started_ms`` and ``ended_ms`` count from the call's start; ``file`` is None where egress left none."""

    egress_id: str
    status: str
    error: str
    started_ms: int
    ended_ms: int
    request: DemoRequest
    file: str | None
    turns: tuple[DemoTurn, ...]


@dataclass(frozen=True, slots=True)
class DemoParticipant:
    """Somebody in the room; times count from the call's start. ``kind`` is LiveKit's: STANDARD or AGENT.

    ``consents_ms``: when they consented by a click, as whoever enters a training does; None where nobody was asked so.
    """

    identity: str
    sid: str
    role: Party
    kind: str
    joined_ms: int
    left_ms: int
    microphone_track_sid: str
    consents_ms: int | None


@dataclass(frozen=True, slots=True)
class DemoCall:
    """One consultation. ``started_at`` is UTC and the moment that the room opened. ``publication``: what consent allows of it, None where nothing
    was recorded."""

    name: str
    title: str
    type: str
    room_name: str
    room_sid: str
    started_at: datetime
    duration_ms: int
    publication: Publication | None
    participants: tuple[DemoParticipant, ...]
    egresses: tuple[DemoEgress, ...]


def load_calls(folder: Path) -> list[DemoCall]:
    """Every call whose JSON lies in ``folder``, in order of time. Raises BadTruth, OSError."""
    calls = [load_call(path) for path in folder.glob("*.json")]
    return sorted(calls, key=lambda call: (call.started_at, call.name))


def load_call(path: Path) -> DemoCall:
    """Reads one call strictly: a missing, unknown or mistyped field is an error. Raises BadTruth, OSError."""
    try:
        return _call(json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise BadTruth(f"{path.name}: {error.args[0] if error.args else error!r}") from error


def _call(value: Any) -> DemoCall:
    fields = _Fields(value, "call")
    started_at = datetime.fromisoformat(fields.text("started_at"))
    if started_at.utcoffset() is None:
        raise ValueError("started_at: has no time zone")
    return fields.done(
        DemoCall(
            name=fields.text("name"),
            title=fields.text("title"),
            type=fields.text("type"),
            room_name=fields.text("room_name"),
            room_sid=fields.text("room_sid"),
            started_at=started_at,
            duration_ms=fields.whole("duration_ms"),
            publication=_publication(fields.maybe("publication", str)),
            participants=tuple(_participant(item) for item in fields.items("participants")),
            egresses=tuple(_egress(item) for item in fields.items("egresses")),
        )
    )


def _publication(named: str | None) -> Publication | None:
    return None if named is None else Publication(named)


def _participant(value: Any) -> DemoParticipant:
    fields = _Fields(value, "participant")
    return fields.done(
        DemoParticipant(
            identity=fields.text("identity"),
            sid=fields.text("sid"),
            role=Party(fields.text("role")),
            kind=fields.text("kind"),
            joined_ms=fields.whole("joined_ms"),
            left_ms=fields.whole("left_ms"),
            microphone_track_sid=fields.text("microphone_track_sid"),
            consents_ms=fields.maybe("consents_ms", int),
        )
    )


def _egress(value: Any) -> DemoEgress:
    fields = _Fields(value, "egress")
    return fields.done(
        DemoEgress(
            egress_id=fields.text("egress_id"),
            status=fields.text("status"),
            error=fields.text("error"),
            started_ms=fields.whole("started_ms"),
            ended_ms=fields.whole("ended_ms"),
            request=_request(fields.take("request", dict)),
            file=fields.maybe("file", str),
            turns=tuple(_turn(item) for item in fields.items("turns")),
        )
    )


def _request(value: Any) -> DemoRequest:
    fields = _Fields(value, "request")
    match kind := fields.text("kind"):
        case "routes":
            return fields.done(DemoRequest(kind, left=fields.texts("left"), right=fields.texts("right")))
        case "participant":
            return fields.done(DemoRequest(kind, identity=fields.text("identity")))
        case "room_composite":
            return fields.done(DemoRequest(kind))
        case _:
            raise ValueError("request.kind: is none of routes, room_composite, participant")


def _turn(value: Any) -> DemoTurn:
    fields = _Fields(value, "turn")
    return fields.done(
        DemoTurn(
            role=Party(fields.text("role")),
            identity=fields.text("identity"),
            channel=fields.maybe("channel", int),
            text=fields.text("text"),
            start_ms=fields.whole("start_ms"),
            end_ms=fields.whole("end_ms"),
        )
    )


class _Fields:
    """A JSON object whose fields are taken once each, so that what nobody asked for is noticed."""

    def __init__(self, value: Any, what: str) -> None:
        if not isinstance(value, Mapping):
            raise TypeError(f"{what}: is not an object")
        self._left, self._what = dict(value), what

    def take(self, name: str, type_: type[T]) -> T:
        value = self._pop(name)
        if not isinstance(value, type_) or isinstance(value, bool):
            raise TypeError(f"{self._what}.{name}: is not of type {type_.__name__}")
        return value

    def maybe(self, name: str, type_: type[T]) -> T | None:
        if name in self._left and self._left[name] is None:
            self._left.pop(name)
            return None
        return self.take(name, type_)

    def text(self, name: str) -> str:
        return self.take(name, str)

    def whole(self, name: str) -> int:
        return self.take(name, int)

    def items(self, name: str) -> list[Any]:
        return self.take(name, list)

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.items(name)
        if not all(isinstance(value, str) for value in values):
            raise TypeError(f"{self._what}.{name}: is not a list of strings")
        return tuple(values)

    def done(self, made: T) -> T:
        if self._left:
            raise ValueError(f"{self._what}: has unknown fields {', '.join(sorted(self._left))}")
        return made

    def _pop(self, name: str) -> Any:
        if name not in self._left:
            raise KeyError(f"{self._what}.{name}: is missing")
        return self._left.pop(name)
