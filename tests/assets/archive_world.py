"""A whole archive in a temporary folder: store, two object folders, the demo model. Runs its Dagster job in this process."""

import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg
from sqlalchemy import Engine, text

from assets.services import Services, services_on
from demo.livekit_events import File, Person, Room, audio_track_event, egress_event, participant_event, room_event, routes
from domain.consent import ConsentMethod, ConsentOutcome
from domain.object_keys import RESERVED
from domain.parties import Party
from pipelines.definitions import build_definitions
from resources.livekit import read_event
from resources.settings import Settings
from resources.store import consents
from resources.store.consents import Said
from resources.store.database import engine_for
from resources.store.inbox import Inbox

DAY = "2025-03-03"
START = datetime(2025, 3, 3, 15, 0, tzinfo=UTC)


@dataclass
class World:
    """``clock_offset`` turns the clock forward."""

    folder: Path
    database_url: str
    clock_offset: timedelta = timedelta()
    overrides: dict[str, object] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings.model_validate(
            {"data_dir": self.folder, "database_url": self.database_url, "speech_model": "demo", "lease_seconds": 60, **self.overrides}
        )

    @property
    def intake(self) -> Path:
        return self.folder / "intake"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def services(self, engine: Engine) -> Services:
        return replace(services_on(self.settings, engine), now=lambda: datetime.now(UTC) + self.clock_offset)

    def call(
        self,
        number: int,
        media: Path | None,
        *,
        seconds: float = 30,
        announced_bytes: int | None = None,
        location: str | None = None,
        consent: ConsentOutcome | None = ConsentOutcome.GRANTED,
    ) -> None:
        """A finished two-channel call (customer left, agent right) whose file lies in the intake, as LiveKit and egress leave it.

        With ``location`` the file is where that says, and whoever calls has put it there. ``consent``: what the customer told the API before the
        call; None where nobody was asked.
        """
        key = f"{number:04d}"
        begin = START + timedelta(minutes=number)
        room = Room(f"RM_{key}", f"consultation_support_20250303T150000Z_{key:0>24}", begin)
        cus = Person(f"PA_c{key}", f"cus_{key}", "customer", begin)
        agt = Person(f"PA_a{key}", f"agt_{key}", "agent", begin)
        over = begin + timedelta(seconds=seconds)
        name = f"recordings/{key}{media.suffix if media else '.ogg'}"
        if media is not None and location is None:
            (self.intake / "recordings").mkdir(parents=True, exist_ok=True)
            shutil.copyfile(media, self.intake / name)
        size = announced_bytes or (media.stat().st_size if media else 1000)
        request = routes([cus.identity], [agt.identity])
        events = [
            room_event("room_started", f"EV_{key}1", begin, room),
            participant_event("participant_joined", f"EV_{key}2", begin, room, cus),
            participant_event("participant_joined", f"EV_{key}3", begin, room, agt),
            audio_track_event("track_published", f"EV_{key}4", begin, room, cus, f"TR_c{key}"),
            audio_track_event("track_published", f"EV_{key}5", begin, room, agt, f"TR_a{key}"),
            egress_event(
                "egress_ended", f"EV_{key}6", over, room, f"EG_{key}", "EGRESS_COMPLETE", request,
                started_at=begin, ended_at=over, files=[File(name, location or name, begin, over, size)],
            ),
            room_event("room_finished", f"EV_{key}7", over, room),
        ]  # fmt: skip
        engine = engine_for(self.database_url)
        for event in events:
            Inbox(engine).receive(read_event(event), "{}")
        if consent is not None:
            self.told(engine, room.name, cus.identity, consent, begin - timedelta(minutes=1))
        engine.dispose()

    def told(self, engine: Engine, room_name: str, party: str, outcome: ConsentOutcome, at: datetime) -> None:
        """What the customer says about being recorded, as the API writes it down."""
        said = Said(party, Party.CUSTOMER, outcome, ConsentMethod.PRIOR, "v1", None, None, "tests")
        with engine.begin() as connection:
            found = connection.execute(text("SELECT id FROM video_consultations WHERE room_name = :name"), {"name": room_name})
            consents.add(connection, found.scalar_one(), said, "v", at)

    def run(
        self, *, day: str = DAY, only: Sequence[UUID] = (), instance: dg.DagsterInstance | None = None, raise_on_error: bool = True
    ) -> dg.ExecuteInProcessResult:
        """One run of the day, as the sensor or a person in the UI starts it."""
        engine = engine_for(self.database_url)
        try:
            definitions = build_definitions(self.settings, nullcontext(self.services(engine)))
            config = {
                "resources": {"selection": {"config": {"recording_ids": [str(one) for one in only]}}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            }
            with nullcontext(instance) if instance else dg.DagsterInstance.ephemeral() as where:
                return definitions.resolve_job_def("process_recordings").execute_in_process(
                    partition_key=day, run_config=config, instance=where, raise_on_error=raise_on_error
                )
        finally:
            engine.dispose()

    def query(self, sql: str) -> list[tuple[object, ...]]:
        engine = engine_for(self.database_url)
        try:
            with engine.begin() as connection:
                return [tuple(row) for row in connection.execute(text(sql))]
        finally:
            engine.dispose()

    def files(self, folder: Path) -> list[str]:
        """What lies in an object folder, without the store's own bookkeeping."""
        found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        return sorted(str(path) for path in found if path.parts[0] != RESERVED)
