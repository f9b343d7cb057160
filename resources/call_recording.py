"""Starts and stops recordings as consent says: looks at a call, asks LiveKit what runs, does what domain.recording_control plans.

One process at a time looks after a call (a lock in PostgreSQL, gone with its connection). An order is written down before LiveKit is asked,
and LiveKit's list is read before anything is decided; so neither a crash nor an answer that never came starts a recording twice, or lets
one run that nobody stops. Consent itself belongs to resources.store.consents.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
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
from domain.recording_control import UNANSWERED, Order, StopReason, look_again_s, plan
from resources.livekit_recording import EgressFound, RecordingPlace
from resources.livekit_rooms import LiveKitRefused, LiveKitRooms, LiveKitUnreachable
from resources.store import recording_orders
from resources.store.recording_orders import DrivenCall

logger = logging.getLogger("verbatim.recording")

T = TypeVar("T")
AT_ONCE = 4
"""Calls that are looked after at one time, each with a connection of its own."""
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
        self._slots = asyncio.Semaphore(AT_ONCE)
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
                        tasks.create_task(self._look(call))
        finally:
            self._loop = None

    async def tend(self, call: UUID | str) -> float | None:
        """Look at one call and do what is to be done. In how many seconds to look again, None where nothing is waited for. Raises SQLAlchemy's
        errors."""
        async with self._slots:  # before a connection is taken: the others are for requests
            return await self._look_after(call)

    async def _look_after(self, call: UUID | str) -> float | None:
        connection = await self._thread(self.engine.connect)
        try:
            consultation_id = call if isinstance(call, UUID) else await self._in(connection, recording_orders.call_of_room, call)
            if consultation_id is None:
                return None
            if not await self._in(connection, recording_orders.try_lock, consultation_id):
                return SOON_S  # another process has it in hand, and may have looked before what woke this one
            try:
                return await self._tend(connection, consultation_id)
            finally:
                await self._in(connection, recording_orders.unlock, consultation_id)
        except TROUBLE:
            raise
        except BaseException:
            connection.invalidate()  # with it goes the lock, should it be held
            raise
        finally:
            await asyncio.shield(self._thread(connection.close))

    async def _tend(self, connection: Connection, consultation_id: UUID) -> float | None:
        for _ in range(4):  # a start makes room for a stop; more rounds than that would only go round
            call = await self._in(connection, recording_orders.read, consultation_id, self.table, _now())
            if call is None:
                return None
            if call.situation.orders and await self._catch_up(connection, call):
                call = await self._in(connection, recording_orders.read, consultation_id, self.table, _now())
                assert call is not None
            planned = plan(call.situation, _now())
            if not planned.start and not planned.stop:
                return look_again_s(call.situation, _now())
            for order, because in planned.stop:
                await self._stop(connection, call, order, because)
            for layout in planned.start:
                order_id = await self._in(connection, recording_orders.ask, consultation_id, layout, _now())
                path = self.place.path(f"recordings/{consultation_id}/{order_id}.ogg")
                try:
                    egress_id = await self.rooms.start_recording(call.room_name, layout, path, self.place.bucket)
                except LiveKitUnreachable as error:
                    logger.warning("recording %s: %s", order_id, error)
                    return UNSURE_S  # it may run nonetheless: the next look at LiveKit's list tells
                except LiveKitRefused as error:
                    logger.warning("recording %s: %s", order_id, error)
                    await self._in(connection, recording_orders.failed, call, order_id, "livekit_refused", error.code, _now())
                else:
                    await self._in(connection, recording_orders.answered, call, order_id, egress_id)
        return SOON_S

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

    async def _look(self, call: UUID | str) -> None:
        again_s: float | None = None
        try:
            again_s = await self.tend(call)
        except TROUBLE:
            again_s = SOON_S  # what must stop is tried again at once, and said already
        except SQLAlchemyError as error:
            logger.error("a call's recordings were not looked at: %s", type(error).__name__)
        except Exception:
            logger.exception("a call's recordings were not looked at")
        finally:
            self._busy.discard(call)
            if call in self._woken:
                self._changed.set()
        if again_s is not None:
            asyncio.get_running_loop().call_later(again_s, self._wake, call)

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


def _now() -> datetime:
    return datetime.now(UTC)
