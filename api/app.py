"""The application: which routers there are, and what they find in ``app.state``. Serving it belongs to api.__main__."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine
from starlette.types import ASGIApp, Receive, Scope, Send

from api import health, pages, search, webhooks
from api.problems import problem, wrong_parameter
from resources.livekit import Webhooks
from resources.search.postgres import PostgresIndex
from resources.settings import LOOPBACK, Settings
from resources.store.database import database
from resources.store.inbox import Inbox


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

    app = FastAPI(
        title="Verbatim", summary="The archive of recorded consultations", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None
    )  # FastAPI's pages load scripts from elsewhere
    app.add_exception_handler(RequestValidationError, wrong_parameter)
    app.state.webhooks = Webhooks(keys)
    for router in (webhooks.router, search.router, health.router, pages.router):
        app.include_router(router)
    app.add_middleware(LoopbackOnly)
    return app


def _connect(app: FastAPI, engine: Engine) -> None:
    app.state.engine = engine
    app.state.inbox = Inbox(engine)
    app.state.search = PostgresIndex(engine)


class LoopbackOnly:
    """Refuses whoever came in by another address than loopback, or names another host: nobody is asked yet who they are.

    The setting is checked at start; this holds too when somebody serves the application in another way, and against pages elsewhere
    that make a browser take their host's name for this machine.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            server = scope.get("server")
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            if (server is not None and server[0] not in LOOPBACK) or not _names_loopback(host.decode("latin-1")):
                refused = problem(403, "Loopback only", "Until callers have roles, this API answers on loopback only.")
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _names_loopback(host: str) -> bool:
    name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    return name.lower() in LOOPBACK
