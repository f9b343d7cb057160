"""The tables of trainings: what was scheduled, who was invited, what was shown. The session itself is a consultation of type training."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, SmallInteger, Table, Text, Uuid, text

from resources.tables import Moment, created, metadata

training_sessions = Table(
    "training_sessions",
    metadata,
    Column("consultation_id", Uuid, ForeignKey("video_consultations.id"), primary_key=True),
    Column("title", Text, nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("max_partners", SmallInteger, CheckConstraint("max_partners BETWEEN 1 AND 8", name="max_partners"), nullable=False),
    Column("disclosure_version", Text, nullable=False, comment="which words everybody is asked with before they enter"),
    Column("cancelled_at", Moment),
    created(),
    CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    Index(None, "starts_at", "consultation_id"),
)

training_invites = Table(
    "training_invites",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("consultation_id", Uuid, ForeignKey("training_sessions.consultation_id"), nullable=False),
    Column("partner_id", Uuid, ForeignKey("partners.id"), nullable=False),
    Column("trainer", Boolean, nullable=False, comment="this partner gives the training, and may share the screen"),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("entered_at", Moment, comment="when it first let somebody in"),
    created(),
    Index("uq_training_invites_one_each", "consultation_id", "partner_id", unique=True, postgresql_where=text("revoked_at IS NULL")),
)

training_materials = Table(
    "training_materials",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("consultation_id", Uuid, ForeignKey("training_sessions.consultation_id"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column(
        "sha256", Text, CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"), comment="of the file, so that it can be known again"
    ),
    Column("shared_at", Moment, nullable=False),
    Column("shared_by", Text, nullable=False, comment="opaque id of the caller who shared it"),
    Column("removed_at", Moment, comment="no longer shown; what was shared stays known"),
)
