"""Is it alive, and can it work. GET /healthz asks nothing of anybody; GET /readyz names what is down."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.problems import described, problem
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms, LiveKitUnreachable
from resources.objects import FolderStore, ObjectStore, StorageError, open_store
from resources.settings import Settings
from resources.store.patience import answered_within
from resources.store.readiness import Fault, faults, found

router = APIRouter()

ASK_AGAIN_S = 5.0
"""Anybody may ask, so LiveKit and object storage are asked no more often than this."""
SILENCE_S = 3.0
"""Whoever has not answered by then is down."""
THREADS = 2
"""Of its own for the store, and as many for each object store: it answers also where every other thread waits."""

UNUSABLE = frozenset({Fault.TABLES_MISSING, Fault.TABLES_OLDER, Fault.TABLES_CLOSED, Fault.READS_ONLY})
"""Tables of a newer version do not count: else every process would leave at once, as soon as an update begins with its migrations."""


class Alive(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok"}})

    status: str = "ok"


class Ready(BaseModel):
    """``down``: what cannot be used although a setting names it: ``livekit``, ``intake``, ``archive``. Without LiveKit no call can begin, without
    object storage no recording goes further; searches and webhooks work.

    ``warnings``: what production does not start with (``audit_trail_can_be_changed``, ``tables_newer``).
    """

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ready", "down": [], "warnings": []}})

    status: str
    down: list[str]
    warnings: list[Fault]


@dataclass
class Asked:
    """Whether somebody answers, as it was when they were last asked. One asks, and whoever comes meanwhile gets the same answer."""

    ask: Callable[[], Awaitable[bool]]

    def __post_init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._at, self._answers = float("-inf"), False

    async def answers(self) -> bool:
        async with self._one_at_a_time:
            if time.monotonic() - self._at > ASK_AGAIN_S:
                try:
                    with anyio.fail_after(SILENCE_S):
                        self._answers = await self.ask()
                except TimeoutError:
                    self._answers = False
                self._at = time.monotonic()
            return self._answers


@asynccontextmanager
async def asking_others(app: FastAPI) -> AsyncIterator[None]:
    """While the block lasts, /readyz can ask: PostgreSQL, LiveKit where there is one, and object storage."""
    settings: Settings = app.state.settings
    app.state.readiness_threads = CapacityLimiter(THREADS)
    rooms: LiveKitRooms | None = app.state.rooms
    app.state.others = {"livekit": Asked(lambda: _livekit_answers(rooms))} if rooms is not None else {}
    s3 = replace(settings.s3(), connect_timeout_s=SILENCE_S, read_timeout_s=SILENCE_S, attempts=1)
    for name, url in (("intake", settings.intake_url), ("archive", settings.archive_url)):
        if url is not None:  # the data folder's own are made when they are needed
            app.state.others[name] = _storage(open_store(url, s3))
    yield


@router.get("/healthz", summary="Alive", response_model=Alive)
async def healthz() -> Alive:
    return Alive()


@router.get("/readyz", summary="Ready to work", response_model=Ready, responses={503: described("The store is down; names all that is")})
async def readyz(request: Request) -> Ready | Response:
    """``ready``, or ``degraded`` where something is down without which most of it works."""
    state = request.app.state
    names = list(state.others)
    wrong, *answer = await asyncio.gather(
        _wrong_with(state.engine, state.readiness_threads), *(state.others[name].answers() for name in names)
    )
    down = ["postgresql"] if wrong is None else [fault.value for fault in wrong if fault in UNUSABLE]
    unusable, warnings = bool(down), [fault for fault in wrong or () if fault not in UNUSABLE]
    down += [name for name, answers in zip(names, answer, strict=True) if not answers]
    if wrong is None:
        return problem(503, "Not ready", "PostgreSQL cannot be reached.", down=down)
    if Fault.READS_ONLY in wrong:
        return problem(503, "Not ready", "PostgreSQL only reads: is it the server that took over?", down=down)
    if unusable:
        return problem(503, "Not ready", "The database is not as this version needs it: the log of the start says what to do.", down=down)
    return Ready(status="degraded" if down else "ready", down=down, warnings=warnings)


async def _wrong_with(engine: Engine, threads: CapacityLimiter) -> tuple[Fault, ...] | None:
    """None: PostgreSQL does not answer."""

    def look() -> tuple[Fault, ...] | None:
        try:
            with answered_within(SILENCE_S), engine.connect() as connection:
                return faults(found(connection))
        except SQLAlchemyError:
            return None

    try:
        with anyio.fail_after(SILENCE_S):
            return await to_thread.run_sync(look, abandon_on_cancel=True, limiter=threads)
    except TimeoutError:
        return None


async def _livekit_answers(rooms: LiveKitRooms) -> bool:
    try:
        await rooms.room("readyz")  # a question of a few bytes, whatever rooms there are
    except (LiveKitUnreachable, LiveKitRefused):
        return False
    return True


def _storage(store: ObjectStore) -> Asked:
    threads = CapacityLimiter(THREADS)

    def look() -> bool:
        try:
            store.stat("readyz") if isinstance(store, FolderStore) else store.check()  # check would make the folder that is not mounted
        except StorageError:
            return False
        return True

    return Asked(lambda: to_thread.run_sync(look, abandon_on_cancel=True, limiter=threads))
