"""Rooms that LiveKit opens and in which nothing was begun: no consultation comes of them, and they are closed."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, delete, insert, select, update

from api.app import create_app
from domain.consultations import ConsultationType
from domain.roles import Role
from resources.live_tables import idempotency_keys, promised_rooms
from resources.livekit_rooms import LiveKitRooms
from resources.room_promises import OVERDUE, RoomPromises
from resources.store import live_calls
from resources.store import promised_rooms as promises
from resources.store.live_calls import NewCall
from resources.store.promised_rooms import PromiseBroken
from resources.store.reading import unknown_rooms
from resources.tables import consultations, webhook_events
from tests.api.client import Issuer, settings
from tests.integration.faulty_livekit import AnswersLost, Awaited, FailsOver, StartsAnew, heard, rows
from tests.integration.livekit_calls import eventually, loopback_socket, serving
from tests.livekit_server import LiveKitServer
from tests.services import StartLiveKit

BEGIN, ENTER = "/api/livekit/consultation", "/api/livekit/token"
ANNA = UUID(int=1)
ISSUER = Issuer()
SUPPORT = {"type": "support"}
NAME = "consultation_support_20250303T150000Z_0123456789abcdef0123456789abcdef"


def signed(click: str | None = None) -> dict[str, str]:
    return ISSUER.headers(Role.CUSTOMER, subject=str(ANNA)) | ({"Idempotency-Key": click} if click else {})


def patient(server: LiveKitServer) -> LiveKitRooms:
    return LiveKitRooms(server.url, server.key, server.secret)


def impatient(server: LiveKitServer) -> LiveKitRooms:
    return LiveKitRooms(server.url, server.key, server.secret, timeout_s=0.5)


@contextmanager
def calling(
    engine: Engine, livekit: StartLiveKit, reached: Callable[[LiveKitServer], LiveKitRooms] = patient
) -> Iterator[tuple[LiveKitServer, httpx.Client, LiveKitRooms]]:
    """A LiveKit server whose webhooks come to the API, a client of that, and how it reaches LiveKit."""
    listening = loopback_socket()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = livekit(f"{url}/api/livekit/webhook")
    found = settings(livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=SecretStr(server.secret))
    rooms = reached(server)
    with serving(create_app(found, engine, ISSUER.identities, rooms), listening), httpx.Client(base_url=url, timeout=60) as client:
        yield server, client, rooms


def asking(server: LiveKitServer, ask: Callable[[LiveKitRooms], Any]) -> Any:
    async def run() -> Any:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            return await ask(rooms)

    return asyncio.run(run())


def rooms_of(server: LiveKitServer) -> set[str]:
    return {room.name for room in asking(server, lambda rooms: rooms.rooms())}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.room_promises.RETRY_S", 0.1)


@pytest.mark.parametrize("click", [None, "click-1"])
def test_what_livekit_opens_without_saying_so_is_no_call_and_is_closed(engine: Engine, livekit: StartLiveKit, click: str | None) -> None:
    def losing(server: LiveKitServer) -> AnswersLost:
        return AnswersLost(server.url, server.key, server.secret)

    with calling(engine, livekit, losing) as (server, client, rooms):
        assert isinstance(rooms, AnswersLost)
        answer = client.post(BEGIN, json=SUPPORT, headers=signed(click))
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "Nothing was begun" in answer.json()["detail"]
        eventually(lambda: heard(engine) == ["room_started"])
        assert rows(engine) == [] and len(rooms_of(server)) == 1
        rooms.back = True
        eventually(lambda: heard(engine) == ["room_started", "room_finished"])
        assert (rows(engine), rooms_of(server)) == ([], set())
        with engine.connect() as connection:
            assert unknown_rooms(connection) == {}
        begun = client.post(BEGIN, json=SUPPORT, headers=signed(click))
        assert begun.status_code == 201
        (row,) = rows(engine)
        assert (row.room_name, row.customer_id) == (begun.json()["room_name"], ANNA)
        assert rooms_of(server) == {row.room_name}


def test_a_server_that_hangs_and_goes_on_leaves_neither_row_nor_room(engine: Engine, livekit: StartLiveKit) -> None:
    """Whether it still does what it was asked before it hung is its own affair: it is asked until it does."""
    with calling(engine, livekit, impatient) as (server, client, _):
        for _ in range(9):  # of the ten that may be asked for in a minute
            server.freeze()
            assert client.post(BEGIN, json=SUPPORT, headers=signed(uuid4().hex)).status_code == 503
            server.thaw()
            rooms_of(server)  # it answers again
            if "room_started" in heard(engine):
                break
        eventually(lambda: heard(engine).count("room_finished") == heard(engine).count("room_started") > 0)
        eventually(lambda: rooms_of(server) == set())
        assert rows(engine) == []


@pytest.mark.parametrize("click", [None, "click-1"])
def test_a_database_that_only_reads_from_then_on_leaves_no_room(
    engine: Engine, owner: Engine, livekit: StartLiveKit, click: str | None
) -> None:
    def failing(server: LiveKitServer) -> FailsOver:
        made = FailsOver(server.url, server.key, server.secret)
        made.owner = owner
        return made

    with calling(engine, livekit, failing) as (server, client, rooms):
        assert isinstance(rooms, FailsOver)
        with rooms.failed_over:
            answer = client.post(BEGIN, json=SUPPORT, headers=signed(click))
            assert (answer.status_code, answer.json()["title"]) == (503, "The store is down")
            assert rooms_of(server) == set()
        assert rows(engine) == []


@pytest.mark.parametrize("click", [None, "click-1"])
def test_whatever_goes_wrong_leaves_no_room(
    engine: Engine, livekit: StartLiveKit, monkeypatch: pytest.MonkeyPatch, click: str | None
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    with calling(engine, livekit) as (server, client, _):
        with monkeypatch.context() as wrong:
            wrong.setattr("resources.store.audit.append", fail)
            answer = client.post(BEGIN, json=SUPPORT, headers=signed(click))
        assert (answer.status_code, answer.json()["title"]) == (500, "A fault of this server")
        eventually(lambda: heard(engine) == ["room_started", "room_finished"])
        assert (rows(engine), rooms_of(server)) == ([], set())
        assert client.post(BEGIN, json=SUPPORT, headers=signed(click)).status_code == 201


def test_a_webhook_that_is_faster_than_the_beginning_waits_for_it(engine: Engine, livekit: StartLiveKit) -> None:
    def slow(server: LiveKitServer) -> Awaited:
        made = Awaited(server.url, server.key, server.secret)
        made.engine = engine
        return made

    with calling(engine, livekit, slow) as (_, client, rooms):
        begun = client.post(BEGIN, json=SUPPORT, headers=signed()).json()
        assert isinstance(rooms, Awaited) and rooms.seen == []
    (row,) = rows(engine)
    assert (str(row.id), row.customer_id, row.started_at is not None) == (begun["consultation_id"], ANNA, True)
    with engine.connect() as connection:
        assert connection.scalars(select(webhook_events.c.consultation_id)).all() == [row.id]


def test_a_click_that_is_repeated_after_livekit_started_anew_begins_nothing_in_the_old_name(engine: Engine, livekit: StartLiveKit) -> None:
    with calling(engine, livekit) as (server, client, _):
        first = client.post(BEGIN, json=SUPPORT, headers=signed("click-1")).json()
        eventually(lambda: heard(engine) == ["room_started"])
        assert client.post(BEGIN, json=SUPPORT, headers=signed("click-1")).json()["consultation_id"] == first["consultation_id"]
        server.restart()
        again = client.post(BEGIN, json=SUPPORT, headers=signed("click-1"))
        assert (again.status_code, again.json()["title"]) == (409, "That call is over")
        assert rooms_of(server) == set() and [row.room_name for row in rows(engine)] == [first["room_name"]]
        other = client.post(BEGIN, json=SUPPORT, headers=signed("click-2"))
        assert other.status_code == 201 and rooms_of(server) == {other.json()["room_name"]}
        eventually(lambda: heard(engine) == ["room_started"] * 2)
        entering = {"roomName": other.json()["room_name"], "identity": str(ANNA), "participantType": "customer"}
        assert client.post(ENTER, json=entering, headers=signed()).status_code == 200
        assert {row.customer_id for row in rows(engine)} == {ANNA} and len(rows(engine)) == 2


def test_two_clicks_between_which_livekit_started_anew_leave_one_call_and_no_room_of_nobody(engine: Engine, livekit: StartLiveKit) -> None:
    def restarting(server: LiveKitServer) -> StartsAnew:
        made = StartsAnew(server.url, server.key, server.secret)
        made.engine, made.server, made.asked = engine, server, 0
        return made

    with calling(engine, livekit, restarting) as (server, client, _), ThreadPoolExecutor(2) as both:
        clicks = [both.submit(client.post, BEGIN, json=SUPPORT, headers=signed("click-1")) for _ in range(2)]
        assert sorted(click.result().status_code for click in clicks) == [201, 409]
        eventually(lambda: rooms_of(server) == set())
        (call,) = rows(engine)
        assert call.customer_id == ANNA and call.ended_at is not None, "one call, and it is over: LiveKit has lost its room"


def test_what_a_process_that_is_gone_promised_is_closed_and_what_was_begun_is_not(engine: Engine, livekit: StartLiveKit) -> None:
    with calling(engine, livekit) as (server, client, _):
        begun = client.post(BEGIN, json=SUPPORT, headers=signed()).json()["room_name"]
        with engine.begin() as connection:
            connection.execute(insert(promised_rooms).values(room_name=NAME, promised_at=datetime.now(UTC)))
            # Of the second one it was never heard that it was begun.
            connection.execute(update(promised_rooms).values(promised_at=datetime.now(UTC) - 2 * OVERDUE, room_sid=None))
            connection.execute(insert(promised_rooms).values(room_name=f"{NAME}0", promised_at=datetime.now(UTC)))
        for name in (NAME, f"{NAME}0"):
            asking(server, partial(LiveKitRooms.create_room, name=name, metadata={}, empty_timeout_s=60, departure_timeout_s=60))
        asking(server, lambda rooms: RoomPromises(engine, rooms).sweep())
        assert rooms_of(server) == {begun, f"{NAME}0"}
        eventually(lambda: heard(engine).count("room_finished") == 1)
        assert [row.room_name for row in rows(engine)] == [begun]
        with engine.connect() as connection:
            query = select(promised_rooms.c.room_name, promised_rooms.c.closed_at.is_not(None))
            found = connection.execute(query.where(promised_rooms.c.room_sid.is_(None))).all()
        assert sorted(tuple(row) for row in found) == [(NAME, True), (f"{NAME}0", False)]


def test_whoever_has_begun_with_the_same_key_keeps_the_room(engine: Engine, livekit: StartLiveKit) -> None:
    """Two clicks at once: one is answered by LiveKit, and the other one waits for it in vain."""
    with calling(engine, livekit) as (server, client, _):
        begun = client.post(BEGIN, json=SUPPORT, headers=signed("click-1")).json()
        asking(server, lambda rooms: RoomPromises(engine, rooms).give_up(begun["room_name"], shared=True))
        assert rooms_of(server) == {begun["room_name"]}
        assert client.post(BEGIN, json=SUPPORT, headers=signed("click-1")).json()["consultation_id"] == begun["consultation_id"]


def beginning(connection: Connection) -> None:
    live_calls.begin(connection, uuid4(), NAME, "RM_1", NewCall(ConsultationType.SUPPORT, ANNA), driven=False)


@tries(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["promise", "begin", "give up", "overdue"]), max_size=8))
def test_a_room_is_begun_or_given_up_and_never_both(engine: Engine, steps: list[str]) -> None:
    with engine.begin() as connection:
        for table in (promised_rooms, consultations):
            connection.execute(delete(table))
    promised = begun = broken = False
    for step in steps:
        try:
            with engine.begin() as connection:
                match step:
                    case "promise":
                        promises.promise(connection, NAME)
                        assert not broken
                        promised = not begun
                    case "begin":
                        beginning(connection)
                        assert begun or (promised and not broken)
                        begun, promised = True, False
                    case "give up":
                        assert promises.give_up(connection, NAME, datetime.now(UTC)) is (not begun and (promised or broken))
                        broken, promised = broken or (promised and not begun), False
                    case "overdue":
                        connection.execute(update(promised_rooms).values(promised_at=datetime.now(UTC) - 2 * OVERDUE))
                        found = promises.overdue(connection, datetime.now(UTC), OVERDUE)
                        assert list(found) == ([NAME] if promised else [])
        except PromiseBroken:
            assert (broken and not begun) if step == "promise" else (step == "begin" and not begun and (broken or not promised))
        assert not (begun and broken)
    with engine.connect() as connection:
        assert promises.is_begun(connection, NAME) is begun
        assert [name for name, _ in promises.to_close(connection)] == ([NAME] if broken else [])


def test_a_key_of_a_room_that_was_given_up_stands_for_another_one(engine: Engine) -> None:
    with engine.begin() as connection:
        first = live_calls.remember(connection, "anna", "click-1", "hash", NAME)
        promises.promise(connection, NAME)
    with engine.begin() as connection:
        assert promises.give_up(connection, NAME, datetime.now(UTC) + timedelta(seconds=1))
        assert connection.execute(select(idempotency_keys)).all() == []
        assert live_calls.remember(connection, "anna", "click-1", "hash", f"{NAME}0") != first
