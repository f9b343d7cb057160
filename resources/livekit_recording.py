"""What LiveKit's egress is asked to record and where to put it, and how an egress reads that LiveKit tells of. Asking is
resources.livekit_rooms' part; what the channels of a file mean is domain.egress_layout's.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from livekit.protocol import egress as egress_pb
from livekit.protocol import models as models_pb
from livekit.protocol.webhook import WebhookEvent

from domain.call_events import EgressSeen, RoomSeen
from domain.egress_layout import EgressLayout, LayoutKind, Route
from resources.livekit import read_event
from resources.objects import S3Connection
from resources.settings import Settings


@dataclass(frozen=True, slots=True)
class EgressFound:
    """An egress as LiveKit lists it. ``info_json`` is its EgressInfo as a webhook carries it, without any credentials."""

    room: RoomSeen
    egress: EgressSeen
    info_json: str


@dataclass(frozen=True, slots=True)
class RecordingBucket:
    """Where the egress service uploads to. Its keys go to LiveKit and nowhere else; without keys egress uses its own."""

    connection: S3Connection
    bucket: str


@dataclass(frozen=True, slots=True)
class RecordingPlace:
    """Where egress puts recordings: below ``prefix`` in a bucket, or in a folder that the egress service and the intake share."""

    bucket: RecordingBucket | None
    prefix: str

    def path(self, name: str) -> str:
        return f"{self.prefix.rstrip('/')}/{name}".lstrip("/" if self.bucket else "")


def recording_place(settings: Settings) -> RecordingPlace:
    """The intake, as egress reaches it."""
    url = settings.intake
    if url.startswith("s3://"):
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        reached = replace(settings.s3(), endpoint=settings.egress_s3_endpoint or settings.s3_endpoint)
        return RecordingPlace(RecordingBucket(reached, bucket), prefix)
    folder = Path(unquote(urlsplit(url).path)) if url.startswith("file://") else Path(url)
    return RecordingPlace(None, str(folder.resolve()))


def recording_request(room_name: str, layout: EgressLayout, file_path: str, bucket: RecordingBucket | None) -> egress_pb.StartEgressRequest:
    """Audio alone, Opus in OGG. Raises ValueError for a layout that StartEgress cannot make."""
    if layout.kind not in (LayoutKind.ROUTES, LayoutKind.ONE_PARTICIPANT) or not layout.routes:
        raise ValueError(f"a recording is asked for by routes, not as {layout.kind}")
    audio = egress_pb.AudioConfig(
        routes=[_route(route) for route in layout.routes],
        # Who matches no route is otherwise left out of the file altogether.
        capture_all=layout.kind is LayoutKind.ROUTES,
    )
    file = egress_pb.FileOutput(file_type=egress_pb.EncodedFileType.OGG, filepath=file_path)
    return egress_pb.StartEgressRequest(
        room_name=room_name,
        media=egress_pb.MediaSource(audio=audio),
        advanced=egress_pb.EncodingOptions(audio_codec=models_pb.AudioCodec.OPUS),
        outputs=[egress_pb.Output(file=file)],
        storage=_storage(bucket) if bucket else None,
    )


def _route(route: Route) -> egress_pb.AudioRoute:
    channel = f"AUDIO_CHANNEL_{route.channel.upper()}"
    if route.identity is not None:
        return egress_pb.AudioRoute(participant_identity=route.identity, channel=channel)
    if route.track_sid is not None:
        return egress_pb.AudioRoute(track_id=route.track_sid, channel=channel)
    if route.kind is not None:
        return egress_pb.AudioRoute(participant_kind=route.kind, channel=channel)
    raise ValueError("a route of a recording names an identity, a track or a kind")


def _storage(bucket: RecordingBucket) -> egress_pb.StorageConfig:
    s3 = bucket.connection
    upload = egress_pb.S3Upload(
        access_key=s3.access_key or "",
        secret=s3.secret_key or "",
        region=s3.region,
        endpoint=s3.endpoint or "",
        bucket=bucket.bucket,
        force_path_style=s3.path_style,
    )
    return egress_pb.StorageConfig(s3=upload)


def without_keys(text: str, bucket: RecordingBucket | None) -> str:
    """The text without the bucket's keys, should they stand in it."""
    for key in (bucket.connection.secret_key, bucket.connection.access_key) if bucket else ():
        text = text.replace(key, "…") if key else text
    return text


def egress_found(pb: egress_pb.EgressInfo) -> EgressFound:
    event = read_event(WebhookEvent(egress_info=pb))
    assert event.room is not None and event.egress is not None
    shown = egress_pb.EgressInfo()
    shown.CopyFrom(pb)
    _clear_uploads(shown)
    return EgressFound(event.room, event.egress, MessageToJson(shown, indent=None))


def _clear_uploads(message: Message) -> None:
    """LiveKit masks the credentials in a request that it echoes; here none are left even if it did not."""
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for part in value if field.is_repeated else (value,):
            if isinstance(part, egress_pb.S3Upload):
                for secret in ("access_key", "secret", "session_token", "assume_role_external_id"):
                    part.ClearField(secret)
            else:
                _clear_uploads(part)
