"""The archive's calendar: the partitions are UTC days. Nothing here reads the clock."""

from datetime import UTC, date, datetime

FIRST_DAY = date(2015, 1, 1)
"""The earliest day that has a partition; a recording of an older call is refused on import."""


def day_of(moment: datetime) -> date:
    """The UTC day of a timezone-aware moment."""
    return moment.astimezone(UTC).date()
