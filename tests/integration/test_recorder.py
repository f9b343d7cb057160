"""The stand-in for egress does what the real one would: otherwise whatever is tested with it proves nothing."""

import asyncio
import itertools
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from livekit.protocol import models as models_pb
from numpy.typing import NDArray
from sqlalchemy import Engine, text

from api.app import create_app
from domain.call_events import EgressStatus
from domain.grants import ParticipantType
from domain.recording_control import customer_apart, one_party
from resources.livekit_recording import EgressFound, recording_request
from resources.livekit_rooms import LiveKitRefused
from resources.media import decode, probe
from tests.api.client import Issuer, settings
from tests.integration.livekit_calls import RATE, all_hear_each_other, joined, loopback_socket, pitch_of, serving, sound_of, token_for, tone
from tests.integration.media_files import SPEECH
from tests.integration.recorder import LEFT, RIGHT, Piece, RecordingRooms, mixed, sides_of
from tests.services import StartLiveKit

ROOM = "consultation_quote_20250303T150000Z_77d0aa41"
PATH = "{room_name}/{time}.ogg"
WHO = (ParticipantType.CUSTOMER, ParticipantType.AGENT)
STANDARD, AGENT = models_pb.ParticipantInfo.Kind.STANDARD, models_pb.ParticipantInfo.Kind.AGENT
SOUND_HZ = 16_000


def spoken(sound: NDArray[np.int16]) -> list[tuple[int, float]]:
    """What is heard one after the other, as (Hz, from which second on). What lasts less than 0.3 s is the edge of a tone, or noise."""
    tenth = SOUND_HZ // 10
    each = [pitch_of(sound[begin : begin + tenth]) * SOUND_HZ / RATE for begin in range(0, len(sound) - tenth, tenth)]
    heard: list[tuple[int, float]] = []
    for pitch, group in itertools.groupby(enumerate(each), lambda pair: round(pair[1], -2)):
        windows = list(group)
        if pitch and len(windows) >= 3 and (not heard or heard[-1][0] != pitch):
            heard.append((int(pitch), windows[0][0] / 10))
    return heard


def test_a_call_is_recorded_with_the_customer_left_and_announced(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    listening = loopback_socket()
    hook = f"http://127.0.0.1:{listening.getsockname()[1]}/api/livekit/webhook"
    server = livekit(hook)
    ours = settings(livekit_api_key=server.key, livekit_api_secret=server.secret)

    async def run() -> str:
        async with RecordingRooms(server.url, server.key, server.secret, tmp_path, hook) as rooms, AsyncExitStack() as call:
            await rooms.create_room(ROOM, metadata={"type": "quote"}, empty_timeout_s=60, departure_timeout_s=20)
            people = [await call.enter_async_context(joined(server.ws_url, token_for(server, ROOM, kind))) for kind in WHO]
            customer, agent = people
            await all_hear_each_other(people)
            egress_id = await rooms.start_recording(ROOM, customer_apart("prt_customer", ["prt_agent"]), PATH)
            await rooms.until_active(egress_id)
            await agent.until(lambda: agent.room.is_recording)
            await customer.speak(tone(400, 0.8))
            await agent.speak(tone(1000, 0.8))
            # Who comes later is put where they speak, not at the beginning.
            ai = await call.enter_async_context(joined(server.ws_url, token_for(server, ROOM, ParticipantType.AI)))
            await all_hear_each_other([*people, ai])
            await ai.speak(tone(2000, 0.8))
            assert customer.others == {"prt_agent", "prt_ai"}  # the recorder is not seen
            (running,) = await rooms.egresses(ROOM)
            assert (running.egress.id, running.egress.status) == (egress_id, EgressStatus.ACTIVE)
            await asyncio.gather(customer.speak(tone(600, 0.8)), agent.speak(tone(1500, 0.8)), agent.until_heard("prt_customer", 600))
            await rooms.stop_recording(egress_id)
            await rooms.until_ended(egress_id)
            return egress_id

    with serving(create_app(ours, engine, Issuer().identities), listening):
        egress_id = asyncio.run(run())
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT r.egress_id, r.egress_status, r.layout, r.flags, r.file_name, r.announced_bytes, r.announced_duration_ms,"
                " c.room_name FROM recordings r JOIN video_consultations c ON c.id = r.consultation_id"
            )
        ).one()
        told = connection.execute(text("SELECT egress_status FROM webhook_events WHERE egress_id IS NOT NULL ORDER BY id")).scalars().all()
        roles = set(connection.execute(text("SELECT role FROM participants")).scalars())
    assert told == ["EGRESS_STARTING", "EGRESS_ACTIVE", "EGRESS_ENDING", "EGRESS_COMPLETE"]
    assert roles == {"customer", "agent", "assistant"}  # an egress is nobody
    assert (row.egress_id, row.egress_status, row.flags, row.room_name) == (egress_id, "EGRESS_COMPLETE", [], ROOM)
    assert [route["channel"] for route in row.layout["routes"]] == ["left", "right", "right"]
    file = tmp_path / row.file_name
    info = probe(file)
    assert (info.codec, info.channels, file.stat().st_size) == ("opus", 2, row.announced_bytes)
    assert abs(info.duration_ms - row.announced_duration_ms) < 100
    left, right = decode(file, tmp_path, info)
    customers, others = spoken(left[:]), spoken(right[:])
    assert [pitch for pitch, _ in customers] == [400, 600] and [pitch for pitch, _ in others] == [1000, 2000, 1500]
    in_order = sorted([*customers, *others], key=lambda heard: heard[1])
    assert [pitch for pitch, _ in in_order[:3]] == [400, 1000, 2000] and {pitch for pitch, _ in in_order[3:]} == {600, 1500}


