"""Calls that are looked after by hand: a row, a room on a real LiveKit server, people and consents as a test says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, Row, insert, select

from domain.call_events import EgressStatus
from domain.consent import ConsentMethod, ConsentOutcome
from domain.parties import Party
from resources.call_recording import CallRecording
from resources.live_tables import recording_orders
from resources.livekit_recording import RecordingPlace
from resources.livekit_rooms import LiveKitRooms
from resources.policies import recording_consent
from resources.store import consents
from resources.store.consents import Said
from resources.tables import consultations, participants, users
from tests.integration.recorder import RecordingRooms
from tests.livekit_server import LiveKitServer

ANNA = UUID(int=1)
ROOM = "consultation_claims_20250303T150000Z_0123456789abcdef0123456789abcdef"


def orders(engine: Engine) -> list[Row[Any]]:
    with engine.connect() as connection:
        return list(connection.execute(select(recording_orders).order_by(recording_orders.c.ordered_at)).all())


@dataclass
class Call:
    """A call in the store and on LiveKit, looked after by hand."""

    id: UUID
    engine: Engine
    rooms: RecordingRooms
    place: RecordingPlace

    def recording(self, rooms: LiveKitRooms | None = None, engine: Engine | None = None) -> CallRecording:
        return CallRecording(engine or self.engine, rooms or self.rooms, recording_consent(), self.place)

    def said(self, outcome: ConsentOutcome, party: object = ANNA, role: Party = Party.CUSTOMER) -> None:
        said = Said(str(party), role, outcome, ConsentMethod.CLICK, "v1", None, None, "admin")
        with self.engine.begin() as connection:
            consents.add(connection, self.id, said, "v", datetime.now(UTC))

    def joins(self, identity: object, role: Party) -> None:
        row = {"sid": f"PA_{uuid4().hex}", "consultation_id": self.id, "identity": str(identity), "role": role.value}
        with self.engine.begin() as connection:
            connection.execute(insert(participants).values(**row, joined_at=datetime.now(UTC)))

    async def another(self, number: int) -> "Call":
        """Another call on the same server, in which its customer is."""
        name = f"{ROOM}{number}"
        sid = (await self.rooms.create_room(name, metadata={}, empty_timeout_s=60, departure_timeout_s=60)).sid
        row = {"id": uuid4(), "room_name": name, "room_sid": sid, "consultation_type": "claims", "customer_id": ANNA}
        with self.engine.begin() as connection:
            connection.execute(insert(consultations).values(**row, recording_driven=True))
        other = replace(self, id=row["id"])  # type: ignore[arg-type]
        other.joins(ANNA, Party.CUSTOMER)
        return other

    async def until_active(self) -> None:
        for row in orders(self.engine):
            if row.egress_id and not row.ended_at:
                await self.rooms.until_active(row.egress_id)

    async def actives(self) -> list[str]:
        return [one.egress.id for one in await self.rooms.egresses() if one.egress.status is EgressStatus.ACTIVE]


@asynccontextmanager
async def call_on(server: LiveKitServer, engine: Engine, folder: Path, kind: type[RecordingRooms] = RecordingRooms) -> AsyncIterator[Call]:
    async with kind(server.url, server.key, server.secret, folder) as rooms:
        sid = (await rooms.create_room(ROOM, metadata={}, empty_timeout_s=60, departure_timeout_s=60)).sid
        with engine.begin() as connection:
            connection.execute(insert(users).values(id=ANNA, role="customer"))
            row = {"id": uuid4(), "room_name": ROOM, "room_sid": sid, "consultation_type": "claims", "customer_id": ANNA}
            connection.execute(insert(consultations).values(**row, recording_driven=True))
        call = Call(row["id"], engine, rooms, RecordingPlace(None, str(folder)))  # type: ignore[arg-type]
        call.joins(ANNA, Party.CUSTOMER)
        yield call
