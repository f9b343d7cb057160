"""POST /api/livekit/webhook: verify, store, apply, answer at once. Nothing slow happens here.

What LiveKit makes of the answer (livekit/protocol webhook notifier): 2xx and 4xx count as delivered, 5xx asks for another try after
1, 2, 4 and 8 seconds. So 503 is for a store that is down, and nothing else.
"""

import logging

import anyio
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from api.problems import described, problem
from api.recording import wake_recording
from api.room_promises import watch_rooms
from api.training_entrance import watch_door
from domain.call_events import CallEvent
from domain.parties import Party
from resources.livekit import NotAnEvent, NotSigned
from resources.store.inbox import Outcome

router = APIRouter()
CHANGES = frozenset(
    {
        "participant_joined",
        "participant_left",
        "participant_connection_aborted",
        "room_finished",
        "egress_started",
        "egress_updated",
        "egress_ended",
    }
)
"""What can change which recordings a call should have, or has."""
logger = logging.getLogger("verbatim.webhooks")

LARGEST_BODY_BYTES = 1 << 20
LONGEST_STORING_S = 10
"""A database that accepts and never answers is down too. What it stores after all is a repeated event, which harms nobody."""


_EXAMPLE = {
    "event": "participant_joined",
    "id": "EV_4qQdHDyhWsFr",
    "createdAt": "1741014000",
    "room": {
        "sid": "RM_Pd4kBz7xQv2n",
        "name": "consultation_claims_20250303T150000Z_0123456789abcdef0123456789abcdef",
        "creationTime": "1741013998",
        "metadata": '{"type": "claims"}',
    },
    "participant": {
        "sid": "PA_6xFS4qd7Mzxy",
        "identity": "9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e",
        "state": "ACTIVE",
        "joinedAt": "1741014000",
        "attributes": {"role": "customer"},
    },
}


@router.post(
    "/api/livekit/webhook",
    summary="LiveKit's webhooks",
    response_class=Response,
    responses={
        200: {"description": "Stored, and applied as soon as its room is known. A repeated event is stored once."},
        400: described("Signed, but not an event"),
        401: described("The signature is missing, wrong, expired, or preceded by 'Bearer'"),
        413: described("Larger than any event"),
        503: described("The store is down; LiveKit tries again"),
    },
    openapi_extra={
        "requestBody": {"content": {"application/webhook+json": {"schema": {"type": "object"}, "example": _EXAMPLE}}, "required": True}
    },
)
async def webhook(request: Request) -> Response:
    body = await _read(request)
    if body is None:
        return problem(413, "Too large", f"A webhook has at most {LARGEST_BODY_BYTES} bytes.")
    try:
        event = request.app.state.webhooks.read(body, request.headers.get("authorization"))
    except NotSigned as error:
        logger.warning("webhook refused: %s", error)
        return problem(401, "Not signed by LiveKit", str(error))
    except NotAnEvent as error:
        logger.warning("webhook unreadable: %s", error)
        return problem(400, "Not a webhook event", str(error))
    try:
        with anyio.fail_after(LONGEST_STORING_S):
            outcome = await to_thread.run_sync(_receive, request, event, body, abandon_on_cancel=True)
    except (OperationalError, NoConnectionFree, TimeoutError):
        logger.error("webhook %s not stored: the database cannot be reached", event.id)
        return problem(503, "The store is down", "Nothing was stored; send it again.", headers={"Retry-After": "2"})
    except DBAPIError as error:
        # Its text can hold the event's content; the class says enough.
        logger.error("webhook %s not stored: %s", event.id, type(error.orig).__name__)
        return problem(500, "Not stored", "The event could not be stored. The server's log has its id.")
    if event.type == "participant_joined" and event.participant is not None and event.participant.stated_role == Party.PARTNER.value:
        watch_door(request.app)
    if outcome is Outcome.WAITING and event.room is not None:
        watch_rooms(request.app)
    if event.type in CHANGES and event.room is not None:
        wake_recording(request.app, event.room.sid)
    return Response(status_code=200, headers={"X-Verbatim-Outcome": outcome.value})


async def _read(request: Request) -> bytes | None:
    """The body's raw bytes; None if there are too many, of which no more than that are read."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _receive(request: Request, event: CallEvent, body: bytes) -> Outcome:
    outcome: Outcome = request.app.state.inbox.receive(event, body.decode())
    return outcome
