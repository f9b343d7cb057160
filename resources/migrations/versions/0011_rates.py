"""How often callers came, counted for all processes together; and recordings that were given up, found by their call."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table('caller_rates',
    sa.Column('what', sa.Text(), nullable=False, comment='which limit'),
    sa.Column('caller', sa.Text(), nullable=False, comment='opaque id of the caller'),
    sa.Column('hits', postgresql.ARRAY(sa.DateTime(timezone=True)), nullable=False, comment='the latest that were let in, no more than the limit, oldest first'),
    sa.PrimaryKeyConstraint('what', 'caller', name=op.f('pk_caller_rates'))
    )
    op.create_index('ix_recordings_given_up', 'recordings', ['gave_up_at', 'consultation_id'], unique=False, postgresql_where=sa.text('gave_up_at IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('ix_recordings_given_up', table_name='recordings', postgresql_where=sa.text('gave_up_at IS NOT NULL'))
    op.drop_table('caller_rates')
