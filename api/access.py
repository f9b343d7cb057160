"""Who may use which route: one table, and nothing that is not in it can be reached. Whose consultations somebody sees is decided where they are read.

A caller shows a bearer token; on pages, the session cookie that signing in has set, which holds the same token. That refusals go to the audit
trail is looked after in api.refusals.
"""

from urllib.parse import quote

from fastapi import APIRouter, FastAPI
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, compile_path

from api.problems import Responses, described, problem
from domain.audit import Deed
from domain.grants import ParticipantType
from domain.roles import Caller, Role
from resources.identity import IssuerUnavailable, NotIdentified

bearer = HTTPBearer(auto_error=False, scheme_name="bearer", bearerFormat="JWT", description="A token of the OIDC issuer")
"""Only for the description; ``authorise`` decides."""

SESSION = "verbatim_session"
LONGEST_PATH = 200

PUBLIC: frozenset[Role] = frozenset()
"""No token is asked for: the route proves its caller in another way, or has nothing to hide."""

OFFICERS = frozenset({Role.COMPLIANCE, Role.ADMIN})

PARTIES = frozenset({Role.CUSTOMER, Role.AGENT, Role.PARTNER})

WATCHERS = frozenset({Role.AGENT, Role.SUPERVISOR, Role.ADMIN})

TRAINERS = frozenset({Role.AGENT, Role.ADMIN})

