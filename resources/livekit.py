"""LiveKit's webhooks: is the signature right, and what does the event say. What the event changes belongs to resources.store.inbox.

The wire format is in livekit/protocol: the JWT in ``Authorization`` (bare, no "Bearer") is signed with an API key's secret and its
claim ``sha256`` is the base64 SHA-256 of the body's raw bytes. LiveKit's own WebhookReceiver does the checking.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from google.protobuf.json_format import Parse, ParseError
from livekit.api import TokenVerifier, WebhookReceiver
from livekit.protocol import egress as egress_pb
from livekit.protocol import models as models_pb
from livekit.protocol.webhook import WebhookEvent

from domain.call_events import CallEvent, EgressSeen, EgressStatus, FileSeen, ParticipantSeen, RoomSeen
from domain.egress_layout import EgressLayout, LayoutKind, Route

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_ID = 512
LATEST_US = (datetime(9000, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


class NotSigned(Exception):
    """The request does not prove that LiveKit sent it. ``str()`` says what is wrong, never with the token."""


class NotAnEvent(Exception):
    """The body is signed but is no webhook event."""


class Webhooks:
    """Verifies and reads webhooks. ``keys`` maps each accepted API key to its secret, so that keys can be rotated."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._receivers = {key: WebhookReceiver(TokenVerifier(key, secret)) for key, secret in keys.items()}
        self._only = next(iter(self._receivers.values())) if len(self._receivers) == 1 else None

    def read(self, body: bytes, authorization: str | None) -> CallEvent:
        """Raises NotSigned, NotAnEvent."""
        if not authorization:
            raise NotSigned("the Authorization header is missing")
        if authorization[:7].lower() == "bearer ":
            raise NotSigned("the Authorization header of a webhook is the bare token, without 'Bearer'")
        # Which key is asked for matters only where there are several: the receiver itself refuses a token of another issuer.
        receiver = self._only or self._receivers.get(_issuer(authorization))
        if receiver is None:
            raise NotSigned("the token names no API key that is configured here (LIVEKIT_API_KEY, VERBATIM_LIVEKIT_OLD_KEYS)")
        try:
            message = receiver.receive(body.decode(), authorization)
        except UnicodeDecodeError:
            raise NotSigned("the body is not UTF-8, so it is not what LiveKit signed") from None
        except ParseError:
            raise NotAnEvent("the body is not a JSON webhook event") from None
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
            raise NotSigned("the token has expired, or begins in the future: LiveKit's clock and this machine's may not agree") from None
        except Exception:  # WebhookReceiver and PyJWT raise many kinds, all of which mean this
            raise NotSigned("the signature does not fit the body") from None
        if not message.event or not message.id:
            raise NotAnEvent("the body has no event or no id")
        if b"\\u0000" in body or message.id.isspace():
            raise NotAnEvent("the body has a NUL character, or an id of nothing but spaces")
        event = read_event(message)
        if max(map(len, _ids(event)), default=0) > LONGEST_ID:
            raise NotAnEvent("the body has an id or a name that is longer than any of LiveKit's")
        return event


def _ids(event: CallEvent) -> Iterator[str]:
    """Everything by which rows are found."""
    yield event.id
    yield event.audio_track_sid or ""
    if event.room:
        yield from (event.room.sid, event.room.name)
    if event.participant:
        yield from (event.participant.sid, event.participant.identity)
    if event.egress:
        yield event.egress.id


def read_stored(body: str) -> CallEvent:
    """An event whose signature was checked when it was stored."""
    return read_event(Parse(body, WebhookEvent(), ignore_unknown_fields=True))


def _issuer(token: str) -> str:
    try:
        return str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
    except jwt.PyJWTError:
        raise NotSigned("the Authorization header is not a token") from None


def read_event(message: WebhookEvent) -> CallEvent:
    room = None
    if message.HasField("room"):
        pb = message.room
        created = _ms(pb.creation_time_ms) or _seconds(pb.creation_time)
        room = RoomSeen(pb.sid, pb.name, created, pb.metadata)
    elif message.HasField("egress_info"):
        room = RoomSeen(message.egress_info.room_id, message.egress_info.room_name)
    return CallEvent(
        id=message.id,
        type=message.event,
        sent_at=_seconds(message.created_at) or EPOCH,
        room=room,
        participant=_participant(message.participant) if message.HasField("participant") else None,
        audio_track_sid=message.track.sid if message.HasField("track") and message.track.type == models_pb.TrackType.AUDIO else None,
        egress=_egress(message.egress_info) if message.HasField("egress_info") else None,
    )


