"""The embedded search index: tables beside the store's. The text search configuration ``verbatim`` is made by the first migration."""

from sqlalchemy import BigInteger, Boolean, Column, Computed, DateTime, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import TSVECTOR

from resources.tables import metadata

search_documents = Table(
    "search_documents",
    metadata,
    Column("turn_id", BigInteger, primary_key=True, autoincrement=False),
    Column("consultation_id", Uuid, nullable=False, index=True),
    Column("recording_id", Uuid, nullable=False),
    Column("transcript_id", Uuid, nullable=False),
    Column("consultation_type", Text, nullable=False),
    Column("speaker", Text, nullable=False),
    Column("call_started_at", DateTime(timezone=True), nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("words", Text, nullable=False, comment="the text's tokens (domain.search.tokens) with spaces between them"),
    Column("tsv", TSVECTOR, Computed("to_tsvector('verbatim', words)", persisted=True), nullable=False),
    Index("ix_search_documents_tsv", "tsv", postgresql_using="gin"),
)
Index(
    "ix_search_documents_order",
    search_documents.c.call_started_at.desc(),
    search_documents.c.consultation_id,
    search_documents.c.start_ms,
    search_documents.c.turn_id,
)

search_versions = Table(
    "search_versions",
    metadata,
    Column("consultation_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("published", Boolean, nullable=False),
)
