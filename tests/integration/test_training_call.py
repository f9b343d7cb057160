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
from sqlalchemy import Engine, text

from api.app import create_app
from domain.roles import Role
from resources.call_recording import CallRecording
from tests.api.client import Issuer, settings
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
