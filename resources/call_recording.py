"""Starts and stops recordings as consent says: looks at a call, asks LiveKit what runs, does what domain.recording_control plans.

One process at a time looks after a call (a lock in PostgreSQL, gone with its connection). An order is written down before LiveKit is asked,
and LiveKit's list is read before anything is stopped; so neither a crash nor an answer that never came starts a recording twice, or lets
one run that nobody stops. Starts wait for each other and for LiveKit, stops for neither. Consent itself belongs to resources.store.consents.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.call_events import EgressStatus
from domain.consent import ConsentTable
from domain.recording_control import UNANSWERED, Order, Plan, StopReason, look_again_s, plan
from resources.livekit_recording import EgressFound, RecordingPlace
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms, LiveKitUnreachable
from resources.store import recording_orders
from resources.store.recording_orders import DrivenCall

logger = logging.getLogger("verbatim.recording")

T = TypeVar("T")
AT_ONCE = 4
"""Calls that are looked after at one time, each with a connection of its own; and starts that LiveKit is asked for at one time, without."""
SWEEP_S = 60.0
"""How often every call that could need it is looked at, whatever was heard of it."""
SOON_S, UNSURE_S = 0.5, 5.0
OVER = frozenset({EgressStatus.COMPLETE, EgressStatus.FAILED, EgressStatus.ABORTED, EgressStatus.LIMIT_REACHED})
TROUBLE = (LiveKitUnreachable, LiveKitRefused)


@dataclass
class CallRecording:
    """``wake`` says that something changed in a call; ``run`` looks after all of them until it is cancelled."""

    engine: Engine
    rooms: LiveKitRooms
    table: ConsentTable
    place: RecordingPlace
    sweep_s: float = SWEEP_S

    def __post_init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: set[UUID | str] = set()
        self._busy: set[UUID | str] = set()
        self._changed = asyncio.Event()
        self._threads = CapacityLimiter(AT_ONCE)
        self._slots, self._starts = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(AT_ONCE)
        self._starting: set[UUID | str] = set()
        self._told: set[UUID] = set()

    def wake(self, call: UUID | str) -> None:
        """Look at this call now: its consultation's id, or its room's SID. From any thread; without ``run`` it does nothing."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, call)

    async def run(self) -> None:
        """Until cancelled. What cannot be done now is tried again; no trouble ends it."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._sweep())
                while True:
                    await self._changed.wait()
                    self._changed.clear()
                    for call in self._woken - self._busy:
                        self._woken.discard(call)
                        self._busy.add(call)
                        tasks.create_task(self._look(call, tasks))
        finally:
            self._loop = None

    async def tend(self, call: UUID | str) -> float | None:
        """Look at one call and do what is to be done. In how many seconds to look again, None where nothing is waited for. Raises SQLAlchemy's
        errors, and TROUBLE where something could not be stopped."""
        again_s, to_start = await self.look(call)
        return await self.start(call) if to_start else again_s

    async def look(self, call: UUID | str) -> tuple[float | None, bool]:
        """(in how many seconds to look again, whether something is to be started): stops what is to be stopped. Raises what ``tend`` raises."""
        async with self._held(call) as held:
            if held is None:
                return SOON_S, False  # another process has it in hand, and may have looked before what woke this one
            connection, consultation_id = held
            found = await self._read(connection, consultation_id)
            if found is not None and found.situation.orders and await self._catch_up(connection, found):
                found = await self._read(connection, consultation_id)
            if found is None:
                return None, False
            planned = plan(found.situation, _now())
            for order, because in planned.stop:
                await self._stop(connection, found, order, because)
            return SOON_S if planned.stop else look_again_s(found.situation, _now()), bool(planned.start)

    async def start(self, call: UUID | str) -> float | None:
        """Start what is to be started, as things are when it is this one's turn, one after the other. Whoever waits here holds neither the call nor
        a connection, so that nothing which must stop waits with it; nor does who waits for LiveKit's answer."""
        async with self._starts:
            while True:
                async with self._held(call) as held:
                    if held is None:
                        return SOON_S
                    connection, consultation_id = held
                    found = await self._read(connection, consultation_id)
                    planned = plan(found.situation, _now()) if found is not None else Plan()
                    if found is None or not planned.start:
                        return look_again_s(found.situation, _now()) if found is not None else None
                    layout = planned.start[0]
                    order_id = await self._in(connection, recording_orders.ask, found.consultation_id, layout, _now())
                path = self.place.path(f"recordings/{found.consultation_id}/{order_id}.ogg")
                try:
                    egress_id = await self.rooms.start_recording(found.room_name, layout, path, self.place.bucket)
                except LiveKitUnreachable as error:
                    logger.warning("recording %s: %s", order_id, error)
                    return UNSURE_S  # it may run nonetheless: the next look at LiveKit's list tells
                except LiveKitRefused as error:
                    logger.warning("recording %s: %s", order_id, error)
                    await self._written(recording_orders.failed, found, order_id, "livekit_refused", error.code, _now())
                else:
                    await self._written(recording_orders.answered, found, order_id, egress_id)

    @asynccontextmanager
    async def _held(self, call: UUID | str) -> AsyncIterator[tuple[Connection, UUID | None] | None]:
        """(a connection, the consultation's id where it is known), with the call to oneself; None where another has it."""
        async with self._connected() as connection:
            consultation_id = call if isinstance(call, UUID) else await self._in(connection, recording_orders.call_of_room, call)
            if consultation_id is None:
                yield connection, None
            elif not await self._in(connection, recording_orders.try_lock, consultation_id):
                yield None
            else:
                try:
                    yield connection, consultation_id
                finally:
                    await self._in(connection, recording_orders.unlock, consultation_id)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        async with self._slots:  # before a connection is taken: the others are for requests
            connection = await self._thread(self.engine.connect)
            try:
                yield connection
            except TROUBLE:
                raise
            except BaseException:
                connection.invalidate()  # with it goes the lock, should it be held
                raise
            finally:
                await asyncio.shield(self._thread(connection.close))

    async def _written(self, work: Callable[..., None], *values: Any) -> None:
        """What LiveKit answered: it is so, whoever has the call by now."""
        async with self._connected() as connection:
            await self._in(connection, work, *values)

    async def _read(self, connection: Connection, call: UUID | None) -> DrivenCall | None:
        return await self._in(connection, recording_orders.read, call, self.table, _now()) if call is not None else None

    async def _catch_up(self, connection: Connection, call: DrivenCall) -> bool:
        """What LiveKit tells of the open orders. Whether anything was news; nothing is where LiveKit does not answer."""
        try:
            listed = await self.rooms.egresses(call.room_name)
        except TROUBLE as error:
            logger.warning("the recordings of %s are not known: %s", call.consultation_id, error)
            return False
        now, news = _now(), False
        for order in call.situation.orders:
            found = _of(order, listed)
            change = partial(self._in, connection)
            if found is not None and order.egress_id is None:
                await change(recording_orders.answered, call, order.id, found.egress.id)
                news = True
            if found is not None and found.egress.status in OVER:
                await change(recording_orders.ended, order.id, found.egress.status.value, found.egress.ended_at or now)
                news = True
            elif found is not None and found.egress.status is EgressStatus.ACTIVE and not order.active:
                await change(recording_orders.active, order.id, found.egress.started_at or now)
                news = True
            elif found is not None and order.stop_because and order.stop_asked_at and now - order.stop_asked_at > UNANSWERED:
                if found.egress.status is EgressStatus.ACTIVE:
                    await self._stop(connection, call, order, order.stop_because)
            elif found is None and now - order.ordered_at > UNANSWERED:
                if order.egress_id is None:
                    await change(
                        recording_orders.failed, call, order.id, "unanswered", "LiveKit did not answer, and lists no such egress", now
                    )
                else:
                    await change(recording_orders.ended, order.id, "lost", now)
                news = True
        return news

    async def _stop(self, connection: Connection, call: DrivenCall, order: Order, because: StopReason) -> None:
        assert order.egress_id is not None
        try:
            await self.rooms.stop_recording(order.egress_id)
        except LiveKitUnreachable as error:
            logger.warning("recording %s is not stopped yet: %s", order.id, error)
            await self._tell(connection, call, order, because, "unreachable")
            raise
        except LiveKitRefused as error:  # it is over already, or unknown: the next look at the list tells
            if not error.not_found and error.code != "failed_precondition":
                logger.warning("recording %s is not stopped yet: %s", order.id, error)
                await self._tell(connection, call, order, because, error.code)
                raise
        await self._in(connection, recording_orders.stop_asked, call, order.id, because, _now())

    async def _tell(self, connection: Connection, call: DrivenCall, order: Order, because: StopReason, why: str) -> None:
        """Once for each order: it is tried again and again."""
        if order.id not in self._told:
            self._told.add(order.id)
            await self._in(connection, recording_orders.stop_failed, call, order.id, because, why)

    async def _look(self, call: UUID | str, tasks: asyncio.TaskGroup) -> None:
        again_s: float | None = None
        try:
            again_s, to_start = await self.look(call)
            if to_start and call not in self._starting:
                self._starting.add(call)
                tasks.create_task(self._start(call))
        except TROUBLE:
            again_s = SOON_S  # what must stop is tried again at once, and said already
        except Exception as error:
            _log(error)
        finally:
            self._busy.discard(call)
            if call in self._woken:
                self._changed.set()
        self._wake_in(again_s, call)

    async def _start(self, call: UUID | str) -> None:
        try:
            again_s = await self.start(call)
        except Exception as error:
            _log(error)
        else:
            self._wake(call)  # what was started may have to stop by now
            self._wake_in(again_s, call)
        finally:
            self._starting.discard(call)

    def _wake_in(self, seconds: float | None, call: UUID | str) -> None:
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, self._wake, call)

    async def _sweep(self) -> None:
        while True:
            try:
                with_calls = await self._thread(self._calls)
            except SQLAlchemyError as error:
                logger.error("the calls to look after are not known: %s", type(error).__name__)
            else:
                self._woken.update(with_calls)
                self._changed.set()
            await asyncio.sleep(self.sweep_s)

    def _calls(self) -> list[UUID]:
        with self.engine.connect() as connection:
            return recording_orders.to_look_after(connection)

    def _wake(self, call: UUID | str) -> None:
        self._woken.add(call)
        self._changed.set()

    async def _in(self, connection: Connection, work: Callable[..., T], *values: Any) -> T:
        """``work`` in a transaction of its own on this connection."""

        def run() -> T:
            with connection.begin():
                return work(connection, *values)

        return await self._thread(run)

    async def _thread(self, work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, limiter=self._threads)


def _of(order: Order, listed: Iterable[EgressFound]) -> EgressFound | None:
    """The egress of an order: by its id, or, where LiveKit's answer was lost, by the file that it writes."""
    if order.egress_id is not None:
        return next((found for found in listed if found.egress.id == order.egress_id), None)
    return next((found for found in listed if str(order.id) in found.info_json), None)


def _log(error: Exception) -> None:
    unexpected = not isinstance(error, SQLAlchemyError)
    logger.error("a call's recordings were not looked at: %s", type(error).__name__, exc_info=error if unexpected else None)


def _now() -> datetime:
    return datetime.now(UTC)
