"""Which recordings of a day fall short: of words for their speech, of redaction. For checks, which tell people."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from domain.coverage import covers, total_ms
from domain.media_checks import Flag
from resources.compliance_tables import redaction_runs
from resources.store.work import call_day
from resources.tables import consultations, recordings, transcripts

LENGTH = frozenset({Flag.MEDIA_SHORTER.value, Flag.MEDIA_LONGER.value})


def card_data_left(connection: Connection, day: date) -> Sequence[UUID]:
    """Recordings whose redacted turns still have what looks like card data."""
    query = (
        select(recordings.c.id)
        .select_from(recordings.join(consultations).join(redaction_runs, redaction_runs.c.id == recordings.c.redaction_id))
        .where(call_day == day, redaction_runs.c.card_data_left > 0)
        .order_by(recordings.c.id)
    )
    return connection.execute(query).scalars().all()


def uncovered(connection: Connection, day: date) -> Sequence[UUID]:
    """Recordings with speech of which no words came, or of another length than their call."""
    rows = connection.execute(
        select(recordings.c.id, recordings.c.flags, transcripts.c.wordless, transcripts.c.speech_ms)
        .select_from(recordings.join(consultations).join(transcripts, transcripts.c.id == recordings.c.current_transcript_id))
        .where(call_day == day)
        .order_by(recordings.c.id)
    )
    return [
        row.id
        for row in rows
        if LENGTH.intersection(row.flags) or not covers(total_ms([(start, end) for start, end in row.wordless]), row.speech_ms)
    ]