def test_it_ends_with_the_room(livekit: StartLiveKit, tmp_path: Path) -> None:
    server = livekit()

    async def run() -> None:
        async with RecordingRooms(server.url, server.key, server.secret, tmp_path) as rooms:
            with pytest.raises(LiveKitRefused, match="room does not exist") as refused:
                await rooms.start_recording(ROOM, one_party("prt_customer"), PATH)
            assert refused.value.not_found
            await rooms.create_room(ROOM, metadata={}, empty_timeout_s=60, departure_timeout_s=20)
            egress_id = await rooms.start_recording(ROOM, one_party("prt_customer"), PATH)
            await rooms.until_active(egress_id)
            await rooms.delete_room(ROOM)
            await rooms.until_ended(egress_id)
            (ended,) = await rooms.egresses()
            assert ended.egress.status is EgressStatus.COMPLETE and (tmp_path / ended.egress.files[0].name).is_file()

    asyncio.run(run())


def test_an_egress_that_cannot_join_ends_as_failed(livekit: StartLiveKit, tmp_path: Path) -> None:
    server = livekit()

    async def run() -> EgressFound:
        async with RecordingRooms(server.url, server.key, server.secret, tmp_path) as rooms:
            await rooms.create_room(ROOM, metadata={}, empty_timeout_s=60, departure_timeout_s=20)
            egress_id = await rooms.start_recording(ROOM, one_party("prt_customer"), PATH)
            server.kill()  # before the recorder's first step
            await rooms.until_active(egress_id)
            await rooms.until_ended(egress_id)
            return (await rooms.egresses())[0]

    ended = asyncio.run(run())
    assert (ended.egress.status, ended.egress.files) == (EgressStatus.FAILED, ()) and not [*tmp_path.iterdir()]


def test_routes_go_by_identity_first_then_by_kind() -> None:
    two = recording_request(ROOM, customer_apart("prt_1", ["prt_2"]), PATH, None)
    assert (sides_of(two, "prt_1", STANDARD), sides_of(two, "prt_2", STANDARD)) == (LEFT, RIGHT)
    assert (sides_of(two, "prt_9", AGENT), sides_of(two, "prt_9", STANDARD)) == (RIGHT, (True, True))
    one = recording_request(ROOM, one_party("prt_1"), PATH, None)
    assert (sides_of(one, "prt_1", STANDARD), sides_of(one, "prt_2", STANDARD)) == ((True, True), None)


def test_voices_add_up_and_what_comes_after_the_end_is_left_out() -> None:
    ones, loud = np.ones(4, np.int16), np.full(4, 30_000, np.int16)
    both = mixed([Piece(1, LEFT, ones), Piece(2, (True, True), loud), Piece(3, RIGHT, loud), Piece(9, LEFT, ones)], 5).reshape(-1, 2)
    assert both[:, 0].tolist() == [0, 1, 30_001, 30_001, 30_001]
    assert both[:, 1].tolist() == [0, 0, 30_000, 32_767, 32_767]


def test_any_sound_file_can_be_spoken() -> None:
    """The helper that calls are held with: eleven seconds of stereo at 44.1 kHz become mono at the rate of a call."""
    assert abs(len(sound_of(SPEECH)) - 11 * RATE) < RATE // 10
