"""Everything embedded, started in order: PostgreSQL, migrations, the API, Dagster's webserver and daemon."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

import pipelines
from cli.processes import DidNotStart, Group, ended_by_signals, require_free, stopping
from resources import embedded_postgres, migrations
from resources.settings import Settings
from resources.store.database import opened, owned_database

WORKSPACE = Path(__file__).parent.parent / "workspace.yaml"


@dataclass(frozen=True)
class Stack:
    """The running system. ``engine`` reaches its store."""

    engine: Engine
    group: Group
    api_url: str
    dagster_url: str
    postgres: Path | None

    def check(self) -> None:
        """Raises DidNotStart if one of the processes has ended by itself."""
        self.group.check()
        if self.postgres is not None and not embedded_postgres.is_running(self.postgres):
            raise DidNotStart(f"PostgreSQL ended: see {self.postgres / 'postgres.log'}")


@contextmanager
def running(settings: Settings, environment: dict[str, str]) -> Iterator[Stack]:
    """Start all of it and stop all of it. ``environment`` goes to the processes on top of our own.

    Raises PortBusy, DidNotStart, SettingMissing, embedded_postgres.PostgresFailed.
    """
    settings.webhook_keys()
    settings.require_loopback()
    require_free({"--port": settings.api_port, "--dagster-port": settings.dagster_port})
    data = settings.data_dir.resolve()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)  # recordings and transcripts are nobody else's business
    with ExitStack() as stack:
        stack.enter_context(ended_by_signals())
        urls = _databases(stack, settings)
        with owned_database(settings) as owner:
            migrations.upgrade(owner)
        engine = stack.enter_context(opened(urls["VERBATIM_DATABASE_URL"]))
        home = data / "dagster"
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(pipelines.__path__[0]) / "dagster.embedded.yaml", home / "dagster.yaml")
        ports = {"VERBATIM_API_PORT": str(settings.api_port), "VERBATIM_API_HOST": settings.api_host}
        ours = {"DAGSTER_HOME": str(home), "VERBATIM_DATA_DIR": str(data), **urls, **ports, **environment}
        group = stack.enter_context(stopping(Group(data / "logs", ours)))
        _sweep(engine, settings.work_dir)
        group.start("api", "api")
        group.start("dagster-daemon", "dagster._daemon", "run", "-w", str(WORKSPACE))
        port = str(settings.dagster_port)
        group.start("dagster-webserver", "dagster_webserver", "-w", str(WORKSPACE), "-h", "127.0.0.1", "-p", port)
        host = f"[{settings.api_host}]" if ":" in settings.api_host else settings.api_host
        api_url = f"http://{host}:{settings.api_port}"
        dagster_url = f"http://127.0.0.1:{settings.dagster_port}"
        group.wait_for("api", f"{api_url}/readyz")
        postgres = None if settings.database_url and settings.dagster_database_url else settings.data_dir.resolve() / "postgres"
        yield Stack(engine, group, api_url, dagster_url, postgres)


def _databases(stack: ExitStack, settings: Settings) -> dict[str, str]:
    if settings.database_url and settings.dagster_database_url:
        return {
            "VERBATIM_DATABASE_URL": settings.database_url.get_secret_value(),
            "VERBATIM_DAGSTER_DATABASE_URL": settings.dagster_database_url.get_secret_value(),
        }
    server = stack.enter_context(embedded_postgres.running(settings.data_dir / "postgres"))
    own, dagsters = settings.database_url, settings.dagster_database_url
    return {
        "VERBATIM_DATABASE_URL": own.get_secret_value() if own else server.url("verbatim"),
        "VERBATIM_DAGSTER_DATABASE_URL": dagsters.get_secret_value() if dagsters else server.owner_url("dagster", "psycopg2"),
    }


def _sweep(engine: Engine, work_dir: Path) -> None:
    """Removes what killed runs left; a run that outlived the commands which started it keeps the files that it is working on."""
    with engine.connect() as connection:
        held = set(connection.execute(text("SELECT id::text FROM recordings WHERE lease_expires_at > now()")).scalars())
    for folder in work_dir.glob("*"):
        if not any(folder.name.startswith(recording_id) for recording_id in held):
            shutil.rmtree(folder, ignore_errors=True)
