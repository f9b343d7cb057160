"""What was said, and may not be kept, leaves the store: words, the redacted copies of them, and quotes of them.

Objects of the archive and the intake are removed by assets.archive; what may not be kept is decided in domain.quarantine and domain.redaction.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, update

from domain.rules.intervals import touches
from domain.rules.shapes import Interval
from resources.compliance_tables import findings, redacted_turns, redaction_runs, redactions, review_items
from resources.store import work
from resources.store.media import Recording, append
from resources.tables import recordings, transcripts, turns


def hide_in_older(
    connection: Connection,
    transcript_id: UUID,
    redaction_id: UUID,
    position: int,
    shown: Mapping[str, Any],
    words: Sequence[tuple[int, int]],
) -> None:
    """Card data that an older redaction of this transcript had missed: its copy of the turn becomes the new one, and quotes of the words go.

    ``shown``: the turn's row of redacted_turns. ``words``: first and last of each stretch of card data.
    """
    older = select(redaction_runs.c.id).where(redaction_runs.c.transcript_id == transcript_id, redaction_runs.c.id != redaction_id)
    here = redacted_turns.c.redaction_id.in_(older) & (redacted_turns.c.position == position)
    connection.execute(update(redacted_turns).where(here).values(**shown))
    turn = select(turns.c.id).where(turns.c.transcript_id == transcript_id, turns.c.position == position)
    for first, last in words:
        over = (findings.c.first_word <= last) & (findings.c.last_word >= first)
        connection.execute(update(findings).where(findings.c.turn_id.in_(turn), over).values(quote=None))


def forget_words(connection: Connection, recording: Recording, owner: str, lost: Sequence[Interval]) -> None:
    """What was said in these stretches of the recording, if only in part, is removed from its transcripts, and so is what refers to it.

    Turns behind it move up, for a turn's place in its transcript is how redactions name it. Raises LeaseLost.
    """
    work.hold(connection, recording.id, owner)
    for transcript_id in connection.execute(select(transcripts.c.id).where(transcripts.c.recording_id == recording.id)).scalars().all():
        mine = turns.c.transcript_id == transcript_id
        rows = connection.execute(
            select(turns.c.id, turns.c.position, turns.c.start_ms, turns.c.end_ms).where(mine).order_by(turns.c.position)
        ).all()
        gone = [row for row in rows if touches(lost, row.start_ms, row.end_ms)]
        if not gone:
            continue
        runs = select(redaction_runs.c.id).where(redaction_runs.c.transcript_id == transcript_id)
        for table in (redactions, redacted_turns):
            here = table.c.redaction_id.in_(runs) & table.c.position.in_([row.position for row in gone])
            connection.execute(delete(table).where(here))
        connection.execute(update(findings).where(findings.c.turn_id.in_([row.id for row in gone])).values(quote=None))
        connection.execute(delete(turns).where(turns.c.id.in_([row.id for row in gone])))
        forgotten = {row.id for row in gone}
        for place, row in enumerate(row for row in rows if row.id not in forgotten):
            if place != row.position:
                connection.execute(update(turns).where(turns.c.id == row.id).values(position=place))
                for table in (redactions, redacted_turns, review_items):
                    moved = table.c.redaction_id.in_(runs) & (table.c.position == row.position)
                    connection.execute(update(table).where(moved).values(position=place))


def save_destroyed(connection: Connection, recording: Recording, owner: str, policy_version: str, why: str) -> None:
    """Nothing of its sound is left; what was said in it is removed here. Raises LeaseLost."""
    work.hold(connection, recording.id, owner)
    mine = select(transcripts.c.id).where(transcripts.c.recording_id == recording.id)
    connection.execute(delete(turns).where(turns.c.transcript_id.in_(mine)))
    of_it = select(redaction_runs.c.id).where(redaction_runs.c.recording_id == recording.id)
    connection.execute(delete(redacted_turns).where(redacted_turns.c.redaction_id.in_(of_it)))
    connection.execute(update(findings).where(findings.c.recording_id == recording.id).values(quote=None))
    gone = {"destroyed_at": func.now(), "intake_cleared_at": func.coalesce(recordings.c.intake_cleared_at, func.now())}
    connection.execute(update(recordings).where(recordings.c.id == recording.id).values(**gone))
    details = (("upload_sha256", recording.sha256), ("kept_sha256", recording.kept_sha256), ("policy", policy_version), ("consent", why))
    append(connection, recording, "recording.destroy", details)
