"""The store's tables, as SQLAlchemy Core sees them. Alembic's migrations are the truth of how they came to be; `alembic check` compares the two.

Those of live calls and of the audit trail are in resources.live_tables, the search index's own in resources.search.tables. All times are
timestamptz in UTC, ids are opaque.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Moment = DateTime(timezone=True)

PARTIES = "('customer', 'agent', 'assistant', 'partner', 'admin', 'unknown')"

RECORDING_STATES = "('in_progress', 'recorded', 'failed', 'refused', 'not_expected')"


def created() -> "Column[object]":
    return Column("created_at", Moment, nullable=False, server_default=func.now())


users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("role", Text, CheckConstraint(f"role IN {PARTIES}", name="role"), nullable=False),
    Column("display_name", Text),
    created(),
)

partners = Table("partners", metadata, Column("id", Uuid, primary_key=True), Column("name", Text), created())

quotes = Table("quotes", metadata, Column("id", Uuid, primary_key=True), Column("customer_id", Uuid, ForeignKey("users.id")), created())

claims = Table("claims", metadata, Column("id", Uuid, primary_key=True), Column("customer_id", Uuid, ForeignKey("users.id")), created())

consultations = Table(
    "video_consultations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("users.id")),
    Column("agent_id", Uuid, ForeignKey("users.id")),
    Column("partner_id", Uuid, ForeignKey("partners.id")),
    Column("room_name", Text, nullable=False, unique=True),
    Column("room_sid", Text, unique=True, comment="LiveKit's id of the room session; NULL until LiveKit has opened it"),
    Column(
        "consultation_type",
        Text,
        CheckConstraint("consultation_type IN ('quote', 'claims', 'support', 'training')", name="consultation_type"),
        nullable=False,
    ),
    Column("quote_id", Uuid, ForeignKey("quotes.id")),
    Column("claim_id", Uuid, ForeignKey("claims.id")),
    Column("ai_handled", Boolean, nullable=False, server_default=text("false")),
    Column("escalated_to_human", Boolean, nullable=False, server_default=text("false")),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    # LiveKit states the end in whole seconds, so a call of less than one can seem to end before it began.
    Column("duration_seconds", Integer, Computed("GREATEST(0, EXTRACT(EPOCH FROM ended_at - started_at))::integer", persisted=True)),
    Column("recording_url", Text),
    Column("transcript", Text),
    Column("ai_summary", Text),
    Column("agent_notes", Text),
    Column("customer_rating", SmallInteger, CheckConstraint("customer_rating BETWEEN 1 AND 5", name="customer_rating")),
    Column(
        "jurisdictions",
        JSONB,
        CheckConstraint("jsonb_typeof(jurisdictions) = 'object'", name="jurisdictions"),
        nullable=False,
        server_default=text("'{}'"),
        comment='party -> ISO 3166-2 code of where that party is, such as {"customer": "US-CA"}',
    ),
    Column("archived", Boolean, nullable=False, server_default=text("false"), comment="soft delete: hidden from lists, kept as evidence"),
    Column(
        "recording_driven",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="its recordings are started and stopped from here",
    ),
    Column("recording_state", Text, CheckConstraint(f"recording_state IN {RECORDING_STATES}", name="recording_state")),
    Column("recording_reason", Text, comment="why it failed, or was not expected"),
    Column("recording_decided_at", Moment, comment="when the state was last found to be another one"),
    created(),
    Index(None, "started_at"),
    Index(None, "ended_at"),
    Index(None, "created_at", "id"),
    Index(None, "customer_id", "created_at", "id"),
    Index(None, "agent_id", "created_at", "id"),
    Index("ix_video_consultations_undecided", "ended_at", postgresql_where=text("recording_state IS DISTINCT FROM 'recorded'")),
    Index("ix_video_consultations_driven", "id", postgresql_where=text("recording_driven AND ended_at IS NULL")),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("event_type", Text, nullable=False),
    Column("room_sid", Text),
    Column("room_name", Text),
    Column("egress_id", Text),
    Column("egress_status", Text),
    Column("sent_at", Moment, comment="LiveKit's createdAt, in whole seconds"),
    Column("received_at", Moment, nullable=False, server_default=func.now()),
    Column("applied_at", Moment, comment="NULL while the event waits for its room to become known"),
    Column("consultation_id", Uuid, ForeignKey("video_consultations.id")),
    Column("body", Text, nullable=False, comment="the request's body, byte for byte as it was signed"),
    Index(
        "uq_webhook_events_egress_ending",
        "egress_id",
        "egress_status",
        unique=True,
        postgresql_where=text("event_type = 'egress_ended' AND egress_id IS NOT NULL"),
    ),
    Index("ix_webhook_events_waiting", "room_sid", postgresql_where=text("applied_at IS NULL")),
    Index(None, "consultation_id"),
)

participants = Table(
    "participants",
    metadata,
    Column("sid", Text, primary_key=True, comment="LiveKit's participant SID: a new one for every time somebody joins"),
    Column("consultation_id", Uuid, ForeignKey("video_consultations.id"), nullable=False, index=True),
    Column("identity", Text, nullable=False),
    Column("role", Text, CheckConstraint(f"role IN {PARTIES}", name="role"), nullable=False),
    Column("joined_at", Moment),
    Column("left_at", Moment),
    Column("microphone_at", Moment, comment="when an audio track of theirs was first published"),
    Column("audio_tracks", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="SIDs of the audio tracks they published"),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("consultation_id", Uuid, ForeignKey("video_consultations.id"), nullable=False, index=True),
    Column("egress_id", Text, nullable=False, comment="LiveKit's egress id, or import:<sha256> for an imported file"),
    Column("file_name", Text, nullable=False, server_default=text("''"), comment="as egress reported it; empty when it wrote none"),
    Column("egress_status", Text, nullable=False),
    Column("layout", JSONB, nullable=False, server_default=text("'{}'"), comment="what egress was asked to put on which channel"),
    Column("location", Text, nullable=False, server_default=text("''"), comment="the URL that egress reported"),
    Column("intake_key", Text),
    Column("started_at", Moment, comment="of the file's first sample"),
    Column("ended_at", Moment),
    Column("announced_bytes", BigInteger),
    Column("announced_duration_ms", BigInteger),
    Column("announced_at", Moment, nullable=False, server_default=func.now(), comment="when egress_ended reached us"),
    Column("sha256", Text, CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256")),
    Column("size_bytes", BigInteger),
    Column("duration_ms", BigInteger),
    Column("container", Text),
    Column("codec", Text),
    Column("channels", SmallInteger),
    Column("sample_rate_hz", Integer),
    Column("has_video", Boolean),
    Column("fetched_at", Moment),
    Column("flags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("current_transcript_id", Uuid, ForeignKey("transcripts.id", use_alter=True)),
    Column("archived_transcript_id", Uuid, ForeignKey("transcripts.id", use_alter=True)),
    Column("archive_key", Text),
    Column("archive_version_id", Text),
    Column("archived_at", Moment),
    Column("intake_cleared_at", Moment),
    Column("searchable_transcript_id", Uuid, ForeignKey("transcripts.id", use_alter=True)),
    Column("searchable_at", Moment, comment="when its turns could first be found"),
    Column("redaction_id", Uuid, ForeignKey("redaction_runs.id", use_alter=True), comment="the one that counts for the current transcript"),
    Column("redacted_transcript_id", Uuid, ForeignKey("transcripts.id", use_alter=True), comment="for which redaction_id was made"),
    Column("judged_redaction_id", Uuid, ForeignKey("redaction_runs.id", use_alter=True)),
    Column("evaluation_id", Uuid, ForeignKey("evaluations.id", use_alter=True), comment="the call's newest in which it was judged"),
    Column("archived_evaluation_id", Uuid, ForeignKey("evaluations.id", use_alter=True), comment="for which its rendition was made"),
    Column("published_evaluation_id", Uuid, ForeignKey("evaluations.id", use_alter=True), comment="by which it is, or is not, in search"),
    Column("kept_sha256", Text, CheckConstraint("kept_sha256 ~ '^[0-9a-f]{64}$'", name="kept_sha256"), comment="of the archive's copy"),
    Column(
        "kept_redaction_id", Uuid, ForeignKey("redaction_runs.id", use_alter=True), comment="by which card data in that copy was silenced"
    ),
    Column(
        "lost",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="[start_ms, end_ms] each, of the recording: silent in that copy for want of consent",
    ),
    Column("rendition_key", Text, comment="the redacted rendition; NULL where the archive's copy needs none"),
    Column("rendition_sha256", Text),
    Column("destroyed_at", Moment, comment="as the policy for calls without consent says"),
    Column(
        "stage",
        Text,
        Computed(
            "CASE WHEN destroyed_at IS NOT NULL THEN 'done'"
            " WHEN sha256 IS NULL THEN 'recordings'"
            " WHEN current_transcript_id IS NULL THEN 'transcripts'"
            " WHEN redacted_transcript_id IS DISTINCT FROM current_transcript_id THEN 'redactions'"
            " WHEN judged_redaction_id IS DISTINCT FROM redaction_id THEN 'findings'"
            " WHEN archived_transcript_id IS DISTINCT FROM current_transcript_id OR archived_evaluation_id IS DISTINCT FROM evaluation_id"
            " OR intake_cleared_at IS NULL THEN 'archive'"
            " WHEN published_evaluation_id IS DISTINCT FROM evaluation_id THEN 'search_documents'"
            " ELSE 'done' END",
            persisted=True,
        ),
        comment="the first result that is missing: which asset has work to do",
    ),
    Column("not_before", Moment, comment="the next attempt may start then"),
    Column("gave_up_at", Moment, comment="nothing more is tried until somebody asks for it"),
    Column("lease_owner", Text),
    Column("lease_expires_at", Moment),
    Column(
        "claims",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="how often a run took it: tells a dead run's work from fresh work",
    ),
    UniqueConstraint("egress_id", "file_name"),
    Index("ix_recordings_given_up", "gave_up_at", "consultation_id", postgresql_where=text("gave_up_at IS NOT NULL")),
    Index("ix_recordings_open", "stage", "not_before", postgresql_where=text("stage <> 'done' AND gave_up_at IS NULL")),
)

transcripts = Table(
    "transcripts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("recording_id", Uuid, ForeignKey("recordings.id"), nullable=False),
    Column("fingerprint", Text, nullable=False, comment="hash of model and settings: what would change the text"),
    Column("model", Text, nullable=False),
    Column("language", Text),
    Column("media_sha256", Text, nullable=False),
    Column("speech_ms", BigInteger, nullable=False, comment="summed over channels"),
    Column("word_count", Integer, nullable=False),
    Column("turn_count", Integer, nullable=False),
    Column("dropped_words", Integer, nullable=False, comment="recognised where nobody spoke, or repeated without end"),
    Column("mean_confidence", Float),
    Column(
        "wordless", JSONB, nullable=False, server_default=text("'[]'"), comment="[start_ms, end_ms] each: speech of which no words came"
    ),
    Column("run_id", Text),
    Column("document_sha256", Text, comment="of the JSON in the archive; NULL until it is there"),
    Column("superseded_at", Moment),
    created(),
    UniqueConstraint("recording_id", "fingerprint"),
)

turns = Table(
    "turns",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("transcript_id", Uuid, ForeignKey("transcripts.id"), nullable=False),
    Column("position", Integer, nullable=False, comment="0 for the transcript's first turn"),
    Column("role", Text, CheckConstraint(f"role IN {PARTIES}", name="role"), nullable=False),
    Column("participant_sid", Text),
    Column("channel", SmallInteger),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("words", JSONB, nullable=False, comment="[text, start_ms, end_ms, confidence] each"),
    Column("confidence", Float, nullable=False),
    Column("attribution", Text, nullable=False),
    Column("attribution_confidence", Float, nullable=False),
    UniqueConstraint("transcript_id", "position"),
    CheckConstraint("end_ms >= start_ms", name="ends_after_start"),
)

failures = Table(
    "failures",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("recording_id", Uuid, ForeignKey("recordings.id"), nullable=False, index=True),
    Column("stage", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("gave_up", Boolean, nullable=False),
    Column("run_id", Text),
    Column("occurred_at", Moment, nullable=False, server_default=func.now()),
    Column("cleared_at", Moment, comment="when the stage succeeded after all, or somebody asked for a retry"),
)

publication_versions = Sequence("publication_versions", metadata=metadata)
"""Numbers what is published to search, so that a late older write never replaces a newer one."""
