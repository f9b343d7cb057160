"""LiveKit as a beginning can meet it at its worst: a real server, whose answers are lost, late, or of another server than was asked before."""

import asyncio
from contextlib import ExitStack
from typing import Any

from anyio import to_thread
from sqlalchemy import Engine, select

from resources.livekit_rooms import LiveKitRooms, LiveKitUnreachable, RoomCreated
from resources.tables import consultations, webhook_events
from tests.databases import reading_only
from tests.integration.livekit_calls import eventually
from tests.livekit_server import LiveKitServer


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(consultations)).all())


def heard(engine: Engine) -> list[str]:
    """Webhooks that have come, by their type."""
    with engine.connect() as connection:
        return list(connection.scalars(select(webhook_events.c.event_type).order_by(webhook_events.c.id)))


class AnswersLost(LiveKitRooms):
    """LiveKit, which does what it is asked and cannot say so; from ``back`` on it can, and before that it hears of no deletion."""

    back: bool = False

    async def create_room(self, *given: Any, **more: Any) -> RoomCreated:
        made = await super().create_room(*given, **more)
        if not self.back:
            raise LiveKitUnreachable("lost")
        return made

    async def delete_room(self, name: str) -> None:
        if not self.back:
            raise LiveKitUnreachable("lost")
        await super().delete_room(name)


class FailsOver(LiveKitRooms):
    """LiveKit, beside a PostgreSQL that only reads once a room is open."""

    owner: Engine

    def __init__(self, url: str, key: str, secret: str) -> None:
        super().__init__(url, key, secret)
        self.failed_over = ExitStack()

    async def create_room(self, *given: Any, **more: Any) -> RoomCreated:
        made = await super().create_room(*given, **more)
        await to_thread.run_sync(self.failed_over.enter_context, reading_only(self.owner))
        return made


class Awaited(LiveKitRooms):
    """LiveKit, whose answer comes only after its webhook."""

    engine: Engine
    seen: list[Any]

    async def create_room(self, *given: Any, **more: Any) -> RoomCreated:
        made = await super().create_room(*given, **more)
        while "room_started" not in heard(self.engine):
            await asyncio.sleep(0.02)
        self.seen = rows(self.engine)
        return made


class StartsAnew(LiveKitRooms):
    """LiveKit, which starts anew between two calls of one click: the second one gets another room of the same name."""

    engine: Engine
    server: LiveKitServer
    asked: int

    async def create_room(self, *given: Any, **more: Any) -> RoomCreated:
        self.asked += 1
        if self.asked == 1:
            made = await super().create_room(*given, **more)
            while self.asked == 1:  # until the same click is there again, which no call was begun for yet
                await asyncio.sleep(0.02)
            return made
        await to_thread.run_sync(eventually, lambda: len(rows(self.engine)) == 1)
        await to_thread.run_sync(self.server.restart)
        return await super().create_room(*given, **more)
