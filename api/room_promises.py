"""Rooms that are no call's, as the application closes them: one task beside the requests.

What the task does is in resources.room_promises.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from resources.room_promises import RoomPromises


@asynccontextmanager
async def keeping_promises(app: FastAPI) -> AsyncIterator[None]:
    """While the block lasts. Nothing to do without LIVEKIT_URL."""
    if app.state.rooms is None:
        app.state.promises = None
        yield
        return
    app.state.promises = RoomPromises(app.state.engine, app.state.rooms)
    running = asyncio.create_task(app.state.promises.run())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def watch_rooms(app: FastAPI) -> None:
    """LiveKit told of a room that is no call's, as far as anybody knows."""
    if app.state.promises is not None:
        app.state.promises.wake()
