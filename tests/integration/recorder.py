"""Stands in for LiveKit's egress service, which needs Redis and Chrome: a participant that hears everybody, writes one two-channel OGG and
posts the webhooks that egress posts. What a recording is asked for and what an egress tells are the real thing; only the service is not.
"""

import asyncio
import subprocess
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from livekit import rtc
from livekit.api import AccessToken, VideoGrants
from livekit.protocol import egress as egress_pb
from livekit.protocol.webhook import WebhookEvent

from demo.livekit_events import File, Room, body_of, egress_event, sign
from domain.egress_layout import EgressLayout
from resources.livekit_recording import EgressFound, RecordingBucket, egress_found, recording_request
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms
from resources.media import ffmpeg_path
from tests.integration.livekit_calls import RATE, Samples

LEFT, RIGHT = (True, False), (False, True)
LATE = RATE // 4
"""Samples. Sound that comes later than this is moved to when it came; less is only jitter."""


@dataclass(frozen=True)
class Piece:
    begin: int
    sides: tuple[bool, bool]
    sound: Samples


def mixed(pieces: Sequence[Piece], length: int) -> Samples:
    """Samples of both channels, interleaved; silence where nobody speaks."""
    both = np.zeros((length, 2), np.int32)
    for piece in pieces:
        sound = piece.sound[: max(0, length - piece.begin)]
        for side in (0, 1):
            if piece.sides[side]:
                both[piece.begin : piece.begin + len(sound), side] += sound
    return np.asarray(np.clip(both, -32768, 32767), dtype=np.int16).reshape(-1)


def sides_of(request: egress_pb.StartEgressRequest, identity: str, kind: int) -> tuple[bool, bool] | None:
    """Where the routes put a participant, left and right; None for nowhere. Who matches no route is on both sides, if all is captured."""
    audio = request.media.audio
    by_identity = [route for route in audio.routes if route.participant_identity == identity]
    by_kind = [route for route in audio.routes if route.WhichOneof("match") == "participant_kind" and route.participant_kind == kind]
    for route in by_identity or by_kind:
        return {egress_pb.AUDIO_CHANNEL_LEFT: LEFT, egress_pb.AUDIO_CHANNEL_RIGHT: RIGHT}.get(route.channel, (True, True))
    return (True, True) if audio.capture_all else None


class Recorder:
    """One egress. ``run`` is all of its life; ``stop`` or the end of the room ends it. ``webhook_url`` None: nobody is told."""

    def __init__(
        self, ws_url: str, key: str, secret: str, room: Room, request: egress_pb.StartEgressRequest, folder: Path, webhook_url: str | None
    ) -> None:
        self.id = f"EG_{uuid4().hex[:12]}"
        self._ws_url, self._key, self._secret, self._webhook_url = ws_url, key, secret, webhook_url
        self._room, self._request, self._folder = room, request, folder
        self._began = datetime.now(UTC)
        self._clock = 0.0
        self._pieces: list[Piece] = []
        self._listening: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self.active = asyncio.Event()
        self.latest = self._event("egress_started", "EGRESS_STARTING")

    def stop(self) -> None:
        self._stopped.set()

    async def run(self) -> None:
        await self._tell(self.latest)
        hidden = rtc.Room()
        hidden.on("track_subscribed", self._listen)
        hidden.on("disconnected", lambda *_: self.stop())
        try:
            await hidden.connect(self._ws_url, self._token())
        except rtc.ConnectError:
            await self._tell(self._event("egress_ended", "EGRESS_FAILED", ended_at=datetime.now(UTC), error="could not join the room"))
            return
        self._clock, self._began = asyncio.get_running_loop().time(), datetime.now(UTC)
        await self._tell(self._event("egress_updated", "EGRESS_ACTIVE"))
        self.active.set()
        try:
            await self._stopped.wait()
            length = self._now()
        finally:
            for task in self._listening:
                task.cancel()
            await asyncio.gather(*self._listening, return_exceptions=True)
            await hidden.disconnect()
        await self._tell(self._event("egress_updated", "EGRESS_ENDING"))
        file = await asyncio.to_thread(self._write, length)
        await self._tell(self._event("egress_ended", "EGRESS_COMPLETE", ended_at=file.ended_at, files=[file]))

    def _now(self) -> int:
        return round((asyncio.get_running_loop().time() - self._clock) * RATE)

    def _token(self) -> str:
        grants = VideoGrants(
            room_join=True, room=self._room.name, can_publish=False, can_publish_data=False, can_subscribe=True, hidden=True, recorder=True
        )
        return AccessToken(self._key, self._secret).with_identity(self.id).with_kind("egress").with_grants(grants).to_jwt()

    def _listen(self, track: rtc.Track, _publication: rtc.RemoteTrackPublication, person: rtc.RemoteParticipant) -> None:
        sides = sides_of(self._request, person.identity, person.kind)
        if track.kind == rtc.TrackKind.KIND_AUDIO and sides is not None:
            task = asyncio.create_task(self._hear(track, sides))
            self._listening.add(task)

    async def _hear(self, track: rtc.Track, sides: tuple[bool, bool]) -> None:
        """Frames follow each other; how late the first one is, and whatever is missing, is told by the clock that all tracks share."""
        stream, position = rtc.AudioStream(track, sample_rate=RATE, num_channels=1), -LATE
        try:
            async for event in stream:
                sound = np.frombuffer(event.frame.data, dtype=np.int16).copy()
                came = max(0, self._now() - len(sound))
                position = came if came - position >= LATE else position
                self._pieces.append(Piece(position, sides, sound))
                position += len(sound)
        finally:
            await stream.aclose()

    def _write(self, length: int) -> File:
        name = self._file_name()
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [ffmpeg_path(), "-nostdin", "-loglevel", "error", "-f", "s16le", "-ar", str(RATE), "-ac", "2", "-i", "pipe:0"]
        command += ["-c:a", "libopus", "-b:a", "96k", "-f", "ogg", str(target)]
        # ffmpeg reads the sound from its input, which -nostdin leaves alone.
        subprocess.run(command, input=mixed(self._pieces, length).tobytes(), check=True)
        ended = self._began + timedelta(seconds=length / RATE)
        return File(name, str(target), self._began, ended, target.stat().st_size)

    def _file_name(self) -> str:
        name = self._request.outputs[0].file.filepath
        known = {"room_name": self._room.name, "room_id": self._room.sid, "time": f"{self._began:%Y-%m-%dT%H%M%S}"}
        for word, value in known.items():
            name = name.replace(f"{{{word}}}", value)
        return name

    def _event(self, event: str, status: str, **more: Any) -> WebhookEvent:
        now = datetime.now(UTC)
        made = egress_event(
            event, f"EV_{uuid4().hex[:12]}", now, self._room, self.id, status, self._request, started_at=self._began, **more
        )
        made.egress_info.source_type = egress_pb.EgressSourceType.EGRESS_SOURCE_TYPE_SDK
        return made

    async def _tell(self, event: WebhookEvent) -> None:
        self.latest = event
        if self._webhook_url is not None:
            await asyncio.to_thread(post, self._webhook_url, body_of(event), self._key, self._secret)


