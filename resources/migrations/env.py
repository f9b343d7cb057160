"""Alembic's environment: always on a connection that resources.migrations hands over, never from a file's URL."""

from alembic import context

import resources.handoff_tables
import resources.live_tables
import resources.search.tables
import resources.training_tables
from resources.tables import metadata

assert (
    resources.handoff_tables and resources.live_tables and resources.search.tables and resources.training_tables
)  # imported for their tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
