"""Errors as problem details (RFC 9457)."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse


def problem(status: int, title: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """``more`` are extension members, such as the position of a mistake."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status_code=status, media_type="application/problem+json", headers=headers)


def wrong_parameter(_: Request, error: Exception) -> JSONResponse:
    """For FastAPI: which parameter is wrong and how, without repeating what was in it."""
    assert isinstance(error, RequestValidationError)
    mistakes = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
    return problem(422, "A parameter is missing or wrong", mistakes)
