"""The audit trail in a real database: many writers, one chain, and nobody who can change it."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, Engine, insert, select, text
from sqlalchemy.exc import DBAPIError

from cli.main import cli
from domain.audit import Deed, Outcome, verify
from resources.live_tables import audit_entries
from resources.store import audit
from resources.tables import partners


def deed(number: int) -> Deed:
    return Deed(f"user{number}", "admin", "search", details=(("hits", number),), reason="a claim, naïvely “quoted”")


def verdict_of(engine: Engine) -> tuple[int, int | None]:
    with engine.connect() as connection:
        verdict = verify(audit.entries(connection))
    return verdict.entries, verdict.wrong


def test_many_writers_make_one_chain_without_gaps_or_forks(engine: Engine) -> None:
    def write(writer: int) -> None:
        for number in range(15):
            with engine.connect() as connection, connection.begin() as transaction:
                audit.append(connection, deed(writer * 100 + number))
                if number % 5 == 4:
                    transaction.rollback()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdict_of(engine) == (8 * 12, None)


def test_a_deed_and_its_entry_are_there_together_or_not_at_all(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(insert(partners).values(id="00000000-0000-0000-0000-000000000001", name="p"))
        audit.append(connection, deed(1))
        transaction.rollback()
    with engine.connect() as connection:
        assert connection.execute(select(partners)).all() == []
        assert connection.execute(select(audit_entries)).all() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor = 'somebody else'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
        "DROP TABLE audit_entries",
        "DROP FUNCTION audit_entries_stay() CASCADE",
        "SET session_replication_role = replica",
        "SET ROLE verbatim",
    ],
)
def test_the_applications_role_can_neither_change_nor_remove_entries(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        audit.append(connection, deed(1))
        assert audit.is_append_only(connection)
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), engine.begin() as connection:
        connection.execute(text(statement))
    with engine.begin() as connection:
        connection.execute(text("GRANT ALL ON audit_entries TO CURRENT_USER"))  # PostgreSQL only warns that nothing was granted
        assert audit.is_append_only(connection)
    assert verdict_of(engine) == (1, None)


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"])
def test_even_the_owner_must_first_switch_off_the_guard(engine: Engine, owner: Engine, statement: str) -> None:
    with engine.begin() as connection:
        audit.append(connection, deed(1))
    with pytest.raises(DBAPIError, match="never changed"), owner.begin() as connection:
        connection.execute(text(statement))
    with owner.connect() as connection:
        assert not audit.is_append_only(connection)


def tamper(owner: Engine, change: Callable[[Connection], object]) -> None:
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        change(connection)


def say(statement: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE audit_entries SET actor = 'x' WHERE number = 3", 3),
        ("UPDATE audit_entries SET details = '{\"hits\": 4}' WHERE number = 3", 3),
        ("UPDATE audit_entries SET at = at + interval '1 microsecond' WHERE number = 1", 1),
        ("UPDATE audit_entries SET reason = NULL WHERE number = 5", 5),
        ("DELETE FROM audit_entries WHERE number = 1", 1),
        ("DELETE FROM audit_entries WHERE number = 4", 4),
        ("DELETE FROM audit_entries WHERE number = 4; UPDATE audit_entries SET number = 4 WHERE number = 5", 4),
        ("UPDATE audit_entries SET number = CASE number WHEN 2 THEN -1 ELSE -2 END WHERE number IN (2, 4);"
         "UPDATE audit_entries SET number = CASE number WHEN -1 THEN 4 ELSE 2 END WHERE number < 0", 2),
    ],
)  # fmt: skip
def test_verify_names_the_first_entry_that_was_edited_removed_or_moved(
    database_url: str, engine: Engine, owner: Engine, tmp_path: Path, statement: str, wrong: int
) -> None:
    with engine.begin() as connection:
        for number in range(1, 6):
            audit.append(connection, deed(number))
    environment = {"VERBATIM_DATABASE_URL": database_url, "VERBATIM_DATA_DIR": str(tmp_path)}
    told = CliRunner().invoke(cli, ["audit", "verify"], env=environment)
    assert told.exit_code == 0 and "5 entries" in told.stdout
    tamper(owner, say(statement))
    told = CliRunner().invoke(cli, ["audit", "verify"], env=environment)
    assert told.exit_code == 1
    assert f"entry {wrong}:" in told.stdout


def test_a_refusal_is_an_entry_like_any_other(engine: Engine) -> None:
    with engine.begin() as connection:
        audit.append(connection, Deed("u", "customer", "consultation.read", Outcome.REFUSED, subject="elsewhere", origin="127.0.0.1"))
    with engine.connect() as connection:
        (entry,) = audit.entries(connection)
    assert (entry.number, entry.deed.outcome, entry.deed.origin) == (1, Outcome.REFUSED, "127.0.0.1")
