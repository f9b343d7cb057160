"""The review queue over HTTP: what waits, one item with its history, and the steps that a reviewer can take. What may follow what:
domain.review."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.access import deed_of, origin_of
from api.agents import REFUSED
from api.consultations import LARGEST_PAGE, PROBLEMS
from api.problems import Responses, described, problem
from api.refusals import refuse
from api.review_bodies import Overturning, Reasoned, ReviewDetailOut, ReviewOut, ReviewsOut
from api.rooms import in_store
from domain.audit import Outcome
from domain.review import About, NoReason, Reviewer, ReviewRefused, StateName, WrongCorrection
from domain.roles import Role
from domain.rules.shapes import Publication, Severity, Verdict
from resources.store import audit, review_list, reviews
from resources.store.calls import WrongCursor
from resources.store.review_list import Filters
from resources.store.reviews import Hand

router = APIRouter(prefix="/api/reviews", tags=["compliance"])

Act = Callable[[Connection, UUID, Hand, datetime], ReviewRefused | None]
ONE: Responses = PROBLEMS | {404: described("There is no such item")}


@router.get("", summary="What waits for a decision", response_model=ReviewsOut, responses=PROBLEMS)
def list_reviews(
    request: Request,
    state: Annotated[StateName | None, Query(description="Without it all that waits: open, claimed, escalated")] = None,
    about: About | None = None,
    what: Annotated[str | None, Query(max_length=100, pattern=r"^\w*$", description="A rule's id, or a kind of what is redacted")] = None,
    severity: Severity | None = None,
    mine: Annotated[bool, Query(description="Only what the caller has claimed")] = False,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 20,
    cursor: Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")] = None,
) -> ReviewsOut | Response:
    """The severest first, then the oldest."""
    filters = Filters(state, about, what, severity, request.state.caller.subject if mine else None)

    def work(connection: Connection) -> ReviewsOut | Response:
        try:
            page = review_list.listed(connection, filters, datetime.now(UTC), limit=limit, cursor=cursor)
        except WrongCursor:
            return problem(400, "Not a cursor", "The cursor is not one that this list has given: begin without one.")
        return ReviewsOut(reviews=[ReviewOut.of(row) for row in page.rows], next_cursor=page.next_cursor)

    return in_store(request, work)


@router.get("/{item_id}", summary="One item, with its history", response_model=ReviewDetailOut, responses=ONE)
def read(request: Request, item_id: UUID) -> ReviewDetailOut | Response:
    """Where the call is not published, or they were said while a refusal stood, the words are for compliance officers alone."""
    officer = Role.COMPLIANCE in request.state.caller.roles

    def work(connection: Connection) -> ReviewDetailOut | Response:
        found = review_list.detail(connection, item_id, datetime.now(UTC))
        if found is None:
            return _unknown(request, connection, item_id, "read")
        quoted = officer or (found.publication in (None, Publication.PUBLISHED.value) and not found.withheld)
        details = (("quote", quoted and found.quote is not None),)
        deed = deed_of(request, "review.read", consultation_id=found.item["consultation_id"], subject=str(item_id), details=details)
        audit.append(connection, deed)
        return ReviewDetailOut.with_history(found, quoted=quoted)

    return in_store(request, work)


@router.post("/{item_id}/claim", summary="Take it, or keep it", response_model=ReviewOut, responses=ONE | REFUSED)
def claim(request: Request, item_id: UUID) -> ReviewOut | Response:
    """It is the caller's for 30 minutes, and from now on where it was before. Of several at once one gets it."""
    return _step(request, item_id, "claim", reviews.claim)


@router.post("/{item_id}/release", summary="Give it back undecided", response_model=ReviewOut, responses=ONE | REFUSED)
def release(request: Request, item_id: UUID) -> ReviewOut | Response:
    return _step(request, item_id, "release", reviews.release)


@router.post("/{item_id}/confirm", summary="It is as it was found", response_model=ReviewOut, responses=ONE | REFUSED)
def confirm(request: Request, item_id: UUID, body: Reasoned) -> ReviewOut | Response:
    """Final. The same request again is answered the same."""
    return _step(request, item_id, "confirm", lambda at, one, hand, now: reviews.confirm(at, one, hand, body.reason, now))


@router.post("/{item_id}/overturn", summary="It is otherwise", response_model=ReviewOut, responses=ONE | REFUSED)
def overturn(request: Request, item_id: UUID, body: Overturning) -> ReviewOut | Response:
    """Final. The next run judges the call by it: what was in quarantine for it is published, or the other way round. A redaction that is
    overturned was not personal data, and is left readable; card data never is, for it is kept nowhere."""
    corrected = Verdict(body.corrected) if body.corrected else None
    return _step(request, item_id, "overturn", lambda at, one, hand, now: reviews.overturn(at, one, hand, body.reason, corrected, now))


@router.post("/{item_id}/escalate", summary="Leave it to somebody else", response_model=ReviewOut, responses=ONE | REFUSED)
def escalate(request: Request, item_id: UUID, body: Reasoned) -> ReviewOut | Response:
    """Another compliance officer, or an admin, decides it then."""
    return _step(request, item_id, "escalate", lambda at, one, hand, now: reviews.escalate(at, one, hand, body.reason, now))


@router.post("/{item_id}/close", summary="Put it away without a decision", response_model=ReviewOut, responses=ONE | REFUSED)
def close(request: Request, item_id: UUID, body: Reasoned) -> ReviewOut | Response:
    """Final. The finding stays as it is, and the same question is not asked again."""
    return _step(request, item_id, "close", lambda at, one, hand, now: reviews.close(at, one, hand, body.reason, now))


def _step(request: Request, item_id: UUID, verb: str, act: Act) -> ReviewOut | Response:
    """One step by the caller; what it is refused for is written down, too."""
    role = request.state.role
    hand = Hand(Reviewer(request.state.caller.subject, role), role.value, origin_of(request))

    def work(connection: Connection) -> ReviewOut | Response:
        now = datetime.now(UTC)
        try:
            refused = act(connection, item_id, hand, now)
        except KeyError:
            return _unknown(request, connection, item_id, verb)
        request.state.refusal_written = refused is not None  # by the step itself
        if isinstance(refused, (NoReason, WrongCorrection)):
            return problem(422, "Not a decision", str(refused))
        if refused is not None:
            return problem(409, "Not as things are", str(refused))
        return ReviewOut.of(review_list.one(connection, item_id, now))

    return in_store(request, work)


def _unknown(request: Request, connection: Connection, item_id: UUID, verb: str) -> Response:
    deed = deed_of(request, f"review.{verb}", outcome=Outcome.REFUSED, subject=str(item_id), details=(("why", "there is none"),))
    refuse(request, connection, deed)
    return problem(404, "No such item", "There is none with this id: GET /api/reviews lists what waits.")
