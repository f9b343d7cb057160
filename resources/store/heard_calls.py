"""A consultation as rules judge it: its redacted transcripts, its consent records, and who had to consent. Judging belongs to domain.rules."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, Row, and_, select

from domain.consent import STAFF, ConsentOutcome, ConsentTable, gate
from domain.consultations import ConsultationType
from domain.parties import Party, one_spelling
from domain.redaction.kept import shown
from domain.redaction.shapes import Redaction
from domain.rules.shapes import ConsentTold, HeardCall, HeardTurn, Interval
from domain.transcripts import Attribution, Word
from resources.store import consents, redactions
from resources.store.call_times import call_start, offset_ms
from resources.tables import consultations, participants, recordings, transcripts, turns

BEFORE_JUDGING = ("recordings", "transcripts", "redactions")


@dataclass(frozen=True, slots=True)
class Heard:
    """``redactions``: recording -> the redaction that was read. ``shown``: turn -> its words as they may be shown."""

    call: HeardCall
    redactions: Mapping[UUID, UUID]
    shown: Mapping[int, tuple[str, ...]]


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
    required, told = _consent(connection, call, begin, table)
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
        consent_required=any(role in (Party.CUSTOMER, Party.UNKNOWN) for role in required.values()),
        others_required=tuple(sorted(party for party, role in required.items() if role not in (Party.CUSTOMER, Party.UNKNOWN))),
        assistant_present=Party.ASSISTANT in people or any(turn.role is Party.ASSISTANT for turn in said),
    )
    return Heard(heard, {one.id: one.redaction_id for one in media}, quotable)


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


def _consent(
    connection: Connection, call: Row[tuple[object, ...]], begin: datetime, table: ConsentTable
) -> tuple[dict[str, Party], tuple[ConsentTold, ...]]:
    """(who had to consent, by everybody who ever was in the call, and in which role; what they told the API)."""
    records = consents.listed(connection, call.id)
    people = {one_spelling(row.identity): Party(row.role) for row in _people(connection, call.id)}
    if Party.CUSTOMER not in people.values() and call.customer_id is not None:
        people[str(call.customer_id)] = Party.CUSTOMER
    if not any(role not in STAFF | {Party.ASSISTANT} for role in people.values()):
        people[""] = Party.UNKNOWN  # somebody was called; who, and where they were, nobody knows
    asked = gate(table, consents.whereabouts(people, records, call.jurisdictions), (), begin).required
    told = tuple(
        ConsentTold(
            one_spelling(row["party"]),
            Party(row["role"]),
            ConsentOutcome(row["outcome"]),
            round((row["at"] - begin).total_seconds() * 1000),
        )
        for row in records
    )
    return {party: people[party] for party in asked}, told
