"""The recording of live calls, as the application runs it: one task beside the requests. What it does is in resources.call_recording."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from fastapi import FastAPI

from resources.call_recording import CallRecording
from resources.livekit_recording import recording_place


@asynccontextmanager
async def recording_calls(app: FastAPI) -> AsyncIterator[None]:
    """While the block lasts. Nothing runs without LIVEKIT_URL, or where VERBATIM_RECORD_CALLS leaves recording to the call stack."""
    settings, rooms = app.state.settings, app.state.rooms
    if rooms is None or not settings.record_calls:
        app.state.recording = None
        yield
        return
    app.state.recording = CallRecording(app.state.engine, rooms, app.state.consent_table, recording_place(settings))
    running = asyncio.create_task(app.state.recording.run())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def wake_recording(app: FastAPI, call: UUID | str) -> None:
    """Something changed in a call: its consultation's id, or its room's SID."""
    if app.state.recording is not None:
        app.state.recording.wake(call)
