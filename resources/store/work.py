"""What is to be done for which recording, who is doing it, and what went wrong.

What is to do follows from what exists (column ``stage``). A run takes recordings with FOR UPDATE SKIP LOCKED and a lease, so that
runs side by side share the work and a killed run's part is free again when its lease ends. Every write of a result checks the lease.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Date, case, cast, func, insert, literal, or_, select, text, update

from domain.days import FIRST_DAY
from domain.failures import RecordingError, gives_up, retry_delay
from resources.tables import consultations, failures, recordings

_ended_on: ColumnElement[date] = cast(
    func.timezone("UTC", func.coalesce(consultations.c.ended_at, recordings.c.ended_at, recordings.c.announced_at)), Date
)
_today: ColumnElement[date] = cast(func.timezone("UTC", func.now()), Date)
call_day: ColumnElement[date] = func.greatest(literal(FIRST_DAY, Date), func.least(_ended_on, _today))
"""The UTC day on which the call ended: the partition. Where room_finished is missing, the recording's own end.

A clock that is wrong must not stop the work of others: a day without a partition counts as the first or as today."""


class LeaseLost(Exception):
    """Another run has taken the recording over: this one's result is thrown away."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One recording that this run may work on until its lease ends."""

    recording_id: UUID
    consultation_id: UUID
    announced_ms: int | None
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class DayOfWork:
    """One day that has work to be done now. ``revision`` changes with every claim, failure and result of it."""

    day: date
    revision: str
    due: int
    audio_ms: int


def _free(now: datetime, owner: str | None) -> list[ColumnElement[bool]]:
    """Fetched, still there, and in nobody else's hands."""
    lease = recordings.c.lease_expires_at
    return [
        recordings.c.stage != "recordings",
        recordings.c.destroyed_at.is_(None),
        or_(lease.is_(None), lease <= now, recordings.c.lease_owner == owner),
    ]


def _due(now: datetime, owner: str | None = None) -> list[ColumnElement[bool]]:
    lease = recordings.c.lease_expires_at
    return [
        recordings.c.stage != "done",
        recordings.c.gave_up_at.is_(None),
        or_(recordings.c.not_before.is_(None), recordings.c.not_before <= now),
        or_(lease.is_(None), lease <= now, recordings.c.lease_owner == owner),
    ]


def days_with_work(connection: Connection, now: datetime) -> list[DayOfWork]:
    """The days, oldest first, on which something can be done now."""
    fingerprint = func.concat(recordings.c.id, ":", recordings.c.stage, ":", recordings.c.claims)
    length = func.coalesce(recordings.c.duration_ms, recordings.c.announced_duration_ms, 0)
    rows = connection.execute(
        select(
            call_day.label("day"),
            func.md5(func.string_agg(fingerprint, text("',' ORDER BY recordings.id"))).label("revision"),
            func.count().label("due"),
            func.sum(length).label("audio_ms"),
        )
        .select_from(recordings.join(consultations))
        .where(*_due(now))
        .group_by(call_day)
        .order_by(call_day)
    )
    return [DayOfWork(row.day, row.revision, row.due, int(row.audio_ms)) for row in rows]


