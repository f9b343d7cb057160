"""Recordings follow consent: real rooms and people on a real LiveKit server, through the API's own webhooks; only egress is stood in for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest
from sqlalchemy import Engine, Row, select, text, update
from sqlalchemy.exc import OperationalError

from api.app import create_app
from domain.consent import ConsentOutcome
from domain.grants import ParticipantType
from domain.parties import Party
from domain.roles import Role
from resources.call_recording import AT_ONCE, CallRecording
from resources.live_tables import recording_orders
from resources.livekit_rooms import LiveKitRooms, LiveKitUnreachable
from resources.store import audit
from resources.tables import participants, recordings
from tests.api.client import Issuer, settings
from tests.integration.livekit_calls import eventually, joined, loopback_socket, serving, token_for
from tests.integration.recorded_calls import ANNA, Call, call_on, orders
from tests.integration.recorder import RecordingRooms
from tests.livekit_server import LiveKitServer
from tests.services import StartLiveKit

AGENT, PARTNER = str(UUID(int=3)), str(UUID(int=5))


def running(engine: Engine) -> list[Row[Any]]:
    return [row for row in orders(engine) if row.active_at and not row.ended_at]


def deeds(engine: Engine) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        found = [entry.deed for entry in audit.entries(connection) if entry.deed.action.startswith("recording.")]
        return [(deed.action, deed.outcome.value, str(dict(deed.details).get("why", ""))) for deed in found]


@dataclass
class Served:
    """The API over HTTP, with LiveKit's webhooks coming in."""

    url: str
    server: LiveKitServer
    issuer: Issuer

    def post(self, path: str, body: Mapping[str, object], role: Role, subject: object) -> Any:
        answer = httpx.post(f"{self.url}{path}", json=body, headers=self.issuer.headers(role, subject=str(subject)))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def consent(self, call: str, outcome: str, party: object = ANNA, role: str = "customer") -> Any:
        said = {"party": str(party), "role": role, "outcome": outcome, "method": "click", "script_version": "v1"}
        return self.post(f"/api/consultations/{call}/consent", said, Role.ADMIN, "admin")


