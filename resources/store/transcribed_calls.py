"""A consultation as redaction reads it: the transcripts of all its recordings on one clock. Finding what is personal belongs elsewhere."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, and_, select

from domain.redaction.whole_call import Part, version_together
from domain.review import Place, version_with
from resources.store import redactions, reviews
from resources.store import transcripts as versions
from resources.store.call_times import call_start, offset_ms
from resources.tables import consultations, recordings

BEFORE_REDACTION = ("recordings", "transcripts")


@dataclass(frozen=True, slots=True)
class Transcribed:
    """One recording of the call. ``version``: of its redaction together with the others. ``made``: that redaction, where there is one;
    ``counts``: whether it is the recording's. ``spared``: its words that people found not to be personal."""

    recording_id: UUID
    transcript_id: UUID
    part: Part
    spared: frozenset[Place]
    version: str
    made: UUID | None
    counts: bool


def waits(connection: Connection, consultation_id: UUID) -> bool:
    """Whether a recording of the consultation is still on its way to being transcribed. One that was given up is not waited for."""
    coming = and_(recordings.c.stage.in_(BEFORE_REDACTION), recordings.c.gave_up_at.is_(None))
    query = select(recordings.c.id).where(recordings.c.consultation_id == consultation_id, coming).limit(1)
    return connection.execute(query).first() is not None


def load(connection: Connection, consultation_id: UUID, recognisers: str) -> tuple[Transcribed, ...]:
    """What is transcribed of the consultation so far, in the order in which it was recorded. ``recognisers``: their version."""
    began = connection.execute(select(consultations.c.started_at).where(consultations.c.id == consultation_id)).scalar_one()
    media = connection.execute(
        select(recordings)
        .where(
            recordings.c.consultation_id == consultation_id,
            recordings.c.current_transcript_id.is_not(None),
            recordings.c.destroyed_at.is_(None),
        )
        .order_by(recordings.c.started_at.nulls_last(), recordings.c.id)
    ).all()
    if not media:
        return ()
    begin = call_start(began, media[0].started_at, media[0].announced_at)
    offsets = {one.current_transcript_id: offset_ms(one.started_at, begin) for one in media}
    found = []
    for one in media:
        transcript_id = one.current_transcript_id
        spared = reviews.overturned_redactions(connection, transcript_id)
        others = ((other, offset) for other, offset in offsets.items() if other != transcript_id)
        version = version_together(version_with(recognisers, spared), offsets[transcript_id], others)
        made = redactions.made(connection, transcript_id, version)
        counts = made is not None and one.redaction_id == made and one.redacted_transcript_id == transcript_id
        part = Part(offsets[transcript_id], versions.spoken(connection, transcript_id))
        found.append(Transcribed(one.id, transcript_id, part, spared, version, made, counts))
    return tuple(found)
