"""Where the database is and how to reach it: a server of yours, or the embedded one while somebody uses it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine

from resources import embedded_postgres
from resources.settings import Settings


def engine_for(url: str) -> Engine:
    """Nothing is connected yet. Statements end after 60 s and a dead server is noticed after 5 s, so that no caller hangs. What a statement was
    given is in no error."""
    options = "-c timezone=UTC -c statement_timeout=60000 -c lock_timeout=20000"
    return create_engine(
        url, pool_pre_ping=False, pool_size=10, hide_parameters=True, connect_args={"connect_timeout": 5, "options": options}
    )


@contextmanager
def database(settings: Settings) -> Iterator[Engine]:
    """The store's engine; starts the embedded server where VERBATIM_DATABASE_URL is not set, and stops it after its last user."""
    if settings.database_url:
        with opened(settings.database_url.get_secret_value()) as engine:
            yield engine
        return
    with embedded_postgres.running(settings.data_dir / "postgres") as server, opened(server.url("verbatim")) as engine:
        yield engine


@contextmanager
def owned_database(settings: Settings) -> Iterator[Engine]:
    """The same database as its owner: for migrations, and nothing else."""
    if settings.database_url:
        with opened((settings.migration_database_url or settings.database_url).get_secret_value()) as engine:
            yield engine
        return
    with embedded_postgres.running(settings.data_dir / "postgres") as server, opened(server.owner_url("verbatim")) as engine:
        yield engine


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """An engine for as long as the block lasts."""
    engine = engine_for(url)
    try:
        yield engine
    finally:
        engine.dispose()
