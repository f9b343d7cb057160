"""Sends away whoever is in a training although their invitation was revoked: at once, and each time that they come back.

LiveKit's tokens cannot be revoked and are good for an hour, so the door is watched instead. Whose invitation counts: resources.store.trainings.
"""

import asyncio
import logging
from dataclasses import dataclass

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.audit import Deed
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms, LiveKitUnreachable
from resources.store import audit, trainings
from resources.store.trainings import Unwelcome

logger = logging.getLogger("verbatim.trainings")

SWEEP_S, AGAIN_S = 60.0, 2.0
"""How often it is looked, whatever was heard; and how soon again where LiveKit or the store did not answer."""
WRITTEN_EACH_S = 60.0
"""Who comes back again and again is sent away each time, and written down no more often than this: so nobody can fill the trail."""


@dataclass
class TrainingDoor:
    """``wake`` says that an invitation was revoked or a partner came in; ``run`` looks who must go, until it is cancelled."""

    engine: Engine
    rooms: LiveKitRooms
    sweep_s: float = SWEEP_S

    def __post_init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._threads = CapacityLimiter(1)
        self._told: dict[Unwelcome, float] = {}

    def wake(self) -> None:
        """From any thread; without ``run`` it does nothing."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    async def run(self) -> None:
        """Until cancelled. No trouble ends it."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                self._changed.clear()
                wait_s = self.sweep_s if await self._swept() else AGAIN_S
                try:
                    async with asyncio.timeout(wait_s):
                        await self._changed.wait()
                except TimeoutError:
                    pass
        finally:
            self._loop = None

    async def send_away(self, who: Unwelcome) -> None:
        """Raises LiveKitUnreachable, LiveKitRefused. Who is not in the room is not sent away."""
        try:
            await self.rooms.remove_participant(who.room_name, who.identity)
        except LiveKitRefused as refused:
            if not refused.not_found:
                raise
            return
        now = asyncio.get_running_loop().time()
        if now - self._told.get(who, -WRITTEN_EACH_S) >= WRITTEN_EACH_S:
            self._told[who] = now
            await to_thread.run_sync(self._write_down, who, limiter=self._threads)

    async def _swept(self) -> bool:
        """Whether everybody who must go was sent."""
        try:
            for who in await to_thread.run_sync(self._unwelcome, limiter=self._threads):
                await self.send_away(who)
        except (LiveKitUnreachable, LiveKitRefused) as error:
            logger.warning("somebody whose invitation was revoked is still in a training: %s", error)
            return False
        except SQLAlchemyError as error:
            logger.error("who must leave a training is not known: %s", type(error).__name__)
            return False
        return True

    def _unwelcome(self) -> list[Unwelcome]:
        with self.engine.connect() as connection:
            return trainings.unwelcome(connection)

    def _write_down(self, who: Unwelcome) -> None:
        deed = Deed(
            "verbatim",
            "service",
            "training.remove",
            consultation_id=who.consultation_id,
            subject=who.identity,
            details=(("why", "the invitation was revoked"),),
        )
        with self.engine.begin() as connection:
            audit.append(connection, deed)
