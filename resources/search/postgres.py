"""The embedded index: PostgreSQL full text. A query becomes bound parameters and operators, never text of the user's in SQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, delete, func, insert, not_, or_, select, text, true, tuple_
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import OperationalError

from domain.parties import Party
from domain.search import And, DateRange, Node, Not, Or, Phrase, Speaker, Spoken, Type, Word, matched, normalised, tokens, words_of
from resources.search import LARGEST_PAGE, Document, Hit, Page, Position, SearchTooSlow
from resources.search.snippets import snippet
from resources.search.tables import search_documents as docs
from resources.search.tables import search_versions as versions

TIME_LIMIT_MS = 10_000
CONFIGURATION = "verbatim"


class PostgresIndex:
    """Implements resources.search.SearchIndex."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def publish(self, connection: Connection, consultation_id: UUID, documents: Sequence[Document], version: int) -> bool:
        if not _take_version(connection, consultation_id, version, published=True):
            return False
        connection.execute(delete(docs).where(docs.c.consultation_id == consultation_id))
        if documents:
            connection.execute(insert(docs), [_row(document) for document in documents])
        return True

    def unpublish(self, connection: Connection, consultation_id: UUID, version: int) -> bool:
        if not _take_version(connection, consultation_id, version, published=False):
            return False
        connection.execute(delete(docs).where(docs.c.consultation_id == consultation_id))
        return True

    def search(self, query: Node, *, limit: int = 20, cursor: str | None = None) -> Page:
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"limit is between 1 and {LARGEST_PAGE}, not {limit}")
        condition = compiled(query)
        if cursor is not None:
            condition = and_(condition, _behind(Position.read(cursor, query)))
        order = (docs.c.call_started_at.desc(), docs.c.consultation_id, docs.c.start_ms, docs.c.turn_id)
        statement = select(*(c for c in docs.c if c.name not in ("tsv", "words"))).where(condition).order_by(*order).limit(limit + 1)
        try:
            with self._engine.begin() as connection:
                connection.execute(text(f"SET LOCAL statement_timeout = {TIME_LIMIT_MS}"))
                rows = connection.execute(statement).mappings().all()
                shown = rows[:limit]
                marks = _marks(connection, query, shown)
        except OperationalError as error:
            if type(error.orig).__name__ == "QueryCanceled":
                raise SearchTooSlow(f"The search took longer than {TIME_LIMIT_MS // 1000} s: add a date or a speaker to it") from None
            raise
        hits = tuple(Hit(_document(row), snippet(row["text"], marked)) for row, marked in zip(shown, marks, strict=True))
        more = len(rows) > limit
        return Page(hits, _position(shown[-1]).cursor(query) if more else None)


def compiled(query: Node) -> ColumnElement[bool]:
    """The condition on one document."""
    match query:
        case Word(said) | Phrase(said):
            return docs.c.tsv.bool_op("@@")(func.phraseto_tsquery(CONFIGURATION, normalised(said)))
        case Speaker(parties):
            return docs.c.speaker.in_([party.value for party in parties])
        case Type(types):
            return docs.c.consultation_type.in_([kind.value for kind in types])
        case DateRange(first, last):
            bounds: list[ColumnElement[bool]] = []
            if first is not None:
                bounds.append(docs.c.call_started_at >= datetime.combine(first, time(), UTC))
            if last is not None and last < date.max:
                bounds.append(docs.c.call_started_at < datetime.combine(last, time(), UTC) + timedelta(days=1))
            return and_(true(), *bounds)
        case Not(part):
            return not_(compiled(part))
        case And(parts):
            return and_(*(compiled(part) for part in parts))
        case Or(parts):
            return or_(*(compiled(part) for part in parts))


def _behind(last: Position) -> ColumnElement[bool]:
    same_call_time = tuple_(docs.c.consultation_id, docs.c.start_ms, docs.c.turn_id) > tuple_(
        last.consultation_id, last.start_ms, last.turn_id
    )
    return and_(
        docs.c.call_started_at <= last.call_started_at,
        or_(docs.c.call_started_at < last.call_started_at, same_call_time),
    )


def _take_version(connection: Connection, consultation_id: UUID, version: int, *, published: bool) -> bool:
    """Whether this version is newer than whatever was published or removed before; if so, it is the one from now on."""
    values = {"version": version, "published": published}
    taken = connection.execute(
        upsert(versions)
        .values(consultation_id=consultation_id, **values)
        .on_conflict_do_update(index_elements=["consultation_id"], set_=values, where=versions.c.version < version)
        .returning(versions.c.version)
    ).first()
    return taken is not None


def _marks(connection: Connection, query: Node, rows: Sequence[Mapping[Any, Any]]) -> list[frozenset[int]]:
    """For each row, the numbers (from 0) of the tokens that make it a hit."""
    said = [[token.text for token in tokens(row["text"])] for row in rows]
    stems = _stems(connection, words_of(query).union(*said))
    marks = []
    for row, words in zip(rows, said, strict=True):
        # A word such as 3e7k has two stems in PostgreSQL, so a stem's place is not its word's.
        places = [(stem, number) for number, word in enumerate(words) for stem in stems[word]]
        spoken = Spoken([stem for stem, _ in places], Party(row["speaker"]), row["consultation_type"], row["call_started_at"])
        marks.append(frozenset(places[place][1] for place in matched(query, spoken, stems) or ()))
    return marks


def _stems(connection: Connection, words: Collection[str]) -> dict[str, list[str]]:
    """What the index made of each word, in order."""
    rows = connection.execute(_STEMS, {"words": list(words)})
    return {row.word: row.stems for row in rows}


_STEMS = text(
    "SELECT word, ARRAY(SELECT lexeme FROM unnest(to_tsvector(:configuration, word)), unnest(positions) AS place ORDER BY place) AS stems"
    " FROM unnest(CAST(:words AS text[])) AS word"
).bindparams(bindparam("configuration", CONFIGURATION, REGCONFIG))


def _row(document: Document) -> dict[str, Any]:
    return {
        "turn_id": document.turn_id,
        "consultation_id": document.consultation_id,
        "recording_id": document.recording_id,
        "transcript_id": document.transcript_id,
        "consultation_type": document.consultation_type,
        "speaker": document.speaker.value,
        "call_started_at": document.call_started_at,
        "start_ms": document.start_ms,
        "end_ms": document.end_ms,
        "text": document.text,
        "words": normalised(document.text),
    }


def _document(row: Mapping[Any, Any]) -> Document:
    return Document(**{**row, "speaker": Party(row["speaker"])})


def _position(row: Mapping[Any, Any]) -> Position:
    return Position(row["call_started_at"], row["consultation_id"], row["start_ms"], row["turn_id"])
