"""Calls that were recorded in several files, with a tone for sound and given words: what was said is the test's, everything behind it is not."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from livekit.protocol import egress as egress_pb

from assets.services import Services
from demo.livekit_events import File, Person, Room, audio_track_event, egress_event, participant_event, room_event, routes
from domain.transcripts import Word
from resources.livekit import read_event
from resources.media import ffmpeg_path
from resources.speech.transcription import Heard, HeardChannel
from resources.store.database import engine_for
from resources.store.inbox import Inbox
from tests.assets.archive_world import START, World

WORD_MS = 300
RATE_HZ = 16_000
CALL = Room("RM_x", f"consultation_training_20250303T150000Z_{'0' * 23}9", START)
AGENT, PARTNER = Person("PA_a", "agt_1", "agent", START), Person("PA_p", "par_1", "partner", START)

Line = tuple[int, float, str]
"""Channel, seconds from the file's start, words."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One file of the call: of one person, of all ``mixed``, or with the agent left and the partner right. ``from_s`` counts from the call's start."""

    name: str
    said: Sequence[Line]
    whose: Person | None = None
    from_s: float = 0
    seconds: int = 60
    mixed: bool = False

    @property
    def channels(self) -> int:
        return 1 if self.whose or self.mixed else 2

    @property
    def request(self) -> egress_pb.ParticipantEgressRequest | egress_pb.RoomCompositeEgressRequest | egress_pb.StartEgressRequest:
        """What egress was asked for."""
        if self.whose:
            return egress_pb.ParticipantEgressRequest(room_name=CALL.name, identity=self.whose.identity)
        return egress_pb.RoomCompositeEgressRequest(room_name=CALL.name) if self.mixed else routes([AGENT.identity], [PARTNER.identity])


def happened(world: World, files: Sequence[Recorded], *, begun: bool = True) -> None:
    """The webhooks of the call, which is over, and of these files of it. ``begun``: False where the others told of the call before."""
    over = START + timedelta(seconds=600)
    events = []
    if begun:
        events.append(room_event("room_started", "EV_1", START, CALL))
        for person in (AGENT, PARTNER):
            events.append(participant_event("participant_joined", f"EV_j{person.sid}", START, CALL, person))
            events.append(audio_track_event("track_published", f"EV_t{person.sid}", START, CALL, person, f"TR_{person.sid}"))
    for one in files:
        name, start = f"recordings/{one.name}.ogg", START + timedelta(seconds=one.from_s)
        end = start + timedelta(seconds=one.seconds)
        size = _tone(world.intake / name, one.seconds, one.channels)
        events.append(
            egress_event(
                "egress_ended", f"EV_e{one.name}", end, CALL, f"EG_{one.name}", "EGRESS_COMPLETE", one.request,
                started_at=start, ended_at=end, files=[File(name, name, start, end, size)],
            )
        )  # fmt: skip
    if begun:
        events.append(room_event("room_finished", "EV_f", over, CALL))
    engine = engine_for(world.database_url)
    for event in events:
        Inbox(engine).receive(read_event(event), "{}")
    engine.dispose()


def hear(patch: pytest.MonkeyPatch, files: Sequence[Recorded]) -> None:
    """The speech model hears these words, in the order in which the files came."""
    coming = [heard(one) for one in files]
    patch.setattr("assets.transcripts.transcribe", lambda model, pcm, on_progress=None: coming.pop(0))
    patch.setattr(Services, "speech", None)


def heard(one: Recorded) -> Heard:
    channels: list[list[Word]] = [[] for _ in range(one.channels)]
    for channel, at_s, text in one.said:
        begin = round(at_s * 1000)
        channels[channel] += [Word(word, begin + n * WORD_MS, begin + (n + 1) * WORD_MS - 50, 0.97) for n, word in enumerate(text.split())]
    return Heard(tuple(_channel(words) for words in channels), one.seconds * 1000, False, "en")


def _channel(words: Sequence[Word]) -> HeardChannel:
    spans = tuple((word.start_ms, word.end_ms) for word in words)
    return HeardChannel(tuple(words), spans, spans, sum(end - start for start, end in spans), 0)


def _tone(path: Path, seconds: int, channels: int) -> int:
    """Loud all the time, so that silence can be told; returns the file's size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(seconds * RATE_HZ) / RATE_HZ
    sound = np.stack([np.sin(2 * np.pi * (300 + 200 * channel) * times) * 12_000 for channel in range(channels)], 1).astype("<i2")
    command = [ffmpeg_path(), "-nostdin", "-loglevel", "error", "-y", "-f", "s16le", "-ar", str(RATE_HZ), "-ac", str(channels)]
    coded = ["-c:a", "libopus", "-b:a", f"{48 * channels}k", str(path)]
    subprocess.run([*command, "-i", "pipe:0", *coded], input=sound.tobytes(), check=True)
    return path.stat().st_size
