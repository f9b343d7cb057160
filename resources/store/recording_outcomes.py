"""What is known of the recordings of ended calls, and what became of them, as it was last found. Decided in domain.reconciliation."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, bindparam, func, or_, select, union, update

from domain.consent import ConsentOutcome, ConsentRecord, ConsentTable, Present, Stay, standing, was_open
from domain.egress_layout import EgressLayout
from domain.parties import Party
from domain.reconciliation import Evidence, Outcome, Part
from resources.live_tables import consent_records, recording_orders
from resources.store import consents
from resources.tables import consultations, failures, participants, recordings, webhook_events

LOOK_BACK = timedelta(days=30)
"""How long a call that has no recording is looked at again: what arrives later than that is taken in all the same, by its webhook."""
AT_A_TIME = 2_000
_REFUSES = frozenset({ConsentOutcome.DECLINED, ConsentOutcome.REVOKED})
_NEVER_BEGAN = frozenset({"livekit_refused", "unanswered", "EGRESS_ABORTED"})
"""As what an order has ended that recorded nothing: LiveKit aborts what is stopped before it was active."""
_ORDERED = re.compile(r"([0-9a-f-]{36})\.ogg$")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def never_decided(connection: Connection) -> list[UUID]:
    """Ended calls of which nothing was found yet, the newest first; AT_A_TIME at most."""
    call = consultations.c
    query = select(call.id).where(call.ended_at.is_not(None), call.recording_state.is_(None))
    return list(connection.scalars(query.order_by(call.ended_at.desc()).limit(AT_A_TIME)))


def to_decide_again(connection: Connection, now: datetime) -> list[UUID]:
    """Ended calls of which something else may be true by now: what is not recorded, for LOOK_BACK; and whatever a recording speaks against."""
    call, file, since = consultations.c, recordings.c, now - LOOK_BACK
    silent = select(call.id).where(call.recording_state != "recorded", or_(call.ended_at > since, call.recording_state == "in_progress"))
    both = select(call.id).join(recordings, file.consultation_id == call.id)
    given_up = both.where(call.recording_state == "recorded", file.gave_up_at > since)
    waited_for = both.where(call.recording_state == "recorded", file.stage == "recordings", file.gave_up_at.is_(None))
    come = both.where(call.recording_state == "failed", file.sha256.is_not(None), file.gave_up_at.is_(None))
    found = union(silent, given_up, waited_for, come).subquery()
    query = (
        select(call.id)
        .join(found, found.c.id == call.id)
        .where(call.ended_at.is_not(None), call.recording_decided_at.is_distinct_from(now))
    )
    return list(connection.scalars(query.order_by(call.ended_at.desc())))


def evidence(connection: Connection, ids: Sequence[UUID], table: ConsentTable) -> dict[UUID, tuple[Evidence, Outcome | None]]:
    """What is known of each of these calls, and what was last found."""
    calls = connection.execute(select(consultations).where(consultations.c.id.in_(ids))).all()
    parts, said = _parts(connection, ids), _said(connection, ids)
    unordered = [call.id for call in calls if call.recording_driven and not parts.get(call.id)]
    people, told = _people(connection, unordered), _told_whole(connection, unordered)
    found = {}
    for call in calls:
        records = [ConsentRecord(row.party, ConsentOutcome(row.outcome), row.at) for row in said.get(call.id, ())]
        here = people.get(call.id, [])
        found[call.id] = (
            Evidence(
                call.ended_at,
                parts=tuple(parts.get(call.id, ())),
                driven=call.recording_driven,
                consented=call.id in people and _consented(call, here, said.get(call.id, []), records, table),
                empty=not here and call.id in told,
                refused=bool(_REFUSES & set(standing(records).values())),
            ),
            Outcome(call.recording_state, call.recording_reason) if call.recording_state else None,
        )
    return found


def decide(connection: Connection, found: Mapping[UUID, Outcome], now: datetime) -> None:
    if not found:
        return
    row = update(consultations).where(consultations.c.id == bindparam("call"))
    row = row.values(recording_state=bindparam("state"), recording_reason=bindparam("why"), recording_decided_at=now)
    connection.execute(row, [{"call": call, "state": one.state.value, "why": one.reason} for call, one in found.items()])


def states(connection: Connection) -> dict[str, int]:
    """How many ended calls are in each state."""
    state = func.coalesce(consultations.c.recording_state, "in_progress").label("state")
    query = select(state, func.count().label("n")).where(consultations.c.ended_at.is_not(None)).group_by("state")
    return {row.state: row.n for row in connection.execute(query)}


def _grouped(rows: Iterable[Row[Any]]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.consultation_id, []).append(row)
    return found


def _parts(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[Part]]:
    """Orders with their recordings, recordings of others, and egresses of which only the beginning was told."""
    ordered = select(recording_orders).where(recording_orders.c.consultation_id.in_(ids)).order_by(recording_orders.c.ordered_at)
    come = select(recordings).where(recordings.c.consultation_id.in_(ids)).order_by(recordings.c.announced_at, recordings.c.id)
    orders, files, unended = _grouped(connection.execute(ordered)), _grouped(connection.execute(come)), _unended(connection, ids)
    wrong = failures.c
    latest = select(wrong.recording_id, wrong.reason).distinct(wrong.recording_id).order_by(wrong.recording_id, wrong.id.desc())
    of_these = latest.where(wrong.cleared_at.is_(None), wrong.recording_id.in_([file.id for some in files.values() for file in some]))
    reasons = {row.recording_id: row.reason for row in connection.execute(of_these)}
    found: dict[UUID, list[Part]] = {}
    for call in ids:
        here, known = files.get(call, []), orders.get(call, [])
        of_order = {file.id: next((one for one in known if _is_of(file, one)), None) for file in here}
        with_file = {one.id for one in of_order.values() if one is not None}
        parts = [_of_order(one) for one in known if one.id not in with_file]
        parts += [_of_file(file, of_order[file.id], reasons.get(file.id)) for file in here]
        seen = {one.egress_id for one in (*known, *here)}
        silent = [row.egress_id for row in unended.get(call, ()) if row.egress_id not in seen]
        adopted = sum(file.egress_id.startswith("found:") and of_order[file.id] is None for file in here)  # one of the silent wrote it
        parts += [Part(f"egress {one}", why="never_announced", may_come=True) for one in sorted(silent)[adopted:]]
        found[call] = parts
    return found


def _is_of(file: Row[Any], order: Row[Any]) -> bool:
    """By its egress or, where LiveKit's answer was lost, by the order's id in the file's name."""
    named = _ORDERED.search(file.file_name)
    return bool(file.egress_id == order.egress_id or (named and named[1] == str(order.id)))