def post(url: str, body: bytes, key: str, secret: str) -> None:
    headers = {"Authorization": sign(body, key, secret), "Content-Type": "application/webhook+json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        assert answer.status == 200


class RecordingRooms(LiveKitRooms):
    """LiveKit's API with an egress service behind it: recordings go into ``folder``. Needs no bucket; the credentials are left alone."""

    def __init__(self, url: str, key: str, secret: str, folder: Path, webhook_url: str | None = None, *, timeout_s: float = 5) -> None:
        super().__init__(url, key, secret, timeout_s=timeout_s)
        self._join = ("ws" + url.removeprefix("http"), key, secret)
        self._folder, self._webhook_url = folder, webhook_url
        self._recorders: dict[str, tuple[Recorder, asyncio.Task[None]]] = {}

    async def __aexit__(self, *raised: Any) -> None:
        for recorder, _ in self._recorders.values():
            recorder.stop()
        try:
            await asyncio.gather(*(task for _, task in self._recorders.values()))
        finally:
            await super().__aexit__(*raised)

    async def start_recording(self, room_name: str, layout: EgressLayout, file_path: str, bucket: RecordingBucket | None = None) -> str:
        seen = await self.room(room_name)
        if seen is None:
            raise LiveKitRefused("start a recording", "not_found", "requested room does not exist")
        room = Room(seen.sid, seen.name, seen.created_at or datetime.now(UTC))
        request = recording_request(room_name, layout, file_path, None)
        recorder = Recorder(*self._join, room, request, self._folder, self._webhook_url)
        self._recorders[recorder.id] = (recorder, asyncio.create_task(recorder.run()))
        return recorder.id

    async def stop_recording(self, egress_id: str) -> EgressFound:
        if egress_id not in self._recorders:
            raise LiveKitRefused("stop a recording", "not_found", "egress does not exist")
        recorder, _ = self._recorders[egress_id]
        recorder.stop()
        return egress_found(recorder.latest.egress_info)

    async def egresses(self, room_name: str | None = None) -> tuple[EgressFound, ...]:
        found = [egress_found(recorder.latest.egress_info) for recorder, _ in self._recorders.values()]
        return tuple(one for one in found if room_name in (None, one.room.name))

    async def until_active(self, egress_id: str) -> None:
        """Returns when the recording runs, or has ended without."""
        recorder, task = self._recorders[egress_id]
        active = asyncio.create_task(recorder.active.wait())
        await asyncio.wait({active, task}, return_when=asyncio.FIRST_COMPLETED)
        active.cancel()
        with suppress(asyncio.CancelledError):
            await active

    async def until_ended(self, egress_id: str) -> None:
        """Returns when the file is written and everybody told. Raises what went wrong."""
        await self._recorders[egress_id][1]
