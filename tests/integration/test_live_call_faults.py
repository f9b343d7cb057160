"""What becomes of a call when LiveKit or PostgreSQL fails in the middle, is asked again, or is asked for what cannot be.

Whatever fails, the answer comes, says what happened, and leaves nothing behind: no row, no entry of a deed that was not done, no room.
"""

import asyncio
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, event, select, text, update

from api.app import create_app
from domain.roles import Role
from resources.livekit_rooms import LiveKitRooms
from resources.store import audit
from resources.tables import consultations
from tests.api.client import Issuer, client_of, settings
from tests.livekit_server import LiveKitServer
from tests.services import StartLiveKit

BEGIN, ENTER = "/api/livekit/consultation", "/api/livekit/token"
ANNA = UUID(int=1)
KEY, SECRET = "key", "a-secret-that-is-long-enough-for-hs256"
ISSUER = Issuer()
SUPPORT = {"type": "support"}
SHORT_S = 2.0


def signed(click: str | None = None) -> dict[str, str]:
    """What Anna's application sends with a request; a token of the moment, because it is valid for minutes."""
    return ISSUER.headers(Role.CUSTOMER, subject=str(ANNA)) | ({"Idempotency-Key": click} if click else {})


@pytest.fixture
def server(livekit: StartLiveKit) -> LiveKitServer:
    return livekit()


@contextmanager
def calling(engine: Engine, url: str, key: str = KEY, secret: str = SECRET) -> Iterator[httpx.Client]:
    """A client of the API that takes what is at ``url`` for LiveKit, and does not wait long for it."""
    found = settings(livekit_url=url, livekit_api_key=key, livekit_api_secret=SecretStr(secret))
    with client_of(create_app(found, engine, ISSUER.identities, LiveKitRooms(url, key, secret, timeout_s=SHORT_S))) as client:
        yield client


@pytest.fixture
def client(engine: Engine, server: LiveKitServer) -> Iterator[httpx.Client]:
    with calling(engine, server.url, server.key, server.secret) as opened:
        yield opened


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(consultations)).all())


def trail(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(entry.deed.action, entry.deed.outcome.value) for entry in audit.entries(connection)]


def rooms(server: LiveKitServer) -> set[str]:
    async def ask() -> set[str]:
        async with LiveKitRooms(server.url, server.key, server.secret) as opened:
            return {room.name for room in await opened.rooms()}

    return asyncio.run(ask())


def enter(client: httpx.Client, room: str, **changed: object) -> httpx.Response:
    return client.post(ENTER, json={"roomName": room, "identity": str(ANNA), "participantType": "customer"} | changed, headers=signed())


def is_a_problem(answer: httpx.Response, status: int) -> bool:
    return (answer.status_code, answer.headers["content-type"], answer.json()["status"]) == (status, "application/problem+json", status)


