"""A real PostgreSQL for the tests: one embedded server a session, a fresh and migrated database for every test that asks."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from sqlalchemy import Engine, text

from resources import migrations
from resources.embedded_postgres import EmbeddedPostgres, running
from resources.store.database import engine_for


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    folder: Path = tmp_path_factory.mktemp("postgres")
    with running(folder, ("verbatim", "dagster", "template")) as server:
        engine = engine_for(server.owner_url("template"))
        migrations.upgrade(engine)
        engine.dispose()
        yield server


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database of the test's own, with all tables and no rows, for the application's login."""
    name = f"t{uuid4().hex}"
    admin = engine_for(postgres.owner_url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "template"'))
    yield postgres.url(name)
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = engine_for(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def owner(postgres: EmbeddedPostgres, engine: Engine) -> Iterator[Engine]:
    """The same database as its owner, who alone can migrate it or tamper with it."""
    opened = engine_for(postgres.owner_url(str(engine.url.database)))
    yield opened
    opened.dispose()


@pytest.fixture
def postgres_url(database_url: str) -> str:
    return database_url


@contextmanager
def frozen(engine: Engine) -> Iterator[None]:
    """SIGSTOP to the whole server: the kernel takes what it is sent, and nobody gets an answer."""
    with engine.connect() as connection:
        server = psutil.Process(int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)).parent()
    assert server is not None
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in reversed(processes):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


@contextmanager
def reading_only(owner: Engine) -> Iterator[None]:
    """The owner's database as it is after a failover to the wrong server: everybody is connected anew, and nobody can write."""
    name = owner.url.database
    others = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with owner.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
        connection.execute(text(others))
        try:
            yield
        finally:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))
            connection.execute(text(others))
