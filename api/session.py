"""Signing in on a page: the token that an issuer has given goes into a cookie that only this server reads. What it allows: api.access."""

from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from api.access import OFFICERS, SESSION, origin_of
from api.pages import HEADERS, render
from domain.audit import Deed
from domain.roles import Caller
from resources.identity import IssuerUnavailable, NotIdentified
from resources.store import audit

router = APIRouter(include_in_schema=False)

LARGEST_FORM_BYTES = 32_768


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> Response:
    return _form(request, 200, next)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM_BYTES:
            return _form(request, 413, "/", "That is no token: it is too long.")
    form = parse_qs(body.decode(errors="replace"))
    token, asked = "".join(form.get("token", [""])[0].split()), form.get("next", ["/"])[0]
    return await run_in_threadpool(_signed_in, request, token, asked)


def _signed_in(request: Request, token: str, asked: str) -> Response:
    try:
        caller: Caller = request.app.state.identities.caller(token)
    except NotIdentified as error:
        request.state.refused_because = f"Not let in: {error}."
        return _form(request, 401, asked, request.state.refused_because)
    except IssuerUnavailable:
        return _form(request, 503, asked, "Your issuer's keys cannot be reached. Try again in a moment.")
    request.state.caller, role = caller, caller.acting(OFFICERS)
    if role is None:
        request.state.refused_because = "The token names no role that these pages are for."
        return _form(request, 403, asked, f"These pages are for {' and '.join(sorted(OFFICERS))}; the token names neither.")
    try:
        with request.app.state.engine.begin() as connection:
            audit.append(connection, Deed(caller.subject, role.value, "session.begin", origin=origin_of(request)))
    except (OperationalError, NoConnectionFree):
        return _form(request, 503, asked, "The database cannot be reached. Try again in a moment.")
    answer = RedirectResponse(_inside(asked), 303, headers=HEADERS)
    secure = request.url.scheme == "https"
    answer.set_cookie(SESSION, token, httponly=True, samesite="strict", secure=secure, path="/")
    return answer


@router.post("/sign-out")
def sign_out() -> Response:
    answer = RedirectResponse("/sign-in", 303, headers=HEADERS)
    answer.delete_cookie(SESSION, path="/", httponly=True, samesite="strict")
    return answer


def _form(request: Request, status: int, asked: str, error: str | None = None) -> Response:
    return render("sign_in.html", status, next=_inside(asked), error=error, development=request.app.state.development)


def _inside(address: str) -> str:
    """An address on this server: what comes from outside must not lead elsewhere after the sign-in."""
    parts = urlsplit(address)
    inside = not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address.isprintable() else "/"
