"""Reconciliation: asks LiveKit and the intake what is so, and brings the store up to it, as if every webhook had come.

Corrections go through the inbox in LiveKit's own shape, under ids that say what they are of; so a second reconciliation changes nothing, and a
webhook that comes after all finds its work done. Who cannot be asked corrects nothing. Decisions: domain.reconciliation.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from anyio import to_thread
from google.protobuf.json_format import Parse
from livekit.protocol import egress as egress_pb
from livekit.protocol.webhook import WebhookEvent
from sqlalchemy import Connection, Engine, Row

from domain.call_events import EgressStatus, RoomSeen
from domain.consent import ConsentTable
from domain.egress_layout import EgressLayout
from domain.failures import RecordingError
from domain.object_keys import intake_key
from domain.reconciliation import Ended, Left, LiveRoom, OpenCall, RecordingState, corrections, outcome
from resources.corrections import corrected, take_in, whole_seconds
from resources.livekit_recording import EgressFound, recording_request
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms, LiveKitUnreachable
from resources.objects import ObjectStore, StorageError
from resources.objects.store import ObjectInfo
from resources.policies import recording_consent
from resources.room_promises import RoomPromises
from resources.settings import Settings
from resources.store import promised_rooms
from resources.store import reconciliation as store
from resources.store import recording_outcomes as outcomes
from resources.store.inbox import Outcome

TROUBLE = (LiveKitUnreachable, LiveKitRefused)
OVER = frozenset({EgressStatus.COMPLETE, EgressStatus.FAILED, EgressStatus.ABORTED, EgressStatus.LIMIT_REACHED})
NO_EGRESS = (
    "This LiveKit has no egress, because it has no Redis: it records nothing, and there is no recording of it to compare. Give it a Redis "
    "(`redis:` in its configuration) and an egress service on the same one, or set VERBATIM_RECORD_CALLS=false if calls are recorded elsewhere."
)
SHOWN = 100
"""Consultations that a report names at most."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORDERED = re.compile(r"(?:^|/)recordings/([0-9a-f-]{36})/([0-9a-f-]{36})\.ogg$")


@dataclass
class Report:
    """``counts``: of each correction, and how many ended calls are in each state. ``trouble``: who could not be asked, and so was not
    corrected. ``notes``: what everybody was asked and nothing can be corrected about, with what to do. ``changed``: consultations, some of them
    where there are many."""

    counts: Counter[str] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed: list[UUID] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)

    def note(self, what: str, consultation_id: UUID | None = None) -> None:
        self.counts[what] += 1
        if consultation_id is not None and consultation_id not in self.changed and len(self.changed) < SHOWN:
            self.changed.append(consultation_id)


