"""What becomes of an exception that no route expects: a problem for the caller, a line in the log, and nothing of the request in either.

Starlette's own handler lets the server log the exception with its text, in which a database puts what it was given. What is expected is
answered where it happens; problems as such are in api.problems.
"""

import logging
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

logger = logging.getLogger("verbatim.faults")

OURS = ("api", "resources", "domain")
INTERNAL_ERROR = 1011
"""The code of a WebSocket that the server cannot go on with."""


class ResponseCutShort(Exception):
    """A fault after the answer had begun: all that is left is to break it off. It says nothing, because the server logs it."""


class Faults:
    """Around everything else, so that whatever is raised inside comes by here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        begun: set[str] = set()

        async def noted(message: Message) -> None:
            begun.add(message["type"])
            await send(message)

        try:
            await self.app(scope, receive, noted)
            return
        except Exception as error:
            route = getattr(scope.get("route"), "path", "no route")
            logger.error("a fault of %s %s: %s", scope.get("method", "WebSocket"), route, described(error))
        if not begun:
            answer = problem(
                500, "A fault of this server", "The server's log has what and where it was. Nobody has to send the same again."
            )
            await answer(scope, receive, send)
        elif scope["type"] == "http":
            raise ResponseCutShort
        elif "websocket.accept" in begun and "websocket.close" not in begun:
            await send({"type": "websocket.close", "code": INTERNAL_ERROR})


def described(error: BaseException) -> str:
    """Types and places, from the cause on; an exception's text can hold anything, and is left out."""
    if isinstance(error, BaseExceptionGroup):
        return " and ".join(described(one) for one in error.exceptions)
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    places = [(frame.f_globals.get("__name__", "?"), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [place for place in places if str(place[0]).split(".")[0] in OURS]
    shown = " < ".join(f"{name}:{line}" for name, line in dict.fromkeys(reversed([*own[-3:], *places[-1:]])))
    told = f"{type(error).__name__} at {shown}"
    return f"{described(before)}; then {told}" if before is not None else told
