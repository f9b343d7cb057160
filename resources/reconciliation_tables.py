"""The table of reconciliations; what became of a call's recording stands with the consultation."""

from sqlalchemy import Column, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from resources.tables import Moment, metadata

reconciliation_runs = Table(
    "reconciliation_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("counts", JSONB, nullable=False, comment="how many of each correction and of each state"),
    Column("trouble", ARRAY(Text), nullable=False, comment="what could not be asked, and so was not corrected"),
    Index(None, "finished_at"),
)
