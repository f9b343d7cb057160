"""Many calls at once: looking after their recordings leaves the connections to the database to those who call."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import Engine, event, insert

from resources.call_recording import AT_ONCE, CallRecording
from resources.livekit_recording import RecordingPlace
from resources.livekit_rooms import LiveKitRooms
from resources.policies import recording_consent
from resources.tables import consultations

CALLS = 60


class Watched(CallRecording):
    """Remembers which calls were looked at, and says when all were."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.seen: set[UUID | str] = set()
        self.all_seen = asyncio.Event()

    async def look(self, call: UUID | str) -> tuple[float | None, bool]:
        looked = await super().look(call)
        self.seen.add(call)
        if len(self.seen) == CALLS:
            self.all_seen.set()
        return looked


def test_however_many_calls_go_on_few_connections_are_taken(engine: Engine) -> None:
    now = datetime.now(UTC)
    going_on = [
        {"id": uuid4(), "room_name": str(number), "consultation_type": "support", "started_at": now, "recording_driven": True}
        for number in range(CALLS)
    ]
    with engine.begin() as connection:
        connection.execute(insert(consultations), going_on)
    taken: list[int] = []
    event.listen(engine, "checkout", lambda *_: taken.append(engine.pool.checkedout()))  # type: ignore[attr-defined]

    async def run() -> set[UUID | str]:
        rooms = LiveKitRooms("http://127.0.0.1:9", "key", "a-secret-that-is-long-enough-for-hs256")
        async with rooms:
            watch = Watched(engine, rooms, recording_consent(), RecordingPlace(None, ""))
            running = asyncio.create_task(watch.run())
            await asyncio.sleep(0)  # it has begun
            for call in going_on:
                watch.wake(call["id"])  # type: ignore[arg-type]
            await asyncio.wait_for(watch.all_seen.wait(), 60)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return watch.seen

    assert asyncio.run(run()) == {call["id"] for call in going_on}
    assert max(taken) <= AT_ONCE + 1, "one more finds out which calls there are"
