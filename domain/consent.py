"""Consent to a recording: who must give it, who has, and so whether a call may be recorded now. Pure decisions over records that are only ever added.

The law of a place is data (resources.policies). Across places the strictest counts, and a place that is unknown, or that the table does
not list on that day, counts as all-party (18 U.S.C. 2511(2)(d) leaves stricter state law in force). Unknown never passes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.parties import Party


class ConsentOutcome(StrEnum):
    GRANTED = "granted"
    IMPLIED = "implied"
    DECLINED = "declined"
    REVOKED = "revoked"
    NOT_REQUIRED = "not_required"
    UNKNOWN = "unknown"


class ConsentMethod(StrEnum):
    SPOKEN = "spoken"
    CLICK = "click"
    PRIOR = "prior"


class ConsentRule(StrEnum):
    ALL_PARTY = "all_party"
    ONE_PARTY = "one_party"


@dataclass(frozen=True, slots=True)
class PlaceRule:
    """``until`` is the first day on which it no longer counts, None while it does."""

    place: str
    rule: ConsentRule
    citation: str
    since: date
    until: date | None = None

    def counts_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class ConsentTable:
    """``staff_asked``: whether the business's own people are asked like everybody else, or have agreed beforehand."""

    version: str
    rules: tuple[PlaceRule, ...]
    staff_asked: bool

    def rule_of(self, place: str | None, day: date) -> ConsentRule:
        found = next((one.rule for one in self.rules if one.place == place and one.counts_on(day)), None)
        return found or ConsentRule.ALL_PARTY


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """What one party said about being recorded, at a moment."""

    party: str
    outcome: ConsentOutcome
    at: datetime


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody in the call. ``party`` is the identity by which records name them, ``places`` the ISO 3166-2 codes of where they are said to
    be: several where what was said differs, none where nobody knows."""

    party: str
    role: Party
    places: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the call may be recorded. ``missing`` have not answered, or nobody knows what; ``refused`` have declined or revoked, the first of
    them at ``refused_at``."""

    open: bool
    required: tuple[str, ...]
    missing: tuple[str, ...]
    refused: tuple[str, ...]
    rule: ConsentRule
    table_version: str
    refused_at: datetime | None = None


STAFF = frozenset({Party.AGENT, Party.ADMIN})
_GIVES = frozenset({ConsentOutcome.GRANTED, ConsentOutcome.IMPLIED})
_REFUSES = frozenset({ConsentOutcome.DECLINED, ConsentOutcome.REVOKED})


def standing(records: Iterable[ConsentRecord]) -> Mapping[str, ConsentOutcome]:
    """What each party's consent is now: the newest record that says something. Of two at one moment the one that refuses counts.

    A refusal stands until the same party grants anew: nothing that is merely implied, or not required, takes a spoken no back.
    """
    found: dict[str, ConsentOutcome] = {}
    for record in _in_order(records):
        before = found.get(record.party)
        if before in _REFUSES and record.outcome not in _REFUSES | {ConsentOutcome.GRANTED}:
            continue
        if record.outcome is not ConsentOutcome.UNKNOWN or before is None:
            found[record.party] = record.outcome
    return found


def refused_since(records: Iterable[ConsentRecord]) -> Mapping[str, datetime]:
    """Since when each party refuses that does."""
    found: dict[str, datetime] = {}
    for record in _in_order(records):
        if record.outcome in _REFUSES:
            found.setdefault(record.party, record.at)
        elif record.outcome is ConsentOutcome.GRANTED:
            found.pop(record.party, None)
    return found


def _in_order(records: Iterable[ConsentRecord]) -> list[ConsentRecord]:
    return sorted(records, key=lambda record: (record.at, record.outcome in _REFUSES, record.outcome))


def strictest(table: ConsentTable, present: Iterable[Present], day: date) -> ConsentRule:
    """The rule for a call between these places, all that were stated of anybody: a laxer one takes no stricter one back, whoever states it.
    The assistant is nowhere, and a call without anybody is judged as if all were unknown."""
    people = [person for person in present if person.role is not Party.ASSISTANT]
    rules = [table.rule_of(place, day) for person in people for place in person.places or {None}]
    return ConsentRule.ONE_PARTY if rules and all(rule is ConsentRule.ONE_PARTY for rule in rules) else ConsentRule.ALL_PARTY


def gate(table: ConsentTable, present: Iterable[Present], records: Iterable[ConsentRecord], now: datetime) -> Gate:
    """Whether a call between these people may be recorded now.

    Where all must consent, everybody but the assistant must have, and staff unless they have agreed beforehand. Where one suffices, the
    business's own side is that one, so nobody else must be asked; but whoever refuses is not recorded anywhere.
    """
    people = [person for person in present if person.role is not Party.ASSISTANT]
    rule = strictest(table, people, now.date())
    told = list(records)
    said, since = standing(told), refused_since(told)
    asked = [person for person in people if person.role not in STAFF or table.staff_asked]
    if rule is ConsentRule.ONE_PARTY and any(person.role in STAFF for person in people):
        asked = [person for person in asked if person.role in STAFF]
    required = tuple(sorted({person.party for person in asked}))
    refused = tuple(sorted({person.party for person in people if said.get(person.party) in _REFUSES}))
    missing = tuple(party for party in required if said.get(party) not in _GIVES | _REFUSES)
    refused_at = min((since[party] for party in refused), default=None)
    return Gate(bool(people) and not missing and not refused, required, missing, refused, rule, table.version, refused_at)


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody in the call from ``since`` on, and at ``until`` no longer; None where that is not known."""

    who: Present
    since: datetime
    until: datetime | None = None


def was_open(table: ConsentTable, stays: Sequence[Stay], customer: Present | None, records: Sequence[ConsentRecord]) -> bool:
    """Whether the gate was open at any moment at which somebody was in the call. As when the call goes on, its customer is asked also while
    away. Where somebody was is what is known by now."""
    moments = {stay.since for stay in stays} | {stay.until for stay in stays if stay.until} | {record.at for record in records}
    for moment in sorted(moments):
        here = [stay.who for stay in stays if stay.since <= moment and (stay.until is None or moment < stay.until)]
        away = [customer] if customer is not None and all(person.role is not Party.CUSTOMER for person in here) else []
        if here and gate(table, [*here, *away], [record for record in records if record.at <= moment], moment).open:
            return True
    return False
