"""The live view of the queue: two API processes' worth of applications on real ports, real WebSockets, PostgreSQL in between."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest
from sqlalchemy import Engine, text
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from api.app import create_app
from domain.roles import Role
from resources.handoff_watch import BEHIND, Change, FellBehind, HandoffWatch
from resources.store import audit
from tests.api.client import Issuer, served, settings
from tests.integration.handoff_store import available, new_call, replayed, wanted
from tests.integration.livekit_calls import PATIENCE_S, eventually

AGENT = UUID(int=3)
BOSS = (Role.SUPERVISOR,)


class Two:
    """Two applications on one database."""

    def __init__(self, urls: list[str], issuer: Issuer) -> None:
        self.urls, self.issuer = urls, issuer

    def watch(self, which: int, after: int | None = None, token: str | None = None) -> ClientConnection:
        address = f"{self.urls[which].replace('http', 'ws')}/api/handoff/live" + ("" if after is None else f"?after={after}")
        return connect(address, additional_headers={"Authorization": f"Bearer {token or self.issuer.token(*BOSS)}"})

    def change(self, which: int, call: UUID) -> None:
        """A customer's wish for a human, through one of the two."""
        headers = self.issuer.headers(Role.ASSISTANT, subject="bot")
        answer = httpx.post(f"{self.urls[which]}/api/consultations/{call}/handoff", json={"reason": "requested"}, headers=headers)
        assert answer.status_code == 201, answer.text


@pytest.fixture
def two(engine: Engine) -> Iterator[Two]:
    issuer = Issuer()
    with ExitStack() as apps:
        yield Two([apps.enter_context(served(create_app(settings(), engine, issuer.identities))) for _ in range(2)], issuer)


def told(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=PATIENCE_S))


def test_a_change_through_one_is_pushed_by_both(two: Two, engine: Engine) -> None:
    with two.watch(0) as one, two.watch(1) as other:
        assert told(one) == told(other) == {"type": "queue", "number": 0, "handoffs": []}
        call = new_call(engine)
        two.change(0, call)
        first, same = told(one), told(other)
        assert first == same
        assert (first["type"], first["number"]) == ("change", 1)
        assert (first["handoff"]["consultation_id"], first["handoff"]["state"], first["handoff"]["agent"]) == (str(call), "waiting", None)
        available(engine, AGENT)
        assert [told(socket)["handoff"]["agent"] for socket in (one, other)] == [str(AGENT)] * 2


def test_who_comes_back_misses_nothing_and_hears_nothing_twice(two: Two, engine: Engine) -> None:
    with two.watch(0) as before:
        told(before)
        two.change(1, new_call(engine))
        assert told(before)["number"] == 1
    for _ in range(3):
        two.change(0, new_call(engine))
    with two.watch(1, after=1) as again:
        assert [told(again)["number"] for _ in range(3)] == [2, 3, 4]
        two.change(0, new_call(engine))
        assert told(again)["number"] == 5
    with two.watch(0, after=4_000) as stranger:  # from another database, say
        whole = told(stranger)
        assert (whole["type"], whole["number"], len(whole["handoffs"])) == ("queue", 5, 5)


def test_who_was_away_too_long_gets_the_whole_queue(two: Two, engine: Engine) -> None:
    for _ in range(3):
        wanted(engine, new_call(engine))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM handoff_changes WHERE number <= 2"))
    with two.watch(0, after=2) as socket:
        assert told(socket)["number"] == 3
    with two.watch(0, after=1) as socket:
        assert told(socket)["type"] == "queue"


def test_changes_replayed_are_the_queue(two: Two, engine: Engine) -> None:
    with two.watch(0) as socket:
        told(socket)
        calls = [new_call(engine) for _ in range(4)]
        for call in calls:
            wanted(engine, call)
        available(engine, AGENT)
        with engine.begin() as connection:
            connection.execute(text("UPDATE video_consultations SET ended_at = now() WHERE id = :id"), {"id": calls[1]})
        seen: dict[str, Any] = {}

        def as_stored() -> bool:
            nonlocal seen
            seen = replayed(seen, told(socket))
            return len(seen) == 3 and {entry["state"] for entry in seen.values()} == {"waiting", "offered"}

        eventually(as_stored)
        headers = two.issuer.headers(*BOSS)
        stored = httpx.get(f"{two.urls[1]}/api/handoff/queue", headers=headers).json()["handoffs"]
        assert {(entry["id"], entry["state"], entry["agent"]) for entry in stored} == {
            (entry["id"], entry["state"], entry["agent"]) for entry in seen.values()
        }


