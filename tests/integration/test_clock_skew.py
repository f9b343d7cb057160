"""Clocks that do not agree: the issuer's, LiveKit's and this machine's. A little is borne, more is refused with what is wrong."""

import asyncio
import datetime as real
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from uuid import UUID

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc
from livekit.api import access_token
from pydantic import SecretStr
from sqlalchemy import Engine, select

from api.app import create_app
from demo.livekit_events import Room, body_of, room_event, sign
from domain.roles import Role
from resources.identity import NotIdentified
from resources.identity.tokens import LEEWAY_S
from resources.store import audit
from resources.tables import consultations
from tests.api.client import Issuer, client_of, settings
from tests.livekit_server import LiveKitServer
from tests.services import StartLiveKit

BEGIN = "/api/livekit/consultation"
LIVEKIT_LEEWAY_S = 60
ANNA = UUID(int=1)
ISSUER = Issuer()


@pytest.fixture
def server(livekit: StartLiveKit) -> LiveKitServer:
    return livekit()


@pytest.fixture
def client(engine: Engine, server: LiveKitServer) -> Iterator[httpx.Client]:
    found = settings(livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=SecretStr(server.secret))
    with client_of(create_app(found, engine, ISSUER.identities)) as opened:
        yield opened


@contextmanager
def livekit_tokens_made(monkeypatch: pytest.MonkeyPatch, *, ahead_s: float) -> Iterator[None]:
    """What livekit-api signs here is signed by a clock that is ahead of the other side's; behind, if negative."""

    class Ahead(real.datetime):
        @classmethod
        def now(cls, tz: real.tzinfo | None = None) -> "Ahead":
            return super().now(tz) + real.timedelta(seconds=ahead_s)

    with monkeypatch.context() as patched:
        clock = SimpleNamespace(datetime=Ahead, timedelta=real.timedelta, timezone=real.timezone)
        patched.setattr(access_token, "datetime", clock)
        yield


@given(st.integers(-10 * LEEWAY_S, 10 * LEEWAY_S).filter(lambda skew: abs(abs(skew) - LEEWAY_S) > 3))
def test_an_issuers_clock_may_differ_by_the_leeway(ahead_s: int) -> None:
    """A token that begins at the moment when it is made, as those of most issuers do, and one that ends just then."""
    there = real.datetime.now(real.UTC) + real.timedelta(seconds=ahead_s)
    later = there + real.timedelta(hours=1)
    asked = {
        "begins": (ISSUER.token(Role.AGENT, iat=there, nbf=there, exp=later), ahead_s < LEEWAY_S, "future.*clock"),
        "is made": (ISSUER.token(Role.AGENT, iat=there, exp=later), ahead_s < LEEWAY_S, "future.*clock"),
        "ends": (ISSUER.token(Role.AGENT, iat=there - real.timedelta(hours=1), exp=there), ahead_s > -LEEWAY_S, "expired"),
    }
    for token, let_in, said in asked.values():
        if let_in:
            assert ISSUER.identities.caller(token).roles == {Role.AGENT}
        else:
            with pytest.raises(NotIdentified, match=said):
                ISSUER.identities.caller(token)


def test_the_refusal_says_that_the_clocks_do_not_agree(client: httpx.Client) -> None:
    later = real.datetime.now(real.UTC) + real.timedelta(minutes=10)
    headers = {"Authorization": f"Bearer {ISSUER.token(Role.CUSTOMER, subject=str(ANNA), nbf=later, exp=later + real.timedelta(hours=1))}"}
    answer = client.post(BEGIN, json={"type": "support"}, headers=headers)
    assert answer.status_code == 401 and "clock" in answer.json()["detail"]


@pytest.mark.parametrize("ahead_s", [-30, 30])
def test_a_call_begins_and_is_entered_though_livekits_clock_differs_a_little(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, ahead_s: int
) -> None:
    with livekit_tokens_made(monkeypatch, ahead_s=ahead_s):
        answer = client.post(BEGIN, json={"type": "support"}, headers=ISSUER.headers(Role.CUSTOMER, subject=str(ANNA)))
    assert answer.status_code == 201, answer.text
    begun = answer.json()

    async def entered() -> str:
        call = rtc.Room()
        await call.connect(begun["url"], begun["token"])
        name = call.name
        await call.disconnect()
        return name

    assert asyncio.run(entered()) == begun["room_name"]


@pytest.mark.parametrize("ahead_s", [-24 * 3600, 600], ids=["a day behind", "ten minutes ahead"])
def test_a_clock_far_from_livekits_is_503_that_says_so_and_leaves_nothing(
    client: httpx.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch, ahead_s: int
) -> None:
    with livekit_tokens_made(monkeypatch, ahead_s=ahead_s):
        answer = client.post(BEGIN, json={"type": "support"}, headers=ISSUER.headers(Role.CUSTOMER, subject=str(ANNA)))
    assert answer.status_code == 503 and "do the clocks agree" in answer.json()["detail"]
    with engine.connect() as connection:
        assert connection.execute(select(consultations)).all() == [] and list(audit.entries(connection)) == []
    assert client.post(BEGIN, json={"type": "support"}, headers=ISSUER.headers(Role.CUSTOMER, subject=str(ANNA))).status_code == 201


@pytest.mark.parametrize(
    ("ahead_s", "lasts_s", "status"),
    [
        (LIVEKIT_LEEWAY_S / 2, 300, 200),
        (-LIVEKIT_LEEWAY_S / 2, 0, 200),
        (10 * LIVEKIT_LEEWAY_S, 300, 401),
        (-10 * LIVEKIT_LEEWAY_S, 0, 401),
    ],
    ids=["a little ahead", "a little behind", "far ahead", "far behind"],
)
def test_webhooks_of_a_livekit_server_with_another_clock(
    client: httpx.Client,
    engine: Engine,
    server: LiveKitServer,
    monkeypatch: pytest.MonkeyPatch,
    ahead_s: float,
    lasts_s: float,
    status: int,
) -> None:
    now = real.datetime.now(real.UTC)
    body = body_of(room_event("room_started", "EV_1", now, Room("RM_1", "consultation_support_20250303T150000Z_x", now)))
    with livekit_tokens_made(monkeypatch, ahead_s=ahead_s):
        token = sign(body, server.key, server.secret, ttl=real.timedelta(seconds=lasts_s))
    answer = client.post("/api/livekit/webhook", content=body, headers={"Authorization": token})
    assert answer.status_code == status
    with engine.connect() as connection:
        assert len(connection.execute(select(consultations)).all()) == (status == 200)
    if status == 401:
        assert "clock" in answer.json()["detail"]
