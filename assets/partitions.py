"""The partitions of every asset that works on recordings: the UTC day on which the call ended, today included."""

import dagster as dg

from domain.days import FIRST_DAY

partitions = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone="UTC", end_offset=1)
