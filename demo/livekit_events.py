"""Webhooks in LiveKit's own shape, made with its own protobuf classes and signed as its server signs them.

Whoever wants to post events to a Verbatim without a LiveKit server (the demo, the tests, the bench) builds them here.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.json_format import MessageToJson
from livekit.api import AccessToken
from livekit.protocol import egress as egress_pb
from livekit.protocol import models as models_pb
from livekit.protocol.webhook import WebhookEvent

MS, NS = 1000, 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Room:
    """One session of a room. Every event of it carries this."""

    sid: str
    name: str
    started_at: datetime
    metadata: str = ""

    def message(self) -> models_pb.Room:
        ms = _ns(self.started_at) // 1_000_000
        return models_pb.Room(
            sid=self.sid, name=self.name, creation_time=ms // MS, creation_time_ms=ms, metadata=self.metadata,
            empty_timeout=300, departure_timeout=20, max_participants=10,
        )  # fmt: skip


@dataclass(frozen=True)
class Person:
    sid: str
    identity: str
    role: str
    joined_at: datetime
    kind: str = "STANDARD"

    def message(self) -> models_pb.ParticipantInfo:
        ms = _ns(self.joined_at) // 1_000_000
        return models_pb.ParticipantInfo(
            sid=self.sid,
            identity=self.identity,
            state=models_pb.ParticipantInfo.State.ACTIVE,
            kind=self.kind,
            joined_at=ms // MS,
            joined_at_ms=ms,
            attributes={"role": self.role} if self.role else {},
        )


@dataclass(frozen=True)
class File:
    name: str
    location: str
    started_at: datetime
    ended_at: datetime
    size_bytes: int

    def message(self) -> egress_pb.FileInfo:
        began, over = _ns(self.started_at), _ns(self.ended_at)
        return egress_pb.FileInfo(
            filename=self.name, location=self.location, started_at=began, ended_at=over, duration=over - began, size=self.size_bytes
        )


def room_event(event: str, event_id: str, at: datetime, room: Room) -> WebhookEvent:
    """room_started or room_finished."""
    return WebhookEvent(event=event, id=event_id, created_at=_seconds(at), room=room.message())


def participant_event(event: str, event_id: str, at: datetime, room: Room, person: Person) -> WebhookEvent:
    """participant_joined, participant_left, participant_connection_aborted."""
    return WebhookEvent(event=event, id=event_id, created_at=_seconds(at), room=room.message(), participant=person.message())


def audio_track_event(event: str, event_id: str, at: datetime, room: Room, person: Person, track_sid: str) -> WebhookEvent:
    """track_published or track_unpublished of a microphone."""
    message = participant_event(event, event_id, at, room, person)
    message.track.CopyFrom(
        models_pb.TrackInfo(sid=track_sid, type=models_pb.TrackType.AUDIO, source=models_pb.TrackSource.MICROPHONE, mime_type="audio/opus")
    )
    return message


def routes(left: Sequence[str], right: Sequence[str]) -> egress_pb.StartEgressRequest:
    """StartEgress with some identities on the left channel and others on the right."""
    return egress_pb.StartEgressRequest(
        media=egress_pb.MediaSource(
            audio=egress_pb.AudioConfig(
                routes=[
                    egress_pb.AudioRoute(participant_identity=identity, channel=channel)
                    for identities, channel in ((left, egress_pb.AUDIO_CHANNEL_LEFT), (right, egress_pb.AUDIO_CHANNEL_RIGHT))
                    for identity in identities
                ]
            )
        )
    )


def egress_event(
    event: str,
    event_id: str,
    at: datetime,
    room: Room,
    egress_id: str,
    status: str,
    request: egress_pb.StartEgressRequest | egress_pb.ParticipantEgressRequest | egress_pb.RoomCompositeEgressRequest,
    *,
    started_at: datetime,
    ended_at: datetime | None = None,
    files: Sequence[File] = (),
    error: str = "",
) -> WebhookEvent:
    """egress_started, egress_updated or egress_ended; ``status`` is LiveKit's name of it."""
    info = egress_pb.EgressInfo(
        egress_id=egress_id,
        room_id=room.sid,
        room_name=room.name,
        status=status,
        started_at=_ns(started_at),
        ended_at=_ns(ended_at) if ended_at else 0,
        updated_at=_ns(at),
        error=error,
        file_results=[file.message() for file in files],
    )
    match request:
        case egress_pb.StartEgressRequest():
            info.egress.CopyFrom(request)
            info.egress.room_name = room.name
        case egress_pb.ParticipantEgressRequest():
            info.participant.CopyFrom(request)
        case _:
            info.room_composite.CopyFrom(request)
    return WebhookEvent(event=event, id=event_id, created_at=_seconds(at), egress_info=info)


def body_of(event: WebhookEvent) -> bytes:
    """The JSON that LiveKit posts: camelCase, int64 as strings, zero values left out."""
    return MessageToJson(event, indent=None).encode()


def sign(body: bytes, api_key: str, api_secret: str, ttl: timedelta = timedelta(minutes=5)) -> str:
    """What goes into the Authorization header."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return AccessToken(api_key, api_secret).with_sha256(digest).with_ttl(ttl).to_jwt()


def _ns(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def _seconds(moment: datetime) -> int:
    return _ns(moment) // NS