ROUTES: dict[tuple[str, str], frozenset[Role]] = {
    ("POST", "/api/livekit/webhook"): PUBLIC,  # signed by LiveKit
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/sign-in"): PUBLIC,
    ("POST", "/sign-in"): PUBLIC,
    ("POST", "/sign-out"): PUBLIC,
    ("POST", "/api/livekit/consultation"): frozenset({Role.CUSTOMER, Role.AGENT, Role.ADMIN, Role.ASSISTANT}),
    ("POST", "/api/livekit/token"): PARTIES | {Role.SUPERVISOR, Role.ADMIN, Role.ASSISTANT},
    ("GET", "/metrics"): frozenset({Role.ADMIN, Role.MONITOR}),
    ("GET", "/training"): PUBLIC,  # where invitations lead that no application takes
    ("POST", "/api/training/disclosure"): PUBLIC,  # proved by the invitation, as is entering
    ("POST", "/api/training/enter"): PUBLIC,
    ("POST", "/api/training"): TRAINERS,
    ("GET", "/api/training"): TRAINERS | {Role.COMPLIANCE},
    ("GET", "/api/training/{training_id}"): TRAINERS | {Role.COMPLIANCE},
    ("PUT", "/api/training/{training_id}"): TRAINERS,
    ("DELETE", "/api/training/{training_id}"): TRAINERS,
    ("GET", "/api/training/{training_id}/disclosure"): TRAINERS | {Role.PARTNER},
    ("POST", "/api/training/{training_id}/enter"): TRAINERS | {Role.PARTNER},
    ("POST", "/api/training/{training_id}/invites"): TRAINERS,
    ("DELETE", "/api/training/{training_id}/invites/{invite_id}"): TRAINERS,
    ("POST", "/api/training/{training_id}/materials"): TRAINERS,
    ("DELETE", "/api/training/{training_id}/materials/{material_id}"): TRAINERS,
    ("GET", "/api/training/{training_id}/attendance"): TRAINERS | {Role.COMPLIANCE},
    ("POST", "/api/consultations/{consultation_id}/handoff"): frozenset({Role.CUSTOMER, Role.AGENT, Role.ADMIN, Role.ASSISTANT}),
    ("GET", "/api/handoffs/{handoff_id}"): frozenset({Role.CUSTOMER, Role.AGENT, Role.ADMIN, Role.ASSISTANT}),
    ("DELETE", "/api/handoffs/{handoff_id}"): frozenset({Role.CUSTOMER, Role.ADMIN, Role.ASSISTANT}),
    ("POST", "/api/handoffs/{handoff_id}/accept"): frozenset({Role.AGENT}),
    ("POST", "/api/handoffs/{handoff_id}/decline"): frozenset({Role.AGENT}),
    ("POST", "/api/handoffs/{handoff_id}/callback"): frozenset({Role.CUSTOMER, Role.ADMIN, Role.ASSISTANT}),
    ("PUT", "/api/agents/me/status"): frozenset({Role.AGENT}),
    ("POST", "/api/agents/me/heartbeat"): frozenset({Role.AGENT}),
    ("GET", "/api/handoff/queue"): WATCHERS,
    ("GET", "/api/handoff/live"): WATCHERS,  # a WebSocket
    ("GET", "/api/handoff/callbacks"): frozenset({Role.AGENT, Role.ADMIN}),
    ("GET", "/api/search"): OFFICERS,
    ("GET", "/api/consultations"): PARTIES | OFFICERS,
    ("GET", "/api/consultations/{consultation_id}"): PARTIES | OFFICERS | {Role.ASSISTANT},
    ("GET", "/api/consultations/{consultation_id}/consent"): PARTIES | OFFICERS | {Role.ASSISTANT},
    ("POST", "/api/consultations/{consultation_id}/consent"): PARTIES | {Role.ADMIN, Role.ASSISTANT},
    ("GET", "/api/consultations/{consultation_id}/recordings"): PARTIES | OFFICERS,
    ("GET", "/api/consultations/{consultation_id}/transcript"): OFFICERS,
    ("GET", "/api/consultations/{consultation_id}/findings"): OFFICERS,
    ("GET", "/api/recordings/{recording_id}/media"): OFFICERS,
    ("PUT", "/api/consultations/{consultation_id}/notes"): frozenset({Role.AGENT, Role.ADMIN}),
    ("PUT", "/api/consultations/{consultation_id}/summary"): frozenset({Role.ASSISTANT, Role.AGENT, Role.ADMIN}),
    ("PUT", "/api/consultations/{consultation_id}/rating"): frozenset({Role.CUSTOMER}),
    ("PUT", "/api/consultations/{consultation_id}/archived"): frozenset({Role.ADMIN}),
    ("GET", "/api/reviews"): OFFICERS,
    ("GET", "/api/reviews/{item_id}"): OFFICERS,
    ("POST", "/api/reviews/{item_id}/claim"): OFFICERS,
    ("POST", "/api/reviews/{item_id}/release"): OFFICERS,
    ("POST", "/api/reviews/{item_id}/confirm"): OFFICERS,
    ("POST", "/api/reviews/{item_id}/overturn"): OFFICERS,
    ("POST", "/api/reviews/{item_id}/escalate"): OFFICERS,
    ("POST", "/api/reviews/{item_id}/close"): OFFICERS,
    ("GET", "/"): OFFICERS,
    ("GET", "/consultations/{consultation_id}"): OFFICERS,
}
PARTICIPANT_TYPES: dict[Role, frozenset[ParticipantType]] = {
    Role.CUSTOMER: frozenset({ParticipantType.CUSTOMER}),
    Role.AGENT: frozenset({ParticipantType.AGENT}),
    Role.PARTNER: frozenset({ParticipantType.PARTNER}),
    Role.SUPERVISOR: frozenset({ParticipantType.SUPERVISOR}),
    Role.ADMIN: frozenset({ParticipantType.ADMIN, ParticipantType.SUPERVISOR}),
    Role.ASSISTANT: frozenset({ParticipantType.AI}),
}
"""As what a caller may enter a room, by role."""

PAGES = frozenset({"/", "/consultations/{consultation_id}"})
"""Where a browser comes: the session cookie counts, and who has none is sent to sign in. None of these changes anything."""


MEDIA = "/api/recordings/{recording_id}/media"
"""What a page plays: the cookie counts there, too."""


