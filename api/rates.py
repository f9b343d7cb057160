"""How often one caller may do something, counted in this process. What the limits are belongs to the routes that have them.

The counts of the library limits, with which limits are written, start a thread for nearly every hit, which cost more than all else here.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

from limits import RateLimitItem

SWEEP_S = 60.0


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
