"""The pages that people look at: search, and a consultation's transcript. They need no JavaScript and nothing from elsewhere."""

from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.responses import HTMLResponse

from api.access import deed_of
from api.search import audited_search, turn_url
from domain.roles import Role
from domain.search import QuerySyntaxError
from resources.search import SearchTooSlow, WrongCursor
from resources.store import audit
from resources.store.reading import Reader

router = APIRouter()
open_to_all = APIRouter(include_in_schema=False)
templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

FLAGS = {
    "unattributed_mono": "One channel, speakers not told apart",
    "dead_channel": "A channel on which its party never speaks",
    "identical_channels": "Both channels carry the same sound",
    "media_shorter": "Shorter than the call",
    "media_longer": "Longer than the call",
    "no_speech": "Nobody speaks",
    "limit_reached": "Recording ended at its size or time limit",
    "egress_failed": "Recording failed",
    "aborted": "Recording was aborted",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # addresses hold what was searched for
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def clock(ms: int) -> str:
    """mm:ss, minutes counting on past the hour."""
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes:02d}:{seconds:02d}"


templates.filters["clock"] = clock


@router.get("/", include_in_schema=False, response_class=HTMLResponse)
def search_page(request: Request, q: str = "", cursor: str | None = None) -> Response:
    error, page = None, None
    if q.strip():
        try:
            page = audited_search(request, q, limit=20, cursor=cursor)
        except QuerySyntaxError as caught:
            error = caught
        except (WrongCursor, SearchTooSlow) as caught:
            return render("message.html", 400, title="Search", message=str(caught))
        except (OperationalError, NoConnectionFree):
            return render("message.html", 503, title="Search", message="The database cannot be reached. Try again in a moment.")
    more = "/?" + urlencode({"q": q, "cursor": page.next_cursor}) if page and page.next_cursor else None
    return render(
        "search.html", 400 if error else 200, q=q, page=page, error=error, more=more, continued=cursor is not None, turn_url=turn_url
    )


@router.get("/consultations/{consultation_id}", include_in_schema=False, response_class=HTMLResponse)
def transcript_page(request: Request, consultation_id: str) -> Response:
    try:
        officer = Role.COMPLIANCE in request.state.caller.roles
        consultation = Reader(request.app.state.engine).transcript_page(UUID(consultation_id), everything=officer)
        if consultation is not None:
            with request.app.state.engine.begin() as connection:
                audit.append(connection, deed_of(request, "transcript.read", consultation_id=consultation.id))
    except ValueError:
        consultation = None
    except (OperationalError, NoConnectionFree):
        return render("message.html", 503, title="Transcript", message="The database cannot be reached. Try again in a moment.")
    if consultation is None:
        request.state.refused_because = "no such consultation"
        return render("message.html", 404, title="Transcript", message="There is no such consultation.")
    flags = sorted({FLAGS.get(flag, flag) for recording in consultation.recordings for flag in recording.flags})
    return render("transcript.html", 200, consultation=consultation, flags=flags, officer=officer)


@open_to_all.get("/training", response_class=HTMLResponse)
def invitation_page() -> Response:
    """The invitation itself is behind the # of the address, which no browser sends."""
    return render("invitation.html", 200)


def render(name: str, status: int, **values: object) -> Response:
    signed_in = name not in ("sign_in.html", "invitation.html")
    return HTMLResponse(templates.get_template(name).render(signed_in=signed_in, **values), status_code=status, headers=HEADERS)
