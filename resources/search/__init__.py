"""Search: what an index takes and gives, whichever it is. The query's meaning belongs to domain.search."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection

from domain.parties import Party
from domain.search import Node, render

LARGEST_PAGE = 100
LONGEST_CURSOR = 300
_BIGINT = range(-(2**63), 2**63)


class WrongCursor(ValueError):
    """The cursor is damaged or belongs to another query."""


class SearchTooSlow(Exception):
    """The query took longer than a search may."""


@dataclass(frozen=True, slots=True)
class Document:
    """One turn as an index knows it. ``start_ms`` and ``end_ms`` count from the start of the call."""

    turn_id: int
    consultation_id: UUID
    recording_id: UUID
    transcript_id: UUID
    consultation_type: str
    speaker: Party
    call_started_at: datetime
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Fragment:
    text: str
    highlighted: bool


@dataclass(frozen=True, slots=True)
class Hit:
    document: Document
    snippet: tuple[Fragment, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """``next_cursor`` is None on the last page."""

    hits: tuple[Hit, ...]
    next_cursor: str | None


class SearchIndex(Protocol):
    """Newest call first, then in the order of the call. Pages stay stable while new calls arrive."""

    def publish(self, connection: Connection, consultation_id: UUID, documents: Sequence[Document], version: int) -> bool:
        """Replace the consultation's documents in the store's transaction; False if a newer version was there before."""
        ...

    def unpublish(self, connection: Connection, consultation_id: UUID, version: int) -> bool:
        """Remove them, so that no older version comes back."""
        ...

    def search(self, query: Node, *, limit: int = 20, cursor: str | None = None) -> Page:
        """``limit`` is between 1 and LARGEST_PAGE. Raises WrongCursor, SearchTooSlow."""
        ...


@dataclass(frozen=True, slots=True)
class Position:
    """The last hit of a page: the next page begins behind it."""

    call_started_at: datetime
    consultation_id: UUID
    start_ms: int
    turn_id: int

    def cursor(self, query: Node) -> str:
        parts = [_mark(query), self.call_started_at.isoformat(), str(self.consultation_id), self.start_ms, self.turn_id]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")

    @classmethod
    def read(cls, cursor: str, query: Node) -> "Position":
        """Raises WrongCursor."""
        damaged = WrongCursor("This cursor is damaged: take it from next_cursor as it is")
        if len(cursor) > LONGEST_CURSOR:
            raise damaged
        try:
            mark, moment, consultation_id, start_ms, turn_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            position = cls(datetime.fromisoformat(moment), UUID(consultation_id), int(start_ms), int(turn_id))
        except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error):
            raise damaged from None
        if position.start_ms not in _BIGINT or position.turn_id not in _BIGINT:
            raise damaged
        if position.call_started_at.tzinfo is None or mark != _mark(query):
            raise WrongCursor("This cursor belongs to another query: start that one without a cursor")
        return position


def _mark(query: Node) -> str:
    return hashlib.sha256(render(query).encode(errors="surrogatepass")).hexdigest()[:16]
