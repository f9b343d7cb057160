"""GET /api/recordings/{id}/media: a recording's sound, redacted; the original, and what is in quarantine, for compliance officers alone.

Every view is an entry of the audit trail before its first byte goes out. What is silenced in it is decided where it is archived.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from limits import RateLimitItemPerMinute
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.responses import StreamingResponse

from api.access import deed_of
from api.consultations import Prose
from api.problems import described, problem
from api.refusals import refuse
from api.rooms import store_is_down
from domain.audit import Outcome
from domain.roles import Role
from resources.objects import ObjectMissing, StorageError
from resources.store import audit, playing
from resources.store.playing import Playable

router = APIRouter(prefix="/api/recordings", tags=["recording"])

LONGEST_REASON = 500
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_ONE_VIEW = RateLimitItemPerMinute(1, 5)
"""A player asks for a recording in pieces: what the same caller asks of the same sound within so long is one view."""
TYPES = {"ogg": "audio/ogg", "mp4": "video/mp4", "mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac"}
_SOUND = {"schema": {"type": "string", "format": "binary"}, "example": "the bytes of the file"}


@router.get(
    "/{recording_id}/media",
    summary="Play a recording",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The sound, whole", "content": dict.fromkeys(TYPES.values(), _SOUND)},
        206: {"description": "The part that the Range header names", "content": dict.fromkeys(TYPES.values(), _SOUND)},
        403: described("The original is for compliance officers, with a reason"),
        404: described("There is no such recording, nothing of it to play yet, or it is in quarantine"),
        416: described("The range lies behind the end"),
        422: described("A parameter is wrong"),
        503: described("The store or the archive is down"),
    },
)
def play(
    request: Request,
    recording_id: UUID,
    original: bool = False,
    range_: Annotated[str | None, Header(alias="Range", description="One range of bytes, such as bytes=0-65535")] = None,
    verbatim_reason: Annotated[Prose | None, Header(max_length=LONGEST_REASON, description="Why the original is needed")] = None,
) -> Response:
    """Card and personal data is silent in it. ``original``: what the archive keeps, in which only card numbers and security codes are."""
    officer = Role.COMPLIANCE in request.state.caller.roles
    if original and not (officer and verbatim_reason and verbatim_reason.strip()):
        _refused(request, recording_id)
        return problem(403, "Not without a reason", "The original is for compliance officers, with a reason in the header Verbatim-Reason.")
    try:
        with request.app.state.engine.begin() as connection:
            found = playing.find(connection, recording_id, everything=officer, original=original)
            if found is None:
                return problem(404, "Nothing to play", "There is no such recording, its work is not done yet, or it is in quarantine.")
            whose = (request.state.caller.subject, found.key)
            if request.app.state.limiter.hit(_ONE_VIEW, "play", *whose):
                details = (("redacted", found.redacted),)
                deed = deed_of(
                    request,
                    "recording.play",
                    consultation_id=found.consultation_id,
                    subject=str(recording_id),
                    details=details,
                    reason=verbatim_reason if original else None,
                )
                audit.append(connection, deed)
        return _streamed(request, found, range_)
    except (OperationalError, NoConnectionFree):
        return store_is_down()
    except ObjectMissing:
        return problem(404, "Nothing to play", "The archive no longer has this object.")
    except StorageError:
        return problem(503, "The archive is down", "The object store cannot be reached; try again.", headers={"Retry-After": "5"})


def wanted(header: str | None, size: int) -> tuple[int, int] | None:
    """(first, last) byte of a Range header, both included; None for all: no header, several ranges, or one that cannot be read (RFC 9110).

    Raises ValueError where it lies behind the end.
    """
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:  # the last so many bytes
        if int(match[2]) == 0:
            raise ValueError("an empty range")
        return max(0, size - int(match[2])), size - 1
    first, last = int(match[1]), min(int(match[2]) if match[2] else size - 1, size - 1)
    if match[2] and int(match[2]) < first:
        return None
    if first >= size:
        raise ValueError("behind the end")
    return first, last


def _streamed(request: Request, found: Playable, header: str | None) -> Response:
    archive = request.app.state.archive
    info = archive.stat(found.key)
    if info is None:
        raise ObjectMissing(found.key)
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Disposition": "inline"}
    try:
        part = wanted(header, info.size_bytes)
    except ValueError:
        return problem(416, "No such range", "The range lies behind the end.", headers={"Content-Range": f"bytes */{info.size_bytes}"})
    first, last = part or (0, info.size_bytes - 1)
    if part is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{info.size_bytes}"
    headers["Content-Length"] = str(last - first + 1)
    stack = ExitStack()
    chunks = stack.enter_context(archive.open(found.key, first, last))

    def body() -> Iterator[bytes]:
        with stack:
            yield from chunks

    kind = TYPES.get(found.key.rpartition(".")[2], "application/octet-stream")
    return StreamingResponse(body(), 206 if part else 200, headers=headers, media_type=kind)


def _refused(request: Request, recording_id: UUID) -> None:
    try:
        with request.app.state.engine.begin() as connection:
            refuse(request, connection, deed_of(request, "recording.play", outcome=Outcome.REFUSED, subject=str(recording_id)))
    except (OperationalError, NoConnectionFree):
        pass  # nothing is played for it
