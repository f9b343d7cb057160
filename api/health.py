"""Is it alive, and can it work. GET /healthz asks nothing of anybody; GET /readyz names what is down."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from api.problems import described, problem

router = APIRouter()


@router.get("/healthz", summary="Alive", response_class=Response)
def healthz() -> Response:
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Ready to work", response_class=Response, responses={503: described("Names what is down")})
def readyz(request: Request) -> Response:
    try:
        with request.app.state.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return problem(503, "Not ready", "PostgreSQL cannot be reached.", down=["postgresql"])
    return JSONResponse({"status": "ready", "down": []})
