"""What the routes of trainings take and answer. Times in UTC; invitations are shown once, to whoever issues them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, UrlConstraints
from pydantic.config import JsonDict

from api.consultations import Prose
from api.moments import Moment, example_from_tomorrow
from domain.training import TrainingState

SESSION, PARTNER, AGENT, OTHER = (
    "0b6f2c1e-6a6a-4d39-9c0e-3f5d4f0f9a11",
    "9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e",
    "3e7a1f0c-2b4d-4c1e-9f60-1a2b3c4d5e6f",
    "7c0b86a0-52f1-4f0e-a0e3-3c9f6a1d2b44",
)
TITLE = "Event cancellation, for new partners"
STARTS, ENDS = "2025-03-05T16:00:00Z", "2025-03-05T17:00:00Z"
Title = Annotated[Prose, Field(min_length=1, max_length=200)]
Secure = Annotated[HttpUrl, UrlConstraints(allowed_schemes=["https"], max_length=2_000)]
Signed = Annotated[str, Field(min_length=1, max_length=2_000)]

_INVITE: JsonDict = {
    "id": OTHER,
    "partner": PARTNER,
    "trainer": False,
    "expires_at": "2025-03-05T18:00:00Z",
    "revoked_at": None,
    "entered_at": None,
}
_MATERIAL: JsonDict = {"id": OTHER, "title": "The slides", "url": "https://files.example/slides.pdf", "sha256": None, "shared_at": STARTS}
_SESSION: JsonDict = {
    "id": SESSION, "title": TITLE, "starts_at": STARTS, "ends_at": ENDS, "state": "scheduled", "trainer": AGENT, "max_partners": 8,
    "disclosure_version": "training-2025-01+0123456789ab",
}  # fmt: skip


class Scheduling(BaseModel):
    """``trainer`` is the agent who gives it, or is answerable for a partner who does: an agent's own sessions are their own."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=example_from_tomorrow("starts_at", "ends_at", 1, title=TITLE))

    title: Title
    starts_at: Moment
    ends_at: Moment
    trainer: UUID | None = None
    max_partners: Annotated[int, Field(ge=1, le=8)] = 8


class Rescheduling(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra=example_from_tomorrow("starts_at", "ends_at", 1, title=TITLE))

    title: Title
    starts_at: Moment
    ends_at: Moment


class Inviting(BaseModel):
    """``expires_at`` is the session's end and an hour where nothing sooner is wanted. ``trainer``: this partner gives the session."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"partner": PARTNER}})

    partner: UUID
    trainer: bool = False
    expires_at: Moment | None = None


class Holding(BaseModel):
    """``invite`` as it was issued. It proves who asks, so it is all that is needed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"invite": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"}})

    invite: Signed


class Answering(BaseModel):
    """``disclosure_version``: of the words that were shown. ``consents``: to being recorded."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"disclosure_version": "training-2025-01+0123456789ab", "consents": True}}
    )

    disclosure_version: Annotated[Prose, Field(min_length=1, max_length=100)]
    consents: bool


class EnteringAsPartner(Answering):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "invite": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl", "disclosure_version": "training-2025-01+0123456789ab", "consents": True,
            }
        },
    )  # fmt: skip

    invite: Signed


class Sharing(BaseModel):
    """``sha256``: of the file, in hex, so that it can be known again."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"title": "The slides", "url": "https://files.example/slides.pdf"}}
    )

    title: Title
    url: Secure
    sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None


class InviteOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _INVITE})

    id: UUID
    partner: UUID
    trainer: bool
    expires_at: datetime
    revoked_at: datetime | None
    entered_at: datetime | None


class InviteIssued(BaseModel):
    """``url`` is for the partner and leads to ``VERBATIM_PUBLIC_URL``, with the invitation behind the #. Neither is kept nor can be shown again."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": OTHER,
                "invite": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
                "url": "https://calls.example/training#invite=eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
                "expires_at": "2025-03-05T18:00:00Z",
            }
        }
    )

    id: UUID
    invite: str
    url: str
    expires_at: datetime


class MaterialOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _MATERIAL})

    id: UUID
    title: str
    url: str
    sha256: str | None
    shared_at: datetime


class TrainingOut(BaseModel):
    """The id is also the consultation's."""

    model_config = ConfigDict(json_schema_extra={"example": _SESSION})

    id: UUID
    title: str
    starts_at: datetime
    ends_at: datetime
    state: TrainingState
    trainer: UUID | None
    max_partners: int
    disclosure_version: str


class TrainingWhole(TrainingOut):
    model_config = ConfigDict(json_schema_extra={"example": {**_SESSION, "invites": [_INVITE], "materials": [_MATERIAL]}})

    invites: list[InviteOut]
    materials: list[MaterialOut]


class TrainingPage(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": {"trainings": [_SESSION], "next_cursor": None}})

    trainings: list[TrainingOut]
    next_cursor: str | None


class DisclosureOut(BaseModel):
    """What the holder of an invitation is told before they enter."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "title": TITLE, "starts_at": STARTS, "ends_at": ENDS, "state": "open", "disclosure_version": "training-2025-01+0123456789ab",
                "disclosure": "This training session is recorded and transcribed.",
            }
        }
    )  # fmt: skip

    title: str
    starts_at: datetime
    ends_at: datetime
    state: TrainingState
    disclosure_version: str
    disclosure: str


class StayOut(BaseModel):
    """One time that somebody was in; ``sid`` is LiveKit's id of it."""

    sid: str
    joined_at: datetime | None
    left_at: datetime | None


class AttendeeOut(BaseModel):
    """``seconds`` counts every moment once. ``present``: a stay goes on."""

    identity: str
    first_joined_at: datetime | None
    last_left_at: datetime | None
    seconds: int
    present: bool
    stays: list[StayOut]


class AttendanceOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "attendees": [
                    {
                        "identity": PARTNER, "first_joined_at": STARTS, "last_left_at": ENDS, "seconds": 3600, "present": False,
                        "stays": [{"sid": "PA_6xFS4qd7Mzxy", "joined_at": STARTS, "left_at": ENDS}],
                    }
                ]
            }
        }
    )  # fmt: skip

    attendees: list[AttendeeOut]
