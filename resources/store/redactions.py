"""What was redacted in which transcript, and how its turns read without it. Recognising belongs to resources.redaction.

Card numbers and security codes are taken out of the transcript itself, too: they may not be kept anywhere (PCI DSS 3.3.1).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, insert, select, update

from domain.redaction.kept import masked
from domain.redaction.placeholders import redacted_words
from domain.redaction.shapes import CARD_DATA, Redaction, Sensitive
from domain.transcripts import Turn, Word
from resources.compliance_tables import redacted_turns, redaction_runs, redactions
from resources.store import forgetting, work
from resources.tables import recordings, turns


def made(connection: Connection, transcript_id: UUID, version: str) -> UUID | None:
    """The redaction of this transcript by this version of the recognisers, if there is one."""
    found: UUID | None = connection.execute(
        select(redaction_runs.c.id).where(redaction_runs.c.transcript_id == transcript_id, redaction_runs.c.version == version)
    ).scalar()
    return found


def save(
    connection: Connection,
    recording_id: UUID,
    owner: str,
    *,
    transcript_id: UUID,
    version: str,
    spoken: Sequence[Turn],
    found: Sequence[Redaction],
    card_data_left: int,
) -> UUID:
    """Add what was found in ``spoken``, the transcript's turns, and make it the one that counts. Raises LeaseLost.

    ``card_data_left``: how much a second look at the redacted turns still takes for card data.
    """
    work.hold(connection, recording_id, owner)
    redaction_id = uuid4()
    values = Counter(kind for kind, _ in {(one.kind.value, one.entity) for one in found})
    connection.execute(
        insert(redaction_runs).values(
            id=redaction_id,
            recording_id=recording_id,
            transcript_id=transcript_id,
            version=version,
            counts=dict(values),
            card_data_left=card_data_left,
            run_id=owner,
        )
    )
    if found:
        connection.execute(insert(redactions), [_row(redaction_id, one) for one in found])
    by_turn: dict[int, list[Redaction]] = defaultdict(list)
    for one in found:
        by_turn[one.position].append(one)
    for position, here in sorted(by_turn.items()):
        said = spoken[position].words
        shown = _shown(redacted_words(said, here))
        connection.execute(insert(redacted_turns).values(redaction_id=redaction_id, position=position, **shown))
        if card := [one for one in here if one.kind in CARD_DATA]:
            kept = {"text": _shown(redacted_words(said, card))["text"], "words": _words(masked(said, card))}
            this = (turns.c.transcript_id == transcript_id) & (turns.c.position == position)
            connection.execute(update(turns).where(this).values(**kept))
            words = [(one.first_word, one.last_word) for one in card]
            forgetting.hide_in_older(connection, transcript_id, redaction_id, position, shown, words)
    make_current(connection, recording_id, transcript_id, redaction_id)
    return redaction_id


def make_current(connection: Connection, recording_id: UUID, transcript_id: UUID, redaction_id: UUID) -> None:
    values = {"redaction_id": redaction_id, "redacted_transcript_id": transcript_id}
    connection.execute(update(recordings).where(recordings.c.id == recording_id).values(**values))


def card_data_left(connection: Connection, redaction_id: UUID) -> int:
    """How much a second look at the redacted turns still took for card data."""
    query = select(redaction_runs.c.card_data_left).where(redaction_runs.c.id == redaction_id)
    return int(connection.execute(query).scalar_one())


def of(connection: Connection, redaction_id: UUID) -> tuple[Redaction, ...]:
    """What was redacted, in the order of the transcript."""
    rows = connection.execute(
        select(redactions)
        .where(redactions.c.redaction_id == redaction_id)
        .order_by(redactions.c.position, redactions.c.first_word, redactions.c.id)
    ).mappings()
    return tuple(_redaction(row) for row in rows)


def judge_again(connection: Connection, consultation_ids: Sequence[UUID] = ()) -> int:
    """Have transcripts looked through, and their calls judged, anew by the next run: of the named consultations, or all. Returns how many."""
    query = update(recordings).where(recordings.c.redacted_transcript_id.is_not(None), recordings.c.destroyed_at.is_(None))
    if consultation_ids:
        query = query.where(recordings.c.consultation_id.in_(consultation_ids))
    return connection.execute(query.values(redacted_transcript_id=None, claims=recordings.c.claims + 1)).rowcount


def _row(redaction_id: UUID, one: Redaction) -> dict[str, Any]:
    return {
        "redaction_id": redaction_id,
        "kind": one.kind.value,
        "entity": one.entity,
        "position": one.position,
        "channel": one.channel,
        "first_word": one.first_word,
        "last_word": one.last_word,
        "start_ms": one.start_ms,
        "end_ms": one.end_ms,
        "confidence": one.confidence,
        "recogniser": one.recogniser,
    }


def _redaction(row: RowMapping | Mapping[str, Any]) -> Redaction:
    plain = {key: row[key] for key in ("entity", "position", "channel", "first_word", "last_word", "start_ms", "end_ms")}
    return Redaction(kind=Sensitive(row["kind"]), confidence=row["confidence"], recogniser=row["recogniser"], **plain)


def _shown(words: Sequence[Word]) -> dict[str, Any]:
    return {"text": " ".join(word.text for word in words), "words": _words(words)}


def _words(words: Sequence[Word]) -> list[list[object]]:
    return [[word.text, word.start_ms, word.end_ms, word.confidence] for word in words]