def claim(
    connection: Connection,
    *,
    stage: str,
    day: date,
    owner: str,
    now: datetime,
    lease: timedelta,
    batch_ms: int,
    only: Sequence[UUID] = (),
    again: bool = False,
) -> list[Claim]:
    """Take the day's recordings that lack this stage's result, the longest-waiting first, up to ``batch_ms`` of audio (at least one).

    ``only`` narrows it down to some recordings; with ``again`` those that have the result are taken too. Recordings that another run
    holds are passed over, not waited for.
    """
    length = func.coalesce(recordings.c.duration_ms, recordings.c.announced_duration_ms, 0)
    query = (
        select(recordings.c.id, length.label("length"))
        .select_from(recordings.join(consultations))
        .where(*(_free(now, owner) if again else [*_due(now, owner), recordings.c.stage == stage]), call_day == day)
        .order_by(recordings.c.announced_at, recordings.c.id)
        .with_for_update(of=recordings, skip_locked=True)
    )
    if only:
        query = query.where(recordings.c.id.in_(only))
    chosen: list[UUID] = []
    total = 0
    for row in connection.execute(query):
        if chosen and total + row.length > batch_ms:
            break
        chosen.append(row.id)
        total += row.length
    if not chosen:
        return []
    taken = connection.execute(
        update(recordings)
        .where(recordings.c.id.in_(chosen))
        .values(lease_owner=owner, lease_expires_at=now + lease, claims=recordings.c.claims + 1)
        .returning(recordings.c.id, recordings.c.consultation_id, recordings.c.announced_duration_ms, recordings.c.duration_ms)
    ).all()
    order = {recording_id: n for n, recording_id in enumerate(chosen)}
    claims = [Claim(row.id, row.consultation_id, row.announced_duration_ms, row.duration_ms) for row in taken]
    return sorted(claims, key=lambda claimed: order[claimed.recording_id])


def take_along(connection: Connection, recording_ids: Sequence[UUID], owner: str, now: datetime, lease: timedelta) -> bool:
    """Lock these recordings and have a lease on each; False, and nothing changed, where another run has one of them.

    Hold their consultation before. The lease is one as any other: a later stage of the run goes on with it, and its end gives it back.
    """
    these = select(recordings.c.id, recordings.c.lease_owner, recordings.c.lease_expires_at).where(recordings.c.id.in_(recording_ids))
    rows = connection.execute(these.order_by(recordings.c.id).with_for_update()).all()
    if any(row.lease_owner not in (None, owner) and row.lease_expires_at > now for row in rows):
        return False
    more = [row.id for row in rows if row.lease_owner != owner]
    leased = {"lease_owner": owner, "lease_expires_at": now + lease, "claims": recordings.c.claims + 1}
    connection.execute(update(recordings).where(recordings.c.id.in_(more)).values(**leased))
    return True


def renew(connection: Connection, owner: str, now: datetime, lease: timedelta) -> int:
    """Prolong every lease of this run that has not ended; returns how many. Locks in the order of ids, as whoever holds several does."""
    mine = select(recordings.c.id).where(recordings.c.lease_owner == owner, recordings.c.lease_expires_at > now)
    ids = connection.execute(mine.order_by(recordings.c.id).with_for_update()).scalars().all()
    connection.execute(update(recordings).where(recordings.c.id.in_(ids)).values(lease_expires_at=now + lease))
    return len(ids)


def release(connection: Connection, owner: str) -> None:
    """Give back whatever this run still holds, so that the next one need not wait for the lease to end."""
    connection.execute(update(recordings).where(recordings.c.lease_owner == owner).values(lease_owner=None, lease_expires_at=None))


def give_up_claims(connection: Connection, owner: str) -> None:
    """Give back what this run took and could not touch, as if it had never been taken: the revision of the day is what it was."""
    connection.execute(
        update(recordings)
        .where(recordings.c.lease_owner == owner)
        .values(lease_owner=None, lease_expires_at=None, claims=func.greatest(0, recordings.c.claims - 1))
    )


def hold(connection: Connection, recording_id: UUID, owner: str) -> None:
    """Lock the recording for this transaction. Raises LeaseLost if the lease is another's by now."""
    mine = connection.execute(
        select(recordings.c.id).where(recordings.c.id == recording_id, recordings.c.lease_owner == owner).with_for_update()
    ).first()
    if mine is None:
        raise LeaseLost(f"recording {recording_id} was taken over by another run")


def finish(connection: Connection, recording_id: UUID, stage: str) -> None:
    """The stage succeeded: its failures are history. The lease stays, for the run's next stage."""
    connection.execute(
        update(failures)
        .where(failures.c.recording_id == recording_id, failures.c.stage == stage, failures.c.cleared_at.is_(None))
        .values(cleared_at=func.now())
    )
    connection.execute(update(recordings).where(recordings.c.id == recording_id).values(not_before=None, gave_up_at=None))