def _of_order(order: Row[Any]) -> Part:
    """An order of which no recording was told."""
    expected = order.ended_as in (None, "EGRESS_COMPLETE", "EGRESS_LIMIT_REACHED")
    why = "never_announced" if order.ended_as is None or order.ended_as.startswith("EGRESS_") else order.ended_as
    began = order.active_at is not None or order.ended_as not in _NEVER_BEGAN
    return Part(f"order {order.id}", why=why, may_come=expected, began=began, layout=EgressLayout.from_json(order.layout))


def _of_file(file: Row[Any], order: Row[Any] | None, reason: str | None) -> Part:
    given_up = file.gave_up_at is not None
    began = order is None or order.active_at is not None or file.egress_status not in _NEVER_BEGAN or file.file_name != ""
    return Part(
        f"recording {file.id}",
        arrived=file.sha256 is not None and not given_up,
        why=reason or ("given_up" if given_up else "not_fetched"),
        may_come=not given_up,
        began=began,
        layout=EgressLayout.from_json(order.layout if order is not None else file.layout),
    )


def _unended(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    event = webhook_events.c
    known = and_(event.consultation_id.in_(ids), event.egress_id.is_not(None))
    ended = select(event.egress_id).where(known, event.event_type == "egress_ended")
    began = select(event.consultation_id, event.egress_id).where(known, event.event_type.in_(("egress_started", "egress_updated")))
    return _grouped(connection.execute(began.where(event.egress_id.not_in(ended)).distinct()))


def _said(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    table = consent_records.c
    return _grouped(connection.execute(select(consent_records).where(table.consultation_id.in_(ids)).order_by(table.at, table.id)))


def _people(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Everybody who was ever in these calls; every one of them is in it."""
    rows = connection.execute(select(participants).where(participants.c.consultation_id.in_(ids)))
    return {call: [] for call in ids} | _grouped(rows)


def _told_whole(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Calls of whose beginning and end LiveKit itself has told."""
    event = webhook_events.c
    told = select(event.consultation_id).where(event.consultation_id.in_(ids), event.event_id.not_like("reconciled:%"))
    began, ended = (told.where(event.event_type == kind) for kind in ("room_started", "room_finished"))
    return set(connection.scalars(began.intersect(ended)))


def _consented(call: Row[Any], people: Sequence[Any], said: Sequence[Any], records: Sequence[ConsentRecord], table: ConsentTable) -> bool:
    """Whether it might have been recorded at some moment. Where nobody told who was in it: its customer, and whoever spoke of consent."""
    told = [row._mapping for row in said]

    def person(party: str, role: Party) -> Present:
        (found,) = consents.whereabouts({party: role}, told, call.jurisdictions)
        return found

    customer = person(str(call.customer_id), Party.CUSTOMER) if call.customer_id else None
    began = call.started_at or call.created_at
    stays = [Stay(person(row.identity, Party(row.role)), row.joined_at or began, row.left_at) for row in people]
    if not stays:
        spoke = {row.party: person(row.party, Party(row.role)) for row in said} | ({customer.party: customer} if customer else {})
        stays = [Stay(who, _LONG_AGO) for who in spoke.values()]
    return was_open(table, stays, customer, records)
