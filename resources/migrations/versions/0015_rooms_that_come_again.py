"""Promised rooms are kept with the room in which their call was begun, so that another one of the name is known to be none of ours."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_GOING_ON = """
    INSERT INTO promised_rooms (room_name, promised_at, room_sid)
    SELECT room_name, created_at, room_sid FROM video_consultations
    WHERE recording_driven AND room_sid IS NOT NULL AND position('~' in room_name) = 0
    ON CONFLICT DO NOTHING"""
"""Of calls that were begun before, those are known to be ours whose recordings are."""


def upgrade() -> None:
    sid = "LiveKit's id of the room in which the call was begun: another of this name is no call"
    op.add_column("promised_rooms", sa.Column("room_sid", sa.Text(), nullable=True, comment=sid))
    again = "when another one was last heard of, until LiveKit has it no longer"
    op.add_column("promised_rooms", sa.Column("came_again_at", sa.DateTime(timezone=True), nullable=True, comment=again))
    op.drop_index("ix_promised_rooms_open", table_name="promised_rooms")
    _index("ix_promised_rooms_open", "promised_at", "closed_at IS NULL AND room_sid IS NULL")
    _index("ix_promised_rooms_came_again", "came_again_at", "came_again_at IS NOT NULL")
    op.execute(_GOING_ON)


def downgrade() -> None:
    op.execute("DELETE FROM promised_rooms WHERE room_sid IS NOT NULL")
    for name in ("ix_promised_rooms_came_again", "ix_promised_rooms_open"):
        op.drop_index(name, table_name="promised_rooms")
    op.drop_column("promised_rooms", "came_again_at")
    op.drop_column("promised_rooms", "room_sid")
    _index("ix_promised_rooms_open", "promised_at", "closed_at IS NULL")


def _index(name: str, column: str, where: str) -> None:
    op.create_index(name, "promised_rooms", [column], unique=False, postgresql_where=sa.text(where))
