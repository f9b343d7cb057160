"""Rooms on a real LiveKit server: made, read back, ended; its webhooks at our endpoint; and every way in which it can fail to answer."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from livekit import rtc
from livekit.api import LiveKitAPI
from livekit.protocol import egress as egress_pb
from livekit.protocol.room import ListRoomsRequest
from sqlalchemy import Engine, text

from api.app import create_app
from domain.egress_layout import EgressLayout, LayoutKind
from domain.grants import ParticipantType
from domain.recording_control import customer_apart, one_party
from resources.livekit_recording import RecordingBucket, egress_found, recording_request
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms, LiveKitUnreachable
from resources.objects import S3Connection
from tests.api.client import Issuer, settings
from tests.integration.livekit_calls import Client, all_hear_each_other, eventually, joined, loopback_socket, serving, token_for, tone
from tests.services import StartLiveKit

ROOM = "consultation_claims_20250303T150000Z_5f2b8c1d"
S3 = S3Connection(endpoint="http://127.0.0.1:9", access_key="AKIA-VERY-SECRET", secret_key="even-more-secret")


def test_a_room_is_made_and_read_back(livekit: StartLiveKit) -> None:
    server = livekit()

    async def run() -> None:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            made = await rooms.create_room(
                ROOM, metadata={"type": "claims"}, agent_name="assistant", empty_timeout_s=60, departure_timeout_s=20
            )
            again = await rooms.create_room(ROOM, metadata={"type": "quote"}, empty_timeout_s=60, departure_timeout_s=20)
            assert (made.name, made) == (ROOM, again) and made.sid.startswith("RM_") and made.created_at is not None
            seen = await rooms.room(ROOM)
            assert seen is not None and seen.sid == made.sid and seen.created_at == made.created_at
            other = await rooms.create_room(f"{ROOM}2", metadata={}, empty_timeout_s=60, departure_timeout_s=20)
            assert {room.sid for room in await rooms.rooms()} == {made.sid, other.sid}
            assert await rooms.room("nowhere") is None and await rooms.participants("nowhere") == ()
            await rooms.delete_room(ROOM)
            assert await rooms.room(ROOM) is None

    asyncio.run(run())


def test_a_room_has_what_it_was_asked_to_have(livekit: StartLiveKit) -> None:
    server = livekit()

    async def run() -> None:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms, LiveKitAPI(server.url, server.key, server.secret) as bare:
            await rooms.create_room(
                ROOM, metadata={"type": "claims"}, max_participants=3, agent_name="assistant", empty_timeout_s=61, departure_timeout_s=21
            )
            (room,) = (await bare.room.list_rooms(ListRoomsRequest())).rooms
            assert (room.empty_timeout, room.departure_timeout, room.max_participants) == (61, 21, 3)
            assert json.loads(room.metadata) == {"type": "claims"}
            assert [dispatch.agent_name for dispatch in await bare.agent_dispatch.list_dispatch(ROOM)] == ["assistant"]

    asyncio.run(run())


def test_participants_are_listed_removed_and_sent_home_with_the_room(livekit: StartLiveKit) -> None:
    server = livekit()

    async def run() -> None:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            await rooms.create_room(ROOM, metadata={}, empty_timeout_s=60, departure_timeout_s=20)
            async with (
                joined(server.ws_url, token_for(server, ROOM, ParticipantType.CUSTOMER)) as customer,
                joined(server.ws_url, token_for(server, ROOM, ParticipantType.SUPERVISOR)) as supervisor,
            ):
                people = {person.identity: person for person in await rooms.participants(ROOM)}
                assert {who: (person.sid, person.stated_role) for who, person in people.items()} == {
                    "prt_customer": (customer.sid, "customer"),
                    "prt_supervisor": (supervisor.sid, "supervisor"),
                }
                await rooms.remove_participant(ROOM, "prt_customer")
                await customer.until(lambda: not customer.room.isconnected())
                await rooms.delete_room(ROOM)
                await supervisor.until(lambda: not supervisor.room.isconnected())

    asyncio.run(run())


def test_who_only_watches_takes_nobodys_place_and_keeps_no_room_open(livekit: StartLiveKit) -> None:
    server = livekit()

    def enters(kind: ParticipantType, identity: str) -> AbstractAsyncContextManager[Client]:
        return joined(server.ws_url, token_for(server, ROOM, kind, identity))

    async def run() -> None:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms, AsyncExitStack() as watching:
            await rooms.create_room(ROOM, metadata={}, empty_timeout_s=60, departure_timeout_s=1, max_participants=2)
            supervisors = [await watching.enter_async_context(enters(ParticipantType.SUPERVISOR, f"boss-{number}")) for number in range(3)]
            async with enters(ParticipantType.CUSTOMER, "anna") as customer, enters(ParticipantType.AGENT, "bert") as agent:
                await all_hear_each_other([customer, agent], supervisors)
                assert (customer.others, agent.others) == ({"bert"}, {"anna"})
                with pytest.raises(rtc.ConnectError):  # two are in, whoever watches
                    async with enters(ParticipantType.PARTNER, "clara"):
                        raise AssertionError("a third one was let in")
            for supervisor in supervisors:
                await supervisor.until(lambda supervisor=supervisor: not supervisor.room.isconnected())  # type: ignore[misc]
            assert await rooms.room(ROOM) is None

    asyncio.run(run())


def test_what_is_not_there_is_told_apart_from_other_refusals(livekit: StartLiveKit) -> None:
    server = livekit()

    async def run() -> None:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            for asked in (rooms.delete_room("nowhere"), rooms.remove_participant("nowhere", "nobody")):
                with pytest.raises(LiveKitRefused) as refused:
                    await asked
                assert refused.value.not_found
        async with LiveKitRooms(server.url, server.key, "not-the-secret-of-this-server-at-all") as stranger:
            with pytest.raises(LiveKitRefused, match="LIVEKIT_API_SECRET") as refused:
                await stranger.rooms()
            assert refused.value.code == "unauthenticated"

    asyncio.run(run())


def test_a_server_without_redis_says_that_it_cannot_record(livekit: StartLiveKit) -> None:
    server = livekit()

    async def run() -> None:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            await rooms.create_room(ROOM, metadata={}, empty_timeout_s=60, departure_timeout_s=20)
            for asked in (
                rooms.start_recording(ROOM, customer_apart("prt_1", ["prt_2"]), "{room_name}/{time}.ogg"),
                rooms.stop_recording("EG_1"),
                rooms.egresses(),
                rooms.egresses(ROOM),
            ):
                with pytest.raises(LiveKitRefused, match="egress service") as refused:
                    await asked
                assert (refused.value.code, refused.value.reason) == ("internal", "egress not connected (redis required)")

    asyncio.run(run())


def test_a_server_that_dies_in_mid_call_is_unreachable_and_has_forgotten_the_room(livekit: StartLiveKit) -> None:
    server = livekit()

    async def run() -> None:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            await rooms.create_room(ROOM, metadata={}, empty_timeout_s=60, departure_timeout_s=20)
            async with joined(server.ws_url, token_for(server, ROOM, ParticipantType.CUSTOMER)) as customer:
                await customer.speak(tone(440, 0.2))
                server.kill()
                with pytest.raises(LiveKitUnreachable, match=f"127.0.0.1:{server.port}"):
                    await rooms.room(ROOM)
                await customer.until(lambda: not customer.connected)
            server.restart()
            assert await rooms.room(ROOM) is None

    asyncio.run(run())


def test_its_webhooks_reach_our_endpoint(livekit: StartLiveKit, engine: Engine) -> None:
    listening = loopback_socket()
    server = livekit(f"http://127.0.0.1:{listening.getsockname()[1]}/api/livekit/webhook")
    ours = settings(livekit_api_key=server.key, livekit_api_secret=server.secret)

    async def run() -> dict[str, tuple[str, str]]:
        who = (ParticipantType.CUSTOMER, ParticipantType.AI, ParticipantType.AGENT, ParticipantType.SUPERVISOR)
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms, AsyncExitStack() as call:
            made = await rooms.create_room(ROOM, metadata={"type": "claims"}, empty_timeout_s=60, departure_timeout_s=20)
            people = [await call.enter_async_context(joined(server.ws_url, token_for(server, ROOM, kind))) for kind in who]
            customer, ai, agent, supervisor = people
            expected = {customer.sid: "customer", ai.sid: "assistant", agent.sid: "agent"}
            await all_hear_each_other([customer], [agent])
            await asyncio.gather(customer.speak(tone(440, 0.5)), agent.until_heard("prt_customer", 440))
            for person in (ai, supervisor, agent, customer):
                await person.close()
            await rooms.delete_room(ROOM)
            return {made.sid: ("claims", ROOM)} | {sid: (role, made.sid) for sid, role in expected.items()}

    with serving(create_app(ours, engine, Issuer().identities), listening):
        expected = asyncio.run(run())
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            finished = "SELECT count(*) FROM webhook_events WHERE event_type IN ('room_finished', 'participant_left')"
            eventually(lambda: connection.execute(text(finished)).scalar_one() == 5)
            people = connection.execute(
                text(
                    "SELECT p.sid, p.role, c.room_sid, p.left_at IS NOT NULL, p.microphone_at IS NOT NULL"
                    " FROM participants p JOIN video_consultations c ON c.id = p.consultation_id"
                )
            ).all()
            calls = connection.execute(
                text("SELECT room_sid, consultation_type, room_name, ended_at IS NOT NULL, escalated_to_human FROM video_consultations")
            ).all()
            waiting = connection.execute(text("SELECT count(*) FROM webhook_events WHERE applied_at IS NULL")).scalar_one()
            types = set(connection.execute(text("SELECT DISTINCT event_type FROM webhook_events")).scalars())
    assert {row[0]: (row[1], row[2]) for row in people} | {row[0]: (row[1], row[2]) for row in calls} == expected
    assert all(row[3] for row in people) and all(row[3:] == (True, True) for row in calls) and waiting == 0
    assert [row[1] for row in people if row[4]] == ["customer"]
    assert types == {"room_started", "participant_joined", "track_published", "track_unpublished", "participant_left", "room_finished"}


class Answering(BaseHTTPRequestHandler):
    """Something that answers in LiveKit's place, in the way that ``answer`` says; with None it never does. It lists no egress."""

    answer: ClassVar[tuple[int, str, bytes] | None] = None
    over: ClassVar[threading.Event]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.answer is None:
            self.over.wait(30)
            return
        status, kind, body = (200, "application/protobuf", b"") if self.path.endswith("/ListEgress") else self.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def in_its_place(status: int = 0, kind: str = "", body: bytes = b"") -> Iterator[str]:
    over = threading.Event()
    handler = type("Handler", (Answering,), {"answer": (status, kind, body) if status else None, "over": over})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            over.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((0, "", b""), "within 0.3 s"),
        ((502, "text/html", b"<h1>Bad gateway</h1>"), "HTTP 502"),
        ((200, "text/html", b"<h1>It works!</h1>"), "not LiveKit"),
    ],
)
def test_whatever_else_is_there_or_is_silent_is_unreachable(answer: tuple[int, str, bytes], told: str) -> None:
    async def run(url: str) -> None:
        async with LiveKitRooms(url, "key", "a-secret-that-is-long-enough-for-hs256", timeout_s=0.3) as rooms:
            with pytest.raises(LiveKitUnreachable, match=told):
                await rooms.rooms()

    with in_its_place(*answer) as url:
        asyncio.run(run(url))


