"""Errors as problem details (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

Responses = dict[int | str, dict[str, Any]]

_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "What kind of problem it is"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, to which thing, and what to do"},
    },
    "example": {
        "type": "about:blank",
        "title": "Sign in",
        "status": 401,
        "detail": "This needs a bearer token in the Authorization header.",
    },
}


def described(words: str) -> dict[str, Any]:
    """A response of a route's description that is a problem."""
    return {"description": words, "content": {"application/problem+json": {"schema": _SCHEMA}}}


def problem(status: int, title: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """``more`` are extension members, such as the position of a mistake."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status_code=status, media_type="application/problem+json", headers=headers)


def wrong_parameter(_: Request, error: Exception) -> JSONResponse:
    """For FastAPI: which parameter is wrong and how, without repeating what was in it."""
    assert isinstance(error, RequestValidationError)
    mistakes = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
    return problem(422, "A parameter is missing or wrong", mistakes)


def plain_problem(_: Request, error: Exception) -> JSONResponse:
    """For FastAPI's and Starlette's own refusals: no such route, a body that is no JSON."""
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    return problem(error.status_code, phrase, str(error.detail), headers=dict(error.headers) if error.headers else None)
