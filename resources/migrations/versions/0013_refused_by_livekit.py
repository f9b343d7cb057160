"""What LiveKit would not record is told apart from what a party refused."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_WAS = "LiveKit's status of the egress at its end; refused, unanswered or lost where LiveKit knows of none"
_IS = "LiveKit's status of the egress at its end; livekit_refused, unanswered or lost where LiveKit knows of none"


def upgrade() -> None:
    _rename("refused", "livekit_refused")
    op.alter_column("recording_orders", "ended_as", existing_type=sa.Text(), existing_nullable=True, comment=_IS, existing_comment=_WAS)


def downgrade() -> None:
    _rename("livekit_refused", "refused")
    op.alter_column("recording_orders", "ended_as", existing_type=sa.Text(), existing_nullable=True, comment=_WAS, existing_comment=_IS)


def _rename(before: str, after: str) -> None:
    """A reason is one such word, or a list of them, each with the part that it is of."""
    op.execute(f"UPDATE recording_orders SET ended_as = '{after}' WHERE ended_as = '{before}'")
    word = rf"\m{before}\M"
    renamed = f"regexp_replace(recording_reason, '{word}', '{after}', 'g')"
    op.execute(f"UPDATE video_consultations SET recording_reason = {renamed} WHERE recording_reason ~ '{word}'")