def test_nobody_there_is_unreachable() -> None:
    async def run() -> None:
        async with LiveKitRooms("ws://127.0.0.1:9", "key", "a-secret-that-is-long-enough-for-hs256") as rooms:
            with pytest.raises(LiveKitUnreachable, match=r"127\.0\.0\.1:9 "):
                await rooms.create_room(ROOM, metadata={}, empty_timeout_s=60, departure_timeout_s=20)

    asyncio.run(run())


def test_keys_of_the_bucket_never_show() -> None:
    bucket = RecordingBucket(S3, "intake")
    keys = ("AKIA-VERY-SECRET", "even-more-secret")
    refusal = json.dumps({"code": "invalid_argument", "msg": f"cannot upload with {keys[0]} and {keys[1]}"}).encode()

    async def run(url: str) -> str:
        async with LiveKitRooms(url, "key", "a-secret-that-is-long-enough-for-hs256") as rooms:
            with pytest.raises(LiveKitRefused, match="cannot upload") as refused:
                await rooms.start_recording(ROOM, one_party("prt_1"), "x.ogg", bucket)
            return repr(refused.value) + refused.value.reason

    with in_its_place(400, "application/json", refusal) as url:
        told = asyncio.run(run(url))
    request = recording_request(ROOM, one_party("prt_1"), "x.ogg", bucket)
    assert request.storage.s3.secret == keys[1]
    info = egress_pb.EgressInfo(egress_id="EG_1", room_name=ROOM, status="EGRESS_ACTIVE", egress=request)
    for shown in (told, repr(bucket), repr(egress_found(info))):
        assert not [key for key in keys if key in shown]


