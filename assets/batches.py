"""One stage's work on one day: claim, do each recording by itself, write failures down, report.

A recording's own fault never touches its neighbours. A fault of the whole system (no model, no storage, no database, wrong rules) ends the run
and burns no attempt of anybody; the leases go back at once.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

import dagster as dg
from pydantic import Field
from sqlalchemy.exc import OperationalError

from assets.services import Services
from domain.failures import Reason, RecordingError
from resources.objects import AccessDenied, BucketMissing, StorageUnavailable
from resources.policies import WrongPolicy
from resources.speech.model import ModelUnavailable
from resources.store import work
from resources.store.work import Claim, LeaseLost

STAGES = ("recordings", "transcripts", "redactions", "findings", "archive", "search_documents")
SYSTEMIC = (ModelUnavailable, StorageUnavailable, AccessDenied, BucketMissing, WrongPolicy, OperationalError)


class Done(StrEnum):
    PROCESSED = "processed"
    WAITING = "waiting"
    FAILED = "failed"
    TAKEN_OVER = "taken_over"


@dataclass
class Report:
    """How many recordings ended how; ``counters`` are the stage's own figures."""

    done: Counter[Done] = field(default_factory=Counter)
    counters: Counter[str] = field(default_factory=Counter)


Handle = Callable[[Claim, Report], Done]


class Selection(dg.ConfigurableResource):
    """Which recordings a run is about. Empty: all of the day that wait for a result."""

    recording_ids: list[str] = Field(default_factory=list)

    def ids(self) -> list[UUID]:
        try:
            return [UUID(recording_id) for recording_id in self.recording_ids]
        except ValueError:
            raise dg.Failure(
                "recording_ids of the run's configuration has an entry that is no recording's id", allow_retries=False
            ) from None


def work_through(
    context: dg.AssetExecutionContext, services: Services, selection: Selection, stage: str, handle: Handle, *, again: bool = False
) -> Report:
    """Claim the day's share of ``stage`` and handle each recording. With ``again`` named recordings are taken even if they have a result."""
    report = Report()
    owner, day = context.run_id, date.fromisoformat(context.partition_key)
    chosen = selection.ids()
    if len(chosen) == 1:
        context.instance.add_run_tags(context.run_id, {"verbatim/recording_id": str(chosen[0])})
    with services.engine.begin() as connection:
        claims = work.claim(
            connection,
            stage=stage,
            day=day,
            owner=owner,
            now=services.now(),
            lease=_lease(services),
            batch_ms=services.settings.batch_audio_minutes * 60_000,
            only=chosen,
            again=again and bool(chosen),
        )
    if chosen and not claims:
        context.log.warning(f"{stage}: none of the {len(chosen)} named recordings is of this day, free, and lacks this result")
    try:
        with _renewing(services, owner):
            for number, claimed in enumerate(claims, 1):
                outcome = _handle_one(context, services, stage, handle, claimed, report)
                report.done[outcome] += 1
                context.log.info(f"{stage}: {number} of {len(claims)}, recording {claimed.recording_id} {outcome.value}")
    except SYSTEMIC:
        with services.engine.begin() as connection:
            work.give_up_claims(connection, owner)
        raise
    if _is_last(context):
        _release(services, owner)
    return report


def _handle_one(context: dg.AssetExecutionContext, services: Services, stage: str, handle: Handle, claimed: Claim, report: Report) -> Done:
    try:
        done = handle(claimed, report)
        if done is Done.PROCESSED:
            with services.engine.begin() as connection:
                work.finish(connection, claimed.recording_id, stage)
        return done
    except SYSTEMIC:
        raise
    except LeaseLost:
        return Done.TAKEN_OVER
    except RecordingError as error:
        failed = error
    except MemoryError:
        failed = RecordingError(Reason.OUT_OF_MEMORY, f"the stage {stage} ran out of memory")
    except Exception as error:  # its text may hold what was said, so only its kind and place are kept
        failed = RecordingError(Reason.UNEXPECTED, f"{type(error).__name__} at {_place(error)} in stage {stage}")
    with services.engine.begin() as connection:
        try:
            work.hold(connection, claimed.recording_id, context.run_id)
        except LeaseLost:
            return Done.TAKEN_OVER
        work.fail(connection, claimed.recording_id, stage, failed, context.run_id, services.now())
    return Done.FAILED


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"


def _lease(services: Services) -> timedelta:
    return timedelta(seconds=services.settings.lease_seconds)


def _is_last(context: dg.AssetExecutionContext) -> bool:
    """Whether no later stage is part of this run: then nobody in it needs the leases any more."""
    in_run = context.job_def.asset_layer.executable_asset_keys
    later = STAGES[STAGES.index(context.asset_key.to_user_string()) + 1 :]
    return not any(dg.AssetKey(stage) in in_run for stage in later)


def _release(services: Services, owner: str) -> None:
    with services.engine.begin() as connection:
        work.release(connection, owner)


@contextmanager
def _renewing(services: Services, owner: str) -> Iterator[None]:
    """Keep the run's leases alive for as long as this process is."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(services.settings.lease_seconds / 3):
            try:
                with services.engine.begin() as connection:
                    work.renew(connection, owner, services.now(), _lease(services))
            except OperationalError:
                continue  # the next round tries again; if the lease ends meanwhile, saving finds out

    thread = threading.Thread(target=renew, name="lease-renewal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
