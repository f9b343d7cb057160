"""What of a call is withheld though the rest is published, by whom that was decided, and on which law and people a verdict rests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("evaluations", sa.Column("withheld", JSONB(), nullable=True, comment="[start_ms, end_ms] each: a refusal stood, so nothing of it is found, heard or quoted"))
    # Of what was judged before: behind the withdrawal nothing was shown. What was recorded in a refusal that was taken back later was, until now.
    op.execute(
        "UPDATE evaluations SET withheld = CASE WHEN publication = 'cut' AND withdrawn_at_ms IS NOT NULL"
        " THEN recorded_after || jsonb_build_array(jsonb_build_array(withdrawn_at_ms, NULL)) ELSE recorded_after END"
    )
    op.alter_column("evaluations", "withheld", nullable=False)
    # The next run takes it out of search and silences it.
    op.execute(
        "UPDATE recordings SET judged_redaction_id = NULL, claims = claims + 1 WHERE judged_redaction_id IS NOT NULL AND destroyed_at IS NULL"
        " AND consultation_id IN (SELECT consultation_id FROM evaluations WHERE publication = 'published' AND recorded_after <> '[]')"
    )
    op.add_column("evaluations", sa.Column("jurisdictions", sa.Text(), nullable=True, comment="the version of the table that said who had to consent; NULL: not written down"))
    op.add_column("evaluations", sa.Column("people", sa.Text(), nullable=True, comment="a digest of who was in the call, as whom and where; NULL: not written down"))
    op.add_column("evaluations", sa.Column("decided_by", sa.Text(), nullable=True, comment="who decided whether it is published: the rules, or a person who overturned what they made of its consent"))
    op.execute(
        "UPDATE evaluations SET decided_by = CASE WHEN EXISTS (SELECT FROM findings f WHERE f.evaluation_id = evaluations.id"
        " AND f.rule_id = 'recording_consent' AND f.overturned) THEN 'review' ELSE 'rules' END"
    )
    op.alter_column("evaluations", "decided_by", nullable=False)
    op.create_check_constraint(op.f("ck_evaluations_decided_by"), "evaluations", "decided_by IN ('rules', 'review')")
    op.add_column("recordings", sa.Column("lost", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False, comment="[start_ms, end_ms] each, of the recording: silent in that copy for want of consent"))
    op.execute("UPDATE recordings SET lost = jsonb_build_array(jsonb_build_array(kept_until_ms, NULL)) WHERE kept_until_ms IS NOT NULL")
    op.drop_column("recordings", "kept_until_ms")


def downgrade() -> None:
    op.add_column("recordings", sa.Column("kept_until_ms", sa.BigInteger(), nullable=True, comment="of the recording: from there on that copy is silent; NULL: up to its end"))
    op.execute("UPDATE recordings SET kept_until_ms = (SELECT min((one->>0)::bigint) FROM jsonb_array_elements(lost) one WHERE one->>1 IS NULL)")
    op.drop_column("recordings", "lost")
    for name in ("withheld", "jurisdictions", "people", "decided_by"):
        op.drop_column("evaluations", name)