def test_a_recording_asks_for_the_customer_left_and_everybody_else_right() -> None:
    layout = customer_apart("prt_1", ["prt_2", "prt_3"])
    request = recording_request(ROOM, layout, "{room_name}/{time}.ogg", RecordingBucket(S3, "intake"))
    asked = [(r.participant_identity or r.participant_kind, r.channel) for r in request.media.audio.routes]
    left, right = egress_pb.AudioChannel.AUDIO_CHANNEL_LEFT, egress_pb.AudioChannel.AUDIO_CHANNEL_RIGHT
    assert asked == [("prt_1", left), ("prt_2", right), ("prt_3", right), (4, right)]  # 4 is the kind AGENT
    assert request.media.audio.capture_all and request.outputs[0].file.filepath == "{room_name}/{time}.ogg"
    assert (request.storage.s3.bucket, request.storage.s3.force_path_style) == ("intake", True)
    info = egress_pb.EgressInfo(egress_id="EG_1", room_name=ROOM, status="EGRESS_ACTIVE", egress=request)
    assert egress_found(info).egress.layout == layout


def test_a_file_of_one_party_has_nobody_else_in_it() -> None:
    request = recording_request(ROOM, one_party("prt_1"), "x.ogg", None)
    assert not request.media.audio.capture_all and not request.HasField("storage")
    assert [r.participant_identity for r in request.media.audio.routes] == ["prt_1"]


@pytest.mark.parametrize("kind", [kind for kind in LayoutKind if kind not in (LayoutKind.ROUTES, LayoutKind.ONE_PARTICIPANT)])
def test_no_other_layout_is_asked_for(kind: LayoutKind) -> None:
    with pytest.raises(ValueError, match=kind):
        recording_request(ROOM, EgressLayout(kind), "x.ogg", None)
