"""The tables of handing customers over to agents: the queue, who is on duty, and every change of the queue, numbered."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from resources.tables import Moment, metadata

STATES = "('waiting', 'offered', 'accepted', 'callback', 'cancelled')"
OPEN = "state IN ('waiting', 'offered')"

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("consultation_id", Uuid, ForeignKey("video_consultations.id"), nullable=False),
    Column("reason", Text, CheckConstraint("reason IN ('requested', 'complex', 'frustration')", name="reason"), nullable=False),
    Column("summary", Text, comment="the assistant's, for the agent who accepts"),
    Column("requested_by", Text, nullable=False, comment="opaque id of the caller who asked for it"),
    Column("since", Moment, nullable=False),
    Column("state", Text, CheckConstraint(f"state IN {STATES}", name="state"), nullable=False),
    Column("agent", Text, comment="who is being asked, or has accepted"),
    Column("offered_until", Moment),
    Column("over_at", Moment, comment="when it was accepted, cancelled or turned into a callback"),
    Column("callback_start", Moment),
    Column("callback_end", Moment),
    Column("passes", JSONB, nullable=False, server_default=text("'[]'"), comment="[agent, when] of each who declined or did not answer"),
    CheckConstraint("(state = 'callback') = (callback_start IS NOT NULL AND callback_end IS NOT NULL)", name="callback_has_a_window"),
    CheckConstraint("(state = 'offered') = (offered_until IS NOT NULL)", name="offer_has_an_end"),
    Index("uq_handoffs_one_open", "consultation_id", unique=True, postgresql_where=text(OPEN)),
    Index("ix_handoffs_queue", "since", "id", postgresql_where=text(OPEN)),
    Index("ix_handoffs_callbacks", "callback_start", "id", postgresql_where=text("state = 'callback'")),
    Index(None, "consultation_id"),
)

agents_on_duty = Table(
    "agents_on_duty",
    metadata,
    Column("agent", Text, primary_key=True, comment="opaque id, as in users"),
    Column("status", Text, CheckConstraint("status IN ('available', 'busy', 'away')", name="status"), nullable=False),
    Column("available_since", Moment, nullable=False),
    Column("heartbeat_at", Moment, nullable=False),
)

handoff_changes = Table(
    "handoff_changes",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="counts without gaps, in the order of commits"),
    Column("at", Moment, nullable=False),
    Column("handoff_id", Uuid, ForeignKey("handoffs.id"), nullable=False),
    Column("entry", JSONB, nullable=False, comment="the handoff as the queue shows it from then on"),
    Index(None, "at"),
)
"""What dashboards are told. Older than a day it is removed: who was away longer asks for the whole queue."""
