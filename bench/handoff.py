"""Handoffs over HTTP, with two API processes on one store and a real LiveKit server: how soon dashboards are told, and who gets a customer.

Push is the time from a change's commit to its message at a dashboard, of every change at every dashboard; all of them are read by this one
process, whose own delay counts too.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from sqlalchemy import Engine, insert
from websockets.asyncio.client import ClientConnection, connect

from bench.serving import serving
from domain.handoff import HandoffReason
from domain.roles import Role
from resources import embedded_postgres, migrations
from resources.identity import issue
from resources.settings import Settings
from resources.store import handoffs
from resources.store.database import engine_for
from resources.tables import consultations, users
from tests.livekit_server import LiveKitServer
from tests.services import variables

DASHBOARDS, CHANGES, EVERY_S = 200, 60, 0.1
HANDOFFS, ACCEPTS_EACH = 100, 10
AT_ONCE = 250
"""Connections on which accepts are sent at one time."""


@dataclass(frozen=True)
class World:
    engine: Engine
    settings: Settings
    urls: tuple[str, str]

    def headers(self, role: Role, subject: object) -> dict[str, str]:
        return {"Authorization": f"Bearer {issue(self.settings, role, subject=str(subject), lifetime=timedelta(hours=1))}"}


def measure() -> dict[str, float]:
    """``p50_ms`` and ``p99_ms`` of a push; ``accepts`` in ``accepts_s`` seconds; ``wrong``: handoffs that had not exactly one winner."""
    with _world() as world:
        pushed = asyncio.run(_push(world))
        winners, seconds = asyncio.run(_accepts(world))
    cuts = statistics.quantiles(pushed, n=100)
    return {
        "p50_ms": statistics.median(pushed) * 1000,
        "p99_ms": cuts[98] * 1000,
        "accepts": HANDOFFS * ACCEPTS_EACH,
        "accepts_s": seconds,
        "wrong": sum(count != 1 for count in winners.values()) + HANDOFFS - len(winners),
    }


@contextmanager
def _world() -> Iterator[World]:
    with ExitStack() as running:
        folder = running.enter_context(tempfile.TemporaryDirectory())
        livekit = LiveKitServer(variables()["VERBATIM_TEST_LIVEKIT_SERVER"], Path(folder))
        running.callback(livekit.kill)
        server = running.enter_context(embedded_postgres.running(Path(folder) / "postgres"))
        owner = engine_for(server.owner_url("verbatim"))
        migrations.upgrade(owner)
        owner.dispose()
        environment = {
            "VERBATIM_DATABASE_URL": server.url("verbatim"),
            "VERBATIM_DATA_DIR": folder,
            "VERBATIM_RECORD_CALLS": "false",
            "LIVEKIT_URL": livekit.url,
            "LIVEKIT_API_KEY": livekit.key,
            "LIVEKIT_API_SECRET": livekit.secret,
        }
        ports = [running.enter_context(serving("ours", environment))[1] for _ in range(2)]
        engine = engine_for(server.url("verbatim"))
        running.callback(engine.dispose)
        yield World(engine, Settings.model_validate({"data_dir": folder}), (f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}"))


async def _push(world: World) -> list[float]:
    """Seconds from commit to message, of every change at every dashboard."""
    committed: dict[int, float] = {}
    arrived: list[tuple[int, float]] = []

    async def watch(dashboard: ClientConnection) -> None:
        for _ in range(CHANGES):
            message = await dashboard.recv()
            arrived.append((json.loads(message)["number"], time.monotonic()))

    async with AsyncExitStack() as open_ones:
        headers = world.headers(Role.SUPERVISOR, "bench")
        dashboards = [
            await open_ones.enter_async_context(connect(f"ws://{world.urls[n % 2]}/api/handoff/live", additional_headers=headers))
            for n in range(DASHBOARDS)
        ]
        for dashboard in dashboards:
            await dashboard.recv()
        watching = asyncio.gather(*map(watch, dashboards))
        for _ in range(CHANGES):
            number, at = await asyncio.to_thread(_changed, world.engine)
            committed[number] = at
            await asyncio.sleep(EVERY_S)
        await asyncio.wait_for(watching, 60)
    return [at - committed[number] for number, at in arrived]


def _changed(engine: Engine) -> tuple[int, float]:
    """(number of the change, when its commit began)."""
    customer, call = uuid4(), uuid4()
    with engine.connect() as connection, connection.begin() as transaction:
        handoffs.take_queue(connection)
        connection.execute(insert(users).values(id=customer, role="customer"))
        row = {"id": call, "room_name": f"bench-{call}", "consultation_type": "claims", "customer_id": customer}
        connection.execute(insert(consultations).values(**row))
        handoffs.ask(connection, call, HandoffReason.COMPLEX, None, "bench", datetime.now(UTC))
        number, _ = handoffs.queue(connection)
        at = time.monotonic()
        transaction.commit()
    return number, at


async def _accepts(world: World) -> tuple[Counter[str], float]:
    """Winners of each handoff, and how long all accepts took together."""
    agents = [uuid4() for _ in range(HANDOFFS)]
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120)) as http:

        async def ask(method: str, path: str, headers: dict[str, str], body: object = None, which: int = 0) -> tuple[int, Any]:
            async with http.request(method, f"http://{world.urls[which]}{path}", headers=headers, json=body) as answer:
                return answer.status, await answer.json()

        with world.engine.begin() as connection:  # the customers of the other figure have gone
            connection.exec_driver_sql("UPDATE video_consultations SET ended_at = now()")
        for _ in agents:
            status, begun = await ask("POST", "/api/livekit/consultation", world.headers(Role.CUSTOMER, uuid4()), {"type": "support"})
            assert status == 201, begun
            path = f"/api/consultations/{begun['consultation_id']}/handoff"
            status, wanted = await ask("POST", path, world.headers(Role.ASSISTANT, "bot"), {"reason": "complex"})
            assert status == 201, wanted
        headers = {agent: world.headers(Role.AGENT, agent) for agent in agents}
        stated = [ask("PUT", "/api/agents/me/status", headers[agent], {"status": "available"}) for agent in agents]
        assert {status for status, _ in await asyncio.gather(*stated)} == {200}
        _, queue = await ask("GET", "/api/handoff/queue", world.headers(Role.SUPERVISOR, "bench"))
        asked = {one["id"]: UUID(one["agent"]) for one in queue["handoffs"] if one["state"] == "offered"}
        assert len(asked) == HANDOFFS, len(asked)

        async def accept(handoff: str, agent: UUID, which: int) -> str | None:
            status, answer = await ask("POST", f"/api/handoffs/{handoff}/accept", headers[agent], which=which)
            assert status in (200, 409), answer
            return handoff if status == 200 else None

        tries = [  # half of them by whoever is asked, half by somebody who is not
            accept(handoff, agent if n % 2 else agents[(place + n) % HANDOFFS], n % 4 // 2)
            for place, (handoff, agent) in enumerate(asked.items())
            for n in range(ACCEPTS_EACH)
        ]
        random.Random(1).shuffle(tries)
        began = time.monotonic()
        won = [handoff for handoff in await asyncio.gather(*tries) if handoff is not None]
        return Counter(won), time.monotonic() - began
