"""The application: which routers there are, and what they find in ``app.state``. Serving it belongs to api.__main__."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api import health, pages, search, webhooks
from api.problems import problem, wrong_parameter
from resources.livekit import Webhooks
from resources.search.postgres import PostgresIndex
from resources.settings import Settings
from resources.store.database import database

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def create_app(settings: Settings, engine: Engine | None = None) -> FastAPI:
    """``engine`` replaces the database that the settings describe, for tests. Raises SettingMissing for a setting without which nothing works."""
    keys = settings.webhook_keys()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if engine is not None:
            _connect(app, engine)
            yield
            return
        with database(settings) as opened:
            _connect(app, opened)
            yield

    app = FastAPI(title="Verbatim", summary="The archive of recorded consultations", version="0.1.0", lifespan=lifespan)
    app.add_exception_handler(RequestValidationError, wrong_parameter)
    app.state.webhooks = Webhooks(keys)
    for router in (webhooks.router, search.router, health.router, pages.router):
        app.include_router(router)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    app.add_middleware(LoopbackOnly)
    return app


def _connect(app: FastAPI, engine: Engine) -> None:
    app.state.engine = engine
    app.state.search = PostgresIndex(engine)


class LoopbackOnly:
    """Refuses whoever came in by another address than loopback: nobody is asked yet who they are.

    The setting is checked at start; this holds too when somebody serves the application in another way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server")
        if scope["type"] == "http" and server is not None and server[0] not in (*LOOPBACK, "testserver"):
            await problem(403, "Loopback only", "Until callers have roles, this API answers on loopback only.")(scope, receive, send)
            return
        await self.app(scope, receive, send)
