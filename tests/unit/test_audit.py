"""The chain of the audit trail: whatever is done to entries is found, and found where it was done."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.audit import BEGINNING, Deed, Entry, Outcome, seal, verify

BEGAN = datetime(2025, 3, 3, 15, tzinfo=UTC)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
deeds = st.builds(
    Deed,
    actor=words,
    role=words,
    action=words,
    outcome=st.sampled_from(Outcome),
    consultation_id=st.none() | st.uuids(),
    subject=st.none() | words,
    origin=st.none() | words,
    reason=st.none() | words,
    details=st.dictionaries(words, words | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.none(), max_size=3).map(
        lambda found: tuple(found.items())
    ),
)


def chain(said: list[Deed]) -> list[Entry]:
    entries: list[Entry] = []
    for number, deed in enumerate(said, 1):
        previous = entries[-1].hash if entries else BEGINNING
        entries.append(seal(number, BEGAN + timedelta(seconds=number), deed, previous))
    return entries


@given(st.lists(deeds, max_size=8))
def test_what_was_written_holds(said: list[Deed]) -> None:
    entries = chain(said)
    verdict = verify(entries)
    assert (verdict.wrong, verdict.entries) == (None, len(said))
    assert verdict.head == (entries[-1].hash if entries else BEGINNING)


@given(st.lists(deeds, min_size=1, max_size=8), st.data())
def test_an_edited_entry_is_named(said: list[Deed], data: st.DataObject) -> None:
    entries = chain(said)
    at = data.draw(st.integers(0, len(entries) - 1))
    entry = entries[at]
    forged = data.draw(deeds.filter(lambda deed: replace(deed, details=()) != replace(entry.deed, details=())))
    for edited in (replace(entry, deed=forged), replace(entry, at=entry.at + timedelta(microseconds=1))):
        verdict = verify([*entries[:at], edited, *entries[at + 1 :]])
        assert (verdict.wrong, verdict.entries) == (at + 1, at)


@given(st.lists(deeds, min_size=2, max_size=8), st.data())
def test_an_edited_entry_with_a_hash_of_its_own_breaks_the_next(said: list[Deed], data: st.DataObject) -> None:
    entries = chain(said)
    at = data.draw(st.integers(0, len(entries) - 2))
    forged = seal(at + 1, entries[at].at, replace(entries[at].deed, action="forged " + entries[at].deed.action), entries[at].previous)
    assert verify([*entries[:at], forged, *entries[at + 1 :]]).wrong == at + 2


@given(st.lists(deeds, min_size=2, max_size=8), st.data())
def test_a_removed_entry_is_named(said: list[Deed], data: st.DataObject) -> None:
    entries = chain(said)
    at = data.draw(st.integers(0, len(entries) - 2))
    without = [*entries[:at], *entries[at + 1 :]]
    assert verify(without).wrong == at + 1
    closed_up = [replace(entry, number=number) for number, entry in enumerate(without, 1)]
    assert verify(closed_up).wrong == at + 1


@given(st.lists(deeds, min_size=2, max_size=8, unique_by=repr), st.data())
def test_entries_that_changed_places_are_found(said: list[Deed], data: st.DataObject) -> None:
    entries = chain(said)
    one = data.draw(st.integers(0, len(entries) - 2))
    other = data.draw(st.integers(one + 1, len(entries) - 1))
    swapped = list(entries)
    swapped[one], swapped[other] = entries[other], entries[one]
    assert verify(swapped).wrong == one + 1
    renumbered = [replace(entry, number=number) for number, entry in enumerate(swapped, 1)]
    assert verify(renumbered).wrong == one + 1


def test_the_hash_can_be_computed_by_hand() -> None:
    deed = Deed("u1", "admin", "search", consultation_id=UUID(int=7), reason="claim 12", details=(("b", 1), ("a", "é")))
    entry = seal(1, BEGAN, deed, BEGINNING)
    by_hand = json.dumps(
        {
            "action": "search",
            "actor": "u1",
            "at": "2025-03-03T15:00:00.000000Z",
            "consultation_id": "00000000-0000-0000-0000-000000000007",
            "details": {"a": "é", "b": 1},
            "number": 1,
            "origin": None,
            "outcome": "done",
            "previous": "0" * 64,
            "reason": "claim 12",
            "role": "admin",
            "subject": None,
        },
        separators=(",", ":"),
        ensure_ascii=False,
    )
    assert entry.hash == hashlib.sha256(by_hand.encode()).hexdigest()
