"""GET /api/search: find turns. What a query means is in domain.search, finding it in resources.search."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from api.access import deed_of
from api.consultations import NO_NUL
from api.problems import described, problem
from api.refusals import refuse
from domain.audit import Outcome
from domain.search import QuerySyntaxError, parse
from resources.search import LARGEST_PAGE, Hit, Page, SearchTooSlow, WrongCursor
from resources.store import audit

router = APIRouter()


class FragmentOut(BaseModel):
    text: str
    highlighted: bool


class HitOut(BaseModel):
    """One turn. ``start_ms`` and ``end_ms`` count from the call's start."""

    consultation_id: UUID
    recording_id: UUID
    turn_id: int
    type: str
    speaker: str
    call_started_at: datetime
    start_ms: int
    end_ms: int
    snippet: list[FragmentOut]
    url: str


class PageOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "query": 'speaker:customer "do not consent"',
                "hits": [
                    {
                        "consultation_id": "0b6f2c1e-6a6a-4d39-9c0e-3f5d4f0f9a11",
                        "recording_id": "5f1f4d4e-53b5-4f0c-8a43-90a5b4f0c2aa",
                        "turn_id": 4711,
                        "type": "claims",
                        "speaker": "customer",
                        "call_started_at": "2025-03-03T15:00:00Z",
                        "start_ms": 14200,
                        "end_ms": 16900,
                        "snippet": [
                            {"text": "No, I ", "highlighted": False},
                            {"text": "do not consent", "highlighted": True},
                            {"text": " to that.", "highlighted": False},
                        ],
                        "url": "/consultations/0b6f2c1e-6a6a-4d39-9c0e-3f5d4f0f9a11#turn-4711",
                    }
                ],
                "next_cursor": None,
            }
        }
    )

    query: str
    hits: list[HitOut]
    next_cursor: str | None


@router.get(
    "/api/search",
    summary="Find turns",
    response_model=PageOut,
    responses={
        400: described("The query or the cursor cannot be read; says where and why"),
        422: described("A parameter is missing or wrong"),
        503: described("The store is down, or the search took too long"),
    },
)
def search(
    request: Request,
    q: Annotated[str, Query(description='Such as: speaker:customer "do not consent" date:2025-03', json_schema_extra=NO_NUL)],
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 20,
    cursor: Annotated[str | None, Query(description="next_cursor of the page before")] = None,
) -> PageOut | Response:
    try:
        page = audited_search(request, q, limit=limit, cursor=cursor)
    except QuerySyntaxError as error:
        return problem(
            400, "The query cannot be read", error.message, position=error.position, length=error.length, shown=[error.shown, error.caret]
        )
    except WrongCursor as error:
        return problem(400, "Not a cursor of this query", str(error))
    except SearchTooSlow as error:
        return problem(503, "The search took too long", str(error))
    except (OperationalError, NoConnectionFree):
        return problem(503, "The store is down", "PostgreSQL cannot be reached; try again.")
    return PageOut(query=q, hits=[_out(hit) for hit in page.hits], next_cursor=page.next_cursor)


def audited_search(request: Request, query: str, *, limit: int, cursor: str | None) -> Page:
    """The hits, once it is written down who asked for what. Raises what parsing and searching raise.

    Of a search that cannot be read the trail has only how long it was: what was typed may be anything.
    """
    continued = ("continued", cursor is not None)
    try:
        page: Page = request.app.state.search.search(parse(query), limit=limit, cursor=cursor)
    except (QuerySyntaxError, WrongCursor) as error:
        details = (("why", type(error).__name__), ("length", len(query)), continued)
        with request.app.state.engine.begin() as connection:
            refuse(request, connection, deed_of(request, "search", outcome=Outcome.REFUSED, details=details))
        raise
    except SearchTooSlow:
        with request.app.state.engine.begin() as connection:
            deed = deed_of(request, "search", outcome=Outcome.FAILED, details=(("query", query), ("why", "SearchTooSlow"), continued))
            audit.append(connection, deed)
        raise
    with request.app.state.engine.begin() as connection:
        audit.append(connection, deed_of(request, "search", details=(("query", query), ("hits", len(page.hits)), continued)))
    return page


def _out(hit: Hit) -> HitOut:
    document = hit.document
    return HitOut(
        consultation_id=document.consultation_id,
        recording_id=document.recording_id,
        turn_id=document.turn_id,
        type=document.consultation_type,
        speaker=document.speaker.value,
        call_started_at=document.call_started_at,
        start_ms=document.start_ms,
        end_ms=document.end_ms,
        snippet=[FragmentOut(text=fragment.text, highlighted=fragment.highlighted) for fragment in hit.snippet],
        url=turn_url(document.consultation_id, document.turn_id),
    )


def turn_url(consultation_id: UUID, turn_id: int) -> str:
    return f"/consultations/{consultation_id}#turn-{turn_id}"
