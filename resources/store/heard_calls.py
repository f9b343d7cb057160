"""A consultation as rules judge it: its redacted transcripts, its consent records, and who had to consent. Judging belongs to domain.rules."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, Row, and_, select

from domain.consent import STAFF, ConsentOutcome, ConsentTable, Present
from domain.consultations import ConsultationType
from domain.parties import Party, one_spelling
from domain.redaction.kept import shown
from domain.redaction.shapes import Redaction
from domain.rules.consent.asked import asked
from domain.rules.shapes import ConsentTold, HeardCall, HeardTurn, Interval
from domain.transcripts import Attribution, Word
from resources.store import consents, redactions
from resources.store.call_times import call_start, offset_ms
from resources.tables import consultations, participants, recordings, transcripts, turns

BEFORE_JUDGING = ("recordings", "transcripts", "redactions")


@dataclass(frozen=True, slots=True)
class Heard:
    """``redactions``: recording -> the redaction that was read. ``shown``: turn -> its words as they may be shown.

    ``jurisdictions``: the version of the table by which it was known who had to consent; ``people``: a digest of who was there, as whom and where.
    """

    call: HeardCall
    redactions: Mapping[UUID, UUID]
    shown: Mapping[int, tuple[str, ...]]
    jurisdictions: str
    people: str


def waits(connection: Connection, consultation_id: UUID) -> bool:
    """Whether a recording of the consultation is still on its way to being redacted. One that was given up is not waited for."""
    coming = and_(recordings.c.stage.in_(BEFORE_JUDGING), recordings.c.gave_up_at.is_(None))
    return (
        connection.execute(select(recordings.c.id).where(recordings.c.consultation_id == consultation_id, coming).limit(1)).first()
        is not None
    )


def load(connection: Connection, consultation_id: UUID, table: ConsentTable) -> Heard:
    """What is redacted of the consultation so far."""
    call = connection.execute(select(consultations).where(consultations.c.id == consultation_id)).one()
    media = connection.execute(
        select(recordings, transcripts.c.wordless)
        .select_from(recordings.join(transcripts, transcripts.c.id == recordings.c.current_transcript_id))
        .where(
            recordings.c.consultation_id == consultation_id,
            recordings.c.redaction_id.is_not(None),
            recordings.c.destroyed_at.is_(None),
            recordings.c.redacted_transcript_id == recordings.c.current_transcript_id,
        )
        .order_by(recordings.c.started_at.nulls_last(), recordings.c.id)
    ).all()
    first = media[0] if media else None
    begin = call_start(call.started_at, first.started_at if first else None, first.announced_at if first else call.created_at)
    said: list[HeardTurn] = []
    quotable: dict[int, tuple[str, ...]] = {}
    for one in media:
        _read_turns(connection, one, offset_ms(one.started_at, begin), said, quotable)
    recorded = [Interval(offset_ms(one.started_at, begin), offset_ms(one.started_at, begin) + one.duration_ms) for one in media]
    present = _present(connection, call)
    whom, told = asked(table, present, begin), _told(connection, call, begin)
    people = {Party(row.role) for row in _people(connection, consultation_id)}
    ended_ms = round((call.ended_at - begin).total_seconds() * 1000) if call.ended_at else 0
    heard = HeardCall(
        consultation_id=consultation_id,
        kind=ConsultationType(call.consultation_type),
        day=begin.astimezone(UTC).date(),
        length_ms=max([0, ended_ms, *(one.end_ms or 0 for one in recorded)]),
        turns=tuple(sorted(said, key=lambda turn: (turn.start_ms, turn.turn_id))),
        recorded=tuple(recorded),
        unintelligible=tuple(
            Interval(start + offset_ms(one.started_at, begin), end + offset_ms(one.started_at, begin))
            for one in media
            for start, end in one.wordless
        ),
        told=told,
        consent_required=whom.required,
        customers=whom.customers,
        others_required=whom.others,
        not_asked=whom.not_asked,
        assistant_present=Party.ASSISTANT in people or any(turn.role is Party.ASSISTANT for turn in said),
    )
    return Heard(heard, {one.id: one.redaction_id for one in media}, quotable, table.version, _digest(present))


def _read_turns(
    connection: Connection, one: Row[tuple[object, ...]], offset: int, said: list[HeardTurn], quotable: dict[int, tuple[str, ...]]
) -> None:
    hidden: dict[int, list[Redaction]] = defaultdict(list)
    for redaction in redactions.of(connection, one.redaction_id):
        hidden[redaction.position].append(redaction)
    rows = connection.execute(select(turns).where(turns.c.transcript_id == one.current_transcript_id).order_by(turns.c.position))
    for row in rows:
        words = tuple(Word(text, start + offset, end + offset, confidence) for text, start, end, confidence in row.words)
        said.append(
            HeardTurn(
                turn_id=row.id,
                recording_id=one.id,
                role=Party(row.role),
                start_ms=row.start_ms + offset,
                end_ms=row.end_ms + offset,
                words=words,
                attribution=Attribution(row.attribution),
                attribution_confidence=row.attribution_confidence,
            )
        )
        quotable[row.id] = shown([word.text for word in words], hidden[row.position])


def _people(connection: Connection, consultation_id: UUID) -> list[Row[tuple[str, str]]]:
    return list(
        connection.execute(
            select(participants.c.identity, participants.c.role).where(participants.c.consultation_id == consultation_id).distinct()
        )
    )


def _present(connection: Connection, call: Row[tuple[object, ...]]) -> list[Present]:
    """Everybody who ever was in the call, as whom, and where as far as anybody told."""
    people = {one_spelling(row.identity): Party(row.role) for row in _people(connection, call.id)}
    if Party.CUSTOMER not in people.values() and call.customer_id is not None:
        people[str(call.customer_id)] = Party.CUSTOMER
    if not any(role not in STAFF | {Party.ASSISTANT} for role in people.values()):
        people[""] = Party.UNKNOWN  # somebody was called; who, and where they were, nobody knows
    return consents.whereabouts(people, consents.listed(connection, call.id), call.jurisdictions)


def _told(connection: Connection, call: Row[tuple[object, ...]], begin: datetime) -> tuple[ConsentTold, ...]:
    """What anybody told the API about being recorded."""
    return tuple(
        ConsentTold(
            one_spelling(row["party"]),
            Party(row["role"]),
            ConsentOutcome(row["outcome"]),
            round((row["at"] - begin).total_seconds() * 1000),
        )
        for row in consents.listed(connection, call.id)
    )


def _digest(present: Sequence[Present]) -> str:
    return hashlib.sha256(json.dumps([[one.party, one.role.value, sorted(one.places)] for one in present]).encode()).hexdigest()