def test_the_listening_connection_is_lost_and_nothing_else(two: Two, engine: Engine, owner: Engine) -> None:
    with two.watch(0) as socket:
        told(socket)
        with owner.connect() as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
            )
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(others))
        engine.dispose()
        for number in (1, 2):
            wanted(engine, new_call(engine))
            assert told(socket)["number"] == number


def test_who_may_not_watch_is_told_before_it_opens(two: Two) -> None:
    address = two.urls[0].replace("http", "ws") + "/api/handoff/live"
    for token, status in ((None, 401), ("nonsense", 401), (two.issuer.token(Role.CUSTOMER), 403)):
        with pytest.raises(InvalidStatus) as refused:
            connect(address, additional_headers={"Authorization": f"Bearer {token}"} if token else {})
        assert refused.value.response.status_code == status
        assert json.loads(refused.value.response.body or b"")["status"] == status
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{address}?token={two.issuer.token(*BOSS)}")
    assert refused.value.response.status_code == 401, "an address is written down in too many places"


@pytest.mark.parametrize("after", ["abc", "-1", "1.5", "9" * 30, ""])
def test_a_wrong_number_is_a_problem_once_it_is_known_who_asks(two: Two, engine: Engine, after: str) -> None:
    address = two.urls[0].replace("http", "ws") + f"/api/handoff/live?after={after}"
    for headers, status in (({}, 401), (two.issuer.headers(Role.CUSTOMER), 403), (two.issuer.headers(*BOSS), 422)):
        with pytest.raises(InvalidStatus) as refused:
            connect(address, additional_headers=headers)
        answer = refused.value.response
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert json.loads(answer.body or b"")["status"] == status
    with engine.connect() as connection:
        deeds = [entry.deed for entry in audit.entries(connection)]
    assert [(deed.role, dict(deed.details)["route"], dict(deed.details)["status"], deed.outcome.value) for deed in deeds] == [
        (role, "/api/handoff/live", status, "refused") for role, status in (("none", 401), ("customer", 403), ("supervisor", 422))
    ]


def test_a_server_that_cannot_answer_before_the_opening_closes_and_the_trail_has_it(engine: Engine) -> None:
    app, sent = create_app(settings(), engine, Issuer().identities), []
    scope: dict[str, Any] = {
        "type": "websocket", "path": "/api/handoff/live", "raw_path": b"", "query_string": b"", "scheme": "ws", "subprotocols": [],
        "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "extensions": {},
    }  # fmt: skip

    async def run() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        async with app.router.lifespan_context(app):
            await app(scope, receive, send)

    asyncio.run(run())
    assert sent == ["websocket.close"]
    with engine.connect() as connection:
        assert [(e.deed.actor, dict(e.deed.details)["status"]) for e in audit.entries(connection)] == [("stranger", 403)]


def test_without_a_websocket_it_says_what_it_is(two: Two) -> None:
    address = f"{two.urls[0]}/api/handoff/live"
    assert httpx.get(address).status_code == 401
    answer = httpx.get(address, headers=two.issuer.headers(*BOSS))
    assert (answer.status_code, answer.headers["upgrade"], answer.json()["title"]) == (426, "websocket", "A WebSocket")
    described = httpx.get(f"{two.urls[0]}/openapi.json").json()["paths"]["/api/handoff/live"]["get"]
    assert {"101", "401", "403", "422", "426", "503"} <= set(described["responses"])
    with two.watch(0) as socket:
        assert set(told(socket)) == set(described["x-websocket"]["messages"]["queue"]["example"])


def test_a_browser_names_its_token_as_a_protocol(two: Two) -> None:
    address = two.urls[0].replace("http", "ws") + "/api/handoff/live"
    with connect(address, subprotocols=["bearer", two.issuer.token(*BOSS)]) as socket:  # type: ignore[list-item]
        assert (socket.subprotocol, told(socket)["type"]) == ("bearer", "queue")


def test_it_ends_with_the_token(two: Two) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    with two.watch(0, token=two.issuer.token(*BOSS, exp=ends)) as socket:
        told(socket)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=PATIENCE_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
    assert datetime.now(UTC) >= ends


def test_who_does_not_read_is_sent_away_and_others_are_not_held_up(engine: Engine) -> None:
    watch = HandoffWatch(engine)

    async def run() -> None:
        slow, quick = watch.join(), watch.join()
        for number in range(1, BEHIND + 3):
            watch.tell(Change(number, str(number)))
            assert (await quick.next()).number == number
        assert [(await slow.next()).number for _ in range(BEHIND)] == [*range(1, BEHIND + 1)], "what it has has no gap"
        with pytest.raises(FellBehind):
            await slow.next()

    asyncio.run(run())