@pytest.fixture
def api(livekit: StartLiveKit, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    # What is tested is that consent and webhooks wake it: the sweep would bring about the same, later.
    monkeypatch.setattr("api.recording.CallRecording", partial(CallRecording, sweep_s=3600))
    listening = loopback_socket()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = livekit(f"{url}/api/livekit/webhook")
    ours = settings(
        livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=server.secret, intake_url=str(tmp_path / "intake")
    )
    rooms = RecordingRooms(server.url, server.key, server.secret, tmp_path, f"{url}/api/livekit/webhook")
    issuer = Issuer()
    with serving(create_app(ours, engine, issuer.identities, rooms), listening):
        yield Served(url, server, issuer)


def test_consent_starts_it_a_newcomer_gets_a_place_and_a_withdrawal_ends_it(api: Served, engine: Engine) -> None:
    begun = api.post("/api/livekit/consultation", {"type": "claims", "jurisdiction": "US-CA"}, Role.CUSTOMER, ANNA)
    call, room = begun["consultation_id"], begun["room_name"]

    async def run() -> None:
        async with AsyncExitStack() as people:
            customer = await people.enter_async_context(joined(begun["url"], begun["token"]))
            await customer.open_microphone()
            await asyncio.to_thread(eventually, lambda: len(present(engine)) == 1)
            assert orders(engine) == [], "nobody has consented yet"

            await asyncio.to_thread(api.consent, call, "granted")
            await asyncio.to_thread(eventually, lambda: len(running(engine)) == 1)
            (first,) = running(engine)
            assert first.layout["routes"][0] == {"channel": "left", "identity": str(ANNA)}

            agent = token_for(api.server, room, ParticipantType.AGENT, AGENT)
            colleague = await people.enter_async_context(joined(begun["url"], agent))
            await colleague.open_microphone()
            await asyncio.to_thread(
                eventually, lambda: [row.id for row in running(engine)] not in ([], [first.id]) and not open_(engine, first.id)
            )
            (second,) = running(engine)
            assert {"channel": "right", "identity": AGENT} in second.layout["routes"]
            before, after = next(row for row in orders(engine) if row.id == first.id), second
            assert after.active_at <= before.ended_at, "no second is lost between the two"

            gate = (await asyncio.to_thread(api.consent, call, "revoked"))["gate"]
            assert gate["refused"] == [str(ANNA)]
            await asyncio.to_thread(eventually, lambda: running(engine) == [])
            assert customer.connected and colleague.connected, "the call itself goes on"

            await asyncio.to_thread(api.consent, call, "granted")
            await asyncio.to_thread(eventually, lambda: len(running(engine)) == 1)

    asyncio.run(run())
    # The room empties and is closed by LiveKit; its last recording with it.
    eventually(lambda: all(row.ended_at for row in orders(engine)))
    assert [row.stop_because for row in orders(engine)][:2] == ["replaced", "refused"]
    withdrawn = consent_at(engine, "revoked")
    stopped = orders(engine)[1]
    assert withdrawn == stopped.refused_at <= stopped.stop_ordered_at
    told = deeds(engine)
    assert told[:5] == [
        ("recording.start", "done", ""), ("recording.start", "done", ""), ("recording.stop", "done", "replaced"),
        ("recording.stop", "done", "refused"), ("recording.start", "done", ""),
    ]  # fmt: skip
    with engine.connect() as connection:
        eventually(lambda: len(connection.execute(select(recordings)).all()) == 3)
        files = set(connection.scalars(select(recordings.c.location)))
    assert all(any(str(row.id) in file for file in files) for row in orders(engine)), "each file is known by its order"

    officer = api.issuer.headers(Role.COMPLIANCE)
    shown = httpx.get(f"{api.url}/api/consultations/{call}/recordings", headers=officer).json()["recordings"]
    assert [(one["stop_because"], one["ended_as"], one["stage"]) for one in shown[:2]] == [
        ("replaced", "EGRESS_COMPLETE", "recordings"), ("refused", "EGRESS_COMPLETE", "recordings"),
    ]  # fmt: skip
    assert [one["refused_at"] for one in shown[:2]] == [None, withdrawn.isoformat().replace("+00:00", "Z")]
    assert all(one["ordered_at"] <= one["active_at"] <= one["ended_at"] for one in shown)
    stranger = api.issuer.headers(Role.CUSTOMER, subject=str(UUID(int=2)))
    assert httpx.get(f"{api.url}/api/consultations/{call}/recordings", headers=stranger).status_code == 404


def open_(engine: Engine, order_id: UUID) -> bool:
    return any(row.id == order_id and not row.ended_at for row in orders(engine))


def present(engine: Engine) -> list[Row[Any]]:
    with engine.connect() as connection:
        return list(connection.execute(select(participants).where(participants.c.left_at.is_(None))).all())


def consent_at(engine: Engine, outcome: str) -> datetime:
    with engine.connect() as connection:
        return connection.execute(text("SELECT at FROM consent_records WHERE outcome = :o"), {"o": outcome}).scalar_one()  # type: ignore[no-any-return]


def test_who_has_not_consented_ends_the_recording_by_coming_in(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    async def run() -> None:
        async with call_on(livekit(), engine, tmp_path) as call:
            call.said(ConsentOutcome.GRANTED)
            await call.recording().tend(call.id)
            await call.until_active()
            call.joins(PARTNER, Party.PARTNER)
            await call.recording().tend(call.id)
            (order,) = orders(engine)
            assert order.stop_because == "consent_missing"
            await call.rooms.until_ended(order.egress_id)
            assert await call.actives() == []
            call.said(ConsentOutcome.GRANTED, PARTNER, Party.PARTNER)
            await call.recording().tend(call.id)
            await call.until_active()
            assert len(await call.actives()) == 1

    asyncio.run(run())


def test_however_many_look_after_a_call_one_recording_runs(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    async def run() -> None:
        async with call_on(livekit(), engine, tmp_path) as call:
            call.said(ConsentOutcome.GRANTED)
            several = [call.recording() for _ in range(4)]
            await asyncio.gather(*(one.tend(call.id) for one in several for _ in range(5)))
            assert [row.egress_id for row in orders(engine)] == [one.egress.id for one in await call.rooms.egresses()]
            assert len(orders(engine)) == 1

    asyncio.run(run())


class Unanswering(RecordingRooms):
    """Starts the recording, but the answer is lost on its way."""

    async def start_recording(self, *asked: Any, **more: Any) -> str:
        await super().start_recording(*asked, **more)
        raise LiveKitUnreachable("no answer")


class Deaf(RecordingRooms):
    """The order is lost on its way."""

    async def start_recording(self, *asked: Any, **more: Any) -> str:
        raise LiveKitUnreachable("no answer")


def test_a_recording_that_runs_although_nobody_answered_is_known_again(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    async def run() -> None:
        async with call_on(livekit(), engine, tmp_path, Unanswering) as call:
            call.said(ConsentOutcome.GRANTED)
            await call.recording().tend(call.id)
            assert [row.egress_id for row in orders(engine)] == [None]
            await call.recording().tend(call.id)
            (order,) = orders(engine)
            assert [order.egress_id] == [one.egress.id for one in await call.rooms.egresses()]
            call.said(ConsentOutcome.REVOKED)
            await call.recording().tend(call.id)
            await call.rooms.until_ended(order.egress_id)
            assert await call.actives() == []

    asyncio.run(run())


def test_an_order_that_came_to_nothing_is_given_up_and_made_anew(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    async def run() -> None:
        async with call_on(livekit(), engine, tmp_path, Deaf) as call:
            call.said(ConsentOutcome.GRANTED)
            await call.recording().tend(call.id)
            await call.recording().tend(call.id)
            assert [row.ended_as for row in orders(engine)] == [None], "it may still have been taken"
            with engine.begin() as connection:
                connection.execute(update(recording_orders).values(ordered_at=datetime.now(UTC) - timedelta(minutes=2)))
            await call.recording().tend(call.id)
            assert [row.ended_as for row in orders(engine)] == ["unanswered"]
            with engine.begin() as connection:
                connection.execute(update(recording_orders).values(ended_at=datetime.now(UTC) - timedelta(minutes=1)))
            await call.recording().tend(call.id)
            assert [row.ended_as for row in orders(engine)] == ["unanswered", None]
            assert deeds(engine) == [("recording.start", "failed", "LiveKit did not answer, and lists no such egress")]

    asyncio.run(run())


def test_a_server_that_cannot_record_says_so_in_the_trail_and_is_asked_again_later(
    livekit: StartLiveKit, engine: Engine, tmp_path: Path
) -> None:
    server = livekit()

    async def run() -> None:
        async with call_on(server, engine, tmp_path) as call, LiveKitRooms(server.url, server.key, server.secret) as bare:
            call.said(ConsentOutcome.GRANTED)
            for _ in range(3):
                await call.recording(bare).tend(call.id)
            assert [row.ended_as for row in orders(engine)] == ["livekit_refused"], "not again at once"
            assert [deed[:2] for deed in deeds(engine)] == [("recording.start", "failed")]

    asyncio.run(run())


class Deadlocked(RecordingRooms):
    """Does not stop what it is told to stop, the first times."""

    left = 2

    async def stop_recording(self, egress_id: str) -> Any:
        if self.left:
            self.left -= 1
            raise LiveKitUnreachable("no answer")
        return await super().stop_recording(egress_id)


def test_a_withdrawal_is_asked_of_livekit_until_it_answers(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    async def run() -> None:
        async with call_on(livekit(), engine, tmp_path, Deadlocked) as call:
            call.said(ConsentOutcome.GRANTED)
            recording = call.recording()
            recording.sweep_s = 3600
            looking = asyncio.create_task(recording.run())
            await until(lambda: len(orders(engine)) == 1)
            await call.until_active()
            call.said(ConsentOutcome.REVOKED)
            recording.wake(call.id)
            await until(lambda: orders(engine)[0].stop_because == "refused")
            looking.cancel()
            assert deeds(engine)[1:] == [("recording.stop", "failed", "refused"), ("recording.stop", "done", "refused")]

    asyncio.run(run())


class Busy(RecordingRooms):
    """Once ``jammed``, its egress service takes no order, until ``over``; then it says that it never did."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.jammed, self.waiting, self.over = False, 0, asyncio.Event()

    async def start_recording(self, *asked: Any, **more: Any) -> str:
        if self.jammed:
            self.waiting += 1
            await self.over.wait()
            raise LiveKitUnreachable("no answer")
        return await super().start_recording(*asked, **more)


def test_a_withdrawal_waits_for_no_other_calls_start(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    async def run() -> None:
        async with call_on(livekit(), engine, tmp_path, Busy) as call, looked_after(call) as recording:
            assert isinstance(call.rooms, Busy)
            call.said(ConsentOutcome.GRANTED)
            recording.wake(call.id)
            await until(lambda: len(running(engine)) == 1)
            call.rooms.jammed = True
            others = [await call.another(number) for number in range(3 * AT_ONCE)]
            for other in others:
                other.said(ConsentOutcome.GRANTED)
                recording.wake(other.id)
            await until(lambda: call.rooms.waiting >= AT_ONCE)  # type: ignore[attr-defined]
            call.said(ConsentOutcome.REVOKED)
            recording.wake(call.id)
            await until(lambda: orders(engine)[0].stop_because == "refused")
            assert orders(engine)[0].refused_at == consent_at(engine, "revoked")
            await call.rooms.until_ended(orders(engine)[0].egress_id)
            call.rooms.over.set()

    asyncio.run(run())


def test_a_withdrawal_waits_for_no_start_in_its_own_call(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    """Without a customer, as in a training, everybody has a file."""

    async def run() -> None:
        async with call_on(livekit(), engine, tmp_path, Busy) as call, looked_after(call) as recording:
            assert isinstance(call.rooms, Busy)
            with engine.begin() as connection:
                connection.execute(text("UPDATE video_consultations SET customer_id = NULL"))
            call.said(ConsentOutcome.GRANTED)
            recording.wake(call.id)
            await until(lambda: len(running(engine)) == 1)
            call.rooms.jammed = True
            call.said(ConsentOutcome.GRANTED, PARTNER, Party.PARTNER)
            call.joins(PARTNER, Party.PARTNER)
            recording.wake(call.id)
            await until(lambda: call.rooms.waiting == 1)  # type: ignore[attr-defined]
            call.said(ConsentOutcome.REVOKED, PARTNER, Party.PARTNER)
            recording.wake(call.id)
            await until(lambda: [row.stop_because for row in orders(engine)] == ["refused", None])
            call.rooms.over.set()

    asyncio.run(run())


@asynccontextmanager
async def looked_after(call: Call) -> AsyncIterator[CallRecording]:
    """While the block lasts, by a task that is woken and does not look by itself."""
    recording = call.recording()
    recording.sweep_s = 3600
    looking = asyncio.create_task(recording.run())
    await asyncio.sleep(0)  # it has begun
    try:
        yield recording
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def until(so: Callable[[], bool]) -> None:
    await asyncio.to_thread(eventually, so)


def test_a_database_that_went_away_does_not_end_the_watch(livekit: StartLiveKit, engine: Engine, owner: Engine, tmp_path: Path) -> None:
    async def run() -> None:
        async with call_on(livekit(), engine, tmp_path) as call:
            recording = call.recording()
            recording.sweep_s = 0.05
            looking = asyncio.create_task(recording.run())
            with owner.connect() as connection:
                mine = (
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                for _ in range(5):
                    connection.execute(text(mine))
                    await asyncio.sleep(0.05)
            await until(lambda: granted(call))
            await until(lambda: len(orders(engine)) == 1)
            assert not looking.done()
            looking.cancel()

    asyncio.run(run())


def granted(call: Call) -> bool:
    try:
        call.said(ConsentOutcome.GRANTED)
    except OperationalError:
        return False
    return True
