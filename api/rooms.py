"""What the routes of live calls have in common: LiveKit and the store as a request finds them, tokens, and the answers when something is down."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from anyio import to_thread
from fastapi import Request, Response
from limits import RateLimitItem
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from api.problems import problem
from domain.grants import ParticipantType, grants_of, stated_role
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms, LiveKitUnreachable
from resources.livekit_tokens import mint
from resources.settings import Settings

logger = logging.getLogger("verbatim.livekit")

T = TypeVar("T")
STORE_IS_DOWN = (OperationalError, NoConnectionFree)


def room_token(settings: Settings, room_name: str, identity: str, kind: ParticipantType, *, trainer: bool = False) -> str:
    assert settings.livekit_api_key and settings.livekit_api_secret
    secret = settings.livekit_api_secret.get_secret_value()
    grants, role = grants_of(kind, trainer=trainer), stated_role(kind)
    # The name is shown to everybody in the room; people's names are the application's to show.
    return mint(settings.livekit_api_key, secret, room_name=room_name, identity=identity, name=role, grants=grants, role=role)


async def stored(request: Request, work: Callable[[Connection], T]) -> T:
    """``work`` in a transaction of its own, in a thread."""

    def run() -> T:
        with request.app.state.engine.begin() as connection:
            return work(connection)

    return await to_thread.run_sync(run)


def in_store(request: Request, work: Callable[[Connection], T]) -> T | Response:
    """``work`` in a transaction of its own, for a route that runs in a thread already; 503 where the store is down."""
    try:
        with request.app.state.engine.begin() as connection:
            return work(connection)
    except STORE_IS_DOWN:
        return store_is_down()


def livekit(request: Request) -> tuple[Settings, LiveKitRooms | None]:
    state: Any = request.app.state
    return state.settings, state.rooms


async def too_often(request: Request, limit: RateLimitItem, what: str, who: str | None = None) -> Response | None:
    """The answer to a caller who asks too often, whichever process they reach, or where the store is down; None lets them on. ``who``: where
    it is no token that says who asks.
    """
    try:
        room = await to_thread.run_sync(request.app.state.callers.hit, limit, what, who or request.state.caller.subject)
    except STORE_IS_DOWN:
        return store_is_down()
    return None if room else slow_down()


def slow_down() -> Response:
    return problem(
        429, "Too many requests", "This caller has asked often in the last minute; wait a little.", headers={"Retry-After": "10"}
    )


def store_is_down() -> Response:
    return problem(503, "The store is down", "PostgreSQL cannot be reached; nothing was begun. Try again.", headers={"Retry-After": "5"})


def livekit_is_down(error: LiveKitUnreachable | LiveKitRefused) -> Response:
    logger.warning("%s", error)
    return problem(
        503, "LiveKit does not answer as it should", f"{error.told}. Nothing was begun; try again.", headers={"Retry-After": "5"}
    )


def no_livekit() -> Response:
    return problem(503, "No LiveKit server", "LIVEKIT_URL is not set, so no call can be begun here.")
