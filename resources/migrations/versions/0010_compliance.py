"""Redactions, findings and their review; both stand between the transcript and the archive."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"

STAGE = (
    "CASE "
    "WHEN destroyed_at IS NOT NULL THEN 'done' "
    "WHEN sha256 IS NULL THEN 'recordings' "
    "WHEN current_transcript_id IS NULL THEN 'transcripts' "
    "WHEN redacted_transcript_id IS DISTINCT FROM current_transcript_id THEN 'redactions' "
    "WHEN judged_redaction_id IS DISTINCT FROM redaction_id THEN 'findings' "
    "WHEN archived_transcript_id IS DISTINCT FROM current_transcript_id OR archived_evaluation_id IS DISTINCT FROM evaluation_id OR intake_cleared_at IS NULL THEN 'archive' "
    "WHEN published_evaluation_id IS DISTINCT FROM evaluation_id THEN 'search_documents' "
    "ELSE 'done' END"
)
STAGE_BEFORE = (
    "CASE "
    "WHEN sha256 IS NULL THEN 'recordings' "
    "WHEN current_transcript_id IS NULL THEN 'transcripts' "
    "WHEN archived_transcript_id IS DISTINCT FROM current_transcript_id OR intake_cleared_at IS NULL THEN 'archive' "
    "WHEN searchable_transcript_id IS DISTINCT FROM current_transcript_id THEN 'search_documents' "
    "ELSE 'done' END"
)


def upgrade() -> None:
    op.create_table('evaluations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('consultation_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False, comment="1 for the consultation's first evaluation"),
    sa.Column('rules_version', sa.Text(), nullable=False),
    sa.Column('redaction_ids', postgresql.ARRAY(sa.Uuid()), nullable=False, comment='what was judged'),
    sa.Column('consent', sa.Text(), nullable=False),
    sa.Column('spoken', sa.Text(), nullable=False),
    sa.Column('publication', sa.Text(), nullable=False),
    sa.Column('withdrawn_at_ms', sa.BigInteger(), nullable=True, comment="from the call's start; what is later is not published"),
    sa.Column('recorded_before', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='[start_ms, end_ms] each: recorded before consent was there'),
    sa.Column('recorded_after', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='[start_ms, end_ms] each: recorded after it was refused or withdrawn'),
    sa.Column('consent_records', sa.Integer(), nullable=False, comment="how many of the API's records there were"),
    sa.Column('reviews', sa.Integer(), nullable=False, comment='how many verdicts a person had overturned'),
    sa.Column('changes', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='which verdicts differ from the evaluation before, and why'),
    sa.Column('run_id', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['consultation_id'], ['video_consultations.id'], name=op.f('fk_evaluations_consultation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_evaluations')),
    sa.UniqueConstraint('consultation_id', 'number', name=op.f('uq_evaluations_consultation_id_number'))
    )
    op.create_index(op.f('ix_evaluations_created_at'), 'evaluations', ['created_at'], unique=False)
    op.create_table('findings',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('evaluation_id', sa.Uuid(), nullable=False),
    sa.Column('rule_id', sa.Text(), nullable=False),
    sa.Column('rule_version', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=True),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('recording_id', sa.Uuid(), nullable=True),
    sa.Column('turn_id', sa.BigInteger(), nullable=True, comment='not a foreign key: a finding outlives what was said'),
    sa.Column('first_word', sa.Integer(), nullable=True),
    sa.Column('last_word', sa.Integer(), nullable=True),
    sa.Column('start_ms', sa.BigInteger(), nullable=True, comment="from the call's start"),
    sa.Column('end_ms', sa.BigInteger(), nullable=True),
    sa.Column('quote', sa.Text(), nullable=True, comment="the redacted turn's words"),
    sa.Column('overturned', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment='a person has decided that it is not so'),
    sa.ForeignKeyConstraint(['evaluation_id'], ['evaluations.id'], name=op.f('fk_findings_evaluation_id')),
    sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_findings_recording_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_findings'))
    )
    op.create_index(op.f('ix_findings_evaluation_id'), 'findings', ['evaluation_id'], unique=False)
    op.create_table('redaction_runs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('recording_id', sa.Uuid(), nullable=False),
    sa.Column('transcript_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False, comment='of the recognisers and their terms: what would change the result'),
    sa.Column('counts', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='kind -> number of values'),
    sa.Column('card_data_left', sa.Integer(), nullable=False, comment='what a second look at the redacted turns still takes for card data'),
    sa.Column('run_id', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_redaction_runs_recording_id')),
    sa.ForeignKeyConstraint(['transcript_id'], ['transcripts.id'], name=op.f('fk_redaction_runs_transcript_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_redaction_runs')),
    sa.UniqueConstraint('transcript_id', 'version', name=op.f('uq_redaction_runs_transcript_id_version'))
    )
    op.create_index(op.f('ix_redaction_runs_recording_id'), 'redaction_runs', ['recording_id'], unique=False)
    op.create_table('redacted_turns',
    sa.Column('redaction_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('words', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='[text, start_ms, end_ms, confidence] each, placeholders where something was redacted'),
    sa.ForeignKeyConstraint(['redaction_id'], ['redaction_runs.id'], name=op.f('fk_redacted_turns_redaction_id')),
    sa.PrimaryKeyConstraint('redaction_id', 'position', name=op.f('pk_redacted_turns'))
    )
    op.create_table('redactions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('redaction_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('entity', sa.Integer(), nullable=False, comment='the same for all pieces of one value'),
    sa.Column('position', sa.Integer(), nullable=False, comment='of the turn in the transcript'),
    sa.Column('channel', sa.SmallInteger(), nullable=True),
    sa.Column('first_word', sa.Integer(), nullable=False),
    sa.Column('last_word', sa.Integer(), nullable=False),
    sa.Column('start_ms', sa.BigInteger(), nullable=True, comment="from the recording's first sample; NULL: the words' times cannot be used, the whole turn is muted"),
    sa.Column('end_ms', sa.BigInteger(), nullable=True),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('recogniser', sa.Text(), nullable=False),
    sa.CheckConstraint('last_word >= first_word', name=op.f('ck_redactions_words_in_order')),
    sa.ForeignKeyConstraint(['redaction_id'], ['redaction_runs.id'], name=op.f('fk_redactions_redaction_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_redactions'))
    )
    op.create_index(op.f('ix_redactions_redaction_id'), 'redactions', ['redaction_id'], unique=False)
    op.create_table('review_items',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('consultation_id', sa.Uuid(), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False, comment="the rule's id, or the kind of what was redacted"),
    sa.Column('fingerprint', sa.Text(), nullable=False, comment='of what is to be decided: the same again is the same item'),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('finding_id', sa.Uuid(), nullable=True, comment='the newest that asks this'),
    sa.Column('redaction_id', sa.Uuid(), nullable=True),
    sa.Column('recording_id', sa.Uuid(), nullable=True),
    sa.Column('position', sa.Integer(), nullable=True, comment="of the redaction's turn"),
    sa.Column('entity', sa.Integer(), nullable=True, comment='of the redaction'),
    sa.Column('start_ms', sa.BigInteger(), nullable=True, comment="from the call's start"),
    sa.Column('end_ms', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('claimed_by', sa.Text(), nullable=True, comment='opaque id of the reviewer'),
    sa.Column('claim_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('escalated_by', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment='who left it to others, in order'),
    sa.Column('decision', sa.Text(), nullable=True),
    sa.Column('corrected', sa.Text(), nullable=True, comment='the verdict of whoever overturned a finding'),
    sa.Column('version', sa.Integer(), server_default=sa.text('1'), nullable=False, comment='counts its changes'),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['consultation_id'], ['video_consultations.id'], name=op.f('fk_review_items_consultation_id')),
    sa.ForeignKeyConstraint(['finding_id'], ['findings.id'], name=op.f('fk_review_items_finding_id')),
    sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_review_items_recording_id')),
    sa.ForeignKeyConstraint(['redaction_id'], ['redaction_runs.id'], name=op.f('fk_review_items_redaction_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_items')),
    sa.UniqueConstraint('consultation_id', 'fingerprint', name=op.f('uq_review_items_consultation_id_fingerprint'))
    )
    op.create_index('ix_review_items_waiting', 'review_items', ['severity', 'created_at', 'id'], unique=False, postgresql_where=sa.text("state IN ('open', 'claimed', 'escalated')"))
    op.create_table('review_steps',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('item_id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('step', sa.Text(), nullable=False, comment='opened, claimed, released, confirmed, overturned, escalated, closed, gone'),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['item_id'], ['review_items.id'], name=op.f('fk_review_steps_item_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_steps'))
    )
    op.create_index(op.f('ix_review_steps_item_id'), 'review_steps', ['item_id'], unique=False)
    op.add_column('recordings', sa.Column('redaction_id', sa.Uuid(), nullable=True, comment='the one that counts for the current transcript'))
    op.add_column('recordings', sa.Column('redacted_transcript_id', sa.Uuid(), nullable=True, comment='for which redaction_id was made'))
    op.add_column('recordings', sa.Column('judged_redaction_id', sa.Uuid(), nullable=True))
    op.add_column('recordings', sa.Column('evaluation_id', sa.Uuid(), nullable=True, comment="the call's newest in which it was judged"))
    op.add_column('recordings', sa.Column('archived_evaluation_id', sa.Uuid(), nullable=True, comment='for which its rendition was made'))
    op.add_column('recordings', sa.Column('published_evaluation_id', sa.Uuid(), nullable=True, comment='by which it is, or is not, in search'))
    op.add_column('recordings', sa.Column('kept_sha256', sa.Text(), nullable=True, comment="of the archive's copy"))
    op.add_column('recordings', sa.Column('kept_redaction_id', sa.Uuid(), nullable=True, comment='by which card data in that copy was silenced'))
    op.add_column('recordings', sa.Column('kept_until_ms', sa.BigInteger(), nullable=True, comment='of the recording: from there on that copy is silent; NULL: up to its end'))
    op.add_column('recordings', sa.Column('rendition_key', sa.Text(), nullable=True, comment="the redacted rendition; NULL where the archive's copy needs none"))
    op.add_column('recordings', sa.Column('rendition_sha256', sa.Text(), nullable=True))
    op.add_column('recordings', sa.Column('destroyed_at', sa.DateTime(timezone=True), nullable=True, comment='as the policy for calls without consent says'))
    op.create_foreign_key(op.f('fk_recordings_published_evaluation_id'), 'recordings', 'evaluations', ['published_evaluation_id'], ['id'], use_alter=True)
    op.create_foreign_key(op.f('fk_recordings_evaluation_id'), 'recordings', 'evaluations', ['evaluation_id'], ['id'], use_alter=True)
    op.create_foreign_key(op.f('fk_recordings_archived_evaluation_id'), 'recordings', 'evaluations', ['archived_evaluation_id'], ['id'], use_alter=True)
    op.create_foreign_key(op.f('fk_recordings_redaction_id'), 'recordings', 'redaction_runs', ['redaction_id'], ['id'], use_alter=True)
    op.create_foreign_key(op.f('fk_recordings_redacted_transcript_id'), 'recordings', 'transcripts', ['redacted_transcript_id'], ['id'], use_alter=True)
    op.create_foreign_key(op.f('fk_recordings_kept_redaction_id'), 'recordings', 'redaction_runs', ['kept_redaction_id'], ['id'], use_alter=True)
    op.create_foreign_key(op.f('fk_recordings_judged_redaction_id'), 'recordings', 'redaction_runs', ['judged_redaction_id'], ['id'], use_alter=True)
    op.add_column('transcripts', sa.Column('wordless', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False, comment='[start_ms, end_ms] each: speech of which no words came'))
    _replace_stage(STAGE)
    op.create_check_constraint(op.f("ck_recordings_kept_sha256"), "recordings", "kept_sha256 ~ '^[0-9a-f]{64}$'")


def downgrade() -> None:
    _replace_stage(STAGE_BEFORE)
    op.drop_constraint(op.f("ck_recordings_kept_sha256"), "recordings", type_="check")
    op.drop_constraint(op.f('fk_recordings_kept_redaction_id'), 'recordings', type_='foreignkey')
    op.drop_constraint(op.f('fk_recordings_judged_redaction_id'), 'recordings', type_='foreignkey')
    op.drop_constraint(op.f('fk_recordings_redacted_transcript_id'), 'recordings', type_='foreignkey')
    op.drop_constraint(op.f('fk_recordings_redaction_id'), 'recordings', type_='foreignkey')
    op.drop_constraint(op.f('fk_recordings_archived_evaluation_id'), 'recordings', type_='foreignkey')
    op.drop_constraint(op.f('fk_recordings_evaluation_id'), 'recordings', type_='foreignkey')
    op.drop_constraint(op.f('fk_recordings_published_evaluation_id'), 'recordings', type_='foreignkey')
    op.drop_column('transcripts', 'wordless')
    op.drop_column('recordings', 'destroyed_at')
    op.drop_column('recordings', 'rendition_sha256')
    op.drop_column('recordings', 'rendition_key')
    op.drop_column('recordings', 'kept_until_ms')
    op.drop_column('recordings', 'kept_redaction_id')
    op.drop_column('recordings', 'kept_sha256')
    op.drop_column('recordings', 'published_evaluation_id')
    op.drop_column('recordings', 'archived_evaluation_id')
    op.drop_column('recordings', 'evaluation_id')
    op.drop_column('recordings', 'judged_redaction_id')
    op.drop_column('recordings', 'redacted_transcript_id')
    op.drop_column('recordings', 'redaction_id')
    op.drop_index(op.f('ix_review_steps_item_id'), table_name='review_steps')
    op.drop_table('review_steps')
    op.drop_index('ix_review_items_waiting', table_name='review_items', postgresql_where=sa.text("state IN ('open', 'claimed', 'escalated')"))
    op.drop_table('review_items')
    op.drop_index(op.f('ix_redactions_redaction_id'), table_name='redactions')
    op.drop_table('redactions')
    op.drop_table('redacted_turns')
    op.drop_index(op.f('ix_redaction_runs_recording_id'), table_name='redaction_runs')
    op.drop_table('redaction_runs')
    op.drop_index(op.f('ix_findings_evaluation_id'), table_name='findings')
    op.drop_table('findings')
    op.drop_index(op.f('ix_evaluations_created_at'), table_name='evaluations')
    op.drop_table('evaluations')


def _replace_stage(expression: str) -> None:
    op.drop_index("ix_recordings_open", "recordings")
    op.drop_column("recordings", "stage")
    op.add_column(
        "recordings",
        sa.Column(
            "stage",
            sa.Text(),
            sa.Computed(expression, persisted=True),
            nullable=True,
            comment="the first result that is missing: which asset has work to do",
        ),
    )
    op.create_index("ix_recordings_open", "recordings", ["stage", "not_before"], postgresql_where=sa.text("stage <> 'done' AND gave_up_at IS NULL"))
