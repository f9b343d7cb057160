"""Recordings that are started and stopped from here."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "recording_orders",
        sa.Column(
            "id",
            sa.Uuid(),
            nullable=False,
            comment="also in the file's path, by which an egress that did not answer is known again",
        ),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("egress_id", sa.Text(), nullable=True, comment="NULL until LiveKit has answered"),
        sa.Column(
            "layout", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="what egress was asked to put on which channel"
        ),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=True, comment="from when it records"),
        sa.Column("stop_ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_because", sa.Text(), nullable=True),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), nullable=True, comment="when it was over, or was known never to have begun"
        ),
        sa.Column(
            "ended_as",
            sa.Text(),
            nullable=True,
            comment="LiveKit's status of the egress at its end; refused, unanswered or lost where LiveKit knows of none",
        ),
        sa.CheckConstraint(
            "stop_because IN ('refused', 'consent_missing', 'replaced', 'call_ended')", name=op.f("ck_recording_orders_stop_because")
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["video_consultations.id"], name=op.f("fk_recording_orders_consultation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording_orders")),
        sa.UniqueConstraint("egress_id", name=op.f("uq_recording_orders_egress_id")),
    )
    op.create_index(op.f("ix_recording_orders_consultation_id"), "recording_orders", ["consultation_id"])
    op.create_index(
        "ix_recording_orders_open", "recording_orders", ["consultation_id"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.add_column(
        "video_consultations",
        sa.Column(
            "recording_driven",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="its recordings are started and stopped from here",
        ),
    )
    op.create_index(
        "ix_video_consultations_driven",
        "video_consultations",
        ["id"],
        postgresql_where=sa.text("recording_driven AND ended_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_video_consultations_driven", "video_consultations")
    op.drop_column("video_consultations", "recording_driven")
    op.drop_table("recording_orders")
