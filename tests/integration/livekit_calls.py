"""Real calls through LiveKit's RTC SDK: joining with a token, speaking, hearing the others; and the real API, served to webhooks.

Sound passes in real time, as in any call: a second of speech takes a second.
"""

import asyncio
import socket
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI
from livekit import rtc
from numpy.typing import NDArray

from domain.grants import ParticipantType, grants_of, stated_role
from resources.livekit_tokens import mint
from resources.media import ffmpeg_path
from tests.livekit_server import LiveKitServer

RATE = 48_000
FRAME = RATE // 100
PATIENCE_S = 30.0

Samples = NDArray[np.int16]


def tone(frequency_hz: float, seconds: float) -> Samples:
    at = np.arange(round(RATE * seconds)) / RATE
    return np.asarray(12_000 * np.sin(2 * np.pi * frequency_hz * at), dtype=np.int16)


def sound_of(file: Path) -> Samples:
    """Any sound file, mixed down to mono at RATE."""
    command = [ffmpeg_path(), "-nostdin", "-loglevel", "error", "-i", str(file), "-ac", "1", "-ar", str(RATE), "-f", "s16le", "pipe:1"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, dtype=np.int16)


def pitch_of(sound: Samples) -> float:
    """The strongest frequency in Hz; 0 for silence."""
    if len(sound) == 0 or int(np.abs(sound.astype(np.int32)).max()) < 200:
        return 0.0
    spectrum = np.abs(np.fft.rfft(sound.astype(np.float64) * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * RATE / len(sound))


class Client:
    """A participant. ``heard`` has the sound of every other one by identity, as it came in, without the gaps; ``hearing`` says whose sound
    would come in, were there any; ``read`` is the data that came; ``removed``: the server has sent it away.
    """

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.heard: defaultdict[str, list[Samples]] = defaultdict(list)
        self.hearing: set[str] = set()
        self.read: list[str] = []
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._microphone: rtc.AudioSource | None = None
        self.room.on("track_subscribed", self._listen)
        self.room.on("data_received", lambda packet: self.read.append(packet.data.decode()))
        self.removed = False
        self.room.on("disconnected", self._ended)
        for event in ("participant_connected", "participant_disconnected", "disconnected", "track_published", "connection_state_changed"):
            self.room.on(event, self._tell)

    @property
    def sid(self) -> str:
        return str(self.room.local_participant.sid)

    @property
    def identity(self) -> str:
        return str(self.room.local_participant.identity)

    @property
    def connected(self) -> bool:
        """False also while it tries to get back."""
        return bool(self.room.connection_state == rtc.ConnectionState.CONN_CONNECTED)

    @property
    def others(self) -> set[str]:
        return {person.identity for person in self.room.remote_participants.values()}

    @property
    def published(self) -> set[tuple[str, str]]:
        """Who of the others publishes what: (identity, track SID)."""
        return {(person.identity, sid) for person in self.room.remote_participants.values() for sid in person.track_publications}

    async def open_microphone(self) -> rtc.AudioSource:
        if self._microphone is None:
            self._microphone = rtc.AudioSource(RATE, 1)
            await self.publish(rtc.LocalAudioTrack.create_audio_track("microphone", self._microphone), rtc.TrackSource.SOURCE_MICROPHONE)
        return self._microphone

    async def speak(self, sound: Samples) -> None:
        """Says it into the microphone and returns when all of it is out. Who does not hear yet misses it: see ``all_hear_each_other``."""
        microphone = await self.open_microphone()
        padded = np.concatenate([sound, np.zeros(-len(sound) % FRAME, np.int16)])
        for begin in range(0, len(padded), FRAME):
            await microphone.capture_frame(rtc.AudioFrame(padded[begin : begin + FRAME].tobytes(), RATE, 1, FRAME))
        await microphone.wait_for_playout()

    async def publish(self, track: rtc.LocalTrack, source: "rtc.TrackSource.ValueType") -> None:
        """Raises what the SDK raises where the server refuses; a server that does not answer is a refusal, too."""
        await asyncio.wait_for(self.room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=source)), PATIENCE_S)

    async def until(self, so: Callable[[], bool]) -> None:
        """Waits for what some event of the room or some sound brings about; fails after PATIENCE_S."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(so)

    def heard_from(self, identity: str) -> Samples:
        return np.concatenate([np.zeros(0, np.int16), *self.heard[identity]])

    async def until_heard(self, identity: str, pitch_hz: float) -> None:
        """Until the last tenth of a second of somebody's sound has this pitch, give or take 15 Hz."""
        await self.until(lambda: abs(pitch_of(self.heard_from(identity)[-RATE // 10 :]) - pitch_hz) < 15)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()

    def _listen(self, track: rtc.Track, _publication: rtc.RemoteTrackPublication, person: rtc.RemoteParticipant) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self.hearing.add(person.identity)
            self._spawn(self._hear(track, person.identity))

    async def _hear(self, track: rtc.Track, identity: str) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1)
        await self._notify()
        try:
            async for event in stream:
                self.heard[identity].append(np.frombuffer(event.frame.data, dtype=np.int16).copy())
                await self._notify()
        finally:
            await stream.aclose()

    def _ended(self, reason: "rtc.DisconnectReason.ValueType") -> None:
        self.removed = reason == rtc.DisconnectReason.PARTICIPANT_REMOVED

    def _tell(self, *_: object) -> None:
        self._spawn(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def joined(ws_url: str, token: str) -> AsyncIterator[Client]:
    """In the room until the block ends. Raises rtc.ConnectError where the server does not let the token in."""
    client = Client()
    await client.room.connect(ws_url, token)
    try:
        yield client
    finally:
        await client.close()


async def all_hear_each_other(speakers: Sequence[Client], listeners: Sequence[Client] = ()) -> None:
    """Opens the speakers' microphones and waits until each is heard by all the others."""
    for speaker in speakers:
        await speaker.open_microphone()
    for client in (*speakers, *listeners):
        expected = {speaker.identity for speaker in speakers if speaker is not client}
        await client.until(lambda client=client, expected=expected: client.hearing >= expected)  # type: ignore[misc]


def token_for(server: LiveKitServer, room_name: str, kind: ParticipantType, identity: str = "", *, trainer: bool = False) -> str:
    """A token as the API mints it; without an identity it is prt_<type>."""
    return mint(
        server.key,
        server.secret,
        room_name=room_name,
        identity=identity or f"prt_{kind}",
        name=kind.title(),
        grants=grants_of(kind, trainer=trainer),
        role=stated_role(kind),
    )


def loopback_socket() -> socket.socket:
    """A listening socket, so that its address is known before anybody serves on it."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(64)
    return listening


@contextmanager
def serving(app: FastAPI, listening: socket.socket) -> Iterator[None]:
    """The application on a real server in a thread of its own, until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started)
        yield
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        listening.close()


def eventually(so: Callable[[], bool]) -> None:
    """For what another process brings about and tells nobody: looks again and again, and fails after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