class Refused(HTTPException):
    """Ends a request with 401, 403 or 503; also one whose body FastAPI is about to read, which lets no other exception through."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(status, detail)
        self.title = title


def authorise(connection: HTTPConnection) -> None:
    """Sets ``connection.state.caller``, ``.roles`` (all in which it may be here, the one that sees most first) and ``.role``, the first of them.
    May ask the issuer for its keys. Raises Refused.
    """
    path = connection.scope["route"].path
    allowed = ROUTES.get((connection.scope.get("method", "GET"), path), PUBLIC)
    caller = connection.state.caller = caller_of(connection, cookie=path in PAGES or path == MEDIA)
    roles = caller.acting_in(allowed)
    if not roles:
        named = " or ".join(sorted(allowed))
        raise Refused(403, "Not for this role", f"This needs the role {named}, which the token does not give.")
    connection.state.roles, connection.state.role = roles, roles[0]


async def authorised(connection: HTTPConnection) -> None:
    """A dependency of every route that is not public, and asked before a body is read (api.bodies); whichever comes first. Raises Refused."""
    if not hasattr(connection.state, "roles"):
        await run_in_threadpool(authorise, connection)


def caller_of(connection: HTTPConnection, *, cookie: bool) -> Caller:
    """Raises Refused with 401, or with 503 where the issuer's keys cannot be had."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if not scheme and connection.scope["type"] == "websocket":  # a browser can set no header on one, but can name protocols
        scheme, _, token = connection.headers.get("sec-websocket-protocol", "").partition(", ")
    if not scheme and cookie:
        scheme, token = "Bearer", connection.cookies.get(SESSION, "")
    if not token.strip():
        raise Refused(401, "Sign in", "This needs a bearer token in the Authorization header.")
    if scheme.lower() != "bearer":
        raise Refused(401, "Sign in", "The Authorization header must be 'Bearer' and a token.")
    try:
        caller: Caller = connection.app.state.identities.caller(token.strip())
    except NotIdentified as error:
        raise Refused(401, "Sign in", f"Not let in: {error}.") from None
    except IssuerUnavailable as error:
        raise Refused(503, "Nobody can be identified", f"{error}. Try again in a moment.") from None
    return caller


def deed_of(request: HTTPConnection, action: str, **more: object) -> Deed:
    """What the request's caller does, for the audit trail."""
    return Deed(request.state.caller.subject, request.state.role.value, action, origin=origin_of(request), **more)  # type: ignore[arg-type]


def origin_of(connection: HTTPConnection) -> str | None:
    return connection.client.host if connection.client else None


def refusal(request: HTTPConnection, error: Exception) -> Response:
    """For FastAPI: a problem, or for somebody at a page the way to the sign-in."""
    assert isinstance(error, Refused)
    status = error.status_code
    if status != 503:
        request.state.refused_because = error.detail
    if status == 401 and getattr(request.scope.get("route"), "path", None) in PAGES:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(asked, safe='')}", 303, headers={"Cache-Control": "no-store"})
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Retry-After": "5"} if status == 503 else None
    return problem(status, error.title, error.detail, headers=headers)


def wrong_method(request: HTTPConnection, error: Exception) -> Response:
    """For FastAPI, which names the methods of the one route that it looked at last, and not those of its neighbours at the same address."""
    assert isinstance(error, HTTPException)
    path = request.scope["path"]
    allowed = {method for (method, template), pattern in _PATTERNS.items() if pattern.match(path)}
    allowed |= {name.strip() for name in (error.headers or {}).get("Allow", "").split(",") if name.strip()}
    shown = ", ".join(sorted(allowed))
    return problem(405, "Method Not Allowed", f"This address takes {shown}.", headers={"Allow": shown})


_PATTERNS = {(method, path): compile_path(path)[0] for method, path in ROUTES}


def require_listed(app: FastAPI) -> None:
    """Raises RuntimeError if a route is not in the table, or the table names one that is not there."""
    there = {(method, path) for route in app.routes for method, path in _paths(route)}
    if missing := there.symmetric_difference(ROUTES):
        raise RuntimeError(f"the table of routes and the routes do not agree about {sorted(missing)}")


GUARDED: Responses = {
    401: described("No token, or one that proves nothing"),
    403: described("The token's roles may not do this"),
    503: described("The store is down, or the issuer's keys cannot be had"),
}
"""What every guarded route can answer, for its description."""


def guarded(router: APIRouter) -> bool:
    """Whether the caller must be asked for on this router: all but those whose every route is public."""
    return any(ROUTES.get(key, frozenset(Role)) != PUBLIC for route in router.routes for key in _paths(route))


def _paths(route: BaseRoute) -> list[tuple[str, str]]:
    included: APIRouter | None = getattr(route, "original_router", None)
    if included is not None:
        return [key for inner in included.routes for key in _paths(inner)]
    methods = getattr(route, "methods", None) or {"GET"}
    return [(method, getattr(route, "path", "")) for method in methods if method != "HEAD"]
