"""The application: which routers there are, and what they find in ``app.state``. Serving it belongs to api.__main__."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from anyio import to_thread
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from api import (
    access,
    agents,
    bodies,
    consents,
    consultations,
    faults,
    handoff_live,
    handoffs,
    health,
    live_calls,
    metrics,
    pages,
    patience,
    playback,
    reconciling,
    recording,
    refusals,
    reviews,
    room_promises,
    search,
    session,
    training,
    training_entrance,
    verdicts,
    webhooks,
)
from api.description import Described
from api.problems import plain_problem, problem, wrong_parameter
from api.rates import MovingWindow, SharedWindow
from resources.identity import Identities, identities_of
from resources.identity.invitations import require_invite_secret
from resources.livekit import Webhooks
from resources.livekit_rooms import LiveKitRooms, rooms_of
from resources.objects import open_store
from resources.policies import recording_consent
from resources.search.postgres import PostgresIndex
from resources.settings import LOOPBACK, Settings
from resources.store.database import database
from resources.store.inbox import Inbox
from resources.store.readiness import require_ready


def create_app(
    settings: Settings, engine: Engine | None = None, identities: Identities | None = None, rooms: LiveKitRooms | None = None
) -> FastAPI:
    """``engine``, ``identities`` and ``rooms`` replace what the settings describe, for tests.

    Raises SettingMissing for one without which something would not work. Its start raises NotReady where production must not work with the
    database.
    """
    keys = settings.webhook_keys()
    trusted = identities or identities_of(settings)
    server = rooms or rooms_of(settings)
    require_invite_secret(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with nullcontext(engine) if engine is not None else database(settings) as opened:
            await to_thread.run_sync(require_ready, opened, settings)
            _connect(app, opened)
            app.state.archive = open_store(settings.archive, settings.s3())
            async with (
                refusals.counting_the_rest(app),
                server or nullcontext() as app.state.rooms,
                health.asking_others(app),
                room_promises.keeping_promises(app),
                recording.recording_calls(app),
                training_entrance.watching_the_door(app),
                handoff_live.watching_handoffs(app),
                reconciling.reconciling_once(app),
            ):
                yield

    app = Described(
        title="Verbatim", summary="The archive of recorded consultations", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None
    )  # FastAPI's pages load scripts from elsewhere
    app.add_exception_handler(RequestValidationError, wrong_parameter)
    app.add_exception_handler(HTTPException, plain_problem)
    app.add_exception_handler(405, access.wrong_method)
    app.add_exception_handler(access.Refused, access.refusal)
    app.add_exception_handler(bodies.TooLarge, bodies.too_large)
    app.state.webhooks = Webhooks(keys)
    app.state.identities = trusted
    app.state.limiter = MovingWindow()
    app.state.refusals = refusals.Refusals(app.state.limiter)
    app.state.settings = settings
    app.state.consent_table = recording_consent()
    app.state.development = settings.oidc_issuer is None
    for router in (
        webhooks.router,
        live_calls.router,
        search.router,
        metrics.router,
        consultations.router,
        consents.router,
        training.router,
        training_entrance.partners,
        training_entrance.trainers,
        handoffs.router,
        agents.router,
        handoff_live.described_router,
        handoff_live.router,
        recording.router,
        verdicts.router,
        reviews.router,
        playback.router,
        health.router,
        session.router,
        pages.router,
        pages.open_to_all,
    ):
        if router is handoff_live.router:  # asks for its caller itself: before a WebSocket is open, a refusal is an answer of another kind
            app.include_router(router)
        elif access.guarded(router):
            app.include_router(router, dependencies=[Depends(access.bearer), Depends(access.authorised)], responses=access.GUARDED)
        else:
            app.include_router(router)
    access.require_listed(app)
    app.state.registry = CollectorRegistry()
    app.add_middleware(bodies.Bodies)  # what is added later is further out
    app.add_middleware(refusals.RefusalsWritten)
    app.add_middleware(metrics.Measured, registry=app.state.registry)
    if settings.oidc_issuer is None:
        app.add_middleware(LoopbackOnly)
    app.add_middleware(patience.Impatient)
    app.add_middleware(faults.Faults)
    return app


def _connect(app: FastAPI, engine: Engine) -> None:
    app.state.engine = engine
    app.state.inbox = Inbox(engine)
    app.state.callers = SharedWindow(engine)
    app.state.search = PostgresIndex(engine)
    app.state.registry.register(metrics.Store(engine))


class LoopbackOnly:
    """Refuses whoever came in by another address than loopback, or names another host: for as long as development tokens count.

    The setting is checked at start; this holds too when somebody serves the application in another way, and against pages elsewhere
    that make a browser take their host's name for this machine.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            server = scope.get("server")
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            if (server is not None and server[0] not in LOOPBACK) or not _names_loopback(host.decode("latin-1")):
                refused = problem(403, "Loopback only", "While development tokens count, this API answers on loopback only.")
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _names_loopback(host: str) -> bool:
    name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    return name.lower() in LOOPBACK
