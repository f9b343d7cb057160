"""The moment of the refusal for which a recording was stopped, whenever that was done."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    words = "when a party refused, where that is why it was stopped: what it has of later is not to be kept"
    op.add_column("recording_orders", sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True, comment=words))


def downgrade() -> None:
    op.drop_column("recording_orders", "refused_at")
