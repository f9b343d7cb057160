"""Handing customers over to agents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table('agents_on_duty',
    sa.Column('agent', sa.Text(), nullable=False, comment='opaque id, as in users'),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('available_since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('heartbeat_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("status IN ('available', 'busy', 'away')", name=op.f("ck_agents_on_duty_status")),
    sa.PrimaryKeyConstraint('agent', name=op.f('pk_agents_on_duty'))
    )
    op.create_table('handoffs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('consultation_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=True, comment="the assistant's, for the agent who accepts"),
    sa.Column('requested_by', sa.Text(), nullable=False, comment='opaque id of the caller who asked for it'),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('agent', sa.Text(), nullable=True, comment='who is being asked, or has accepted'),
    sa.Column('offered_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('over_at', sa.DateTime(timezone=True), nullable=True, comment='when it was accepted, cancelled or turned into a callback'),
    sa.Column('callback_start', sa.DateTime(timezone=True), nullable=True),
    sa.Column('callback_end', sa.DateTime(timezone=True), nullable=True),
    sa.Column('passes', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False, comment='[agent, when] of each who declined or did not answer'),
    sa.CheckConstraint("(state = 'callback') = (callback_start IS NOT NULL AND callback_end IS NOT NULL)", name=op.f('ck_handoffs_callback_has_a_window')),
    sa.CheckConstraint("(state = 'offered') = (offered_until IS NOT NULL)", name=op.f('ck_handoffs_offer_has_an_end')),
    sa.CheckConstraint("reason IN ('requested', 'complex', 'frustration')", name=op.f("ck_handoffs_reason")),
    sa.CheckConstraint("state IN ('waiting', 'offered', 'accepted', 'callback', 'cancelled')", name=op.f("ck_handoffs_state")),
    sa.ForeignKeyConstraint(['consultation_id'], ['video_consultations.id'], name=op.f('fk_handoffs_consultation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_handoffs'))
    )
    op.create_index('ix_handoffs_callbacks', 'handoffs', ['callback_start', 'id'], unique=False, postgresql_where=sa.text("state = 'callback'"))
    op.create_index(op.f('ix_handoffs_consultation_id'), 'handoffs', ['consultation_id'], unique=False)
    op.create_index('ix_handoffs_queue', 'handoffs', ['since', 'id'], unique=False, postgresql_where=sa.text("state IN ('waiting', 'offered')"))
    op.create_index('uq_handoffs_one_open', 'handoffs', ['consultation_id'], unique=True, postgresql_where=sa.text("state IN ('waiting', 'offered')"))
    op.create_table('handoff_changes',
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False, comment='counts without gaps, in the order of commits'),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('handoff_id', sa.Uuid(), nullable=False),
    sa.Column('entry', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='the handoff as the queue shows it from then on'),
    sa.ForeignKeyConstraint(['handoff_id'], ['handoffs.id'], name=op.f('fk_handoff_changes_handoff_id')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_handoff_changes'))
    )
    op.create_index(op.f('ix_handoff_changes_at'), 'handoff_changes', ['at'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_handoff_changes_at'), table_name='handoff_changes')
    op.drop_table('handoff_changes')
    op.drop_index('uq_handoffs_one_open', table_name='handoffs', postgresql_where=sa.text("state IN ('waiting', 'offered')"))
    op.drop_index('ix_handoffs_queue', table_name='handoffs', postgresql_where=sa.text("state IN ('waiting', 'offered')"))
    op.drop_index(op.f('ix_handoffs_consultation_id'), table_name='handoffs')
    op.drop_index('ix_handoffs_callbacks', table_name='handoffs', postgresql_where=sa.text("state = 'callback'"))
    op.drop_table('handoffs')
    op.drop_table('agents_on_duty')
