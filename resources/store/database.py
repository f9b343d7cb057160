"""Where the database is and how to reach it: a server of yours, or the embedded one while somebody uses it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import OperationalError

from resources import embedded_postgres
from resources.settings import Settings
from resources.store.patience import STATEMENT_S, PatientConnection

CONNECTION: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # ms
}
"""A machine that is gone is noticed after some seconds, also by whoever only listens."""
POOL_WAIT_S = 10
_SESSION = f"-c timezone=UTC -c statement_timeout={STATEMENT_S}s -c lock_timeout=20s"


def engine_for(url: str) -> Engine:
    """Nothing is connected yet. Statements end after a minute, and a server that is dead or silent is given up, so that no caller hangs.

    What a statement was given is in no error. A server that only reads counts as down: OperationalError, and its connections are not used
    again, for another one has its place by now.
    """
    engine = create_engine(
        url,
        pool_pre_ping=False,
        pool_size=10,
        pool_timeout=POOL_WAIT_S,
        hide_parameters=True,
        connect_args=CONNECTION | {"options": _SESSION},
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "handle_error", _explain, retval=True)
    return engine


def _connect(_dialect: object, _record: object, where: Sequence[Any], how: Mapping[str, Any]) -> PatientConnection:
    return PatientConnection.connect(*where, **how)


def _explain(context: ExceptionContext) -> BaseException | None:
    if not isinstance(context.original_exception, psycopg.errors.ReadOnlySqlTransaction):
        return None
    context.is_disconnect = True
    return OperationalError(context.statement, None, context.original_exception, hide_parameters=True, connection_invalidated=True)


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
