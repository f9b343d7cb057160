"""Every refusal is an entry of the audit trail: written by the route that knows what was asked for, or else here, on the answer's way out.

What cannot be read is refused, too. Nothing that the request holds goes into the trail, only the route, the status and the kind of problem.

So that nobody can fill the trail, one address has few entries a minute on what is public or as a stranger, and one caller few of a kind; the
next entry of that kind says how many were left out before it (``withheld``), as counted by this process.
"""

import json
from collections import OrderedDict
from threading import Lock
from typing import cast
from uuid import UUID

from anyio import to_thread
from limits import RateLimitItemPerMinute
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import PUBLIC, ROUTES, origin_of
from api.rates import MovingWindow
from domain.audit import Deed, Outcome
from resources.store import audit

REFUSING = frozenset({400, 401, 403, 404, 409, 410, 413, 422, 429})
STRANGERS, CALLERS = RateLimitItemPerMinute(10), RateLimitItemPerMinute(30)
"""For each address, and for each caller and kind of refusal; and each process."""
MOST_COUNTED = 10_000
IDS = ("consultation_id", "training_id", "handoff_id")

Who = tuple[str, ...]


class Refusals:
    """How many entries there is room for, and how many were left out."""

    def __init__(self, limiter: MovingWindow) -> None:
        self._limiter, self._lock = limiter, Lock()
        self._withheld: OrderedDict[Who, int] = OrderedDict()

    def room(self, limit: RateLimitItemPerMinute, who: Who) -> int | None:
        """None where there is none; else how many were left out since the last one."""
        fits = self._limiter.hit(limit, "refusal", *who)
        with self._lock:
            left_out = self._withheld.pop(who, 0)
            if fits:
                return left_out
            self._withheld[who] = left_out + 1
            if len(self._withheld) > MOST_COUNTED:
                self._withheld.popitem(last=False)
            return None


def refuse(asked: HTTPConnection, connection: Connection, deed: Deed) -> None:
    """The refusal's entry, in the transaction that the connection is in. Whatever answer follows, there is no second one."""
    asked.state.refusal_written = True
    limit, who = STRANGERS, cast(Who, ("stranger", deed.origin or ""))
    if asked.scope["route"].path not in _PUBLIC and deed.role != "none":
        why = str(dict(deed.details).get("why", ""))
        limit, who = CALLERS, (deed.actor, deed.action, asked.scope["route"].path, why)
    left_out = asked.app.state.refusals.room(limit, who)
    if left_out is None:
        return
    more = (("withheld", left_out),) if left_out else ()
    fields = (deed.actor, deed.role, deed.action, Outcome.REFUSED, deed.consultation_id, deed.subject, deed.origin, deed.reason)
    audit.append(connection, Deed(*fields, details=(*deed.details, *more)))


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
    )
    try:
        with asked.app.state.engine.begin() as connection:
            refuse(asked, connection, deed)
    except SQLAlchemyError:
        pass  # the log of the server has the outage


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
