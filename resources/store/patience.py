"""How long a PostgreSQL server may say nothing before its connection is given up.

A server that hangs, or whose machine is gone, keeps whoever asks it waiting: its own time limits hang with it, and on one machine the kernel
goes on acknowledging what it is sent. So the side that asks counts, in every wait on every connection, and closes what stays silent; the
thread that waited is free again. What a program makes of it belongs to whoever asks.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.waiting import Ready, Wait

STATEMENT_S = 60
"""How long a statement may take; PostgreSQL itself ends it then, if it can."""
_silence_s: ContextVar[float] = ContextVar("silence_s", default=STATEMENT_S + 10.0)


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """Inside, and in threads and tasks that are started inside, a server that says nothing for so long is down."""
    before = _silence_s.set(seconds)
    try:
        yield
    finally:
        _silence_s.reset(before)


class Silent(psycopg.OperationalError):
    """The server has not answered. What it was asked may be done all the same."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is closed, with Silent, when the server says nothing for too long."""

    def wait(self, gen: PQGen[RV], *how: Any, **more: Any) -> RV:
        try:
            return super().wait(_heard(gen, _silence_s.get()), *how, **more)
        except Silent:
            self.pgconn.finish()
            raise


def _heard(asking: PQGen[RV], silence_s: float) -> Generator[Wait, Ready | int, RV]:
    """``asking`` as it is, for as long as something comes within ``silence_s``. psycopg wakes it ten times a second with nothing."""
    try:
        wanted = next(asking)
        ends = monotonic() + silence_s
        while True:
            ready = yield wanted
            if ready:
                ends = monotonic() + silence_s
            elif monotonic() > ends:
                asking.close()
                raise Silent(f"PostgreSQL has said nothing for {silence_s:g} s")
            wanted = asking.send(ready)
    except StopIteration as ended:
        found: RV = ended.value
        return found
