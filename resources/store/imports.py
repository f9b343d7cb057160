"""Recordings that exist already become consultations of their own, as if egress had just announced them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from domain.call_events import EgressStatus
from domain.consent import STAFF, ConsentMethod, ConsentOutcome
from domain.consultations import ConsultationType
from domain.egress_layout import EgressLayout, LayoutKind, Route
from domain.parties import Party
from resources.store import consents
from resources.store.consents import Said
from resources.tables import consultations, participants, recordings


@dataclass(frozen=True, slots=True)
class Import:
    """One file. ``key`` is where it lies in the intake; ``left`` and ``right`` name a two-channel file's parties, ``only`` a file's one speaker."""

    sha256: str
    key: str
    kind: ConsultationType
    started_at: datetime
    ended_at: datetime
    size_bytes: int
    duration_ms: int
    left: Party | None = None
    right: Party | None = None
    only: Party | None = None

    @property
    def egress_id(self) -> str:
        return f"import:{self.sha256}"

    def layout(self) -> EgressLayout:
        return layout_of(self.left, self.right, self.only)


def layout_of(left: Party | None, right: Party | None, only: Party | None) -> EgressLayout:
    """What a file's channels are said to carry."""
    if only is not None:
        return EgressLayout(LayoutKind.ONE_PARTICIPANT, (Route("both", identity=only.value),))
    named = tuple(Route(side, role=party.value) for side, party in (("left", left), ("right", right)) if party is not None)
    return EgressLayout(LayoutKind.ROLES, named) if named else EgressLayout(LayoutKind.MIXED)


def said(connection: Connection, recording_id: UUID) -> tuple[ConsultationType, EgressLayout]:
    """As what a recording was imported."""
    row = connection.execute(
        select(consultations.c.consultation_type, recordings.c.layout)
        .select_from(recordings.join(consultations))
        .where(recordings.c.id == recording_id)
    ).one()
    return ConsultationType(row.consultation_type), EgressLayout.from_json(row.layout)


def known(connection: Connection, sha256: str) -> UUID | None:
    """The recording that was imported from a file with this content."""
    found: UUID | None = connection.execute(select(recordings.c.id).where(recordings.c.egress_id == f"import:{sha256}")).scalar()
    return found


def add(connection: Connection, item: Import) -> UUID:
    """The new recording's id, or that of the one which has this content already: importing twice changes nothing."""
    room = f"import_{item.sha256}"
    made = connection.execute(
        insert(consultations)
        .values(
            id=uuid4(),
            room_name=room,
            room_sid=room,
            consultation_type=item.kind.value,
            started_at=item.started_at,
            ended_at=item.ended_at,
            ai_handled=Party.ASSISTANT in (item.left, item.right, item.only),
        )
        .on_conflict_do_nothing()
        .returning(consultations.c.id)
    ).first()
    if made is None:
        existing = known(connection, item.sha256)
        assert existing is not None, "consultation and recording of an import are written in one transaction"
        return existing
    parties = dict.fromkeys(party for party in (item.left, item.right, item.only) if party is not None)
    for party in parties:
        connection.execute(
            insert(participants).values(
                sid=f"{room}_{party.value}", consultation_id=made.id, identity=party.value, role=party.value, joined_at=item.started_at
            )
        )
    recording_id = uuid4()
    connection.execute(
        insert(recordings).values(
            id=recording_id,
            consultation_id=made.id,
            egress_id=item.egress_id,
            file_name=item.key,
            egress_status=EgressStatus.COMPLETE.value,
            layout=item.layout().to_json(),
            started_at=item.started_at,
            ended_at=item.ended_at,
            announced_bytes=item.size_bytes,
            announced_duration_ms=item.duration_ms,
        )
    )
    return recording_id


def record_consent(connection: Connection, recording_id: UUID, actor: str, table_version: str, at: datetime) -> int:
    """That everybody in an imported call consented beforehand, by records that are kept elsewhere; returns how many those are.

    Where nobody is named, it is an unnamed customer.
    """
    consultation_id = connection.execute(select(recordings.c.consultation_id).where(recordings.c.id == recording_id)).scalar_one()
    people = connection.execute(
        select(participants.c.identity, participants.c.role).where(participants.c.consultation_id == consultation_id)
    ).all()
    asked = [(row.identity, Party(row.role)) for row in people if Party(row.role) not in STAFF | {Party.ASSISTANT}]
    for party, role in asked or [("customer", Party.CUSTOMER)]:
        told = Said(party, role, ConsentOutcome.GRANTED, ConsentMethod.PRIOR, "import", None, None, actor)
        consents.add(connection, consultation_id, told, table_version, at)
    return len(asked) or 1
