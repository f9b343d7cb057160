"""Alembic's environment: always on a connection that resources.migrations hands over, never from a file's URL."""

from alembic import context

import resources.compliance_tables
import resources.handoff_tables
import resources.live_tables
import resources.reconciliation_tables
import resources.search.tables
import resources.training_tables
from resources.tables import metadata

TABLES = (
    resources.compliance_tables,
    resources.handoff_tables,
    resources.live_tables,
    resources.reconciliation_tables,
    resources.search.tables,
    resources.training_tables,
)
"""Imported for their tables."""

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
