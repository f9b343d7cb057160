"""A PostgreSQL server that hangs, or that only reads: what its callers get, and that nobody waits for ever."""

import signal
from contextlib import suppress

import psutil
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from resources.store.patience import Silent, answered_within
from tests.databases import frozen, reading_only


def pid_of(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def test_a_server_that_says_nothing_is_given_up_and_found_again(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("CREATE TEMP TABLE mine (n int)"))
        with frozen(engine), answered_within(0.3), pytest.raises(OperationalError) as silent:
            connection.execute(text("INSERT INTO mine VALUES (1)"))
        assert isinstance(silent.value.orig, Silent) and connection.invalidated
    with answered_within(5):
        assert pid_of(engine)


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_neither_end_of_a_transaction_waits_for_it(engine: Engine, ending: str) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        with frozen(engine), answered_within(0.3):
            with suppress(OperationalError):
                getattr(connection, ending)()
            assert connection.closed or connection.invalidated or not connection.in_transaction()
    assert pid_of(engine)


def test_what_answers_slowly_but_goes_on_is_waited_for(engine: Engine) -> None:
    """Rows that come one after another, none of them late, though all of them together are."""
    with answered_within(0.6), engine.connect() as connection:
        rows = connection.execute(text("SELECT repeat('x', 300000), pg_sleep(0.05) FROM generate_series(1, 20)")).all()
    assert len(rows) == 20


def test_a_backend_that_hangs_alone_is_replaced(engine: Engine) -> None:
    with engine.connect() as connection:
        process = psutil.Process(int(connection.scalar(text("SELECT pg_backend_pid()")) or 0))
        process.send_signal(signal.SIGSTOP)
        try:
            with answered_within(0.3), pytest.raises(OperationalError):
                connection.execute(text("SELECT 1"))
            assert pid_of(engine) != process.pid
        finally:
            process.send_signal(signal.SIGCONT)


def test_a_server_that_only_reads_is_down_and_its_connections_are_not_used_again(engine: Engine, owner: Engine) -> None:
    added = text("INSERT INTO users (id, role) VALUES (gen_random_uuid(), :role)")
    with reading_only(owner):
        engine.dispose()  # those that were cut
        before = pid_of(engine)
        assert pid_of(engine) == before
        with pytest.raises(OperationalError) as refused, engine.begin() as connection:
            connection.execute(added, {"role": "customer"})
        assert "read-only" in str(refused.value) and "'customer'" not in str(refused.value)
        assert pid_of(engine) != before
        with pytest.raises(DBAPIError) as other, engine.begin() as connection:
            connection.execute(text("SELECT 1 / 0"))
        assert not isinstance(other.value, OperationalError), "what else goes wrong is what it was"
    engine.dispose()
    with engine.begin() as connection:
        connection.execute(added, {"role": "customer"})
