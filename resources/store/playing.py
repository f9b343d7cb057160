"""Which object is played to whom: the redacted rendition, or what the archive keeps, as far as consent goes."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from domain.rules.shapes import Publication
from resources.compliance_tables import evaluations
from resources.tables import recordings


@dataclass(frozen=True, slots=True)
class Playable:
    """One object of the archive, of a recording's."""

    recording_id: UUID
    consultation_id: UUID
    key: str
    redacted: bool


def find(connection: Connection, recording_id: UUID, *, everything: bool, original: bool) -> Playable | None:
    """What may be played of a recording; None where nothing may, or nothing is there.

    ``everything``: also what is in quarantine. ``original``: what the archive keeps, in which card data alone is silenced.
    """
    row = connection.execute(
        select(
            recordings.c.consultation_id,
            recordings.c.archive_key,
            recordings.c.rendition_key,
            recordings.c.evaluation_id,
            recordings.c.archived_evaluation_id,
            recordings.c.destroyed_at,
            evaluations.c.publication,
        )
        .select_from(recordings.join(evaluations, evaluations.c.id == recordings.c.evaluation_id))
        .where(recordings.c.id == recording_id)
    ).first()
    if row is None or row.archive_key is None or row.destroyed_at is not None:
        return None
    if row.publication == Publication.QUARANTINED.value and not everything:
        return None
    if original:
        return Playable(recording_id, row.consultation_id, row.archive_key, redacted=False)
    if row.archived_evaluation_id != row.evaluation_id:
        return None  # its rendition is being made anew
    return Playable(recording_id, row.consultation_id, row.rendition_key or row.archive_key, redacted=True)
