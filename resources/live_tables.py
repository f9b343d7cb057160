"""The tables of live calls and of the audit trail; those of recordings are in resources.tables, whose metadata they share."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from resources.tables import PARTIES, Moment, created, metadata

OUTCOMES = "('granted', 'implied', 'declined', 'revoked', 'not_required', 'unknown')"
STOPS = "('refused', 'consent_missing', 'replaced', 'call_ended')"

consent_records = Table(
    "consent_records",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("consultation_id", Uuid, ForeignKey("video_consultations.id"), nullable=False),
    Column("party", Text, nullable=False, comment="identity of whoever consented or did not"),
    Column("role", Text, CheckConstraint(f"role IN {PARTIES}", name="role"), nullable=False),
    Column("outcome", Text, CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"), nullable=False),
    Column("method", Text, CheckConstraint("method IN ('spoken', 'click', 'prior')", name="method"), nullable=False),
    Column("jurisdiction", Text, comment="ISO 3166-2 code of where the party was; NULL: nobody knows"),
    Column("jurisdiction_evidence", Text, comment="how that is known"),
    Column("script_version", Text, nullable=False, comment="which words the party was asked with"),
    Column("recorded_by", Text, nullable=False, comment="opaque id of the caller who recorded it"),
    Column("at", Moment, nullable=False),
    Column("table_version", Text, nullable=False, comment="of the table of jurisdictions that counted"),
    Index(None, "consultation_id", "at"),
)
"""Records are added and never changed: what somebody said later is another record."""

recording_orders = Table(
    "recording_orders",
    metadata,
    Column("id", Uuid, primary_key=True, comment="also in the file's path, by which an egress that did not answer is known again"),
    Column("consultation_id", Uuid, ForeignKey("video_consultations.id"), nullable=False, index=True),
    Column("egress_id", Text, unique=True, comment="NULL until LiveKit has answered"),
    Column("layout", JSONB, nullable=False, comment="what egress was asked to put on which channel"),
    Column("ordered_at", Moment, nullable=False),
    Column("active_at", Moment, comment="from when it records"),
    Column("stop_ordered_at", Moment),
    Column("stop_because", Text, CheckConstraint(f"stop_because IN {STOPS}", name="stop_because")),
    Column("refused_at", Moment, comment="when a party refused, where that is why it was stopped: what it has of later is not to be kept"),
    Column("ended_at", Moment, comment="when it was over, or was known never to have begun"),
    Column(
        "ended_as",
        Text,
        comment="LiveKit's status of the egress at its end; livekit_refused, unanswered or lost where LiveKit knows of none",
    ),
    Index("ix_recording_orders_open", "consultation_id", postgresql_where=text("ended_at IS NULL")),
)
"""Recordings that were asked for here. What came of them is in recordings, by egress_id."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("actor", Text, primary_key=True),
    Column("key", Text, primary_key=True, comment="what the caller sent as Idempotency-Key"),
    Column("request_hash", Text, nullable=False, comment="SHA-256 of the request, so that one key does not stand for two"),
    Column("consultation_id", Uuid, nullable=False),
    Column("room_name", Text, nullable=False),
    created(),
)

caller_rates = Table(
    "caller_rates",
    metadata,
    Column("what", Text, primary_key=True, comment="which limit"),
    Column("caller", Text, primary_key=True, comment="opaque id of the caller"),
    Column("hits", ARRAY(Moment), nullable=False, comment="the latest that were let in, no more than the limit, oldest first"),
)

promised_rooms = Table(
    "promised_rooms",
    metadata,
    Column("room_name", Text, primary_key=True),
    Column("promised_at", Moment, nullable=False),
    Column("broken_at", Moment, comment="from when on no call begins in it any more"),
    Column("closed_at", Moment, comment="when LiveKit had it no longer"),
    Column("room_sid", Text, comment="LiveKit's id of the room in which the call was begun: another of this name is no call"),
    Column("came_again_at", Moment, comment="when another one was last heard of, until LiveKit has it no longer"),
    Index("ix_promised_rooms_open", "promised_at", postgresql_where=text("closed_at IS NULL AND room_sid IS NULL")),
    Index("ix_promised_rooms_came_again", "came_again_at", postgresql_where=text("came_again_at IS NOT NULL")),
)
"""Every room that LiveKit was asked for: what came of it, and whether the name has come again."""

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="counts from 1 without gaps"),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False, comment="opaque id of who did it"),
    Column("role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, CheckConstraint("outcome IN ('done', 'refused', 'failed')", name="outcome"), nullable=False),
    Column("consultation_id", Uuid, comment="no foreign key: the entry outlives what it is about"),
    Column("subject", Text),
    Column("origin", Text, comment="address of the caller"),
    Column("reason", Text),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    Column("previous", Text, nullable=False, comment="hash of the entry before"),
    Column("hash", Text, nullable=False, unique=True, comment="SHA-256 of the entry's canonical JSON (RFC 8785), in hex"),
    Index(None, "consultation_id", "number"),
    Index(None, "actor", "number"),
)
