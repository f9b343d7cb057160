"""The tables of redactions, findings and their review; those of recordings are in resources.tables, whose metadata they share.

No row holds what was said but ``redacted_turns``, in which what is personal is replaced.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from resources.live_tables import OUTCOMES
from resources.tables import Moment, created, metadata

KINDS = "('card_number', 'security_code', 'expiry_date', 'ssn', 'bank_account', 'email', 'phone', 'date_of_birth', 'custom')"
PUBLICATIONS = "('published', 'cut', 'quarantined')"

redaction_runs = Table(
    "redaction_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("recording_id", Uuid, ForeignKey("recordings.id"), nullable=False, index=True),
    Column("transcript_id", Uuid, ForeignKey("transcripts.id"), nullable=False),
    Column("version", Text, nullable=False, comment="of the recognisers and their terms: what would change the result"),
    Column("counts", JSONB, nullable=False, comment="kind -> number of values"),
    Column("card_data_left", Integer, nullable=False, comment="what a second look at the redacted turns still takes for card data"),
    Column("run_id", Text),
    created(),
    UniqueConstraint("transcript_id", "version"),
)
"""What was redacted in one transcript by one version of the recognisers."""

redactions = Table(
    "redactions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("redaction_id", Uuid, ForeignKey("redaction_runs.id"), nullable=False, index=True),
    Column("kind", Text, CheckConstraint(f"kind IN {KINDS}", name="kind"), nullable=False),
    Column("entity", Integer, nullable=False, comment="the same for all pieces of one value"),
    Column("position", Integer, nullable=False, comment="of the turn in the transcript"),
    Column("channel", SmallInteger),
    Column("first_word", Integer, nullable=False),
    Column("last_word", Integer, nullable=False),
    Column(
        "start_ms", BigInteger, comment="from the recording's first sample; NULL: the words' times cannot be used, the whole turn is muted"
    ),
    Column("end_ms", BigInteger),
    Column("confidence", Float, nullable=False),
    Column("recogniser", Text, nullable=False),
    CheckConstraint("last_word >= first_word", name="words_in_order"),
)

redacted_turns = Table(
    "redacted_turns",
    metadata,
    Column("redaction_id", Uuid, ForeignKey("redaction_runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("words", JSONB, nullable=False, comment="[text, start_ms, end_ms, confidence] each, placeholders where something was redacted"),
)
"""Turns in which something is redacted; the others are shown as they are."""

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("consultation_id", Uuid, ForeignKey("video_consultations.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="1 for the consultation's first evaluation"),
    Column("rules_version", Text, nullable=False),
    Column("redaction_ids", ARRAY(Uuid), nullable=False, comment="what was judged"),
    Column("consent", Text, CheckConstraint(f"consent IN {OUTCOMES}", name="consent"), nullable=False),
    Column("spoken", Text, CheckConstraint(f"spoken IN {OUTCOMES}", name="spoken"), nullable=False),
    Column("publication", Text, CheckConstraint(f"publication IN {PUBLICATIONS}", name="publication"), nullable=False),
    Column("withdrawn_at_ms", BigInteger, comment="from the call's start; what is later is not published"),
    Column("recorded_before", JSONB, nullable=False, comment="[start_ms, end_ms] each: recorded before consent was there"),
    Column("recorded_after", JSONB, nullable=False, comment="[start_ms, end_ms] each: recorded after it was refused or withdrawn"),
    Column(
        "withheld",
        JSONB,
        nullable=False,
        comment="[start_ms, end_ms] each: a refusal stood, so nothing of it is found, heard or quoted",
    ),
    Column("consent_records", Integer, nullable=False, comment="how many of the API's records there were"),
    Column("reviews", Integer, nullable=False, comment="how many verdicts a person had overturned"),
    Column("jurisdictions", Text, comment="the version of the table that said who had to consent; NULL: not written down"),
    Column("people", Text, comment="a digest of who was in the call, as whom and where; NULL: not written down"),
    Column(
        "decided_by",
        Text,
        CheckConstraint("decided_by IN ('rules', 'review')", name="decided_by"),
        nullable=False,
        comment="who decided whether it is published: the rules, or a person who overturned what they made of its consent",
    ),
    Column("changes", JSONB, nullable=False, comment="which verdicts differ from the evaluation before, and why"),
    Column("run_id", Text),
    created(),
    UniqueConstraint("consultation_id", "number"),
    Index(None, "created_at"),
)
"""Added, never changed: a later one counts."""

findings = Table(
    "findings",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("evaluation_id", Uuid, ForeignKey("evaluations.id"), nullable=False, index=True),
    Column("rule_id", Text, nullable=False),
    Column("rule_version", Text, nullable=False),
    Column("severity", Text, CheckConstraint("severity IN ('critical', 'major', 'minor', 'review')", name="severity"), nullable=False),
    Column("verdict", Text, CheckConstraint("verdict IN ('met', 'not_met', 'cannot_tell')", name="verdict"), nullable=False),
    Column("cause", Text),
    Column("confidence", Float, nullable=False),
    Column("recording_id", Uuid, ForeignKey("recordings.id")),
    Column("turn_id", BigInteger, comment="not a foreign key: a finding outlives what was said"),
    Column("first_word", Integer),
    Column("last_word", Integer),
    Column("start_ms", BigInteger, comment="from the call's start"),
    Column("end_ms", BigInteger),
    Column("quote", Text, comment="the redacted turn's words"),
    Column("overturned", Boolean, nullable=False, server_default=text("false"), comment="a person has decided that it is not so"),
)

review_items = Table(
    "review_items",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("consultation_id", Uuid, ForeignKey("video_consultations.id"), nullable=False),
    Column("about", Text, CheckConstraint("about IN ('finding', 'redaction')", name="about"), nullable=False),
    Column("what", Text, nullable=False, comment="the rule's id, or the kind of what was redacted"),
    Column("fingerprint", Text, nullable=False, comment="of what is to be decided: the same again is the same item"),
    Column("severity", Text, nullable=False),
    Column("finding_id", Uuid, ForeignKey("findings.id"), comment="the newest that asks this"),
    Column("redaction_id", Uuid, ForeignKey("redaction_runs.id")),
    Column("recording_id", Uuid, ForeignKey("recordings.id")),
    Column("position", Integer, comment="of the redaction's turn"),
    Column("entity", Integer, comment="of the redaction"),
    Column("start_ms", BigInteger, comment="from the call's start"),
    Column("end_ms", BigInteger),
    Column("state", Text, CheckConstraint("state IN ('open', 'claimed', 'escalated', 'closed', 'gone')", name="state"), nullable=False),
    Column("claimed_by", Text, comment="opaque id of the reviewer"),
    Column("claim_expires_at", Moment),
    Column("escalated_by", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="who left it to others, in order"),
    Column("decision", Text, CheckConstraint("decision IN ('confirmed', 'overturned')", name="decision")),
    Column(
        "corrected",
        Text,
        CheckConstraint("corrected IN ('met', 'not_met')", name="corrected"),
        comment="the verdict of whoever overturned a finding",
    ),
    Column("version", Integer, nullable=False, server_default=text("1"), comment="counts its changes"),
    Column("closed_at", Moment),
    created(),
    UniqueConstraint("consultation_id", "fingerprint"),
    Index("ix_review_items_waiting", "severity", "created_at", "id", postgresql_where=text("state IN ('open', 'claimed', 'escalated')")),
)

review_steps = Table(
    "review_steps",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("item_id", Uuid, ForeignKey("review_items.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("step", Text, nullable=False, comment="opened, claimed, released, confirmed, overturned, escalated, closed, gone"),
    Column("reason", Text),
)
"""What was done about an item: added, never changed."""
