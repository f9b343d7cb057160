"""What nobody told of is made good: against a real LiveKit server that is killed, and with recordings of which no webhook came."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, insert, select, text

from api.app import create_app
from demo.livekit_events import Room, body_of, room_event
from domain.consent import ConsentMethod, ConsentOutcome
from domain.egress_layout import EgressLayout
from domain.failures import MAX_ATTEMPTS, Reason, RecordingError
from domain.grants import ParticipantType
from domain.parties import Party
from domain.recording_control import customer_apart, one_party
from resources.live_tables import recording_orders
from resources.livekit_rooms import LiveKitRooms
from resources.objects import FolderStore
from resources.reconciliation import Reconciliation, Report
from resources.store import consents, reconciliation, recording_outcomes, work
from resources.store.consents import Said
from resources.tables import consultations, recordings, users
from tests.api.client import Issuer, settings
from tests.integration.livekit_calls import all_hear_each_other, eventually, joined, loopback_socket, serving, token_for
from tests.integration.recorder import RecordingRooms, post
from tests.livekit_server import LiveKitServer
from tests.services import StartLiveKit

ROOM = "consultation_claims_20250303T150000Z_0123456789abcdef0123456789abcdef"
ANNA = UUID(int=1)
NONE, HOURS = timedelta(), timedelta(hours=2)


def reconciled(engine: Engine, rooms: LiveKitRooms | None, intake: Path, now: datetime | None = None) -> Report:
    intake.mkdir(exist_ok=True)

    async def run() -> Report | None:
        return await Reconciliation(engine, rooms, FolderStore(intake), NONE, HOURS).run(now)

    report = asyncio.run(run())
    assert report is not None
    return report


def one(engine: Engine, sql: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(sql)).one()


def ended_call(engine: Engine, *, driven: bool = True, ago: timedelta = timedelta(hours=3), name: str = ROOM) -> UUID:
    call = uuid4()
    with engine.begin() as connection:
        row = {"id": call, "room_name": name, "room_sid": f"RM_{call}", "consultation_type": "claims", "recording_driven": driven}
        over = datetime.now(UTC) - ago
        connection.execute(insert(consultations).values(**row, started_at=over - timedelta(minutes=5), ended_at=over))
    return call


def state_of(engine: Engine, call: UUID) -> tuple[str, str | None]:
    with engine.connect() as connection:
        row = connection.execute(select(consultations).where(consultations.c.id == call)).one()
        return row.recording_state, row.recording_reason


def announced(engine: Engine, call: UUID, egress: str, file: str | None = None) -> UUID:
    """A recording of which egress has told; with ``file`` empty, that it left none."""
    recording, name = uuid4(), f"{egress}.ogg" if file is None else file
    row = {"id": recording, "consultation_id": call, "egress_id": egress, "file_name": name}
    with engine.begin() as connection:
        connection.execute(insert(recordings).values(**row, egress_status="EGRESS_COMPLETE" if name else "EGRESS_FAILED"))
    return recording


def fetched(engine: Engine) -> None:
    """The pipeline has fetched and probed every file that it had not."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE recordings SET sha256 = repeat('0', 64) WHERE sha256 IS NULL AND file_name <> ''"))


def given_up(engine: Engine, recording: UUID, stage: str, reason: Reason) -> None:
    with engine.begin() as connection:
        for _ in range(MAX_ATTEMPTS):
            if work.fail(connection, recording, stage, RecordingError(reason, "x"), None, datetime.now(UTC)):
                break


def ordered(engine: Engine, call: UUID, layout: EgressLayout, egress: str | None, ended_as: str | None) -> None:
    now = datetime.now(UTC)
    row = {"id": uuid4(), "consultation_id": call, "egress_id": egress, "layout": layout.to_json(), "ordered_at": now}
    with engine.begin() as connection:
        connection.execute(insert(recording_orders).values(**row, ended_at=now if ended_as else None, ended_as=ended_as))


