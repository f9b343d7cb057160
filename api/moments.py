"""Points in time as callers send them. What a time has to be for (a training, a call back) is decided in domain."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _written(value: object) -> object:
    """pydantic alone takes seconds since 1970, too, and so 0.5 for half a second after it."""
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("must be a date and time as RFC 3339 writes them, with its offset from UTC, such as 2025-03-03T15:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]


def example_from_tomorrow(start: str, end: str, hours: int, **fields: object) -> Callable[[dict[str, Any]], None]:
    """For ``json_schema_extra``: an example with a time that lies ahead whenever the description is made, and so can be sent as it stands.

    ``start`` and ``end`` are the names of the fields that begin and end a span of ``hours``.
    """

    def put(schema: dict[str, Any]) -> None:
        begins = datetime.combine(datetime.now(UTC).date() + timedelta(days=1), time(16), UTC)
        span = {start: begins, end: begins + timedelta(hours=hours)}
        schema["example"] = fields | {name: f"{moment:%Y-%m-%dT%H:%M:%SZ}" for name, moment in span.items()}

    return put
