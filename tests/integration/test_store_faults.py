"""What callers of the API get while PostgreSQL hangs, or only reads: an answer, soon, that says so; and nothing is left behind."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

import httpx2 as httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, func, select

from api.app import create_app
from domain.roles import Role
from resources.livekit_rooms import LiveKitRooms
from resources.tables import consultations
from tests.api.client import Issuer, served, settings
from tests.databases import frozen, reading_only
from tests.livekit_server import LiveKitServer
from tests.services import StartLiveKit

BEGIN, ENTER = "/api/livekit/consultation", "/api/livekit/token"
ANNA, AGENT = UUID(int=1), UUID(int=3)
ISSUER = Issuer()
THREADS = 40
"""What the server has for routes that wait."""
Ask = Callable[[], httpx.Response]


@pytest.fixture
def server(livekit: StartLiveKit) -> LiveKitServer:
    return livekit()


@contextmanager
def calling(engine: Engine, server: LiveKitServer) -> Iterator[httpx.Client]:
    found = settings(livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=SecretStr(server.secret))
    with served(create_app(found, engine, ISSUER.identities)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def rooms(server: LiveKitServer) -> set[str]:
    async def ask() -> set[str]:
        async with LiveKitRooms(server.url, server.key, server.secret) as opened:
            return {room.name for room in await opened.rooms()}

    return asyncio.run(ask())


def routes(client: httpx.Client, room: str, call: str) -> dict[str, Ask]:
    """One request of each kind that needs the store."""
    anna, admin, agent = (
        ISSUER.headers(role, subject=str(who)) for role, who in ((Role.CUSTOMER, ANNA), (Role.ADMIN, "admin"), (Role.AGENT, AGENT))
    )
    entering = {"roomName": room, "identity": str(ANNA), "participantType": "customer"}
    said = {"party": str(ANNA), "role": "customer", "outcome": "granted", "method": "click", "script_version": "v1"}
    return {
        "begin": lambda: client.post(BEGIN, json={"type": "support"}, headers=anna),
        "enter": lambda: client.post(ENTER, json=entering, headers=anna),
        "read": lambda: client.get(f"/api/consultations/{call}", headers=admin),
        "consent": lambda: client.post(f"/api/consultations/{call}/consent", json=said, headers=anna),
        "recordings": lambda: client.get(f"/api/consultations/{call}/recordings", headers=admin),
        "status": lambda: client.put("/api/agents/me/status", json={"status": "available"}, headers=agent),
        "handoff": lambda: client.post(f"/api/consultations/{call}/handoff", json={"reason": "requested"}, headers=anna),
        "search": lambda: client.get("/api/search", params={"q": "a"}, headers=admin),
    }


def reading(client: httpx.Client) -> dict[str, Ask]:
    admin = ISSUER.headers(Role.ADMIN, subject="admin")
    return {
        "list": lambda: client.get("/api/consultations", headers=admin),
        "queue": lambda: client.get("/api/handoff/queue", headers=admin),
        "trainings": lambda: client.get("/api/training", headers=admin),
    }


def is_down(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json") and "PostgreSQL" in answer.json()[
        "detail"
    ]


def test_while_postgresql_hangs_everybody_is_answered_and_readiness_names_it(
    engine: Engine, server: LiveKitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.patience.SILENCE_S", 1.0)
    with calling(engine, server) as client, ThreadPoolExecutor(2 * THREADS) as at_once:
        begun = client.post(BEGIN, json={"type": "support"}, headers=ISSUER.headers(Role.CUSTOMER, subject=str(ANNA))).json()
        asked = routes(client, begun["room_name"], begun["consultation_id"]) | reading(client)
        listing = asked["list"]
        with frozen(engine):
            waiting = [at_once.submit(listing) for _ in range(THREADS + 8)]  # more than there are threads
            ready = client.get("/readyz")
            assert client.get("/healthz").status_code == 200
            answers = {name: at_once.submit(ask) for name, ask in asked.items()}
            wrong = {name: found.result().text for name, found in answers.items() if not is_down(found.result())}
            assert not wrong and all(is_down(one.result()) for one in waiting)
            assert is_down(client.get("/api/consultations", headers=ISSUER.headers(Role.ADMIN))), "there is still a thread to answer"
        assert (ready.status_code, ready.json()["down"]) == (503, ["postgresql"])
        assert client.get("/readyz").json()["status"] == "ready"
        assert {name: ask().status_code for name, ask in asked.items()} == {
            "begin": 201, "enter": 200, "read": 200, "consent": 201, "recordings": 200, "status": 200, "handoff": 201, "search": 200,
            "list": 200, "queue": 200, "trainings": 200,
        }  # fmt: skip


def test_while_postgresql_only_reads_it_is_down_and_nothing_is_begun(engine: Engine, owner: Engine, server: LiveKitServer) -> None:
    with calling(engine, server) as client:
        begun = client.post(BEGIN, json={"type": "support"}, headers=ISSUER.headers(Role.CUSTOMER, subject=str(ANNA))).json()
        before = rooms(server)
        with reading_only(owner):
            engine.dispose()
            for _ in range(2):
                asked = routes(client, begun["room_name"], begun["consultation_id"])
                assert not {name: (found.status_code, found.text) for name, ask in asked.items() if not is_down(found := ask())}
            page = client.get("/", params={"q": "a"}, headers=ISSUER.headers(Role.ADMIN))
            assert page.status_code == 503 and page.headers["content-type"].startswith("text/html")
            ready = client.get("/readyz")
            assert (ready.status_code, ready.json()["down"]) == (503, ["postgresql_reads_only"])
        engine.dispose()
        assert rooms(server) == before == {begun["room_name"]}
        with engine.connect() as connection:
            assert connection.scalar(select(func.count()).select_from(consultations)) == 1
        assert client.get("/readyz").json()["status"] == "ready"
        assert client.post(BEGIN, json={"type": "support"}, headers=ISSUER.headers(Role.CUSTOMER, subject=str(ANNA))).status_code == 201