def _participant(pb: models_pb.ParticipantInfo) -> ParticipantSeen:
    kind = _name(models_pb.ParticipantInfo.Kind, pb.kind, "STANDARD")
    return ParticipantSeen(pb.sid, pb.identity, kind, pb.attributes.get("role", ""), _ms(pb.joined_at_ms) or _seconds(pb.joined_at))


def _egress(pb: egress_pb.EgressInfo) -> EgressSeen:
    files = list(pb.file_results) or ([pb.file] if pb.HasField("file") else [])
    return EgressSeen(
        id=pb.egress_id,
        status=EgressStatus(_name(egress_pb.EgressStatus, pb.status, "EGRESS_STARTING")),
        started_at=_ns(pb.started_at),
        ended_at=_ns(pb.ended_at),
        layout=_layout(pb),
        files=tuple(_file(file) for file in files if file.filename or file.location),
    )


def _file(pb: egress_pb.FileInfo) -> FileSeen:
    duration_ms = pb.duration // 1_000_000 or None
    return FileSeen(pb.filename, pb.location, _ns(pb.started_at), _ns(pb.ended_at), duration_ms, pb.size or None)


def _layout(pb: egress_pb.EgressInfo) -> EgressLayout:
    request = pb.WhichOneof("request")
    if request == "egress" and pb.egress.HasField("media"):
        audio = pb.egress.media.audio
        if len(audio.routes) == 1 and not audio.capture_all:  # whoever matches no route is left out of the file
            return EgressLayout(LayoutKind.ONE_PARTICIPANT, (_route(audio.routes[0]),))
        return EgressLayout(LayoutKind.ROUTES, tuple(_route(route) for route in pb.egress.media.audio.routes))
    if request == "participant":
        return EgressLayout(LayoutKind.ONE_PARTICIPANT, (Route("both", identity=pb.participant.identity),))
    if request == "track":
        return EgressLayout(LayoutKind.ONE_PARTICIPANT, (Route("both", track_sid=pb.track.track_id),))
    if request == "track_composite":
        return EgressLayout(LayoutKind.ONE_PARTICIPANT, (Route("both", track_sid=pb.track_composite.audio_track_id),))
    if request == "room_composite":
        mixing = _name(egress_pb.AudioMixing, pb.room_composite.audio_mixing, "DEFAULT_MIXING")
        if mixing == "DUAL_CHANNEL_AGENT":
            return EgressLayout(LayoutKind.AGENTS_LEFT)
        if mixing == "DUAL_CHANNEL_ALTERNATE":
            return EgressLayout(LayoutKind.ALTERNATE)
    return EgressLayout(LayoutKind.MIXED)


def _route(pb: egress_pb.AudioRoute) -> Route:
    channel = _name(egress_pb.AudioChannel, pb.channel, "AUDIO_CHANNEL_BOTH").removeprefix("AUDIO_CHANNEL_").lower()
    match pb.WhichOneof("match"):
        case "participant_identity":
            return Route(channel, identity=pb.participant_identity)
        case "participant_kind":
            return Route(channel, kind=_name(models_pb.ParticipantInfo.Kind, pb.participant_kind, "STANDARD"))
        case _:
            return Route(channel, track_sid=pb.track_id)


def _name(enum: Any, number: int, unknown: str) -> str:
    """The name of an enum's value; numbers of a later version of the protocol read as ``unknown``."""
    try:
        return str(enum.Name(number))
    except ValueError:
        return unknown


def _seconds(value: int) -> datetime | None:
    return _moment(value * 1_000_000)


def _ms(value: int) -> datetime | None:
    return _moment(value * 1000)


def _ns(value: int) -> datetime | None:
    return _moment(value // 1000)


def _moment(microseconds: int) -> datetime | None:
    """None for zero, which is how LiveKit leaves a time out, and for what no calendar has."""
    return EPOCH + timedelta(microseconds=microseconds) if 0 < microseconds < LATEST_US else None
