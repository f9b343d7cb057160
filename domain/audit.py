"""The audit trail: who did what, on which consultation, when, from where, why and with what outcome, each entry sealed to the one before.

An entry's hash is the SHA-256 of its canonical JSON (RFC 8785), in which the hash of the entry before stands; so whoever changes, removes
or moves an entry breaks the chain from there on. Only an end that is cut off, or a chain made anew from its beginning, leaves no trace in
the chain itself. Writing entries belongs to resources.store.audit.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import rfc8785

BEGINNING = "0" * 64
"""What stands before the first entry."""


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did. ``actor`` is an opaque id, ``role`` the one in which they did it; ``action`` such as "search" or "token.issue".

    ``subject``: the id of what it was done to, where that is not the consultation. ``origin``: the address of the caller. ``reason``: the
    caller's own words. ``details``: flat, and without anything that was said.
    """

    actor: str
    role: str
    action: str
    outcome: Outcome = Outcome.DONE
    consultation_id: UUID | None = None
    subject: str | None = None
    origin: str | None = None
    reason: str | None = None
    details: tuple[tuple[str, str | int | bool | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed in its place. ``number`` counts from 1 without gaps; ``hash`` and ``previous`` are 64 hex digits."""

    number: int
    at: datetime
    deed: Deed
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``wrong``: the number of the first entry that is not as it was written, and ``why``; None: the chain holds.

    ``entries`` and ``head`` are how many hold and the hash of the last of those: keep them elsewhere, and an end that is cut off shows.
    """

    entries: int
    head: str
    wrong: int | None = None
    why: str | None = None


def seal(number: int, at: datetime, deed: Deed, previous: str) -> Entry:
    """``at`` is timezone-aware; it is kept in UTC to the microsecond."""
    moment = at.astimezone(UTC)
    return Entry(number, moment, deed, previous, _hash(number, moment, deed, previous))


def verify(entries: Iterable[Entry]) -> Verdict:
    """Reads the entries in the order of their numbers and stops at the first that was edited, moved, or stands where one is missing."""
    count, head = 0, BEGINNING
    for entry in entries:
        if entry.number != count + 1:
            missing = f"entry {count + 1} is missing" if entry.number > count + 1 else f"entry {entry.number} stands there twice"
            return Verdict(count, head, count + 1, missing)
        if entry.hash != _hash(entry.number, entry.at.astimezone(UTC), entry.deed, entry.previous):
            return Verdict(count, head, entry.number, "its content does not fit its hash: it was edited or moved")
        if entry.previous != head:
            return Verdict(count, head, entry.number, "it does not follow the entry before it: one of the two was replaced")
        count, head = count + 1, entry.hash
    return Verdict(count, head)


def canonical(number: int, at: datetime, deed: Deed, previous: str) -> bytes:
    """The bytes that are hashed, for whoever wants to check the chain without this program."""
    return rfc8785.dumps(
        {
            "number": number,
            "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "actor": deed.actor,
            "role": deed.role,
            "action": deed.action,
            "outcome": deed.outcome.value,
            "consultation_id": str(deed.consultation_id) if deed.consultation_id else None,
            "subject": deed.subject,
            "origin": deed.origin,
            "reason": deed.reason,
            "details": dict(deed.details),
            "previous": previous,
        }
    )


def _hash(number: int, at: datetime, deed: Deed, previous: str) -> str:
    return hashlib.sha256(canonical(number, at, deed, previous)).hexdigest()
