"""Is it alive, and can it work. GET /healthz asks nothing of anybody; GET /readyz names what is down."""

import time
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from api.problems import described, problem
from resources.livekit_rooms import LiveKitRefused, LiveKitUnreachable

router = APIRouter()

ASK_AGAIN_S = 5.0
"""Anybody may ask, so LiveKit is asked no more often than this."""


class Alive(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok"}})

    status: str = "ok"


class Ready(BaseModel):
    """``down``: what cannot be reached although it is configured. Without LiveKit no call can begin; searches and webhooks work."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ready", "down": []}})

    status: str
    down: list[str]


@router.get("/healthz", summary="Alive", response_model=Alive)
def healthz() -> Alive:
    return Alive()


@router.get("/readyz", summary="Ready to work", response_model=Ready, responses={503: described("The store is down; names all that is")})
async def readyz(request: Request) -> Ready | Response:
    """``ready``, or ``degraded`` where something is down without which most of it works."""
    down = [] if await to_thread.run_sync(_store_answers, request.app.state.engine) else ["postgresql"]
    if not await _livekit_answers(request.app.state):
        down.append("livekit")
    if "postgresql" in down:
        return problem(503, "Not ready", "PostgreSQL cannot be reached.", down=down)
    return Ready(status="degraded" if down else "ready", down=down)


def _store_answers(engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


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
