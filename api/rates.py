"""How often one caller may do something: counted in this process, or in PostgreSQL for all processes together. What the limits are belongs to
the routes that have them.

The counts of the library limits, with which limits are written, start a thread for nearly every hit, which cost more than all else here; and it
has none in PostgreSQL.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from limits import RateLimitItem
from sqlalchemy import Connection, Engine

from resources.store import rates

SWEEP_S, SHARED_SWEEP_S = 60.0, 600.0


class MovingWindow:
    """No span of time as long as a limit's has more hits than the limit; what is refused does not count. ``clock``: seconds, only rising."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._hits: dict[tuple[RateLimitItem, tuple[str, ...]], deque[float]] = {}
        self._swept = clock()

    def hit(self, limit: RateLimitItem, *who: str) -> bool:
        """Whether there is room for one more, which then counts."""
        with self._lock:
            now = self._clock()
            if now - self._swept >= SWEEP_S:
                self._sweep(now)
            hits = self._hits.setdefault((limit, who), deque())
            while hits and hits[0] <= now - limit.get_expiry():
                hits.popleft()
            if len(hits) >= limit.amount:
                return False
            hits.append(now)
            return True

    def __len__(self) -> int:
        """How many callers and limits are remembered."""
        return len(self._hits)

    def _sweep(self, now: float) -> None:
        """Forgets who has not come for long, so that strangers cannot fill the memory."""
        self._hits = {key: hits for key, hits in self._hits.items() if hits and hits[-1] > now - key[0].get_expiry()}
        self._swept = now


class SharedWindow:
    """The same for all processes together, where a caller is known and the count must hold whichever process they reach."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._one_statement = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._clock, self._swept = clock, clock()

    def hit(self, limit: RateLimitItem, what: str, caller: str) -> bool:
        """Whether there is room for one more, which then counts, whatever comes of it. Raises SQLAlchemy's errors."""
        with self._one_statement.connect() as connection:
            if self._clock() - self._swept >= SHARED_SWEEP_S:
                self._swept = self._clock()
                rates.forget(connection)
            return self.hit_in(connection, limit, what, caller)

    def hit_in(self, connection: Connection, limit: RateLimitItem, what: str, caller: str) -> bool:
        """As ``hit``, in a transaction that there is anyway, which costs a third; it counts when that is committed."""
        return rates.hit(connection, what, caller, limit.amount, timedelta(seconds=limit.get_expiry()))
