"""The recording of live calls, as the application runs it: one task beside the requests, and what came of it for a call.

What the task does is in resources.call_recording; what is said in a recording is shown elsewhere.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from api.access import deed_of
from api.consultations import ONE, store_is_down, visible
from api.problems import problem
from domain.recording_control import StopReason
from resources.call_recording import CallRecording
from resources.livekit_recording import recording_place
from resources.store import audit, recording_orders

router = APIRouter(prefix="/api/consultations", tags=["recording"])


_EXAMPLE: JsonDict = {
    "egress_id": "EG_yyXk4QCLEkGd",
    "ordered_at": "2025-03-03T15:00:20Z",
    "active_at": "2025-03-03T15:00:21.402Z",
    "stop_ordered_at": "2025-03-03T15:07:29.918Z",
    "stop_because": "refused",
    "refused_at": "2025-03-03T15:07:29.204Z",
    "ended_at": "2025-03-03T15:07:30.041Z",
    "ended_as": "EGRESS_COMPLETE",
    "recording_id": "5f1f4d4e-53b5-4f0c-8a43-90a5b4f0c2aa",
    "stage": "done",
    "failed_at": None,
    "duration_ms": 428639,
    "flags": [],
}


class RecordingOut(BaseModel):
    """Times in UTC; None for what has not happened, or is not known.

    It records from ``active_at`` to ``ended_at``. ``ordered_at`` and ``stop_because`` are set where Verbatim started and stopped it;
    ``refused_at``: when a party refused, where that is why.
    ``stage``: the next thing to do with its file, or ``done``; ``failed_at``: when that was given up.
    """

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    egress_id: str | None
    ordered_at: datetime | None
    active_at: datetime | None
    stop_ordered_at: datetime | None
    stop_because: StopReason | None
    refused_at: datetime | None
    ended_at: datetime | None
    ended_as: str | None
    recording_id: UUID | None
    stage: str | None
    failed_at: datetime | None
    duration_ms: int | None
    flags: list[str]


class RecordingsOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"recordings": [_EXAMPLE]}})

    recordings: list[RecordingOut]


@router.get(
    "/{consultation_id}/recordings", summary="When it was recorded, and why not longer", response_model=RecordingsOut, responses=ONE
)
def list_recordings(request: Request, consultation_id: UUID) -> RecordingsOut | Response:
    try:
        with request.app.state.engine.begin() as connection:
            if visible(request, connection, consultation_id, "recordings.list", for_update=False) is None:
                return problem(404, "No such consultation", "There is none with this id, or it is not yours.")
            rows = recording_orders.shown(connection, consultation_id)
            audit.append(connection, deed_of(request, "recordings.list", consultation_id=consultation_id))
    except (OperationalError, NoConnectionFree):
        return store_is_down()
    return RecordingsOut(
        recordings=[RecordingOut.model_validate({**row, "failed_at": row["gave_up_at"], "flags": row["flags"] or []}) for row in rows]
    )


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
