"""Every refusal is an entry of the audit trail: written by the route that knows what was asked for, or else here, on the answer's way out.

What cannot be read is refused, too. Nothing that the request holds goes into the trail, only the route, the status and the kind of problem.

So that nobody can fill the trail, one address has few entries a minute on what is public or as a stranger, and one caller few of a kind. What is
left out is counted by each process, and written as one entry of how many (``withheld``) within a minute, whether or not they come again, and
when the process ends; only one that is killed outright takes the count of its last half minute with it.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from threading import Lock
from uuid import UUID

from anyio import to_thread
from fastapi import FastAPI
from limits import RateLimitItemPerMinute
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import PUBLIC, ROUTES, origin_of
from api.patience import SILENCE_S
from api.rates import MovingWindow
from domain.audit import Deed, Outcome
from resources.store import audit
from resources.store.patience import answered_within

logger = logging.getLogger("verbatim.refusals")

REFUSING = frozenset({400, 401, 403, 404, 409, 410, 413, 422, 429})
STRANGERS, CALLERS = RateLimitItemPerMinute(10), RateLimitItemPerMinute(30)
"""For each address, and for each caller and kind of refusal; and each process."""
EVERY_S = 30.0
"""How long what was left out is only counted: half of the minute within which it is written, because writing takes time, too."""
MOST_KINDS, AT_A_TIME = 10_000, 100
IDS = ("consultation_id", "training_id", "handoff_id")

Who = tuple[str, ...]
ANYBODY: Who = ()
SOMEBODYS = Deed("stranger", "none", "request", Outcome.REFUSED, details=(("why", "more kinds than are told apart"),))


@dataclass(frozen=True, slots=True)
class Withheld:
    """Refusals of one kind that have no entry of their own; ``like``: what their entry says besides how many they are."""

    like: Deed
    count: int

    def more(self, other: int) -> "Withheld":
        return Withheld(self.like, self.count + other)

    def deed(self) -> Deed:
        told = self.like
        return replace(told, details=(*told.details, ("withheld", self.count)))


class Refusals:
    """How many entries there is room for, and how many were left out."""

    def __init__(self, limiter: MovingWindow) -> None:
        self._limiter, self._lock = limiter, Lock()
        self._withheld: dict[Who, Withheld] = {}

    def room(self, limit: RateLimitItemPerMinute, who: Who, like: Deed) -> bool:
        """Whether there is room for one more; else it is counted among those that are ``like`` it."""
        if self._limiter.hit(limit, "refusal", *who):
            return True
        self.count(who, Withheld(like, 1))
        return False

    def write(self, engine: Engine) -> None:
        """An entry for each kind of which some were left out. Raises SQLAlchemy's errors; what was not written is still counted."""
        with self._lock:
            kinds, self._withheld = list(self._withheld.items()), {}
        try:
            while kinds:
                with engine.begin() as connection:  # few at a time, because everybody else's entries wait for these
                    for _, withheld in kinds[:AT_A_TIME]:
                        audit.append(connection, withheld.deed())
                del kinds[:AT_A_TIME]
        finally:
            for who, withheld in kinds:
                self.count(who, withheld)

    def count(self, who: Who, left_out: Withheld) -> None:
        with self._lock:
            if who not in self._withheld and len(self._withheld) >= MOST_KINDS:
                who, left_out = ANYBODY, Withheld(SOMEBODYS, left_out.count)
            counted = self._withheld.get(who)
            self._withheld[who] = counted.more(left_out.count) if counted else left_out


@asynccontextmanager
async def counting_the_rest(app: FastAPI) -> AsyncIterator[None]:
    """While the block lasts, and once more at its end, what was left out of the trail is written into it as a number."""
    over = asyncio.Event()
    running = asyncio.create_task(_writing(app, over))
    try:
        yield
    finally:
        over.set()  # and not cancelled: what is being written is not counted any more, so it is written to its end
        await running