@dataclass
class Reconciliation:
    """``rooms`` is None where calls are held elsewhere: then there is only the intake to compare with. ``records``: whether calls are to be
    recorded by its egress."""

    engine: Engine
    rooms: LiveKitRooms | None
    intake: ObjectStore
    grace: timedelta
    deadline: timedelta
    records: bool = True
    table: ConsentTable = field(default_factory=recording_consent)

    async def run(self, now: datetime | None = None) -> Report | None:
        """None where another process is at it. Raises SQLAlchemy's errors; what was corrected before stays."""
        moment = now or datetime.now(UTC)
        connection = await to_thread.run_sync(self.engine.connect)
        try:
            if not await to_thread.run_sync(store.try_lock, connection):
                return None
            try:
                report = Report()
                alive, asked = await self._live_kit(report, moment)
                await to_thread.run_sync(self._rest, report, moment, alive, asked)
                return report
            finally:
                await to_thread.run_sync(store.unlock, connection)
        finally:
            await to_thread.run_sync(connection.close)  # in a thread like the rest: a server that hangs must hold up nobody else

    async def _live_kit(self, report: Report, now: datetime) -> tuple[set[str], bool]:
        """(egresses that are not over, whether it is known)."""
        if self.rooms is None:
            return set(), False
        calls = await to_thread.run_sync(self._open_calls)
        try:
            there = await self.rooms.rooms()
            rooms = await self._with_people(self.rooms, there, calls)
        except TROUBLE as error:
            report.trouble.append(f"rooms: {error}")
        else:
            await to_thread.run_sync(self._correct, report, corrections(calls, rooms, now, self.grace))
            if again := await to_thread.run_sync(self._came_again, there):
                report.counts["rooms_of_no_call"] += again
                await RoomPromises(self.engine, self.rooms).sweep()
        try:
            listed = await self.rooms.egresses()
        except TROUBLE as error:
            if isinstance(error, LiveKitRefused) and error.no_egress:
                report.notes += [NO_EGRESS] if self.records else []
                return set(), True
            report.trouble.append(f"recordings: {error}")
            return set(), False
        over = [found for found in listed if found.egress.status in OVER]
        await to_thread.run_sync(self._end, report, over, now)
        return {found.egress.id for found in listed} - {found.egress.id for found in over}, True

    async def _with_people(self, rooms: LiveKitRooms, there: Iterable[RoomSeen], calls: Iterable[OpenCall]) -> list[LiveRoom]:
        with_people = {call.room_sid for call in calls if call.people}
        found = []
        for room in there:
            people = None
            if room.sid in with_people:
                people = frozenset(person.sid for person in await rooms.participants(room.name))
            found.append(LiveRoom(room.sid, people))
        return found

    def _open_calls(self) -> list[OpenCall]:
        with self.engine.connect() as connection:
            return store.open_calls(connection)

    def _came_again(self, there: Iterable[RoomSeen]) -> int:
        with self.engine.begin() as connection:
            return promised_rooms.note(connection, [(room.name, room.sid) for room in there], datetime.now(UTC))

    def _correct(self, report: Report, missed: Iterable[Left | Ended]) -> None:
        for kind, call in corrected(self.engine, missed):
            report.note(kind, call.id)

    def _end(self, report: Report, over: Iterable[EgressFound], now: datetime) -> None:
        """Egresses of whose end nobody has told. What ended a moment ago is left to its webhook."""
        late = {found.egress.id: found for found in over if now - (found.egress.ended_at or EPOCH) >= self.grace}
        with self.engine.connect() as connection:
            missed = store.unheard(connection, late)
        for egress_id in sorted(missed):
            info = Parse(late[egress_id].info_json, egress_pb.EgressInfo(), ignore_unknown_fields=True)
            if self._apply(_ending(info, now)) is Outcome.APPLIED:
                report.note("egress_ended")

    def _rest(self, report: Report, now: datetime, alive: set[str], asked: bool) -> None:
        try:
            self._adopt(report, now, alive, asked)
        except StorageError as error:
            report.trouble.append(f"intake: {error}")
        if asked or self.rooms is None:
            with self.engine.begin() as connection:
                for consultation_id in store.close_lost_orders(connection, now, self.deadline, alive):
                    report.note("orders_lost", consultation_id)
        self._decide(report, now)
        with self.engine.begin() as connection:
            report.states = {state.value: 0 for state in RecordingState} | outcomes.states(connection)
            counts = {**report.counts, **report.states}
            store.save_run(connection, now, max(now, datetime.now(UTC)), counts, report.trouble)

    def _decide(self, report: Report, now: datetime) -> None:
        """What became of every call: first those of which nothing was found yet, until there is none, then what may have changed."""
        while self._decided(report, now, None):
            pass
        with self.engine.connect() as connection:
            again = outcomes.to_decide_again(connection, now)
        for start in range(0, len(again), outcomes.AT_A_TIME):
            self._decided(report, now, again[start : start + outcomes.AT_A_TIME])

    def _decided(self, report: Report, now: datetime, calls: Sequence[UUID] | None) -> int:
        """One batch, in a transaction of its own; None: the next of those of which nothing was found yet. How many it were."""
        with self.engine.begin() as connection:
            chosen = outcomes.never_decided(connection) if calls is None else calls
            seen = outcomes.evidence(connection, chosen, self.table)
            found = {call: outcome(known, now, self.deadline) for call, (known, _) in seen.items()}
            changed = {call: one for call, one in found.items() if one != seen[call][1]}
            outcomes.decide(connection, changed, now)
            for call in changed:
                report.note("decided", call)
            return len(chosen)

    def _adopt(self, report: Report, now: datetime, alive: set[str], asked: bool) -> None:
        """Files that nobody announced, of calls that they name. Of what egress may still be writing nothing is taken."""
        with self.engine.connect() as connection:
            announced = {_key_of(row, self.intake) for row in store.waiting_files(connection)}
        patience = self.grace if asked else max(self.grace, self.deadline)
        for found in self.intake.list():
            if found.key in announced or now - found.modified_at < patience:
                continue
            with self.engine.connect() as connection:
                info = self._whose(connection, found, alive)
            if info is None:
                report.note("files_of_nobody")
            elif self._apply(_ending(info, now)) is Outcome.APPLIED:
                report.note("files_adopted")

    def _whose(self, connection: Connection, found: ObjectInfo, alive: set[str]) -> egress_pb.EgressInfo | None:
        """What egress would have told of the file. None: it names no call that is known, or is still being written."""
        if (named := _ORDERED.search(found.key)) and (order := store.order(connection, UUID(named[2]), UUID(named[1]))):
            if order.egress_id in alive:
                return None
            layout = EgressLayout.from_json(order.layout)
            info = _info(self.intake, found, order, order.egress_id, order.active_at or order.ordered_at)
            info.egress.CopyFrom(recording_request(order.room_name, layout, found.key, None))
            return info
        parts = {part for piece in found.key.split("/") for part in (piece, piece.rsplit(".", 1)[0])}
        call = store.call_named(connection, parts)
        return _info(self.intake, found, call, None, call.started_at) if call is not None else None

    def _apply(self, event: WebhookEvent) -> Outcome:
        return take_in(self.engine, event)


