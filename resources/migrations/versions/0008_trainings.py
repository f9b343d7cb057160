"""Trainings: sessions, invitations, materials."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table('training_sessions',
    sa.Column('consultation_id', sa.Uuid(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('max_partners', sa.SmallInteger(), nullable=False),
    sa.Column('disclosure_version', sa.Text(), nullable=False, comment='which words everybody is asked with before they enter'),
    sa.Column('cancelled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('max_partners BETWEEN 1 AND 8', name=op.f('ck_training_sessions_max_partners')),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('ck_training_sessions_ends_after_start')),
    sa.ForeignKeyConstraint(['consultation_id'], ['video_consultations.id'], name=op.f('fk_training_sessions_consultation_id')),
    sa.PrimaryKeyConstraint('consultation_id', name=op.f('pk_training_sessions'))
    )
    op.create_index(op.f('ix_training_sessions_starts_at_consultation_id'), 'training_sessions', ['starts_at', 'consultation_id'], unique=False)
    op.create_table('training_invites',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('consultation_id', sa.Uuid(), nullable=False),
    sa.Column('partner_id', sa.Uuid(), nullable=False),
    sa.Column('trainer', sa.Boolean(), nullable=False, comment='this partner gives the training, and may share the screen'),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('entered_at', sa.DateTime(timezone=True), nullable=True, comment='when it first let somebody in'),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['consultation_id'], ['training_sessions.consultation_id'], name=op.f('fk_training_invites_consultation_id')),
    sa.ForeignKeyConstraint(['partner_id'], ['partners.id'], name=op.f('fk_training_invites_partner_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_training_invites'))
    )
    op.create_index('uq_training_invites_one_each', 'training_invites', ['consultation_id', 'partner_id'], unique=True, postgresql_where=sa.text('revoked_at IS NULL'))
    op.create_table('training_materials',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('consultation_id', sa.Uuid(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=True, comment='of the file, so that it can be known again'),
    sa.Column('shared_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('shared_by', sa.Text(), nullable=False, comment='opaque id of the caller who shared it'),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True, comment='no longer shown; what was shared stays known'),
    sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f('ck_training_materials_sha256')),
    sa.ForeignKeyConstraint(['consultation_id'], ['training_sessions.consultation_id'], name=op.f('fk_training_materials_consultation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_training_materials'))
    )
    op.create_index(op.f('ix_training_materials_consultation_id'), 'training_materials', ['consultation_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_training_materials_consultation_id'), table_name='training_materials')
    op.drop_table('training_materials')
    op.drop_index('uq_training_invites_one_each', table_name='training_invites', postgresql_where=sa.text('revoked_at IS NULL'))
    op.drop_table('training_invites')
    op.drop_index(op.f('ix_training_sessions_starts_at_consultation_id'), table_name='training_sessions')
    op.drop_table('training_sessions')
