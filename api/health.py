"""Is it alive, and can it work. GET /healthz asks nothing of anybody; GET /readyz names what is down."""

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from api.problems import described, problem
from resources.store.readiness import Fault, faults, found

router = APIRouter()

UNUSABLE = frozenset({Fault.TABLES_MISSING, Fault.TABLES_OLDER, Fault.TABLES_CLOSED})


@router.get("/healthz", summary="Alive", response_class=Response)
def healthz() -> Response:
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Ready to work", response_class=Response, responses={503: described("Names what is down")})
def readyz(request: Request) -> Response:
    """``down``: what must be mended first. ``warnings``: what production would not have started with, or a newer version has changed."""
    try:
        with request.app.state.engine.connect() as connection:
            wrong = faults(found(connection))
    except SQLAlchemyError:
        return problem(503, "Not ready", "PostgreSQL cannot be reached.", down=["postgresql"])
    if down := [fault for fault in wrong if fault in UNUSABLE]:
        return problem(503, "Not ready", "The database is not as this version needs it: the log of the start says what to do.", down=down)
    # Tables of a newer version do not end it: else every process would leave at once, as soon as an update begins with its migrations.
    return JSONResponse({"status": "ready", "down": [], "warnings": list(wrong)})
