"""Closes rooms in which nothing was begun: at once where that is known, and for as long as it takes where LiveKit does not answer.

It may have opened a room all the same, also after it was asked to close it. And it opens one for whoever comes with a token of a call whose room
is gone: then the call is over, as LiveKit lost it, and whoever is in that room begins another. What a promise is, and that no webhook makes a
consultation of these rooms: resources.store.promised_rooms.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from anyio import to_thread
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.reconciliation import corrections
from resources.corrections import corrected
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms, LiveKitUnreachable
from resources.store import promised_rooms, reconciliation

logger = logging.getLogger("verbatim.rooms")

T = TypeVar("T")
OVERDUE = timedelta(minutes=2)
"""Far longer than a beginning takes: whoever promised it is gone."""
LATE = timedelta(minutes=1)
"""For so long after a promise was broken, a room that LiveKit does not have may still come."""
SWEEP_S, RETRY_S = 30.0, 5.0


@dataclass
class RoomPromises:
    """``give_up`` when a beginning came to nothing, ``wake`` when a room was heard of that is no call's; ``run`` until cancelled, beside the
    requests."""

    engine: Engine
    rooms: LiveKitRooms

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()

    async def give_up(self, room_name: str, *, shared: bool, at_once: bool = True) -> None:
        """No call begins in this room, and it is closed. ``shared``: others may know its name by their idempotency key, and have begun it after
        all; then it stays. Without ``at_once``, LiveKit having just not answered, it is closed as soon as it does. Raises nothing."""
        try:
            broken = await self._in(partial(promised_rooms.give_up, room_name=room_name, now=_now()))
        except SQLAlchemyError:
            broken = not shared or await self._nobody_began(room_name)
        if (broken or not shared) and at_once and await self._close(room_name):
            with suppress(SQLAlchemyError):
                await self._in(partial(promised_rooms.closed, room_name=room_name, now=_now()))
        self._changed.set()

    def wake(self) -> None:
        """From the loop of ``run``."""
        self._changed.set()

    async def run(self) -> None:
        """No trouble ends it."""
        while True:
            try:
                wait_s = RETRY_S if await self.sweep() else SWEEP_S
            except SQLAlchemyError as error:
                logger.error("promised rooms were not looked at: %s", type(error).__name__)
                wait_s = SWEEP_S
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            self._changed.clear()

    async def sweep(self) -> bool:
        """Breaks what is overdue, and closes what is broken or came again. Whether something is left to do. Raises SQLAlchemy's errors."""
        for name in await self._in(partial(promised_rooms.overdue, now=_now(), patience=OVERDUE)):
            await self._in(partial(promised_rooms.give_up, room_name=name, now=_now()))
        left = False
        for name, broken_at in await self._in(promised_rooms.to_close):
            was_there = await self._close(name)
            if was_there is None:
                return True
            if was_there or _now() - broken_at > LATE:
                await self._in(partial(promised_rooms.closed, room_name=name, now=_now()))
            else:
                left = True
        for name, sid, since in await self._in(promised_rooms.came_again):
            if not await self._close_other(name, sid):
                return True
            await self._in(partial(promised_rooms.closed_again, room_name=name, came_again_at=since))
        return left

    async def _close_other(self, room_name: str, room_sid: str) -> bool:
        """Closes the room of this name, unless it is the call's own, and ends the call whose room is not there. Whether that is so now."""
        try:
            there = await self.rooms.room(room_name)
        except (LiveKitUnreachable, LiveKitRefused) as error:
            logger.warning("a room that is no call's may be open: %s", error)
            return False
        if there is not None and there.sid == room_sid:
            return True
        # The name is enough: LiveKit gives no room's id anew, so the call's own cannot have come back by now.
        if there is not None and await self._close(room_name) is None:
            return False
        await to_thread.run_sync(self._end, room_sid)
        return True

    def _end(self, room_sid: str) -> None:
        with self.engine.connect() as connection:
            calls = reconciliation.open_calls(connection, room_sid)
        for _ in corrected(self.engine, corrections(calls, (), _now(), timedelta())):
            pass

    async def _close(self, room_name: str) -> bool | None:
        """True where it was there and is not any more, False where LiveKit does not have it, None where nobody knows."""
        try:
            await self.rooms.delete_room(room_name)
        except LiveKitUnreachable:
            return None
        except LiveKitRefused as refused:
            return False if refused.not_found else None
        return True

    async def _nobody_began(self, room_name: str) -> bool:
        """For a store that cannot be written to; it may be read all the same."""
        try:
            return not await self._in(partial(promised_rooms.is_begun, room_name=room_name))
        except SQLAlchemyError:
            return False

    async def _in(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self.engine.begin() as connection:
                return work(connection)

        return await to_thread.run_sync(run)


def _now() -> datetime:
    return datetime.now(UTC)
