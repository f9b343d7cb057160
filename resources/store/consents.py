"""Consent records: added, never changed; and the gate that follows from them for a call as it is now. What follows: domain.consent."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, insert, select

from domain.consent import ConsentMethod, ConsentOutcome, ConsentRecord, ConsentTable, Gate, Present, gate, standing
from domain.parties import Party, one_spelling
from resources.live_tables import consent_records
from resources.tables import consultations, participants


@dataclass(frozen=True, slots=True)
class Said:
    """What one party said about being recorded, and how that is known."""

    party: str
    role: Party
    outcome: ConsentOutcome
    method: ConsentMethod
    script_version: str
    jurisdiction: str | None
    jurisdiction_evidence: str | None
    recorded_by: str


def add(connection: Connection, consultation_id: UUID, said: Said, table_version: str, at: datetime) -> UUID:
    record_id = uuid4()
    connection.execute(
        insert(consent_records).values(
            id=record_id,
            consultation_id=consultation_id,
            party=said.party,
            role=said.role.value,
            outcome=said.outcome.value,
            method=said.method.value,
            jurisdiction=said.jurisdiction,
            jurisdiction_evidence=said.jurisdiction_evidence,
            script_version=said.script_version,
            recorded_by=said.recorded_by,
            at=at,
            table_version=table_version,
        )
    )
    return record_id


def listed(connection: Connection, consultation_id: UUID) -> Sequence[RowMapping]:
    """Every record of a consultation, in order of time."""
    found = select(consent_records).where(consent_records.c.consultation_id == consultation_id)
    return connection.execute(found.order_by(consent_records.c.at, consent_records.c.id)).mappings().all()


def has_granted(connection: Connection, consultation_id: UUID, party: str) -> bool:
    """Whether a party's consent stands."""
    return _standing(listed(connection, consultation_id), party) is ConsentOutcome.GRANTED


def granted_with(connection: Connection, consultation_id: UUID, party: str, script_version: str) -> bool:
    """Whether a party's consent stands, and was given to these words."""
    records = listed(connection, consultation_id)
    theirs = [row["script_version"] for row in records if row["party"] == party and row["outcome"] == ConsentOutcome.GRANTED.value]
    return script_version in theirs and _standing(records, party) is ConsentOutcome.GRANTED


def gate_now(connection: Connection, consultation_id: UUID, table: ConsentTable, now: datetime) -> Gate:
    """Whether the call may be recorded now, by who is in it: before anybody has come, by its customer alone.

    A party is in every place that its records or the consultation state.
    """
    records = listed(connection, consultation_id)
    call = connection.execute(select(consultations).where(consultations.c.id == consultation_id)).one()
    people = connection.execute(
        select(participants.c.identity, participants.c.role)
        .where(participants.c.consultation_id == consultation_id, participants.c.left_at.is_(None))
        .distinct()
    ).all()
    here = {one_spelling(row.identity): Party(row.role) for row in people}
    if call.customer_id is not None and Party.CUSTOMER not in here.values():
        here[str(call.customer_id)] = Party.CUSTOMER
    present = whereabouts(here, records, call.jurisdictions)
    told = [ConsentRecord(one_spelling(row["party"]), ConsentOutcome(row["outcome"]), row["at"]) for row in records]
    return gate(table, present, told, now)


def whereabouts(people: Mapping[str, Party], records: Iterable[RowMapping], jurisdictions: Mapping[str, str]) -> list[Present]:
    """These people with every place that was stated of them: in their records, whoever added them, and as the consultation began.

    ``people``: identity in one spelling -> role; ``jurisdictions``: the consultation's, role -> place.
    """
    places: defaultdict[str, set[str]] = defaultdict(set)
    for row in records:
        if row["jurisdiction"] is not None:
            places[one_spelling(row["party"])].add(row["jurisdiction"])
    for party, role in people.items():
        if (begun := jurisdictions.get(role.value)) is not None:
            places[party].add(begun)
    return [Present(party, role, frozenset(places[party])) for party, role in sorted(people.items())]


def _standing(records: Sequence[RowMapping], party: str) -> ConsentOutcome | None:
    return standing([ConsentRecord(row["party"], ConsentOutcome(row["outcome"]), row["at"]) for row in records]).get(party)
