"""LiveKit opens a room for whoever comes with a token: also for a call that is over, or that it lost. Such a room is no call and is closed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest
from livekit import rtc
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select

from api.app import create_app
from demo.livekit_events import File, Room, body_of, egress_event, room_event, routes
from domain.grants import ParticipantType
from domain.roles import Role
from resources.livekit import read_stored
from resources.livekit_rooms import LiveKitRooms, LiveKitUnreachable
from resources.objects import FolderStore
from resources.reconciliation import Reconciliation
from resources.room_promises import RoomPromises
from resources.store import trainings
from resources.store.inbox import Inbox, Outcome
from resources.tables import consultations, participants, recordings, webhook_events
from tests.api.client import Issuer, settings
from tests.integration.faulty_livekit import heard, rows
from tests.integration.livekit_calls import all_hear_each_other, eventually, joined, loopback_socket, serving, token_for
from tests.integration.recorder import post
from tests.livekit_server import LiveKitServer
from tests.services import StartLiveKit

ANNA, BERT = UUID(int=1), UUID(int=3)
ISSUER = Issuer()


class Api:
    """The API, to which LiveKit's webhooks come where ``told``."""

    def __init__(self, url: str, server: LiveKitServer, engine: Engine) -> None:
        self.url, self.server, self.engine = url, server, engine
        self.hook = f"{url}/api/livekit/webhook"

    def begin(self) -> Any:
        anna = ISSUER.headers(Role.CUSTOMER, subject=str(ANNA))
        answer = httpx.post(f"{self.url}/api/livekit/consultation", json={"type": "claims"}, headers=anna, timeout=60)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def call(self) -> Any:
        """The one row that there is: a room that came again is none."""
        (row,) = rows(self.engine)
        return row

    def rooms(self) -> set[str]:
        return {room.sid for room in asking(self.server, lambda rooms: rooms.rooms())}


def asking(server: LiveKitServer, ask: Any) -> Any:
    async def run() -> Any:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            return await ask(rooms)

    return asyncio.run(run())


@contextmanager
def api_with(engine: Engine, livekit: StartLiveKit, *, told: bool = True) -> Iterator[Api]:
    listening = loopback_socket()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = livekit(f"{url}/api/livekit/webhook" if told else None)
    ours = settings(livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=SecretStr(server.secret))
    with serving(create_app(ours, engine, ISSUER.identities), listening):
        yield Api(url, server, engine)


@pytest.fixture(autouse=True)
def _only_by_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.room_promises.SWEEP_S", 3600)
    monkeypatch.setattr("resources.room_promises.RETRY_S", 0.1)


@pytest.fixture
def api(engine: Engine, livekit: StartLiveKit) -> Iterator[Api]:
    with api_with(engine, livekit) as opened:
        yield opened


async def until_sent_away(api: Api, token: str) -> None:
    """Comes with a token, and is in a room until that is closed, which can be before the connection is whole."""
    with suppress(rtc.ConnectError):
        async with joined(api.server.ws_url, token) as client:
            await client.until(lambda: not client.room.isconnected())


def test_a_call_that_livekit_lost_is_over_although_its_people_come_back(api: Api, engine: Engine) -> None:
    begun = api.begin()

    async def run() -> None:
        agent = token_for(api.server, begun["room_name"], ParticipantType.AGENT, str(BERT))
        async with joined(begun["url"], begun["token"]) as first, joined(begun["url"], agent) as second:
            await all_hear_each_other([first, second])
            await asyncio.to_thread(eventually, lambda: heard(engine).count("participant_joined") == 2)
            await asyncio.to_thread(api.server.restart)  # SIGKILL: nobody is told, and all clients try to get back
            for client in (first, second):
                await client.until(lambda client=client: not client.room.isconnected())  # type: ignore[misc]
        await until_sent_away(api, begun["token"])  # a token that is still good opens a room once more

    asyncio.run(run())
    assert heard(engine).count("room_started") >= 2, "a room has come again"
    eventually(lambda: api.rooms() == set())
    call = api.call()
    assert (str(call.id), call.customer_id) == (begun["consultation_id"], ANNA) and call.ended_at is not None
    with engine.connect() as connection:
        people = connection.execute(select(participants)).all()
        lost = connection.scalars(select(webhook_events.c.sent_at).where(webhook_events.c.room_sid == call.room_sid)).all()
    assert {person.identity for person in people} == {str(ANNA), str(BERT)}
    assert all(person.joined_at <= person.left_at <= call.ended_at for person in people) and call.ended_at == max(lost)
    again = api.begin()
    assert again["consultation_id"] != begun["consultation_id"], "she begins another"


def test_an_old_token_opens_no_call_that_is_over_anew(api: Api, engine: Engine) -> None:
    begun = api.begin()
    asking(api.server, lambda rooms: rooms.delete_room(begun["room_name"]))
    eventually(lambda: api.call().ended_at is not None)
    before = api.call()
    for _ in range(2):
        asyncio.run(until_sent_away(api, begun["token"]))
    eventually(lambda: heard(engine).count("room_finished") == heard(engine).count("room_started") >= 3 and api.rooms() == set())
    after = api.call()
    assert (after.id, after.room_sid, after.started_at, after.ended_at) == (before.id, before.room_sid, before.started_at, before.ended_at)


