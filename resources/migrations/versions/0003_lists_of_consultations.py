"""Indexes in the order in which consultations are listed."""

from alembic import op

revision = "0003"
down_revision = "0002"

LISTED = (["created_at", "id"], ["customer_id", "created_at", "id"], ["agent_id", "created_at", "id"])


def upgrade() -> None:
    for columns in LISTED:
        op.create_index(op.f(f"ix_video_consultations_{'_'.join(columns)}"), "video_consultations", columns)


def downgrade() -> None:
    for columns in LISTED:
        op.drop_index(op.f(f"ix_video_consultations_{'_'.join(columns)}"), table_name="video_consultations")
