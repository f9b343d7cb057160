"""Trainings when something goes another way: a room that LiveKit lost, a call that will not be, an end that nobody told of, strangers at the door."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select

from api.app import create_app
from domain.audit import Outcome
from resources.identity.invitations import Invitation, Invitations
from resources.livekit_rooms import LiveKitRooms
from resources.store import audit
from resources.tables import consultations, participants
from tests.api.client import Issuer, client_of, settings
from tests.api.test_training import PARTNER, SECRET, TRAINER, School
from tests.livekit_server import LiveKitServer


@pytest.fixture
def server(livekit: Callable[..., LiveKitServer]) -> LiveKitServer:
    return livekit()


@pytest.fixture
def school(engine: Engine, server: LiveKitServer, tmp_path: Path) -> Iterator[School]:
    ours = settings(
        livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=SecretStr(server.secret),
        invite_secret=SecretStr(SECRET), intake_url=str(tmp_path),
    )  # fmt: skip
    issuer = Issuer()
    with client_of(create_app(ours, engine, issuer.identities)) as client:
        yield School(client, issuer, engine)


def rooms_of(server: LiveKitServer) -> set[str]:
    async def run() -> set[str]:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            return {room.name for room in await rooms.rooms()}

    return asyncio.run(run())


def driven(engine: Engine) -> set[UUID]:
    with engine.connect() as connection:
        return set(connection.scalars(select(consultations.c.id).where(consultations.c.recording_driven)))


def refusals(engine: Engine) -> list[tuple[str, str | None]]:
    """(who, why) of everybody who was turned away."""
    with engine.connect() as connection:
        deeds = [entry.deed for entry in audit.entries(connection)]
    return [(d.actor, str(dict(d.details)["why"])) for d in deeds if d.action == "training.enter" and d.outcome is Outcome.REFUSED]


def test_a_room_that_livekit_has_lost_is_not_made_again(school: School, server: LiveKitServer) -> None:
    """A second room of the name would be none of the session's, and be there for hours."""
    invite = school.invited(school.scheduled())["invite"]
    school.enter(invite)
    assert len(rooms_of(server)) == 1
    server.restart()
    assert school.enter(invite, 409)["title"] == "It was cut off"
    assert rooms_of(server) == set()


def test_a_repeated_click_is_the_same_session_also_when_that_is_over(school: School) -> None:
    starts = datetime.now(UTC) + timedelta(minutes=5)
    body = {"title": "Once", "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
    once = school.ask("POST", "", 201, json=body, headers={"Idempotency-Key": "k"})["id"]
    assert school.ask("POST", "", 201, json=body, headers={"Idempotency-Key": "k"})["id"] == once
    assert [deed[1] for deed in school.deeds()] == ["training.schedule"], "it was planned once"
    school.change("UPDATE video_consultations SET ended_at = now()")
    again = school.ask("POST", "", 409, json=body, headers={"Idempotency-Key": "k"})
    assert "Idempotency-Key" in again["detail"]


def test_only_what_was_entered_is_recorded_from_here(school: School, engine: Engine) -> None:
    """What is months ahead, or never held, is nobody's to look after."""
    held, cancelled = school.scheduled(), school.scheduled()
    school.scheduled(starts_in=60)
    school.ask("DELETE", f"/{cancelled}")
    assert driven(engine) == set()
    school.enter(school.invited(held)["invite"])
    assert driven(engine) == {UUID(held)}


def test_a_session_that_somebody_may_be_in_is_not_cancelled(school: School, server: LiveKitServer) -> None:
    session = school.scheduled()
    school.enter(school.invited(session)["invite"])
    school.ask("DELETE", f"/{session}", 409)
    assert school.ask("GET", f"/{session}")["state"] == "open"


def test_nobody_is_present_in_a_call_that_is_over(school: School, engine: Engine) -> None:
    session = school.scheduled()
    joined = datetime.now(UTC) - timedelta(minutes=10)
    with engine.begin() as connection:
        row = {"sid": "PA_1", "consultation_id": UUID(session), "identity": str(PARTNER), "role": "partner", "joined_at": joined}
        connection.execute(insert(participants).values(**row))
    (there,) = school.ask("GET", f"/{session}/attendance")["attendees"]
    assert (there["present"], there["last_left_at"]) == (True, None)
    school.change("UPDATE video_consultations SET ended_at = :at", at=joined + timedelta(minutes=5))
    (gone,) = school.ask("GET", f"/{session}/attendance")["attendees"]
    assert (gone["present"], gone["seconds"]) == (False, 300)


def test_who_is_turned_away_is_written_down_but_not_without_end(school: School, engine: Engine) -> None:
    early = school.scheduled(starts_in=60)
    given = school.invited(early)
    school.enter(given["invite"], 409)
    expired = datetime.now(UTC) - timedelta(minutes=1)
    signed = Invitations(settings(invite_secret=SecretStr(SECRET)))
    school.told(signed.sign(Invitation(UUID(given["id"]), UUID(early), PARTNER, expired)), 410)
    school.told(signed.sign(Invitation(UUID(given["id"]), UUID(early), TRAINER, expired + timedelta(hours=1))), 404)
    school.told("nonsense", 404)
    assert refusals(engine) == [(str(PARTNER), "scheduled"), ("stranger", "expired"), ("stranger", "unknown"), ("stranger", "forged")]
    for _ in range(20):
        school.told("nonsense", 404)
    assert len(refusals(engine)) <= 10
