"""The store and the embedded search index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

CREATE_CONFIGURATION = (
    # English word forms, but no stop words: "I do not consent" must not be the same as "I consent".
    "CREATE TEXT SEARCH DICTIONARY verbatim_stem (TEMPLATE = snowball, Language = english)",
    "CREATE TEXT SEARCH CONFIGURATION verbatim (COPY = simple)",
    "ALTER TEXT SEARCH CONFIGURATION verbatim ALTER MAPPING FOR asciiword, word WITH verbatim_stem",
)


def upgrade() -> None:
    for statement in CREATE_CONFIGURATION:
        op.execute(statement)
    op.execute(sa.schema.CreateSequence(sa.Sequence('publication_versions')))
    op.create_table('partners',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_partners'))
    )
    op.create_table('search_documents',
    sa.Column('turn_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('consultation_id', sa.Uuid(), nullable=False),
    sa.Column('recording_id', sa.Uuid(), nullable=False),
    sa.Column('transcript_id', sa.Uuid(), nullable=False),
    sa.Column('consultation_type', sa.Text(), nullable=False),
    sa.Column('speaker', sa.Text(), nullable=False),
    sa.Column('call_started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('start_ms', sa.BigInteger(), nullable=False),
    sa.Column('end_ms', sa.BigInteger(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False, comment="the text's tokens (domain.search.tokens) with spaces between them"),
    sa.Column('tsv', postgresql.TSVECTOR(), sa.Computed("to_tsvector('verbatim', words)", persisted=True), nullable=False),
    sa.PrimaryKeyConstraint('turn_id', name=op.f('pk_search_documents'))
    )
    op.create_index(op.f('ix_search_documents_consultation_id'), 'search_documents', ['consultation_id'], unique=False)
    op.create_index('ix_search_documents_order', 'search_documents', [sa.literal_column('call_started_at DESC'), 'consultation_id', 'start_ms', 'turn_id'], unique=False)
    op.create_index('ix_search_documents_tsv', 'search_documents', ['tsv'], unique=False, postgresql_using='gin')
    op.create_table('search_versions',
    sa.Column('consultation_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('published', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('consultation_id', name=op.f('pk_search_versions'))
    )
    op.create_table('users',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('display_name', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users'))
    )
    op.create_table('claims',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['users.id'], name=op.f('fk_claims_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_claims'))
    )
    op.create_table('quotes',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['users.id'], name=op.f('fk_quotes_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quotes'))
    )
    op.create_table('video_consultations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=True),
    sa.Column('agent_id', sa.Uuid(), nullable=True),
    sa.Column('partner_id', sa.Uuid(), nullable=True),
    sa.Column('room_name', sa.Text(), nullable=False),
    sa.Column('room_sid', sa.Text(), nullable=True, comment="LiveKit's id of the room session; NULL until LiveKit has opened it"),
    sa.Column('consultation_type', sa.Text(), nullable=False),
    sa.Column('quote_id', sa.Uuid(), nullable=True),
    sa.Column('claim_id', sa.Uuid(), nullable=True),
    sa.Column('ai_handled', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('escalated_to_human', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('duration_seconds', sa.Integer(), sa.Computed('GREATEST(0, EXTRACT(EPOCH FROM ended_at - started_at))::integer', persisted=True), nullable=True),
    sa.Column('recording_url', sa.Text(), nullable=True),
    sa.Column('transcript', sa.Text(), nullable=True),
    sa.Column('ai_summary', sa.Text(), nullable=True),
    sa.Column('agent_notes', sa.Text(), nullable=True),
    sa.Column('customer_rating', sa.SmallInteger(), nullable=True),
    sa.Column('jurisdictions', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment='party -> ISO 3166-2 code of where that party is, such as {"customer": "US-CA"}'),
    sa.Column('archived', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment='soft delete: hidden from lists, kept as evidence'),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['users.id'], name=op.f('fk_video_consultations_agent_id')),
    sa.ForeignKeyConstraint(['claim_id'], ['claims.id'], name=op.f('fk_video_consultations_claim_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['users.id'], name=op.f('fk_video_consultations_customer_id')),
    sa.ForeignKeyConstraint(['partner_id'], ['partners.id'], name=op.f('fk_video_consultations_partner_id')),
    sa.ForeignKeyConstraint(['quote_id'], ['quotes.id'], name=op.f('fk_video_consultations_quote_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_video_consultations')),
    sa.UniqueConstraint('room_name', name=op.f('uq_video_consultations_room_name')),
    sa.UniqueConstraint('room_sid', name=op.f('uq_video_consultations_room_sid'))
    )
    op.create_index(op.f('ix_video_consultations_ended_at'), 'video_consultations', ['ended_at'], unique=False)
    op.create_index(op.f('ix_video_consultations_started_at'), 'video_consultations', ['started_at'], unique=False)
    op.create_table('participants',
    sa.Column('sid', sa.Text(), nullable=False, comment="LiveKit's participant SID: a new one for every time somebody joins"),
    sa.Column('consultation_id', sa.Uuid(), nullable=False),
    sa.Column('identity', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('joined_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('left_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('microphone_at', sa.DateTime(timezone=True), nullable=True, comment='when an audio track of theirs was first published'),
    sa.Column('audio_tracks', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment='SIDs of the audio tracks they published'),
    sa.ForeignKeyConstraint(['consultation_id'], ['video_consultations.id'], name=op.f('fk_participants_consultation_id')),
    sa.PrimaryKeyConstraint('sid', name=op.f('pk_participants'))
    )
    op.create_index(op.f('ix_participants_consultation_id'), 'participants', ['consultation_id'], unique=False)
    op.create_table('recordings',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('consultation_id', sa.Uuid(), nullable=False),
    sa.Column('egress_id', sa.Text(), nullable=False, comment="LiveKit's egress id, or import:<sha256> for an imported file"),
    sa.Column('file_name', sa.Text(), server_default=sa.text("''"), nullable=False, comment='as egress reported it; empty when it wrote none'),
    sa.Column('egress_status', sa.Text(), nullable=False),
    sa.Column('layout', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment='what egress was asked to put on which channel'),
    sa.Column('location', sa.Text(), server_default=sa.text("''"), nullable=False, comment='the URL that egress reported'),
    sa.Column('intake_key', sa.Text(), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True, comment="of the file's first sample"),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('announced_bytes', sa.BigInteger(), nullable=True),
    sa.Column('announced_duration_ms', sa.BigInteger(), nullable=True),
    sa.Column('announced_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False, comment='when egress_ended reached us'),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('size_bytes', sa.BigInteger(), nullable=True),
    sa.Column('duration_ms', sa.BigInteger(), nullable=True),
    sa.Column('container', sa.Text(), nullable=True),
    sa.Column('codec', sa.Text(), nullable=True),
    sa.Column('channels', sa.SmallInteger(), nullable=True),
    sa.Column('sample_rate_hz', sa.Integer(), nullable=True),
    sa.Column('has_video', sa.Boolean(), nullable=True),
    sa.Column('fetched_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('flags', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('current_transcript_id', sa.Uuid(), nullable=True),
    sa.Column('archived_transcript_id', sa.Uuid(), nullable=True),
    sa.Column('archive_key', sa.Text(), nullable=True),
    sa.Column('archive_version_id', sa.Text(), nullable=True),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('intake_cleared_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('searchable_transcript_id', sa.Uuid(), nullable=True),
    sa.Column('searchable_at', sa.DateTime(timezone=True), nullable=True, comment='when its turns could first be found'),
    sa.Column('stage', sa.Text(), sa.Computed("CASE WHEN sha256 IS NULL THEN 'recordings' WHEN current_transcript_id IS NULL THEN 'transcripts' WHEN archived_transcript_id IS DISTINCT FROM current_transcript_id OR intake_cleared_at IS NULL THEN 'archive' WHEN searchable_transcript_id IS DISTINCT FROM current_transcript_id THEN 'search_documents' ELSE 'done' END", persisted=True), nullable=True, comment='the first result that is missing: which asset has work to do'),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=True, comment='the next attempt may start then'),
    sa.Column('gave_up_at', sa.DateTime(timezone=True), nullable=True, comment='nothing more is tried until somebody asks for it'),
    sa.Column('lease_owner', sa.Text(), nullable=True),
    sa.Column('lease_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claims', sa.Integer(), server_default=sa.text('0'), nullable=False, comment="how often a run took it: tells a dead run's work from fresh work"),
    sa.ForeignKeyConstraint(['consultation_id'], ['video_consultations.id'], name=op.f('fk_recordings_consultation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recordings')),
    sa.UniqueConstraint('egress_id', 'file_name', name=op.f('uq_recordings_egress_id_file_name'))
    )
    op.create_index(op.f('ix_recordings_consultation_id'), 'recordings', ['consultation_id'], unique=False)
    op.create_index('ix_recordings_open', 'recordings', ['stage', 'not_before'], unique=False, postgresql_where=sa.text("stage <> 'done' AND gave_up_at IS NULL"))
    op.create_table('webhook_events',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.Column('event_type', sa.Text(), nullable=False),
    sa.Column('room_sid', sa.Text(), nullable=True),
    sa.Column('room_name', sa.Text(), nullable=True),
    sa.Column('egress_id', sa.Text(), nullable=True),
    sa.Column('egress_status', sa.Text(), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True, comment="LiveKit's createdAt, in whole seconds"),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('applied_at', sa.DateTime(timezone=True), nullable=True, comment='NULL while the event waits for its room to become known'),
    sa.Column('consultation_id', sa.Uuid(), nullable=True),
    sa.Column('body', sa.Text(), nullable=False, comment="the request's body, byte for byte as it was signed"),
    sa.ForeignKeyConstraint(['consultation_id'], ['video_consultations.id'], name=op.f('fk_webhook_events_consultation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_events')),
    sa.UniqueConstraint('event_id', name=op.f('uq_webhook_events_event_id'))
    )
    op.create_index(op.f('ix_webhook_events_consultation_id'), 'webhook_events', ['consultation_id'], unique=False)
    op.create_index('ix_webhook_events_waiting', 'webhook_events', ['room_sid'], unique=False, postgresql_where=sa.text('applied_at IS NULL'))
    op.create_index('uq_webhook_events_egress_ending', 'webhook_events', ['egress_id', 'egress_status'], unique=True, postgresql_where=sa.text("event_type = 'egress_ended' AND egress_id IS NOT NULL"))
    op.create_table('failures',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('recording_id', sa.Uuid(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('gave_up', sa.Boolean(), nullable=False),
    sa.Column('run_id', sa.Text(), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('cleared_at', sa.DateTime(timezone=True), nullable=True, comment='when the stage succeeded after all, or somebody asked for a retry'),
    sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_failures_recording_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_failures'))
    )
    op.create_index(op.f('ix_failures_recording_id'), 'failures', ['recording_id'], unique=False)
    op.create_table('transcripts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('recording_id', sa.Uuid(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False, comment='hash of model and settings: what would change the text'),
    sa.Column('model', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=True),
    sa.Column('media_sha256', sa.Text(), nullable=False),
    sa.Column('speech_ms', sa.BigInteger(), nullable=False, comment='summed over channels'),
    sa.Column('word_count', sa.Integer(), nullable=False),
    sa.Column('turn_count', sa.Integer(), nullable=False),
    sa.Column('dropped_words', sa.Integer(), nullable=False, comment='recognised where nobody spoke, or repeated without end'),
    sa.Column('mean_confidence', sa.Float(), nullable=True),
    sa.Column('run_id', sa.Text(), nullable=True),
    sa.Column('document_sha256', sa.Text(), nullable=True, comment='of the JSON in the archive; NULL until it is there'),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_transcripts_recording_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_transcripts')),
    sa.UniqueConstraint('recording_id', 'fingerprint', name=op.f('uq_transcripts_recording_id_fingerprint'))
    )
    op.create_table('turns',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('transcript_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False, comment="0 for the transcript's first turn"),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('participant_sid', sa.Text(), nullable=True),
    sa.Column('channel', sa.SmallInteger(), nullable=True),
    sa.Column('start_ms', sa.BigInteger(), nullable=False),
    sa.Column('end_ms', sa.BigInteger(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('words', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='[text, start_ms, end_ms, confidence] each'),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('attribution', sa.Text(), nullable=False),
    sa.Column('attribution_confidence', sa.Float(), nullable=False),
    sa.CheckConstraint('end_ms >= start_ms', name=op.f('ck_turns_ends_after_start')),
    sa.ForeignKeyConstraint(['transcript_id'], ['transcripts.id'], name=op.f('fk_turns_transcript_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_turns')),
    sa.UniqueConstraint('transcript_id', 'position', name=op.f('uq_turns_transcript_id_position'))
    )
    op.create_foreign_key('fk_recordings_archived_transcript_id', 'recordings', 'transcripts', ['archived_transcript_id'], ['id'])
    op.create_foreign_key('fk_recordings_current_transcript_id', 'recordings', 'transcripts', ['current_transcript_id'], ['id'])
    op.create_foreign_key('fk_recordings_searchable_transcript_id', 'recordings', 'transcripts', ['searchable_transcript_id'], ['id'])


def downgrade() -> None:
    op.drop_constraint('fk_recordings_archived_transcript_id', 'recordings', type_='foreignkey')
    op.drop_constraint('fk_recordings_current_transcript_id', 'recordings', type_='foreignkey')
    op.drop_constraint('fk_recordings_searchable_transcript_id', 'recordings', type_='foreignkey')
    op.drop_table('turns')
    op.drop_table('transcripts')
    op.drop_index(op.f('ix_failures_recording_id'), table_name='failures')
    op.drop_table('failures')
    op.drop_index('uq_webhook_events_egress_ending', table_name='webhook_events', postgresql_where=sa.text("event_type = 'egress_ended' AND egress_id IS NOT NULL"))
    op.drop_index('ix_webhook_events_waiting', table_name='webhook_events', postgresql_where=sa.text('applied_at IS NULL'))
    op.drop_index(op.f('ix_webhook_events_consultation_id'), table_name='webhook_events')
    op.drop_table('webhook_events')
    op.drop_index('ix_recordings_open', table_name='recordings', postgresql_where=sa.text("stage <> 'done' AND gave_up_at IS NULL"))
    op.drop_index(op.f('ix_recordings_consultation_id'), table_name='recordings')
    op.drop_table('recordings')
    op.drop_index(op.f('ix_participants_consultation_id'), table_name='participants')
    op.drop_table('participants')
    op.drop_index(op.f('ix_video_consultations_started_at'), table_name='video_consultations')
    op.drop_index(op.f('ix_video_consultations_ended_at'), table_name='video_consultations')
    op.drop_table('video_consultations')
    op.drop_table('quotes')
    op.drop_table('claims')
    op.drop_table('users')
    op.drop_table('search_versions')
    op.drop_index('ix_search_documents_tsv', table_name='search_documents', postgresql_using='gin')
    op.drop_index('ix_search_documents_order', table_name='search_documents')
    op.drop_index(op.f('ix_search_documents_consultation_id'), table_name='search_documents')
    op.drop_table('search_documents')
    op.drop_table('partners')
    op.execute(sa.schema.DropSequence(sa.Sequence('publication_versions')))
    op.execute("DROP TEXT SEARCH CONFIGURATION verbatim")
    op.execute("DROP TEXT SEARCH DICTIONARY verbatim_stem")
