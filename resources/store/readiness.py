"""Whether this version may work with this database as this login: the tables must be its own, and the audit trail out of reach.

Who asks decides what follows: in production nothing starts otherwise, in development it is a warning.
"""

import logging
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from resources import migrations
from resources.settings import Settings
from resources.store import audit

_LOGIN = text("""
    SELECT current_user::text, to_regclass('alembic_version') IS NOT NULL,
        coalesce(has_table_privilege(to_regclass('alembic_version'), 'SELECT'), true)
        AND coalesce(has_table_privilege(to_regclass('audit_entries'), 'SELECT, INSERT'), true),
        current_setting('transaction_read_only')::boolean""")
logger = logging.getLogger("verbatim.readiness")


class Fault(StrEnum):
    """What keeps a database from being used. The values are what /readyz says, to anybody."""

    TABLES_MISSING = "tables_missing"
    TABLES_OLDER = "tables_older"
    TABLES_NEWER = "tables_newer"
    TABLES_CLOSED = "tables_closed"
    TRAIL_OPEN = "audit_trail_can_be_changed"
    READS_ONLY = "postgresql_reads_only"


@dataclass(frozen=True, slots=True)
class Found:
    """``revision``: of the tables, None where there are none. ``known``: this version has that revision among its own."""

    login: str
    revision: str | None
    head: str
    known: bool
    readable: bool
    append_only: bool
    reads_only: bool = False


class NotReady(Exception):
    """The database cannot be used as it is. ``str()`` says what is wrong and what to do, a line for each fault."""


def found(connection: Connection) -> Found:
    """Raises SQLAlchemyError where PostgreSQL does not answer."""
    login, there, readable, reads_only = connection.execute(_LOGIN).one()
    revision = migrations.revision(connection) if there and readable else None
    return Found(login, revision, migrations.head(), migrations.knows(revision), readable, audit.is_append_only(connection), reads_only)


def faults(state: Found) -> tuple[Fault, ...]:
    wrong = [Fault.READS_ONLY] if state.reads_only else []
    if not state.readable:
        wrong.append(Fault.TABLES_CLOSED)
    elif state.revision is None:
        wrong.append(Fault.TABLES_MISSING)
    elif state.revision != state.head:
        wrong.append(Fault.TABLES_OLDER if state.known else Fault.TABLES_NEWER)
    if not state.append_only:
        wrong.append(Fault.TRAIL_OPEN)
    return tuple(wrong)


def explained(state: Found, fault: Fault) -> str:
    """For whoever runs it: names logins and revisions, which are nobody else's business."""
    migrate = "run `verbatim migrate` with the owner's login in VERBATIM_MIGRATION_DATABASE_URL"
    return {
        Fault.TABLES_MISSING: f"The database has no tables of Verbatim's: {migrate}.",
        Fault.TABLES_OLDER: f"The database is at revision {state.revision}, and this version needs {state.head}: {migrate}.",
        Fault.TABLES_NEWER: (
            f"The database is at revision {state.revision}, which this version (at {state.head}) does not know: a newer one migrated it. "
            "Run that version."
        ),
        Fault.TABLES_CLOSED: (
            f"The login {state.login} of VERBATIM_DATABASE_URL may not use the tables: as their owner, `GRANT verbatim_app TO {state.login}`."
        ),
        Fault.READS_ONLY: "The database only reads: after a failover VERBATIM_DATABASE_URL must lead to the server that took over.",
        Fault.TRAIL_OPEN: (
            f"The login {state.login} of VERBATIM_DATABASE_URL could change or remove entries of the audit trail: log in as one that is only "
            "a member of the role verbatim_app, and keep the owner's for migrations alone, in VERBATIM_MIGRATION_DATABASE_URL."
        ),
    }[fault]


def require_ready(engine: Engine, settings: Settings, *, warn: bool = True) -> None:
    """Raises NotReady in production, also where PostgreSQL does not answer and nobody can tell; in development writes a warning or not."""
    try:
        with engine.connect() as connection:
            state = found(connection)
    except SQLAlchemyError as error:
        lines = [f"PostgreSQL cannot be asked whether it is ready ({type(error).__name__}): check that it runs, and VERBATIM_DATABASE_URL."]
    else:
        lines = [explained(state, fault) for fault in faults(state)]
    if lines and settings.environment == "production":
        raise NotReady("\n".join(lines))
    for line in lines if warn else ():
        logger.warning("%s In production nothing would start.", line)
