"""How often callers came, counted for all processes together. Which limits there are belongs to the routes that have them.

The time is PostgreSQL's, so that processes whose clocks differ count alike.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection

KEPT = timedelta(hours=1)
"""How long a caller who does not come again is remembered; no limit spans more."""

# Of the latest ``amount`` that were let in the first decides: there is room where it is older than ``span``. One statement, which whoever
# comes at the same time waits for; what is refused changes nothing.
_HIT = """
    INSERT INTO caller_rates AS r (what, caller, hits)
    VALUES (%(what)s, %(caller)s, ARRAY[COALESCE(%(at)s::timestamptz, clock_timestamp())])
    ON CONFLICT (what, caller) DO UPDATE SET
        hits = (r.hits || GREATEST(r.hits[cardinality(r.hits)], excluded.hits[1]))[GREATEST(1, cardinality(r.hits) + 2 - %(amount)s):]
    WHERE cardinality(r.hits) < %(amount)s OR r.hits[cardinality(r.hits) + 1 - %(amount)s] <= excluded.hits[1] - %(span)s::interval"""
_FORGET = "DELETE FROM caller_rates WHERE hits[cardinality(hits)] < clock_timestamp() - %(kept)s"


def hit(connection: Connection, what: str, caller: str, amount: int, span: timedelta, at: datetime | None = None) -> bool:
    """Whether there is room for one more, which then counts: no ``span`` has more than ``amount``. ``at``: now, where it is not given."""
    values = {"what": what, "caller": caller, "amount": amount, "span": span, "at": at}
    return connection.exec_driver_sql(_HIT, values).rowcount == 1


def forget(connection: Connection) -> int:
    """Who has not come for KEPT; returns how many rows that were."""
    return connection.exec_driver_sql(_FORGET, {"kept": KEPT}).rowcount
