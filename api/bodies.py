"""Bodies of requests: nobody's is read before it is known who asks and that they may, and none beyond a limit, whatever its sender says of it.

FastAPI reads a body before it asks a route's dependencies. So what is received is held back here, around all routes, until the caller has been
asked for; a route that reads nothing asks by its dependency, as before. Who may do what: api.access.
"""

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import PUBLIC, ROUTES, authorised
from api.metrics import WEBHOOK
from api.problems import problem

LARGEST_BODY_BYTES = 1 << 20
"""The longest summary of a call fits in fifty times."""
OWN_LIMIT = frozenset({WEBHOOK})
"""Who answers in LiveKit's way to what is too large."""


class TooLarge(HTTPException):
    """Ends a request whose body goes on beyond LARGEST_BODY_BYTES."""

    def __init__(self) -> None:
        super().__init__(413, f"The body of a request has at most {LARGEST_BODY_BYTES} bytes.")


def too_large(_: HTTPConnection, error: Exception) -> Response:
    """For FastAPI."""
    assert isinstance(error, TooLarge)
    return problem(error.status_code, "Too large", error.detail)


class Bodies:
    """Inside everything else: what it raises while a route reads is answered as if the route had raised it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        said = asked.headers.get("content-length", "")
        known, size = False, 0

        async def received() -> Message:
            nonlocal known, size
            path = getattr(scope.get("route"), "path", "")
            if not known and ROUTES.get((scope["method"], path), PUBLIC) != PUBLIC:
                await authorised(asked)
            known = True
            if path in OWN_LIMIT:
                return await receive()
            if said.isdecimal() and int(said) > LARGEST_BODY_BYTES:
                raise TooLarge
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY_BYTES:
                raise TooLarge
            return message

        await self.app(scope, received, send)