def wait(connection: Connection, recording_id: UUID, until: datetime) -> None:
    """Nothing is wrong, it is only too early: look again at ``until``. No attempt is counted."""
    connection.execute(
        update(recordings).where(recordings.c.id == recording_id).values(lease_owner=None, lease_expires_at=None, not_before=until)
    )


def fail(connection: Connection, recording_id: UUID, stage: str, error: RecordingError, run_id: str | None, now: datetime) -> bool:
    """Write the failure down and say when the next attempt may start; returns whether it was the last one."""
    attempt = (
        1
        + connection.execute(
            select(func.count()).where(failures.c.recording_id == recording_id, failures.c.stage == stage, failures.c.cleared_at.is_(None))
        ).scalar_one()
    )
    last = gives_up(error.reason, attempt)
    connection.execute(
        insert(failures).values(
            recording_id=recording_id,
            stage=stage,
            attempt=attempt,
            reason=error.reason.value,
            detail=error.detail,
            gave_up=last,
            run_id=run_id,
            occurred_at=now,
        )
    )
    connection.execute(
        update(recordings)
        .where(recordings.c.id == recording_id)
        .values(
            lease_owner=None,
            lease_expires_at=None,
            gave_up_at=now if last else None,
            not_before=None if last else now + retry_delay(attempt),
        )
    )
    return last


def retry(connection: Connection, recording_ids: Sequence[UUID] = ()) -> list[UUID]:
    """Start over with what was given up or waits for its next attempt: all of it, or the named recordings. Returns whom it concerns.

    An egress that left no file has nothing to start over with.
    """
    stuck = or_(recordings.c.gave_up_at.is_not(None), recordings.c.not_before.is_not(None))
    query = update(recordings).where(stuck, recordings.c.stage != "done", recordings.c.file_name != "")
    if recording_ids:
        query = query.where(recordings.c.id.in_(recording_ids))
    again = connection.execute(
        query.values(gave_up_at=None, not_before=None, claims=recordings.c.claims + 1).returning(recordings.c.id)
    ).scalars()
    chosen = list(again)
    connection.execute(
        update(failures).where(failures.c.recording_id.in_(chosen), failures.c.cleared_at.is_(None)).values(cleared_at=func.now())
    )
    return chosen


def open_failures(connection: Connection, day: date | None = None) -> list[dict[str, object]]:
    """The latest uncleared failure of each recording: id, stage, attempt, reason, detail, whether it was given up, when it is tried again,
    the file's name (empty: egress left none), the room's and the day."""
    query = (
        select(
            failures.c.recording_id,
            failures.c.stage,
            failures.c.attempt,
            failures.c.reason,
            failures.c.detail,
            failures.c.gave_up,
            failures.c.occurred_at,
            recordings.c.not_before,
            recordings.c.file_name,
            consultations.c.room_name,
            call_day.label("day"),
        )
        .distinct(failures.c.recording_id)
        .select_from(failures.join(recordings).join(consultations))
        .where(failures.c.cleared_at.is_(None))
        .order_by(failures.c.recording_id, failures.c.id.desc())
    )
    if day is not None:
        query = query.where(call_day == day)
    return [dict(row) for row in connection.execute(query).mappings()]


def progress(connection: Connection, day: date | None = None) -> dict[str, int]:
    """Stage -> number of recordings, with ``gave_up`` apart from the stage at which it happened."""
    label = case((recordings.c.gave_up_at.is_not(None), "gave_up"), else_=recordings.c.stage)
    query = select(label.label("label"), func.count().label("n")).select_from(recordings.join(consultations)).group_by(label)
    if day is not None:
        query = query.where(call_day == day)
    return {row.label: row.n for row in connection.execute(query)}