def says(engine: Engine, call: UUID, outcome: ConsentOutcome = ConsentOutcome.GRANTED) -> None:
    """The customer, ANNA."""
    said = Said(str(ANNA), Party.CUSTOMER, outcome, ConsentMethod.CLICK, "v", None, None, "x")
    with engine.begin() as connection:
        consents.add(connection, call, said, "v", datetime.now(UTC) - timedelta(hours=4))


def test_a_server_killed_in_mid_call_and_the_call_it_forgot(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    listening = loopback_socket()
    hook = f"http://127.0.0.1:{listening.getsockname()[1]}/api/livekit/webhook"
    server = livekit(hook)
    ours = settings(livekit_api_key=server.key, livekit_api_secret=server.secret)

    async def run() -> None:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            await rooms.create_room(ROOM, metadata={"type": "claims"}, empty_timeout_s=60, departure_timeout_s=60)
            who = (ParticipantType.CUSTOMER, ParticipantType.AGENT)
            customer, agent = (token_for(server, ROOM, kind) for kind in who)
            async with joined(server.ws_url, customer) as first, joined(server.ws_url, agent) as second:
                await all_hear_each_other([first, second])
                await asyncio.to_thread(eventually, lambda: one(engine, "SELECT count(*) FROM participants")[0] == 2)

                going_on = await Reconciliation(engine, rooms, FolderStore(tmp_path), NONE, HOURS).run()
                assert going_on is not None and not going_on.counts, "a call that goes on is left alone"
                server.kill()
                unreachable = await Reconciliation(engine, rooms, FolderStore(tmp_path), NONE, HOURS).run()
                assert unreachable is not None and unreachable.trouble and not unreachable.counts, "silence shows nothing"
        server.restart()
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            report = await Reconciliation(engine, rooms, FolderStore(tmp_path), NONE, HOURS).run()
            assert report is not None
            assert (report.counts["room_finished"], report.counts["participant_left"], len(report.changed)) == (1, 2, 1)
            again = await Reconciliation(engine, rooms, FolderStore(tmp_path), NONE, HOURS).run()
            assert again is not None and not again.counts

    with serving(create_app(ours, engine, Issuer().identities), listening):
        asyncio.run(run())
        call = one(engine, "SELECT room_sid, started_at, ended_at FROM video_consultations")
        heard = one(engine, "SELECT max(sent_at) FROM webhook_events WHERE event_id NOT LIKE 'reconciled:%'")[0]
        assert heard <= call.ended_at <= heard + timedelta(seconds=1), "it ended when it was last heard of"
        here = "SELECT count(*) FILTER (WHERE left_at IS NULL), count(*) FILTER (WHERE left_at < joined_at) FROM participants"
        assert tuple(one(engine, here)) == (0, 0), "everybody left, and nobody before they came"
        # The webhook that comes after all says later, and it was there.
        later = heard + timedelta(seconds=30)
        told = body_of(room_event("room_finished", "EV_late", later, Room(call.room_sid, ROOM, call.started_at)))
        post(hook, told, server.key, server.secret)
        assert one(engine, "SELECT ended_at FROM video_consultations").ended_at == later


def test_a_recording_of_whose_end_nobody_told_is_adopted(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    server = livekit()

    async def run() -> None:
        async with RecordingRooms(server.url, server.key, server.secret, tmp_path) as rooms:
            sid = (await rooms.create_room(ROOM, metadata={}, empty_timeout_s=60, departure_timeout_s=60)).sid
            with engine.begin() as connection:
                row = {"id": uuid4(), "room_name": ROOM, "room_sid": sid, "consultation_type": "claims"}
                connection.execute(insert(consultations).values(**row))
            egress = await rooms.start_recording(ROOM, customer_apart("prt_customer"), "{room_name}/{time}.ogg")
            await rooms.until_active(egress)
            running = await Reconciliation(engine, rooms, FolderStore(tmp_path / "empty"), NONE, HOURS).run()
            assert running is not None and running.counts["egress_ended"] == 0
            await rooms.stop_recording(egress)
            await rooms.until_ended(egress)
            report = await Reconciliation(engine, rooms, FolderStore(tmp_path / "empty"), NONE, HOURS).run()
            assert report is not None and report.counts["egress_ended"] == 1
            again = await Reconciliation(engine, rooms, FolderStore(tmp_path / "empty"), NONE, HOURS).run()
            assert again is not None and not again.counts
            with engine.connect() as connection:
                found = connection.execute(select(recordings)).one()
            assert (found.egress_id, found.egress_status, found.layout["kind"]) == (egress, "EGRESS_COMPLETE", "routes")

    (tmp_path / "empty").mkdir()
    asyncio.run(run())


def test_files_that_nobody_announced_are_taken_in_where_they_name_their_call(engine: Engine, tmp_path: Path) -> None:
    call, order = ended_call(engine), uuid4()
    by_name = ended_call(engine, driven=False, name=f"{ROOM}a")
    with engine.begin() as connection:
        row = {"id": order, "consultation_id": call, "egress_id": "EG_1", "layout": customer_apart("cu", ["ag"]).to_json()}
        connection.execute(insert(recording_orders).values(**row, ordered_at=datetime.now(UTC), active_at=datetime.now(UTC)))
    media = Path("tests/data/call.ogg")
    for name in (f"recordings/{call}/{order}.ogg", f"{ROOM}a/file.ogg", "somebody/elses.ogg", f"recordings/{by_name}/{order}.ogg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(media, tmp_path / name)
    later = datetime.now(UTC) + timedelta(hours=3)
    report = reconciled(engine, None, tmp_path, later)
    assert (report.counts["files_adopted"], report.counts["files_of_nobody"]) == (2, 2)
    with engine.connect() as connection:
        found = {row.consultation_id: row for row in connection.execute(select(recordings))}
    assert (found[call].egress_id, found[call].layout["routes"][0]["identity"]) == ("EG_1", "cu")
    assert (found[by_name].egress_id.startswith("found:"), found[by_name].layout["kind"]) == (True, "mixed")
    assert [state_of(engine, one_call) for one_call in (call, by_name)] == [("failed", "not_fetched")] * 2, "it is too late to wait for it"
    fetched(engine)
    again = reconciled(engine, None, tmp_path, later + timedelta(hours=1))
    assert (again.counts["files_adopted"], again.counts["files_of_nobody"]) == (0, 2)
    assert [state_of(engine, one_call)[0] for one_call in (call, by_name)] == ["recorded", "recorded"]


def test_every_ended_call_is_in_one_of_four_states(engine: Engine, tmp_path: Path) -> None:
    recorded, failed, refused, silent, elsewhere, fresh = (ended_call(engine, name=f"{ROOM}{n}", driven=n != 4) for n in range(6))
    with engine.begin() as connection:
        connection.execute(insert(users).values(id=ANNA, role="customer"))
        said = Said(str(ANNA), Party.CUSTOMER, ConsentOutcome.DECLINED, ConsentMethod.CLICK, "v", None, None, "x")
        consents.add(connection, refused, said, "v", datetime.now(UTC))
        for call, egress in ((recorded, "EG_a"), (failed, "EG_b"), (fresh, "EG_c")):
            row = {"id": uuid4(), "consultation_id": call, "egress_id": egress, "layout": {}, "ordered_at": datetime.now(UTC)}
            connection.execute(insert(recording_orders).values(**row))
        connection.execute(text("UPDATE video_consultations SET ended_at = now() WHERE id = :id"), {"id": fresh})
    announced(engine, recorded, "EG_a")
    fetched(engine)
    report = reconciled(engine, None, tmp_path)
    assert state_of(engine, recorded) == ("recorded", None)
    assert state_of(engine, failed) == ("failed", "lost")
    assert state_of(engine, refused) == ("refused", None)
    assert state_of(engine, silent) == ("not_expected", "no_consent")
    assert state_of(engine, elsewhere) == ("not_expected", "recorded_elsewhere_or_not_at_all")
    assert state_of(engine, fresh) == ("in_progress", None)
    assert report.states == {"recorded": 1, "failed": 1, "refused": 1, "not_expected": 2, "in_progress": 1}
    # Beyond the deadline nothing is in progress; and a file that comes after all makes good what had failed.
    announced(engine, failed, "EG_b")
    fetched(engine)
    report = reconciled(engine, None, tmp_path, datetime.now(UTC) + timedelta(hours=3))
    assert (state_of(engine, fresh), state_of(engine, failed)) == (("failed", "lost"), ("recorded", None))
    assert report.states["in_progress"] == 0
    runs = one(engine, "SELECT count(*), max(counts->>'recorded') FROM reconciliation_runs")
    assert tuple(runs) == (2, "2")


def test_two_at_once_are_one(engine: Engine, tmp_path: Path) -> None:
    with engine.connect() as other, other.begin():
        assert reconciliation.try_lock(other)
        assert asyncio.run(Reconciliation(engine, None, FolderStore(tmp_path), NONE, HOURS).run()) is None
        reconciliation.unlock(other)
    assert reconciled(engine, None, tmp_path) is not None


def unfinished_call(engine: Engine) -> None:
    """A call whose room LiveKit does not know any more, and of whose end nobody told."""
    past = datetime.now(UTC) - timedelta(hours=1)
    with engine.begin() as connection:
        row = {"id": uuid4(), "room_name": ROOM, "room_sid": "RM_gone", "consultation_type": "claims"}
        connection.execute(insert(consultations).values(**row, started_at=past, created_at=past))


def api_of(engine: Engine, server: LiveKitServer, folder: Path) -> FastAPI:
    folder.mkdir()
    keys = {"livekit_url": server.url, "livekit_api_key": server.key, "livekit_api_secret": server.secret}
    return create_app(settings(**keys, intake_url=str(folder)), engine, Issuer().identities)


def has_ended(engine: Engine) -> bool:
    return one(engine, "SELECT ended_at FROM video_consultations").ended_at is not None


def ran(engine: Engine, started_at: datetime) -> None:
    """A whole reconciliation by another process."""
    with engine.begin() as connection:
        reconciliation.save_run(connection, started_at, datetime.now(UTC), {}, [])


def test_the_api_makes_good_at_its_start_what_it_missed(livekit: StartLiveKit, engine: Engine, tmp_path: Path) -> None:
    app = api_of(engine, livekit(), tmp_path / "intake")
    unfinished_call(engine)
    ran(engine, datetime.now(UTC) - timedelta(seconds=1))  # shortly before, but before: it cannot know what came after it
    with serving(app, loopback_socket()):
        eventually(lambda: has_ended(engine))


@pytest.mark.parametrize("began", ["before", "after"])
def test_two_that_start_together_share_one_and_nobody_an_older_one(
    livekit: StartLiveKit, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, began: str
) -> None:
    monkeypatch.setattr("api.reconciling.FIRST_WAIT_S", 0.05)
    caplog.set_level("INFO", "verbatim.reconciliation")
    app = api_of(engine, livekit(), tmp_path / "intake")
    unfinished_call(engine)
    with engine.connect() as other:
        assert reconciliation.try_lock(other)
        before = datetime.now(UTC)
        with serving(app, loopback_socket()):
            eventually(lambda: "another process is at it" in caplog.text)
            ran(engine, before if began == "before" else datetime.now(UTC))
            reconciliation.unlock(other)
            other.commit()
            eventually(lambda: has_ended(engine) if began == "before" else "another process has reconciled since" in caplog.text)
    assert has_ended(engine) is (began == "before")


@pytest.mark.parametrize("gone", ["room", "nothing"])
def test_somebody_who_is_no_longer_in_the_room_has_left(livekit: StartLiveKit, engine: Engine, tmp_path: Path, gone: str) -> None:
    server = livekit()

    async def run() -> None:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            sid = (await rooms.create_room(ROOM, metadata={}, empty_timeout_s=60, departure_timeout_s=60)).sid
            async with joined(server.ws_url, token_for(server, ROOM, ParticipantType.CUSTOMER)) as customer:
                with engine.begin() as connection:
                    call = uuid4()
                    past = datetime.now(UTC) - timedelta(minutes=10)
                    row = {"id": call, "room_name": ROOM, "room_sid": sid, "consultation_type": "claims"}
                    connection.execute(insert(consultations).values(**row, started_at=past))
                    people = "INSERT INTO participants (sid, consultation_id, identity, role, joined_at) VALUES (:sid, :call, 'x', 'customer', :at)"
                    for one_sid in (customer.sid, "PA_gone"):
                        connection.execute(text(people), {"sid": one_sid, "call": call, "at": past})
                if gone == "room":
                    await rooms.delete_room(ROOM)
                await Reconciliation(engine, rooms, FolderStore(tmp_path), NONE, HOURS).run()
                with engine.connect() as connection:
                    left = set(connection.scalars(text("SELECT sid FROM participants WHERE left_at IS NOT NULL")))
                assert left == ({"PA_gone", customer.sid} if gone == "room" else {"PA_gone"})

    asyncio.run(run())


def test_a_recording_that_was_only_announced_is_not_recorded(engine: Engine, tmp_path: Path) -> None:
    call = ended_call(engine, ago=timedelta(minutes=5))
    ordered(engine, call, customer_apart("cu"), "EG_a", "EGRESS_COMPLETE")
    recording = announced(engine, call, "EG_a")
    reconciled(engine, None, tmp_path)
    assert state_of(engine, call) == ("in_progress", None)
    reconciled(engine, None, tmp_path, datetime.now(UTC) + timedelta(hours=3))
    assert state_of(engine, call) == ("failed", "not_fetched")
    given_up(engine, recording, "recordings", Reason.NEVER_ARRIVED)
    reconciled(engine, None, tmp_path, datetime.now(UTC) + timedelta(hours=4))
    assert state_of(engine, call) == ("failed", "never_arrived")


@pytest.mark.parametrize("ago", [timedelta(minutes=5), timedelta(days=100)])
def test_recorded_is_not_for_ever(engine: Engine, tmp_path: Path, ago: timedelta) -> None:
    call = ended_call(engine, ago=ago)
    recording = announced(engine, call, "EG_a")
    fetched(engine)
    reconciled(engine, None, tmp_path)
    assert state_of(engine, call) == ("recorded", None)
    given_up(engine, recording, "transcripts", Reason.UNEXPECTED)
    reconciled(engine, None, tmp_path)
    assert state_of(engine, call) == ("failed", "unexpected")
    with engine.begin() as connection:
        assert work.retry(connection) == [recording]
    reconciled(engine, None, tmp_path)
    assert state_of(engine, call) == ("recorded", None)
    announced(engine, call, "EG_b")
    reconciled(engine, None, tmp_path)
    assert state_of(engine, call)[0] == ("in_progress" if ago < HOURS else "failed")


def test_a_call_of_which_one_partys_file_is_missing_has_failed(engine: Engine, tmp_path: Path) -> None:
    call, refused, retried = (ended_call(engine, name=f"{ROOM}{n}") for n in range(3))
    announced(engine, call, "EG_a")
    lost = announced(engine, call, "EG_b", "")
    given_up(engine, lost, "recordings", Reason.EGRESS_FAILED)
    for one_call, egress, layouts in ((refused, "EG_c", ("pa", "tr")), (retried, "EG_d", ("pa", "pa"))):
        ordered(engine, one_call, one_party(layouts[0]), None, "livekit_refused")
        ordered(engine, one_call, one_party(layouts[1]), egress, "EGRESS_COMPLETE")
        announced(engine, one_call, egress)
    fetched(engine)
    reconciled(engine, None, tmp_path)
    assert state_of(engine, call) == ("failed", f"egress_failed (recording {lost})")
    state, why = state_of(engine, refused)
    assert state == "failed" and why is not None and why.startswith("livekit_refused (order ")
    assert state_of(engine, retried) == ("recorded", None), "what was refused was recorded after all"


def test_a_file_that_was_found_is_that_of_the_egress_of_whose_end_nobody_told(engine: Engine, tmp_path: Path) -> None:
    call, other = (ended_call(engine, name=f"{ROOM}{n}", driven=False) for n in range(2))
    with engine.begin() as connection:
        begun = "INSERT INTO webhook_events (event_id, event_type, egress_id, body, consultation_id) VALUES (:id, 'egress_started', :id, '', :call)"
        for egress, of in (("EG_a", call), ("EG_b", other), ("EG_c", other)):
            connection.execute(text(begun), {"id": egress, "call": of})
    announced(engine, call, "found:a")
    announced(engine, other, "found:b")
    fetched(engine)
    reconciled(engine, None, tmp_path)
    assert state_of(engine, call) == ("recorded", None)
    assert state_of(engine, other) == ("failed", "never_announced (egress EG_c)")


def test_no_call_is_left_without_a_state_however_many_there_are(engine: Engine, tmp_path: Path) -> None:
    many = """
        INSERT INTO video_consultations (id, room_name, room_sid, consultation_type, started_at, ended_at)
        SELECT gen_random_uuid(), 'consultation_claims_' || g, 'RM_' || g, 'claims', at - interval '5 min', at
        FROM (SELECT g, now() - g * interval '10 min' AS at FROM generate_series(13, 2600) g) calls"""
    with engine.begin() as connection:
        connection.execute(text(many))
    report = reconciled(engine, None, tmp_path)
    assert (report.counts["decided"], report.states["not_expected"], report.states["in_progress"]) == (2588, 2588, 0)
    assert one(engine, "SELECT count(*) FROM video_consultations WHERE recording_state IS NULL")[0] == 0
    again = reconciled(engine, None, tmp_path)
    assert again.counts["decided"] == 0


def test_what_may_have_changed_is_looked_at_whatever_there_is_besides(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_outcomes, "AT_A_TIME", 2)
    calls = [ended_call(engine, name=f"{ROOM}{n}", ago=timedelta(hours=3 + n)) for n in range(5)]
    reconciled(engine, None, tmp_path)
    for n, call in enumerate(calls):
        announced(engine, call, f"EG_{n}")
    fetched(engine)
    reconciled(engine, None, tmp_path)
    assert [state_of(engine, call)[0] for call in calls] == ["recorded"] * 5


def test_a_call_that_might_have_been_recorded_and_was_not_has_failed(engine: Engine, tmp_path: Path) -> None:
    granted, declined, left, empty, place = (ended_call(engine, name=f"{ROOM}{n}") for n in range(5))
    with engine.begin() as connection:
        connection.execute(insert(users).values(id=ANNA, role="customer"))
        of_anna = "UPDATE video_consultations SET customer_id = :anna WHERE id = ANY(:calls)"
        connection.execute(text(of_anna), {"anna": ANNA, "calls": [left, empty, place]})
        connection.execute(text("""UPDATE video_consultations SET jurisdictions = '{"customer": "US-TX", "agent": "US-TX"}'"""))
        came = "INSERT INTO participants (sid, consultation_id, identity, role, joined_at, left_at) VALUES (:sid, :call, :who, :role, :at, :till)"
        past = datetime.now(UTC) - timedelta(hours=5)
        before = {"sid": "PA_1", "call": left, "who": str(ANNA), "role": "customer", "at": past, "till": past + timedelta(minutes=5)}
        connection.execute(text(came), before)
        for sid, who, role in (("PA_2", str(ANNA), "customer"), ("PA_3", "ag", "agent")):
            connection.execute(text(came), {"sid": sid, "call": place, "who": who, "role": role, "at": past, "till": None})
        told = "INSERT INTO webhook_events (event_id, event_type, body, consultation_id) VALUES (:kind, :kind, '', :call)"
        for kind in ("room_started", "room_finished"):
            connection.execute(text(told), {"kind": kind, "call": empty})
    for call in (granted, left, empty):
        says(engine, call)
    says(engine, declined, ConsentOutcome.DECLINED)
    reconciled(engine, None, tmp_path)
    assert state_of(engine, granted) == ("failed", "never_started"), "nobody told who was there, and the customer said yes"
    assert state_of(engine, declined) == ("refused", None)
    assert state_of(engine, left) == ("not_expected", "no_consent"), "nobody was there any more when the customer said yes"
    assert state_of(engine, empty) == ("not_expected", "nobody_came"), "LiveKit told of all of it, and of nobody"
    assert state_of(engine, place) == ("failed", "never_started"), "nobody had to be asked where they were"
