"""One call from its first click to the search hit: rooms, people, sound, webhooks, consent, the pipeline and the search are all real; only
egress is stood in for by a recorder that joins the room.
"""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2 as httpx
import numpy as np
import pytest
from sqlalchemy import Engine, text

from api.app import create_app
from domain.roles import Role
from resources.call_recording import CallRecording
from tests.api.client import Issuer, settings
from tests.assets.archive_world import World
from tests.integration.livekit_calls import (
    RATE,
    Client,
    Samples,
    all_hear_each_other,
    eventually,
    joined,
    loopback_socket,
    serving,
    sound_of,
)
from tests.integration.recorder import RecordingRooms
from tests.services import StartLiveKit

ANNA, AGENT = UUID(int=1), UUID(int=3)
CALL = Path("demo/calls/quote-with-consent.ogg")
FUN_RUN, HOLD, COVERAGE, THANKS = (17_986, 23_984), (33_585, 37_953), (53_567, 59_923), (77_523, 80_690)
"""When in it, in ms, the customer, the assistant, the agent and the customer say this."""
BREATH_S = 2
"""Nobody speaks in the very moment in which the recording begins, and the demo's small model hears such words badly."""


class Business:
    """The API as its callers see it."""

    def __init__(self, url: str, issuer: Issuer) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)
        self._issuer = issuer

    async def ask(self, method: str, path: str, role: Role, subject: object, **more: Any) -> Any:
        headers = self._issuer.headers(role, subject=str(subject))
        answer = await asyncio.to_thread(partial(self._http.request, method, path, headers=headers, **more))
        assert answer.is_success, answer.text
        return answer.json()


@pytest.mark.timeout(600)
def test_from_the_first_click_to_the_search_hit(
    livekit: StartLiveKit, engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, database_url)
    listening = loopback_socket()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    hook = f"{url}/api/livekit/webhook"
    server = livekit(hook)
    ours = settings(
        livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=server.secret, intake_url=str(world.intake),
        room_departure_timeout_seconds=1,
    )  # fmt: skip
    issuer = Issuer()
    rooms = RecordingRooms(server.url, server.key, server.secret, world.intake, hook)
    sound = sound_of(CALL)

    def words(part: tuple[int, int]) -> Samples:
        begin, end = (moment * RATE // 1000 for moment in part)
        # Both channels were mixed into one, which halves the one that speaks.
        return np.clip(sound[begin:end].astype(np.int32) * 2, -32768, 32767).astype(np.int16)

    async def call(business: Business) -> str:
        begun = await business.ask(
            "POST", "/api/livekit/consultation", Role.CUSTOMER, ANNA, json={"type": "quote", "jurisdiction": "US-CA"}
        )
        entering = {"roomName": begun["room_name"], "identity": "assistant-1", "participantType": "ai"}
        assistant_token = await business.ask("POST", "/api/livekit/token", Role.ASSISTANT, "assistant-1", json=entering)
        async with AsyncExitStack() as people:
            customer: Client = await people.enter_async_context(joined(begun["url"], begun["token"]))
            assistant: Client = await people.enter_async_context(joined(assistant_token["url"], assistant_token["token"]))
            await all_hear_each_other([customer, assistant])
            said = {
                "party": str(ANNA), "role": "customer", "outcome": "granted", "method": "spoken", "script_version": "recording-2025-01",
            }  # fmt: skip
            answer = await business.ask(
                "POST", f"/api/consultations/{begun['consultation_id']}/consent", Role.ASSISTANT, "assistant-1", json=said
            )
            assert answer["gate"]["open"] is True
            await asyncio.to_thread(eventually, lambda: recording(engine))
            await customer.until(lambda: customer.room.is_recording)
            await asyncio.sleep(BREATH_S)
            await customer.speak(words(FUN_RUN))
            await assistant.speak(words(HOLD))
            # The customer asks for a human, who takes over with the recording going on.
            await business.ask("PUT", "/api/agents/me/status", Role.AGENT, AGENT, json={"status": "available"})
            wish = {"reason": "requested", "summary": "A fun run in Denver."}
            path = f"/api/consultations/{begun['consultation_id']}/handoff"
            handoff = await business.ask("POST", path, Role.ASSISTANT, "assistant-1", json=wish)
            taken = await business.ask("POST", f"/api/handoffs/{handoff['id']}/accept", Role.AGENT, AGENT)
            assert taken["context"]["summary"] == "A fun run in Denver."
            agent: Client = await people.enter_async_context(joined(taken["url"], taken["token"]))
            await all_hear_each_other([customer, agent])
            await asyncio.to_thread(eventually, lambda: recording(engine, with_agent=True))
            # While two people share the business's channel nobody could say which of them speaks.
            await assistant.room.disconnect()
            await asyncio.to_thread(eventually, lambda: gone(engine, "assistant-1"))
            await agent.speak(words(COVERAGE))
            await customer.speak(words(THANKS))
        return str(begun["consultation_id"])

    monkeypatch.setattr("api.recording.CallRecording", partial(CallRecording, sweep_s=3600))
    with serving(create_app(ours, engine, issuer.identities, rooms), listening):
        business = Business(url, issuer)
        consultation_id = asyncio.run(call(business))
        eventually(lambda: ended(engine))
        ((day,),) = world.query("SELECT (ended_at AT TIME ZONE 'UTC')::date::text FROM video_consultations")
        assert world.run(day=str(day)).success
        officer = partial(business.ask, "GET", "/api/search", Role.COMPLIANCE, "officer")
        for asked, role in (("denver", "customer"), ("specialist", "assistant"), ("liability", "agent"), ("thank", "customer")):
            hits = asyncio.run(officer(params={"q": f"{asked} speaker:{role}"}))["hits"]
            assert len(hits) == 1, (
                asked,
                world.query("SELECT consent, spoken, publication FROM evaluations"),
                world.query("SELECT role, text FROM turns"),
            )
            (hit,) = hits
            assert (hit["consultation_id"], hit["speaker"]) == (consultation_id, role)
        transcript = httpx.get(
            f"{url}/consultations/{consultation_id}", headers=issuer.headers(Role.COMPLIANCE, subject="officer"), timeout=30
        )
        assert transcript.status_code == 200 and "participant accident" in transcript.text


def recording(engine: Engine, *, with_agent: bool = False) -> bool:
    """Whether one recording runs, and no other; with the agent's place in it, if that is asked for."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT active_at, layout FROM recording_orders WHERE ended_at IS NULL")).all()
    return len(rows) == 1 and rows[0].active_at is not None and (not with_agent or str(AGENT) in str(rows[0].layout))


def gone(engine: Engine, identity: str) -> bool:
    with engine.connect() as connection:
        left = text("SELECT count(*) FROM participants WHERE identity = :identity AND left_at IS NOT NULL")
        return bool(connection.scalar(left, {"identity": identity}))


def ended(engine: Engine) -> bool:
    """LiveKit has closed the room, and egress has told of both files."""
    with engine.connect() as connection:
        over = "SELECT count(*) FROM video_consultations v JOIN recordings r ON r.consultation_id = v.id WHERE v.ended_at IS NOT NULL"
        return bool(connection.scalar(text(over)) == 2)
