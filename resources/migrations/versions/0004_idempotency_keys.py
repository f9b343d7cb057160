"""What a caller's repeated click stands for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="what the caller sent as Idempotency-Key"),
        sa.Column("request_hash", sa.Text(), nullable=False, comment="SHA-256 of the request, so that one key does not stand for two"),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("room_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_idempotency_keys")),
    )


def downgrade() -> None:
    op.drop_table("idempotency_keys")
