"""What a fault of ours tells: the caller that there was one, the log which and where, and nobody what the request was about."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2 as httpx
import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from api.app import create_app
from api.faults import Faults, ResponseCutShort
from domain.roles import Role
from tests.api.client import Issuer, client_of, served, settings

SAID, OFFICER = "pacemaker", "officer-jane"
LIVE = "ws://127.0.0.1:8000/api/handoff/live"


@pytest.fixture
def broken(engine: Engine, owner: Engine) -> Engine:
    """A database in which something is missing that nobody reckons with."""
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entries RENAME TO elsewhere"))
    return engine


@pytest.mark.parametrize("path", ["/api/search", "/"])
def test_a_fault_is_a_problem_and_the_log_has_where_and_nothing_that_was_asked(
    broken: Engine, issuer: Issuer, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, path: str
) -> None:
    app = create_app(settings(), broken, issuer.identities)
    with served(app) as url, httpx.Client(base_url=url) as client:
        answer = client.get(path, params={"q": SAID}, headers=issuer.headers(Role.COMPLIANCE, subject=OFFICER))
        counted = client.get("/metrics", headers=issuer.headers(Role.MONITOR)).text
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["status"] == 500 and answer.json()["title"] == "A fault of this server"
    assert f'verbatim_http_requests_total{{method="GET",route="{path}",status="500"}} 1.0' in counted
    (told,) = [record.getMessage() for record in caplog.records if record.name == "verbatim.faults"]
    assert f"GET {path}" in told and "ProgrammingError" in told and "api.search:" in told
    printed = capfd.readouterr()
    for shown in (answer.text, told, printed.out, printed.err, caplog.text):
        assert SAID not in shown and OFFICER not in shown and "INSERT" not in shown


def test_what_a_statement_was_given_is_in_no_error(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(Exception, match="division by zero") as caught:
        connection.execute(text("SELECT 1 / 0, CAST(:said AS text)"), {"said": SAID})
    assert SAID not in str(caught.value)


@contextmanager
def live(engine: Engine, issuer: Issuer, where: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    def fail(*_: object) -> None:
        raise RuntimeError(SAID)

    async def fail_later(*_: object) -> None:
        fail()

    monkeypatch.setattr(where, fail if where.endswith("_missed") else fail_later)
    with client_of(create_app(settings(), engine, issuer.identities)) as client:
        assert isinstance(client, TestClient)
        yield client


def test_a_fault_before_a_websocket_is_open_is_a_problem(
    engine: Engine, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    headers = issuer.headers(Role.ADMIN)
    with live(engine, issuer, "api.handoff_live._missed", monkeypatch) as client, pytest.raises(WebSocketDenialResponse) as refused:
        client.websocket_connect(LIVE, headers=headers).__enter__()
    assert refused.value.status_code == 500 and refused.value.json()["status"] == 500
    assert "RuntimeError" in caplog.text and SAID not in caplog.text


def test_a_fault_while_it_is_open_closes_it(
    engine: Engine, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with live(engine, issuer, "api.handoff_live._until_expired", monkeypatch) as client:
        with client.websocket_connect(LIVE, headers=issuer.headers(Role.ADMIN)) as socket:
            assert socket.receive_json()["type"] == "queue"
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_text()
    assert closed.value.code == 1011
    assert SAID not in caplog.text


def test_an_answer_that_has_begun_is_cut_short_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Message] = []

    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError(SAID)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    with caplog.at_level(logging.ERROR), pytest.raises(ResponseCutShort) as cut:
        asyncio.run(Faults(half)({"type": "http", "method": "GET", "path": "/"}, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert cut.value.__context__ is None and cut.value.__cause__ is None
    assert "RuntimeError" in caplog.text and SAID not in caplog.text
