"""What of a consultation goes to search: the redacted turns of its archived transcripts, as far as consent goes. Finding them: resources.search.

Consent is a gate: it is read here, in the transaction that publishes, and not taken from whoever asks for publication.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, and_, func, select, update

from domain.consultations import spoken_line
from domain.failures import Reason, RecordingError
from domain.parties import Party
from domain.rules.intervals import touches
from domain.rules.shapes import Publication
from resources.compliance_tables import redacted_turns, redaction_runs
from resources.search import Document
from resources.store import evaluations
from resources.store.call_times import call_start, offset_ms
from resources.tables import consultations, publication_versions, recordings, turns


@dataclass(frozen=True, slots=True)
class Allowed:
    """``documents`` is empty where nothing may be found. ``sources``: recording -> transcript, also those without turns. ``evaluation_id``:
    whose verdict this is."""

    evaluation_id: UUID
    publication: Publication
    documents: tuple[Document, ...]
    sources: tuple[tuple[UUID, UUID], ...]


def lock(connection: Connection, consultation_id: UUID) -> int:
    """Hold the consultation until the transaction ends and return this publication's number: later ones have higher numbers."""
    connection.execute(select(consultations.c.id).where(consultations.c.id == consultation_id).with_for_update())
    return int(connection.execute(select(func.nextval(publication_versions.name))).scalar_one())


def allowed(connection: Connection, consultation_id: UUID) -> Allowed | None:
    """What may be found of it by its newest evaluation; None before the first. Raises RecordingError where card data is left in it."""
    evaluation = evaluations.newest(connection, consultation_id)
    if evaluation is None:
        return None
    publication = Publication(evaluation["publication"])
    withheld = evaluations.withheld(evaluation)
    media = connection.execute(
        select(
            recordings.c.id,
            recordings.c.archived_transcript_id,
            recordings.c.redaction_id,
            recordings.c.started_at,
            recordings.c.announced_at,
            redaction_runs.c.card_data_left,
            consultations.c.consultation_type,
            consultations.c.started_at.label("call_started_at"),
        )
        .select_from(recordings.join(consultations).join(redaction_runs, redaction_runs.c.id == recordings.c.redaction_id))
        .where(recordings.c.evaluation_id == evaluation["id"], recordings.c.archived_evaluation_id == evaluation["id"])
        .order_by(recordings.c.started_at.nulls_last(), recordings.c.id)
    ).all()
    if publication is not Publication.QUARANTINED and any(one.card_data_left for one in media):
        raise RecordingError(Reason.CARD_DATA_LEFT, "what would be published still has what looks like card data; nothing of the call is")
    found: list[Document] = []
    for source in media if publication is not Publication.QUARANTINED else ():
        begin = call_start(source.call_started_at, source.started_at, source.announced_at)
        offset = offset_ms(source.started_at, begin)
        redacted = and_(redacted_turns.c.redaction_id == source.redaction_id, redacted_turns.c.position == turns.c.position)
        said = connection.execute(
            select(
                turns.c.id, turns.c.role, turns.c.start_ms, turns.c.end_ms, func.coalesce(redacted_turns.c.text, turns.c.text).label("text")
            )
            .select_from(turns.outerjoin(redacted_turns, redacted))
            .where(turns.c.transcript_id == source.archived_transcript_id)
            .order_by(turns.c.position)
        )
        found += [
            Document(
                turn_id=turn.id,
                consultation_id=consultation_id,
                recording_id=source.id,
                transcript_id=source.archived_transcript_id,
                consultation_type=source.consultation_type,
                speaker=Party(turn.role),
                call_started_at=begin,
                start_ms=turn.start_ms + offset,
                end_ms=turn.end_ms + offset,
                text=turn.text,
            )
            for turn in said
            if not touches(withheld, turn.start_ms + offset, turn.end_ms + offset)
        ]
    return Allowed(evaluation["id"], publication, tuple(found), tuple((one.id, one.archived_transcript_id) for one in media))


def save_published(connection: Connection, consultation_id: UUID, what: Allowed) -> None:
    """What is found from the commit of this transaction on; the first time is kept. The consultation's own transcript is the same."""
    open_ = what.publication is not Publication.QUARANTINED
    for recording_id, transcript_id in what.sources:
        values = {
            "published_evaluation_id": what.evaluation_id,
            "searchable_transcript_id": transcript_id if open_ else None,
            "searchable_at": func.coalesce(recordings.c.searchable_at, func.clock_timestamp()) if open_ else recordings.c.searchable_at,
        }
        connection.execute(update(recordings).where(recordings.c.id == recording_id).values(**values))
    ordered = sorted(what.documents, key=lambda document: (document.start_ms, document.turn_id))
    text = "\n".join(spoken_line(document.start_ms, document.speaker.value, document.text) for document in ordered)
    connection.execute(update(consultations).where(consultations.c.id == consultation_id).values(transcript=text if open_ else None))


def withdraw(connection: Connection, consultation_id: UUID) -> None:
    """Nothing of it is found any more from the commit of this transaction on."""
    values = {"searchable_transcript_id": None, "published_evaluation_id": None}
    connection.execute(update(recordings).where(recordings.c.consultation_id == consultation_id).values(**values))
    connection.execute(update(consultations).where(consultations.c.id == consultation_id).values(transcript=None))
