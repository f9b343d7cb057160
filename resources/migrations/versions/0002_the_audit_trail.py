"""The audit trail, and the role of the application, which may add to the trail and do nothing else to it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

# A role belongs to the whole server, and another of its databases may have made it, just now even.
ROLE = """
    DO $$ BEGIN
        CREATE ROLE verbatim_app NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$"""
GRANTS = (
    "GRANT USAGE ON SCHEMA public TO verbatim_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO verbatim_app",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO verbatim_app",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO verbatim_app",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO verbatim_app",
    "REVOKE UPDATE, DELETE ON audit_entries FROM verbatim_app",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM verbatim_app",
)
# Whoever owns the table could still change it by a slip of the hand: that takes switching the trigger off first.
GUARD = (
    """
    CREATE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'entries of the audit trail are never changed or removed' USING ERRCODE = 'insufficient_privilege';
    END $$""",
    "CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries EXECUTE FUNCTION audit_entries_stay()",
)


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False, comment="counts from 1 without gaps"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="opaque id of who did it"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=True, comment="no foreign key: the entry outlives what it is about"),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=True, comment="address of the caller"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False, comment="hash of the entry before"),
        sa.Column("hash", sa.Text(), nullable=False, comment="SHA-256 of the entry's canonical JSON (RFC 8785), in hex"),
        sa.CheckConstraint("outcome IN ('done', 'refused', 'failed')", name=op.f("ck_audit_entries_outcome")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entries_hash")),
    )
    op.create_index(op.f("ix_audit_entries_actor_number"), "audit_entries", ["actor", "number"], unique=False)
    op.create_index(op.f("ix_audit_entries_consultation_id_number"), "audit_entries", ["consultation_id", "number"], unique=False)
    for statement in (ROLE, *GRANTS, *GUARD):
        op.execute(statement)


def downgrade() -> None:
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM audit_entries) THEN
                RAISE EXCEPTION 'the audit trail has entries, which no downgrade throws away: restore a backup instead';
            END IF;
        END $$""")
    op.drop_table("audit_entries")
    op.execute("DROP FUNCTION audit_entries_stay()")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM verbatim_app")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM verbatim_app")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM verbatim_app")
    op.execute("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM verbatim_app")
    op.execute("REVOKE ALL ON SCHEMA public FROM verbatim_app")
