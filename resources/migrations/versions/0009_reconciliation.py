"""Reconciliations, and what became of each call's recording."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table('reconciliation_runs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('counts', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='how many of each correction and of each state'),
    sa.Column('trouble', postgresql.ARRAY(sa.Text()), nullable=False, comment='what could not be asked, and so was not corrected'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reconciliation_runs'))
    )
    op.create_index(op.f('ix_reconciliation_runs_finished_at'), 'reconciliation_runs', ['finished_at'], unique=False)
    op.add_column('video_consultations', sa.Column('recording_state', sa.Text(), nullable=True))
    op.add_column('video_consultations', sa.Column('recording_reason', sa.Text(), nullable=True, comment='why it failed, or was not expected'))
    op.add_column('video_consultations', sa.Column('recording_decided_at', sa.DateTime(timezone=True), nullable=True, comment='when the state was last found to be another one'))
    op.create_index('ix_video_consultations_undecided', 'video_consultations', ['ended_at'], unique=False, postgresql_where=sa.text("recording_state IS DISTINCT FROM 'recorded'"))
    op.create_check_constraint(
        op.f("ck_video_consultations_recording_state"),
        "video_consultations",
        "recording_state IN ('in_progress', 'recorded', 'failed', 'refused', 'not_expected')",
    )


def downgrade() -> None:
    op.drop_index('ix_video_consultations_undecided', table_name='video_consultations', postgresql_where=sa.text("recording_state IS DISTINCT FROM 'recorded'"))
    op.drop_column('video_consultations', 'recording_decided_at')
    op.drop_column('video_consultations', 'recording_reason')
    op.drop_column('video_consultations', 'recording_state')
    op.drop_index(op.f('ix_reconciliation_runs_finished_at'), table_name='reconciliation_runs')
    op.drop_table('reconciliation_runs')