def reconciliation_of(settings: Settings, engine: Engine, rooms: LiveKitRooms | None, intake: ObjectStore) -> Reconciliation:
    grace, deadline = timedelta(seconds=settings.reconciliation_grace_seconds), timedelta(minutes=settings.in_progress_deadline_minutes)
    return Reconciliation(engine, rooms, intake, grace, deadline, settings.record_calls)


def reported(report: Report) -> str:
    """One line for a log, without anything but numbers."""
    return json.dumps({**report.counts, **report.states, "trouble": len(report.trouble)}, sort_keys=True)


def _ending(info: egress_pb.EgressInfo, now: datetime) -> WebhookEvent:
    status = egress_pb.EgressStatus.Name(info.status)
    return WebhookEvent(
        event="egress_ended", id=f"reconciled:egress_ended:{info.egress_id}:{status}", created_at=whole_seconds(now), egress_info=info
    )


def _info(intake: ObjectStore, found: ObjectInfo, call: Row[Any], egress_id: str | None, began: datetime | None) -> egress_pb.EgressInfo:
    began_ns, ended_ns = (whole_seconds(moment) * 1_000_000_000 if moment else 0 for moment in (began, found.modified_at))
    file = egress_pb.FileInfo(
        filename=found.key, location=intake.url(found.key), size=found.size_bytes, started_at=began_ns, ended_at=ended_ns
    )
    return egress_pb.EgressInfo(
        egress_id=egress_id or f"found:{hashlib.sha256(found.key.encode()).hexdigest()[:24]}",
        room_id=call.room_sid,
        room_name=call.room_name,
        status="EGRESS_COMPLETE",
        started_at=began_ns,
        ended_at=ended_ns,
        file_results=[file],
    )


def _key_of(row: Row[Any], intake: ObjectStore) -> str | None:
    if row.intake_key:
        return str(row.intake_key)
    try:
        return intake_key(row.file_name, row.location, store=intake.location)
    except RecordingError:
        return None