@contextmanager
def impostor(said: bytes, *, then_silent: bool) -> Iterator[str]:
    """A TCP server that takes every request and says the same to it; its address."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(said)
            if then_silent:
                over.wait()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            over.set()
            listening.shutdown()
            thread.join()


def http(status: str, kind: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


IMPOSTORS = {
    "silent": (b"", True, "within 2 s"),
    "stops in its head": (b"HTTP/1.1 200 OK\r\nContent-Type: appl", True, "within 2 s"),
    "stops in its body": (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/protobuf\r\nContent-Length: 500\r\n\r\n\x0a",
        True,
        "within 2 s",
    ),
    "hangs up": (b"", False, "cannot be reached"),
    "no HTTP": (b"\x00\xff\x16 SSH-2.0-nothing\r\n\r\n", False, "cannot be reached"),
    "no protobuf": (http("200 OK", "application/protobuf", b"\xff\xff\xff"), False, "not LiveKit"),
    "an error of a proxy": (http("500 Internal Server Error", "text/html", b"<h1>Oh</h1>"), False, "HTTP 500"),
    "an error of its own": (http("500 x", "application/json", b'{"code":"internal","msg":"no redis at 127.0.0.1"}'), False, "(internal)"),
}


@pytest.mark.parametrize("impostor_is", IMPOSTORS)
def test_what_does_not_answer_as_livekit_is_503_and_leaves_nothing(
    engine: Engine, server: LiveKitServer, impostor_is: str, caplog: pytest.LogCaptureFixture
) -> None:
    said, then_silent, told = IMPOSTORS[impostor_is]
    with impostor(said, then_silent=then_silent) as url, calling(engine, url) as client:
        for answer in (
            client.post(BEGIN, json=SUPPORT, headers=signed("click-1")),
            enter(client, "consultation_support_20250303T150000Z_x"),
        ):
            assert is_a_problem(answer, 503) and told in answer.json()["detail"], answer.text
            assert SECRET not in answer.text and answer.headers["retry-after"]
            assert "127.0.0.1" not in answer.text, "where LiveKit is inside is nobody's business"
        told_inside = [record.getMessage() for record in caplog.records if record.name == "verbatim.livekit"]
        assert len(told_inside) == 2 and all(url.removeprefix("http://") in line or "no redis at" in line for line in told_inside)
    assert (rows(engine), trail(engine)) == ([], [])
    with calling(engine, server.url, server.key, server.secret) as client:
        assert client.post(BEGIN, json=SUPPORT, headers=signed("click-1")).status_code == 201, "the same click, now that LiveKit is there"
    assert {row.room_name for row in rows(engine)} == rooms(server)


def test_a_livekit_server_that_hangs_is_503_until_it_goes_on(client: httpx.Client, engine: Engine, server: LiveKitServer) -> None:
    begun = client.post(BEGIN, json=SUPPORT, headers=signed("click-1")).json()
    before = trail(engine)
    server.freeze()
    again, other = enter(client, begun["room_name"]), client.post(BEGIN, json=SUPPORT, headers=signed())
    server.thaw()
    assert is_a_problem(again, 503) and is_a_problem(other, 503) and "within 2 s" in again.json()["detail"]
    assert (len(rows(engine)), trail(engine)) == (1, before)
    assert enter(client, begun["room_name"]).status_code == 200


@contextmanager
def cut_off(engine: Engine, owner: Engine, moment: str) -> Iterator[None]:
    """PostgreSQL ends the connection of the API that is about to send ``moment``: a part of a statement, or COMMIT, of what has an entry."""
    done, writing = threading.Event(), set[int]()

    def end(connection: Connection) -> None:
        done.set()
        driver: Any = connection.connection.driver_connection
        with owner.connect() as other:
            assert other.scalar(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": driver.info.backend_pid})

    def before(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if "INSERT INTO audit_entries" in statement:
            writing.add(id(connection))
        if moment in statement and not done.is_set():
            end(connection)

    def commit(connection: Connection) -> None:
        if moment == "COMMIT" and id(connection) in writing and not done.is_set():
            end(connection)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "commit", commit)
    assert done.is_set(), f"nothing was sent with {moment}"


@pytest.mark.parametrize(
    "moment",
    ["INSERT INTO idempotency_keys", "INSERT INTO users", "INSERT INTO video_consultations", "INSERT INTO audit_entries", "COMMIT"],
)
def test_postgresql_gone_in_the_middle_of_a_beginning_leaves_neither_row_nor_room(
    client: httpx.Client, engine: Engine, owner: Engine, server: LiveKitServer, moment: str
) -> None:
    with cut_off(engine, owner, moment):
        answer = client.post(BEGIN, json=SUPPORT, headers=signed("click-1"))
    assert is_a_problem(answer, 503) and "nothing was begun" in answer.json()["detail"]
    assert (rows(owner), trail(owner), rooms(server)) == ([], [], set())
    assert client.post(BEGIN, json=SUPPORT, headers=signed("click-1")).status_code == 201
    assert {row.room_name for row in rows(owner)} == rooms(server)
    assert trail(owner) == [("consultation.begin", "done"), ("token.issue", "done")]


@pytest.mark.parametrize("moment", ["FROM video_consultations", "INSERT INTO audit_entries", "COMMIT"])
def test_postgresql_gone_in_the_middle_lets_nobody_in(client: httpx.Client, engine: Engine, owner: Engine, moment: str) -> None:
    room = client.post(BEGIN, json=SUPPORT, headers=signed()).json()["room_name"]
    before = trail(owner)
    with cut_off(engine, owner, moment):
        answer = enter(client, room)
    assert is_a_problem(answer, 503) and "token" not in answer.json()
    assert trail(owner) == before
    assert enter(client, room).status_code == 200


def test_a_key_that_is_sent_again_is_the_same_call_in_another_process_too(engine: Engine, server: LiveKitServer) -> None:
    with (
        calling(engine, server.url, server.key, server.secret) as one,
        calling(engine, server.url, server.key, server.secret) as other,
    ):
        first, again = (each.post(BEGIN, json=SUPPORT, headers=signed("click-1")).json() for each in (one, other))
        elses = other.post(
            BEGIN, json=SUPPORT, headers=ISSUER.headers(Role.CUSTOMER, subject=str(UUID(int=2))) | {"Idempotency-Key": "click-1"}
        )
    assert (first["consultation_id"], first["room_name"]) == (again["consultation_id"], again["room_name"])
    assert elses.status_code == 201 and elses.json()["room_name"] != first["room_name"], "a key is its sender's own"
    assert {row.room_name for row in rows(engine)} == rooms(server) == {first["room_name"], elses.json()["room_name"]}


def test_a_key_of_a_call_that_is_over_begins_nothing(client: httpx.Client, engine: Engine, server: LiveKitServer) -> None:
    begun = client.post(BEGIN, json=SUPPORT, headers=signed("click-1")).json()
    with engine.begin() as connection:
        connection.execute(update(consultations).values(ended_at=datetime.now(UTC)))
    end_room(server, begun["room_name"])
    before = trail(engine)
    answer = client.post(BEGIN, json=SUPPORT, headers=signed("click-1"))
    assert is_a_problem(answer, 409) and "ended" in answer.json()["detail"]
    assert (len(rows(engine)), trail(engine), rooms(server)) == (1, [*before, ("request", "refused")], set())
    assert client.post(BEGIN, json=SUPPORT, headers=signed("click-2")).status_code == 201


def end_room(server: LiveKitServer, name: str) -> None:
    async def ask() -> None:
        async with LiveKitRooms(server.url, server.key, server.secret) as opened:
            await opened.delete_room(name)

    asyncio.run(ask())


@pytest.mark.parametrize("state", [{"ended_at": datetime(2025, 3, 3, tzinfo=UTC)}, {"archived": True}], ids=["ended", "archived"])
def test_a_closed_consultation_lets_nobody_in_though_its_room_is_open(
    client: httpx.Client, engine: Engine, state: dict[str, object]
) -> None:
    room = client.post(BEGIN, json=SUPPORT, headers=signed()).json()["room_name"]
    with engine.begin() as connection:
        connection.execute(update(consultations).values(**state))
    admin = ISSUER.headers(Role.ADMIN, subject="a")
    asked = {"roomName": room, "identity": "a", "participantType": "admin"}
    for answer in (enter(client, room), client.post(ENTER, json=asked, headers=admin)):
        assert is_a_problem(answer, 404)
    assert trail(engine)[-2:] == [("token.issue", "refused")] * 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"roomName": "r" * 257}, "roomName"),
        ({"roomName": ""}, "roomName"),
        ({"roomName": "r\0"}, "roomName"),
        ({"roomName": "\ud800"}, "roomName"),
        ({"identity": "i" * 201}, "identity"),
        ({"identity": "i\0"}, "identity"),
        ({"participantType": "customer" * 100}, "participantType"),
    ],
)
def test_names_that_cannot_be_are_422_and_are_not_repeated(client: httpx.Client, changed: dict[str, str], said: str) -> None:
    body = {"roomName": "r", "identity": str(ANNA), "participantType": "customer"} | changed
    answer = client.post(ENTER, content=json.dumps(body).encode(), headers=signed() | {"Content-Type": "application/json"})
    assert is_a_problem(answer, 422) and said in answer.json()["detail"]
    assert len(answer.content) < 500


@pytest.mark.parametrize("key", ["k" * 201, "with space", "é".encode(), ""])
def test_keys_that_cannot_be_begin_nothing(client: httpx.Client, engine: Engine, server: LiveKitServer, key: str | bytes) -> None:
    headers: Callable[..., Any] = httpx.Headers
    answer = client.post(BEGIN, json=SUPPORT, headers=headers([*signed().items(), ("Idempotency-Key", key)]))
    assert is_a_problem(answer, 422)
    assert (rows(engine), rooms(server)) == ([], set())
