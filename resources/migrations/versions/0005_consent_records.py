"""Who consented to be recorded: records that are only ever added, also by the owner of the database."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "consent_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False, comment="identity of whoever consented or did not"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("jurisdiction", sa.Text(), nullable=True, comment="ISO 3166-2 code of where the party was; NULL: nobody knows"),
        sa.Column("jurisdiction_evidence", sa.Text(), nullable=True, comment="how that is known"),
        sa.Column("script_version", sa.Text(), nullable=False, comment="which words the party was asked with"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="opaque id of the caller who recorded it"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("table_version", sa.Text(), nullable=False, comment="of the table of jurisdictions that counted"),
        sa.CheckConstraint(
            "role IN ('customer', 'agent', 'assistant', 'partner', 'admin', 'unknown')", name=op.f("ck_consent_records_role")
        ),
        sa.CheckConstraint(
            "outcome IN ('granted', 'implied', 'declined', 'revoked', 'not_required', 'unknown')", name=op.f("ck_consent_records_outcome")
        ),
        sa.CheckConstraint("method IN ('spoken', 'click', 'prior')", name=op.f("ck_consent_records_method")),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["video_consultations.id"], name=op.f("fk_consent_records_consultation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_records")),
    )
    op.create_index(op.f("ix_consent_records_consultation_id_at"), "consent_records", ["consultation_id", "at"])
    op.execute("REVOKE UPDATE, DELETE ON consent_records FROM verbatim_app")


def downgrade() -> None:
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM consent_records) THEN
                RAISE EXCEPTION 'there are consent records, which no downgrade throws away: restore a backup instead';
            END IF;
        END $$""")
    op.drop_table("consent_records")
