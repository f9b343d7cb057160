"""The audit trail in PostgreSQL: appended to in the transaction of the deed itself, read in order. What an entry is: domain.audit.

Writers take turns: the lock is held until the deed commits, so that the chain has neither gaps nor forks and a deed that is rolled back
leaves no entry. Append last in a transaction, for everybody else waits.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text

from domain.audit import BEGINNING, Deed, Entry, Outcome, seal
from resources.live_tables import audit_entries

_TAKE_TURN = text("SELECT pg_advisory_xact_lock(8245019377)")
_LAST = select(audit_entries.c.number, audit_entries.c.hash).order_by(audit_entries.c.number.desc()).limit(1)
_ADD = insert(audit_entries)
_BATCH = 1_000
# Owners can grant themselves the rest, and the schema's owner drops what is in it. With TRIGGER entries are changed on their way in.
_CHANGEABLE = text("""
    SELECT EXISTS (
        SELECT FROM pg_roles AS r
        WHERE pg_has_role(r.oid, 'MEMBER') AND (
            has_table_privilege(r.oid, t.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER') OR has_any_column_privilege(r.oid, t.oid, 'UPDATE')
            OR r.oid IN (t.relowner, s.nspowner)
        )
    )
    FROM pg_class AS t JOIN pg_namespace AS s ON s.oid = t.relnamespace WHERE t.oid = to_regclass('audit_entries')""")


def append(connection: Connection, deed: Deed, now: datetime | None = None) -> Entry:
    """The deed as the trail's next entry, in the transaction that the connection is in."""
    connection.execute(_TAKE_TURN)
    last = connection.execute(_LAST).first()
    number, previous = (last.number + 1, last.hash) if last else (1, BEGINNING)
    entry = seal(number, now or datetime.now(UTC), deed, previous)
    values = {
        "number": entry.number,
        "at": entry.at,
        "actor": deed.actor,
        "role": deed.role,
        "action": deed.action,
        "outcome": deed.outcome.value,
        "consultation_id": deed.consultation_id,
        "subject": deed.subject,
        "origin": deed.origin,
        "reason": deed.reason,
        "details": dict(deed.details),
        "previous": entry.previous,
        "hash": entry.hash,
    }
    connection.execute(_ADD, values)
    return entry


def entries(connection: Connection, after: int = 0) -> Iterator[Entry]:
    """Every entry behind number ``after``, in order, a batch at a time."""
    found = connection.execution_options(yield_per=_BATCH).execute(
        select(audit_entries).where(audit_entries.c.number > after).order_by(audit_entries.c.number)
    )
    return map(_entry, found)


def is_append_only(connection: Connection) -> bool:
    """Whether the role of this connection, and every role that it could put on, can neither change nor remove entries."""
    return not connection.scalar(_CHANGEABLE)


def _entry(row: Row[Any]) -> Entry:
    deed = Deed(
        actor=row.actor,
        role=row.role,
        action=row.action,
        outcome=Outcome(row.outcome),
        consultation_id=row.consultation_id,
        subject=row.subject,
        origin=row.origin,
        reason=row.reason,
        details=tuple(row.details.items()),
    )
    return Entry(row.number, row.at, deed, row.previous, row.hash)
