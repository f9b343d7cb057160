"""Servers to compare: our API, the least that any webhook handler does (check the signature, insert one row), and a route that mints a token
for whoever asks.

``python -m bench.handlers ours|bare|minting|asking PORT`` serves until it is ended; database and keys come from the environment.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI, Request, Response
from livekit.api import TokenVerifier, WebhookReceiver
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool

from api.app import create_app
from api.live_calls import Entering, Entrance
from domain.grants import grants_of, stated_role
from resources.identity import identities_of
from resources.livekit_rooms import rooms_of
from resources.livekit_tokens import TTL, mint
from resources.settings import Settings
from resources.store.database import engine_for


def bare(settings: Settings) -> FastAPI:
    assert settings.database_url is not None
    engine = engine_for(settings.database_url.get_secret_value())
    (key, secret), *_ = settings.webhook_keys().items()
    receiver = WebhookReceiver(TokenVerifier(key, secret))
    app = FastAPI()
    store = text("INSERT INTO bare_events (event_id, body) VALUES (:id, :body) ON CONFLICT DO NOTHING")

    def insert(event_id: str, body: str) -> None:
        with engine.begin() as connection:
            connection.execute(store, {"id": event_id, "body": body})

    @app.post("/api/livekit/webhook")
    async def webhook(request: Request) -> Response:
        body = (await request.body()).decode()
        event = receiver.receive(body, request.headers["authorization"])
        await run_in_threadpool(insert, event.id, body)
        return Response()

    @app.get("/readyz")
    def readyz() -> Response:
        return Response()

    return app


def minting(settings: Settings) -> FastAPI:
    assert settings.livekit_api_key is not None and settings.livekit_api_secret is not None
    key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    app = FastAPI()

    @app.post("/api/livekit/token")
    async def token(body: Entering) -> Entrance:
        kind = body.participant_type
        role, grants = stated_role(kind), grants_of(kind)
        made = mint(key, secret, room_name=body.room_name, identity=body.identity, name=role, grants=grants, role=role)
        return Entrance(token=made, url=settings.client_url, expires_at=datetime.now(UTC) + TTL)

    @app.get("/readyz")
    def readyz() -> Response:
        return Response()

    return app


def asking(settings: Settings) -> FastAPI:
    """The least that lets the right ones in: who asks, whether the room is there, and the token. Without a store, and so without a trail."""
    rooms, identities = rooms_of(settings), identities_of(settings)
    assert rooms is not None and settings.livekit_api_key is not None and settings.livekit_api_secret is not None
    key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with rooms:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/api/livekit/token")
    async def token(request: Request, body: Entering) -> Entrance:
        caller = identities.caller(request.headers["authorization"].removeprefix("Bearer "))
        assert caller.subject == body.identity and await rooms.room(body.room_name) is not None
        kind = body.participant_type
        role, grants = stated_role(kind), grants_of(kind)
        made = mint(key, secret, room_name=body.room_name, identity=body.identity, name=role, grants=grants, role=role)
        return Entrance(token=made, url=settings.client_url, expires_at=datetime.now(UTC) + TTL)

    @app.get("/readyz")
    def readyz() -> Response:
        return Response()

    return app


if __name__ == "__main__":
    chosen = {"ours": create_app, "bare": bare, "minting": minting, "asking": asking}[sys.argv[1]](Settings())
    uvicorn.run(chosen, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
