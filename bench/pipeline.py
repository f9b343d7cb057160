"""CPU of a whole run, from the intake to search, for one ten-minute call: Dagster, store, archive and index included."""

import shutil
import tempfile
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from sqlalchemy import Engine

from assets.services import services_on
from bench.speech import cpu_seconds
from demo.livekit_events import File, Person, Room, egress_event, participant_event, room_event, routes
from pipelines.definitions import build_definitions
from resources import embedded_postgres, migrations
from resources.livekit import read_event
from resources.settings import Settings
from resources.speech.model import SpeechModel
from resources.store.database import engine_for
from resources.store.inbox import Inbox

BEGIN = datetime(2025, 3, 3, 15, tzinfo=UTC)


def whole_run(recording: Path, seconds: int, model: SpeechModel | None = None) -> tuple[float, int]:
    """(CPU seconds of the run, models that it loaded). With ``model`` that one is used, so that loading is not measured."""
    with tempfile.TemporaryDirectory() as folder, embedded_postgres.running(Path(folder) / "postgres") as server:
        settings = Settings.model_validate({"data_dir": folder, "database_url": server.url("verbatim"), "speech_model": "demo"})
        owner = engine_for(server.owner_url("verbatim"))
        migrations.upgrade(owner)
        owner.dispose()
        engine = engine_for(server.url("verbatim"))
        name = "recordings/bench.ogg"
        (Path(folder) / "intake/recordings").mkdir(parents=True)
        shutil.copyfile(recording, Path(folder) / "intake" / name)
        _announce(engine, name, recording.stat().st_size, seconds)
        services = services_on(settings, engine)
        if model is not None:
            services.speech = model
        loads = SpeechModel.loads
        job = build_definitions(settings, nullcontext(services)).resolve_job_def("process_recordings")
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        with dg.DagsterInstance.ephemeral() as instance:
            used = cpu_seconds(lambda: job.execute_in_process(partition_key="2025-03-03", instance=instance, run_config=quiet))
        with engine.connect() as connection:
            done = connection.exec_driver_sql("SELECT count(*) FROM recordings WHERE stage = 'done'").scalar_one()
        engine.dispose()
    assert done == 1, "the bench's call did not become searchable"
    return used, SpeechModel.loads - loads


def _announce(engine: Engine, name: str, size_bytes: int, seconds: int) -> None:
    room = Room("RM_bench", "consultation_support_20250303T150000Z_bench", BEGIN)
    over = BEGIN + timedelta(seconds=seconds)
    told = [
        participant_event("participant_joined", "EV_1", BEGIN, room, Person("PA_c", "cus", "customer", BEGIN)),
        participant_event("participant_joined", "EV_2", BEGIN, room, Person("PA_a", "agt", "agent", BEGIN)),
        egress_event(
            "egress_ended",
            "EV_3",
            over,
            room,
            "EG_bench",
            "EGRESS_COMPLETE",
            routes(["cus"], ["agt"]),
            started_at=BEGIN,
            ended_at=over,
            files=[File(name, name, BEGIN, over, size_bytes)],
        ),
        room_event("room_finished", "EV_4", over, room),
    ]
    for event in told:
        Inbox(engine).receive(read_event(event), "{}")