async def _writing(app: FastAPI, over: asyncio.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await over.wait()
        await _written(app)


async def _written(app: FastAPI) -> None:
    def write() -> None:
        with answered_within(SILENCE_S):
            app.state.refusals.write(app.state.engine)

    try:
        await to_thread.run_sync(write)
    except SQLAlchemyError as error:
        logger.error("what was left out of the audit trail is not written yet: %s", type(error).__name__)


def refuse(asked: HTTPConnection, connection: Connection, deed: Deed) -> None:
    """The refusal's entry, in the transaction that the connection is in. Whatever answer follows, there is no second one."""
    asked.state.refusal_written = True
    if asked.app.state.refusals.room(*_kind(asked, deed)):
        audit.append(connection, replace(deed, outcome=Outcome.REFUSED))


def _kind(asked: HTTPConnection, deed: Deed) -> tuple[RateLimitItemPerMinute, Who, Deed]:
    """With which refusals one is counted, how many of those have an entry of their own, and what is said of those that have none."""
    route = asked.scope["route"].path
    if route in _PUBLIC or deed.role == "none":
        return STRANGERS, ("stranger", deed.origin or ""), Deed("stranger", "none", "request", Outcome.REFUSED, origin=deed.origin)
    why = str(dict(deed.details).get("why", ""))
    details = (("route", route), ("why", why))
    return (
        CALLERS,
        (deed.actor, deed.action, route, why),
        Deed(deed.actor, deed.role, deed.action, Outcome.REFUSED, origin=deed.origin, details=details),
    )


class RefusalsWritten:
    """Writes an entry for each refusal that has none yet, before the answer leaves. A store that is down lets nothing through for it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        held: list[Message] = []

        async def noted(message: Message) -> None:
            kind = message["type"]
            if kind.endswith("http.response.start") and _refuses(scope, message["status"]):
                held.append(message)
                return
            if held or (kind == "websocket.close" and state.get("refused_because")):
                status = held[0]["status"] if held else 403
                await to_thread.run_sync(_write, HTTPConnection(scope), status, _title(message.get("body", b"")))
                if held:
                    await send(held.pop())
            await send(message)

        await self.app(scope, receive, noted)


def _refuses(scope: Scope, status: int) -> bool:
    state = scope["state"]
    if state.get("refusal_written") or not hasattr(scope.get("route"), "path"):  # an address at which there is nothing refuses nobody
        return False
    return status in REFUSING or "refused_because" in state


def _write(asked: HTTPConnection, status: int, title: str) -> None:
    state, route = asked.state, asked.scope["route"].path
    caller = getattr(state, "caller", None)
    roles = sorted(caller.roles) if caller else []
    role = state.role.value if hasattr(state, "role") else roles[0] if roles else "none"
    subject = next((value for name in IDS if (value := _id(asked.path_params.get(name)))), None)
    details = (
        ("method", asked.scope.get("method", "GET")),
        ("route", route),
        ("status", status),
        ("why", getattr(state, "refused_because", title)),
    )
    deed = Deed(
        caller.subject if caller else "stranger",
        role,
        "request",
        consultation_id=getattr(state, "consultation_id", None),
        subject=subject,
        origin=origin_of(asked),
        details=details,
        outcome=Outcome.REFUSED,
    )
    refusals, engine = asked.app.state.refusals, asked.app.state.engine
    limit, who, like = _kind(asked, deed)
    if not refusals.room(limit, who, like):
        return
    try:
        with engine.begin() as connection:
            audit.append(connection, deed)
    except SQLAlchemyError:
        refusals.count(who, Withheld(like, 1))


def _title(body: bytes) -> str:
    """Of a problem, whose titles are this program's own words; pages say themselves why."""
    try:
        title = json.loads(body)["title"]
    except (ValueError, TypeError, KeyError):
        return ""
    return title if isinstance(title, str) else ""


def _id(value: object) -> str | None:
    try:
        return str(UUID(str(value))) if value is not None else None
    except ValueError:
        return None


_PUBLIC = frozenset(path for (_, path), roles in ROUTES.items() if roles == PUBLIC)
