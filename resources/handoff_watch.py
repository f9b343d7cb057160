"""Watches the queue of handoffs in every API process: does what time brings, and tells dashboards of each change as it commits.

One connection listens (PostgreSQL's LISTEN, which tells every process); what it hears of is read from the log of changes, whose numbers have no
gaps, so that nothing is missed and nothing told twice, also after the connection was lost. What changes follow from what: domain.handoff.
"""

import asyncio
import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from resources.store import handoffs
from resources.store.database import CONNECTION

logger = logging.getLogger("verbatim.handoffs")

TICK_S = 1.0
"""How often it is asked whether an offer has run out. Changes by callers need no tick: they settle the queue themselves."""
LISTEN_AGAIN_S = 1.0
LOOK_S = 5.0
"""A change that nobody was told of, should a notification be lost, is found after this long."""
SILENCE_S = 15.0
"""A server that has not answered by then is down, and another connection is tried."""
BEHIND = 256
"""Changes that may wait for one dashboard before it is sent away, so that it cannot hold up the others."""


class FellBehind(Exception):
    """A dashboard did not take its changes: it has to come back, from the number that it has."""


@dataclass(frozen=True, slots=True)
class Change:
    """``message`` is what every dashboard gets, as it is sent."""

    number: int
    message: str


@dataclass(eq=False)
class Dashboard:
    """What one dashboard is still to be told."""

    waiting: asyncio.Queue[Change] = field(default_factory=lambda: asyncio.Queue(BEHIND))
    behind: bool = False

    async def next(self) -> Change:
        """Raises FellBehind."""
        if self.behind and self.waiting.empty():
            raise FellBehind
        return await self.waiting.get()


class HandoffWatch:
    """``run`` until cancelled; ``watching`` for each dashboard."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._dashboards: set[Dashboard] = set()
        self._threads = CapacityLimiter(2)
        self._told = 0

    def join(self) -> Dashboard:
        """A dashboard that is told of every change from now on. Then read the queue: what both have is told by its number."""
        dashboard = Dashboard()
        self._dashboards.add(dashboard)
        return dashboard

    def leave(self, dashboard: Dashboard) -> None:
        self._dashboards.discard(dashboard)

    @property
    def dashboards(self) -> int:
        return len(self._dashboards)

    async def run(self) -> None:
        """No trouble with the database ends it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._settle())
            tasks.create_task(self._listen())

    async def _settle(self) -> None:
        forgotten_at = 0.0
        while True:
            try:
                await to_thread.run_sync(self._turn, limiter=self._threads)
                if (now := asyncio.get_running_loop().time()) - forgotten_at > 3600:
                    await to_thread.run_sync(self._forget, limiter=self._threads)
                    forgotten_at = now
            except SQLAlchemyError as error:
                logger.error("the queue of handoffs was not looked at: %s", type(error).__name__)
            await asyncio.sleep(TICK_S)

    def _turn(self) -> None:
        now = datetime.now(UTC)
        with self._engine.connect() as connection:
            if not handoffs.something_to_do(connection, now):
                return
        with self._engine.begin() as connection:
            handoffs.take_queue(connection)
            handoffs.settle(connection, datetime.now(UTC))

    def _forget(self) -> None:
        with self._engine.begin() as connection:
            handoffs.take_queue(connection)
            handoffs.forget_changes(connection, datetime.now(UTC))

    async def _listen(self) -> None:
        url = self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        started = False
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(url, autocommit=True, **CONNECTION)
                async with connection:
                    async with asyncio.timeout(SILENCE_S):
                        await connection.execute(f"LISTEN {handoffs.CHANNEL}")
                        if not started:
                            row = await (await connection.execute("SELECT coalesce(max(number), 0) FROM handoff_changes")).fetchone()
                            self._told, started = (row[0] if row else 0), True
                    while True:
                        async with asyncio.timeout(SILENCE_S):
                            await self._tell(connection)
                        async for _ in connection.notifies(timeout=LOOK_S, stop_after=1):
                            pass
            except (psycopg.Error, TimeoutError) as error:
                logger.error("nobody listens to the queue of handoffs: %s; trying again", type(error).__name__)
            await asyncio.sleep(LISTEN_AGAIN_S)

    async def _tell(self, connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> None:
        """Everything that was committed since it was last looked."""
        query = "SELECT number, entry FROM handoff_changes WHERE number > %s ORDER BY number"
        async for row in await connection.execute(query, (self._told,)):
            number = int(str(row[0]))
            self.tell(Change(number, change_message(number, row[1])))
            self._told = number

    def tell(self, change: Change) -> None:
        """Every dashboard that keeps up."""
        for dashboard in self._dashboards:
            if dashboard.waiting.full():
                dashboard.behind = True
            if not dashboard.behind:
                dashboard.waiting.put_nowait(change)


def change_message(number: int, entry: object) -> str:
    return json.dumps({"type": "change", "number": number, "handoff": entry}, separators=(",", ":"))


def queue_message(number: int, entries: list[handoffs.Entry]) -> str:
    return json.dumps({"type": "queue", "number": number, "handoffs": entries}, separators=(",", ":"))
