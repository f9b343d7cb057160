"""A training as it happens: partners come in by their invitations over RTC, the recording begins by itself, attendance follows from webhooks."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, text

from api.app import create_app
from domain.roles import Role
from resources.call_recording import CallRecording
from resources.livekit_rooms import LiveKitRooms, LiveKitUnreachable
from resources.store import audit
from resources.tables import participants
from tests.api.client import Issuer, client_of, settings
from tests.api.test_training import PARTNER, School
from tests.integration.livekit_calls import eventually, joined, loopback_socket, serving
from tests.integration.recorder import RecordingRooms
from tests.services import StartLiveKit

TRAINER = UUID(int=3)
FIRST, SECOND = UUID(int=11), UUID(int=12)


def test_two_partners_attend_and_each_is_recorded_apart(
    livekit: StartLiveKit, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.recording.CallRecording", partial(CallRecording, sweep_s=3600))
    listening = loopback_socket()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    hook = f"{url}/api/livekit/webhook"
    server = livekit(hook)
    ours = settings(
        livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=server.secret, intake_url=str(tmp_path),
        invite_secret=SecretStr("an-invite-secret-of-thirty-two-characters"),
    )  # fmt: skip
    issuer = Issuer()
    rooms = RecordingRooms(server.url, server.key, server.secret, tmp_path, hook)

    async def ask(method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        headers = issuer.headers(Role.AGENT, subject=str(TRAINER))
        answer = await asyncio.to_thread(
            partial(httpx.request, method, f"{url}/api/training{path}", json=body, headers=headers, timeout=30)
        )
        assert answer.is_success, answer.text
        return answer.json()

    async def run() -> str:
        starts = datetime.now(UTC)
        planned = {"title": "T", "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
        session = (await ask("POST", "", planned))["id"]
        invites = [(await ask("POST", f"/{session}/invites", {"partner": str(one)}))["invite"] for one in (FIRST, SECOND)]
        version = (await ask("POST", "/disclosure", {"invite": invites[0]}))["disclosure_version"]
        answer = {"disclosure_version": version, "consents": True}
        async with AsyncExitStack() as people:
            own = await ask("POST", f"/{session}/enter", answer)
            trainer = await people.enter_async_context(joined(own["url"], own["token"]))
            entered = [await ask("POST", "/enter", answer | {"invite": invite}) for invite in invites]
            first = await people.enter_async_context(joined(entered[0]["url"], entered[0]["token"]))
            async with joined(entered[1]["url"], entered[1]["token"]):
                await trainer.until(lambda: trainer.others >= {str(FIRST), str(SECOND)})
                await asyncio.to_thread(eventually, lambda: recorded(engine) == {str(TRAINER), str(FIRST), str(SECOND)})
            async with joined(entered[1]["url"], entered[1]["token"]):  # their connection broke, and they are back
                await trainer.until(lambda: trainer.others >= {str(FIRST), str(SECOND)})
            await asyncio.to_thread(eventually, lambda: stays(engine, SECOND) == [True, True])
            attendees = (await ask("GET", f"/{session}/attendance"))["attendees"]
            assert [(one["identity"], len(one["stays"]), one["present"]) for one in attendees] == [
                (str(TRAINER), 1, True), (str(FIRST), 1, True), (str(SECOND), 2, False),
            ]  # fmt: skip
            assert {first.sid, trainer.sid} <= {stay["sid"] for one in attendees for stay in one["stays"]}
        return str(session)

    with serving(create_app(ours, engine, issuer.identities, rooms), listening):
        asyncio.run(run())


def test_whose_invitation_is_revoked_is_sent_away_as_often_as_they_come(livekit: StartLiveKit, engine: Engine) -> None:
    """Their token lets them in for an hour, whatever happens: so they do not stay."""
    listening = loopback_socket()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = livekit(f"{url}/api/livekit/webhook")
    ours = settings(
        livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=server.secret, record_calls=False,
        invite_secret=SecretStr("an-invite-secret-of-thirty-two-characters"),
    )  # fmt: skip
    issuer = Issuer()

    async def ask(method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        headers = issuer.headers(Role.AGENT, subject=str(TRAINER))
        answer = await asyncio.to_thread(
            partial(httpx.request, method, f"{url}/api/training{path}", json=body, headers=headers, timeout=30)
        )
        assert answer.is_success, answer.text
        return answer.json()

    async def run() -> None:
        starts = datetime.now(UTC)
        planned = {"title": "T", "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
        session = (await ask("POST", "", planned))["id"]
        given = [await ask("POST", f"/{session}/invites", {"partner": str(one)}) for one in (FIRST, SECOND)]
        version = (await ask("POST", "/disclosure", {"invite": given[0]["invite"]}))["disclosure_version"]
        answer = {"disclosure_version": version, "consents": True}
        entered = [await ask("POST", "/enter", answer | {"invite": one["invite"]}) for one in given]
        async with joined(entered[0]["url"], entered[0]["token"]) as first:
            async with joined(entered[1]["url"], entered[1]["token"]) as second:
                await first.until(lambda: str(SECOND) in first.others)
                await ask("DELETE", f"/{session}/invites/{given[1]['id']}")
                await second.until(lambda: second.removed)
                await first.until(lambda: not first.others)
            for _ in range(2):
                async with joined(entered[1]["url"], entered[1]["token"]) as again:
                    await again.until(lambda again=again: again.removed)  # type: ignore[misc]
            assert first.connected and not first.removed, "everybody else stays"
            await ask("POST", f"/{session}/invites", {"partner": str(SECOND)})
            async with joined(entered[1]["url"], entered[1]["token"]) as welcome:
                await welcome.until(lambda: str(FIRST) in welcome.others)
                await asyncio.to_thread(eventually, lambda: stays(engine, SECOND) == [True, True, True, False])
                assert not welcome.removed, "is invited again"

    with serving(create_app(ours, engine, issuer.identities), listening):
        asyncio.run(run())
    with engine.connect() as connection:
        removed = [entry.deed.subject for entry in audit.entries(connection) if entry.deed.action == "training.remove"]
    assert removed == [str(SECOND)], "once a minute is enough"


def test_while_livekit_does_not_answer_an_invitation_is_revoked_and_its_holder_goes_later(livekit: StartLiveKit, engine: Engine) -> None:
    server = livekit()
    ours = settings(livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=server.secret, record_calls=False)
    rooms = Doorless(server.url, server.key, server.secret)
    issuer = Issuer()
    with client_of(create_app(ours, engine, issuer.identities, rooms)) as client:
        school = School(client, issuer, engine)
        session = school.scheduled()
        given = school.invited(session)
        school.enter(given["invite"])
        with engine.begin() as connection:
            row = {"sid": "PA_1", "consultation_id": UUID(session), "identity": str(PARTNER), "role": "partner"}
            connection.execute(insert(participants).values(**row))
        school.ask("DELETE", f"/{session}/invites/{given['id']}")
        school.told(given["invite"], 410)
        assert rooms.removed == []
        rooms.answers = True
        eventually(lambda: rooms.removed == [str(PARTNER)])


class Doorless(LiveKitRooms):
    """Removes nobody until it ``answers``."""

    answers = False

    def __init__(self, url: str, key: str, secret: str) -> None:
        super().__init__(url, key, secret)
        self.removed: list[str] = []

    async def remove_participant(self, room_name: str, identity: str) -> None:
        if not self.answers:
            raise LiveKitUnreachable("it does not answer")
        self.removed.append(identity)


def recorded(engine: Engine) -> set[str]:
    """Who has a file of their own that runs."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT layout FROM recording_orders WHERE active_at IS NOT NULL AND ended_at IS NULL"))
        return {row.layout["routes"][0]["identity"] for row in rows if row.layout["kind"] == "participant"}


def stays(engine: Engine, who: UUID) -> list[bool]:
    """Whether each stay has ended."""
    with engine.connect() as connection:
        found = connection.execute(text("SELECT left_at IS NOT NULL FROM participants WHERE identity = :who"), {"who": str(who)})
        return [row[0] for row in found]