def test_what_was_recorded_of_the_call_is_still_its_own(api: Api, engine: Engine) -> None:
    begun = api.begin()
    before, now = api.call(), datetime.now(UTC)
    api.server.restart()
    asyncio.run(until_sent_away(api, begun["token"]))
    eventually(lambda: api.call().ended_at is not None)
    room = Room(before.room_sid, begun["room_name"], now)
    file = File("late.ogg", "s3://intake/late.ogg", now, now + timedelta(seconds=5), 1_000)
    told = egress_event(
        "egress_ended", "EV_1", now, room, "EG_1", "EGRESS_COMPLETE", routes(["a"], ["b"]), started_at=now, ended_at=now, files=[file]
    )
    post(api.hook, body_of(told), api.server.key, api.server.secret)
    late = body_of(room_event("room_finished", "EV_2", now + timedelta(hours=1), room))
    post(api.hook, late, api.server.key, api.server.secret)
    with engine.connect() as connection:
        assert connection.scalars(select(recordings.c.consultation_id)).all() == [before.id]
    assert api.call().ended_at == (now + timedelta(hours=1)).replace(microsecond=0), "and its own end, should it come, counts"


def test_a_room_of_which_only_reconciliation_hears_is_closed(engine: Engine, livekit: StartLiveKit, tmp_path: Path) -> None:
    with api_with(engine, livekit, told=False) as api:
        begun = api.begin()
        api.server.restart()

        async def run() -> None:
            async with (
                joined(begun["url"], begun["token"]) as client,
                LiveKitRooms(api.server.url, api.server.key, api.server.secret) as rooms,
            ):
                other = await asyncio.to_thread(api.begin)
                assert len(await rooms.rooms()) == 2
                report = await Reconciliation(engine, rooms, FolderStore(tmp_path), timedelta(), timedelta(hours=2)).run()
                assert report is not None and (report.counts["rooms_of_no_call"], report.counts["room_finished"]) == (1, 1)
                await client.until(lambda: not client.room.isconnected())
                assert [room.name for room in await rooms.rooms()] == [other["room_name"]], "and no other"

        asyncio.run(run())
        ended = {row.room_name: row.ended_at is not None for row in rows(engine)}
        assert ended[begun["room_name"]] and sum(ended.values()) == 1 and len(ended) == 2


def test_the_calls_own_room_stays_whatever_is_told_late_of_another(api: Api, engine: Engine) -> None:
    """Two clicks between which LiveKit started anew: the webhooks of the room that lost may come after the call has begun in the other."""
    begun = api.begin()
    other = Room("RM_earlier", begun["room_name"], datetime.now(UTC) - timedelta(minutes=1))
    post(api.hook, body_of(room_event("room_started", "EV_1", datetime.now(UTC), other)), api.server.key, api.server.secret)
    asking(api.server, lambda rooms: RoomPromises(engine, rooms).sweep())
    call = api.call()
    assert call.ended_at is None and api.rooms() == {call.room_sid}


def test_where_livekit_does_not_answer_it_is_closed_when_it_does(engine: Engine, livekit: StartLiveKit) -> None:
    class Unanswering(LiveKitRooms):
        left = 2

        async def delete_room(self, name: str) -> None:
            if self.left:
                self.left -= 1
                raise LiveKitUnreachable("no answer")
            await super().delete_room(name)

    with api_with(engine, livekit, told=False) as api:
        begun = api.begin()
        api.server.restart()

        async def run() -> None:
            server = api.server
            async with joined(begun["url"], begun["token"]) as client, Unanswering(server.url, server.key, server.secret) as rooms:
                (room,) = await rooms.rooms()
                told = body_of(room_event("room_started", "EV_1", datetime.now(UTC), Room(room.sid, room.name, datetime.now(UTC))))
                promises = RoomPromises(engine, rooms)
                running = asyncio.create_task(promises.run())
                assert await asyncio.to_thread(received, engine, told) is Outcome.WAITING
                promises.wake()
                await client.until(lambda: not client.room.isconnected())
                await asyncio.to_thread(eventually, lambda: api.call().ended_at is not None)
                running.cancel()
                assert rooms.left == 0

        asyncio.run(run())


def received(engine: Engine, body: bytes) -> Outcome:
    return Inbox(engine).receive(read_stored(body.decode()), body.decode())


def test_a_trainings_room_that_comes_again_is_none(engine: Engine) -> None:
    session, name, now = uuid4(), "consultation_training_20250303T150000Z_0123456789abcdef0123456789abcdef", datetime.now(UTC)
    with engine.begin() as connection:
        connection.execute(insert(consultations).values(id=session, room_name=name, consultation_type="training"))
        for _ in range(2):  # whoever enters says so
            trainings.entered(connection, session, "RM_1", None, now, driven=True)
    for number, sid in enumerate(("RM_2", "RM_1")):
        body = body_of(room_event("room_started", f"EV_{number}", now, Room(sid, name, now)))
        assert received(engine, body) is (Outcome.APPLIED if sid == "RM_1" else Outcome.WAITING)
    assert [row.room_sid for row in rows(engine)] == ["RM_1"]
