"""Is it alive, and can it work. GET /healthz asks nothing of anybody; GET /readyz names what is down."""

import time
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.problems import described, problem
from resources.livekit_rooms import LiveKitRefused, LiveKitUnreachable
from resources.store.readiness import Fault, faults, found

router = APIRouter()

ASK_AGAIN_S = 5.0
"""Anybody may ask, so LiveKit is asked no more often than this."""

UNUSABLE = frozenset({Fault.TABLES_MISSING, Fault.TABLES_OLDER, Fault.TABLES_CLOSED})
"""Tables of a newer version do not count: else every process would leave at once, as soon as an update begins with its migrations."""


class Alive(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok"}})

    status: str = "ok"


class Ready(BaseModel):
    """``down``: what cannot be reached although it is configured. Without LiveKit no call can begin; searches and webhooks work.

    ``warnings``: what production does not start with (``audit_trail_can_be_changed``, ``tables_newer``).
    """

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ready", "down": [], "warnings": []}})

    status: str
    down: list[str]
    warnings: list[Fault]


@router.get("/healthz", summary="Alive", response_model=Alive)
def healthz() -> Alive:
    return Alive()


@router.get("/readyz", summary="Ready to work", response_model=Ready, responses={503: described("The store is down; names all that is")})
async def readyz(request: Request) -> Ready | Response:
    """``ready``, or ``degraded`` where something is down without which most of it works."""
    wrong = await to_thread.run_sync(_store_faults, request.app.state.engine)
    down = ["postgresql"] if wrong is None else [fault.value for fault in wrong if fault in UNUSABLE]
    unusable, warnings = bool(down), [fault for fault in wrong or () if fault not in UNUSABLE]
    if not await _livekit_answers(request.app.state):
        down.append("livekit")
    if wrong is None:
        return problem(503, "Not ready", "PostgreSQL cannot be reached.", down=down)
    if unusable:
        return problem(503, "Not ready", "The database is not as this version needs it: the log of the start says what to do.", down=down)
    return Ready(status="degraded" if down else "ready", down=down, warnings=warnings)


def _store_faults(engine: Engine) -> tuple[Fault, ...] | None:
    """None: it does not answer."""
    try:
        with engine.connect() as connection:
            return faults(found(connection))
    except SQLAlchemyError:
        return None


async def _livekit_answers(state: Any) -> bool:
    """What it answered last, if that was just now. True without LIVEKIT_URL: then nothing is missing."""
    if state.rooms is None:
        return True
    asked_at, answers = getattr(state, "livekit_answers", (0.0, False))
    if not asked_at or time.monotonic() - asked_at > ASK_AGAIN_S:
        try:
            await state.rooms.room("readyz")  # a question of a few bytes, whatever rooms there are
            answers = True
        except (LiveKitUnreachable, LiveKitRefused):
            answers = False
        state.livekit_answers = time.monotonic(), answers
    return answers
