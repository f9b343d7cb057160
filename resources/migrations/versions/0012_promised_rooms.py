"""Rooms that were promised before LiveKit was asked to open them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "promised_rooms",
        sa.Column("room_name", sa.Text(), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("broken_at", sa.DateTime(timezone=True), nullable=True, comment="from when on no call begins in it any more"),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True, comment="when LiveKit had it no longer"),
        sa.PrimaryKeyConstraint("room_name", name=op.f("pk_promised_rooms")),
    )
    op.create_index("ix_promised_rooms_open", "promised_rooms", ["promised_at"], unique=False, postgresql_where=sa.text("closed_at IS NULL"))


def downgrade() -> None:
    op.drop_table("promised_rooms")
