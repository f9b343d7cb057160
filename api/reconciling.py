"""Reconciliation once at the API's start: what was missed while it was down is made good at once, not at the next full hour."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from anyio import to_thread
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from resources.objects import StorageError, open_store
from resources.reconciliation import reconciliation_of, reported
from resources.store.reconciliation import last_whole_run_began

logger = logging.getLogger("verbatim.reconciliation")

FIRST_WAIT_S, LONGEST_WAIT_S = 15.0, 900.0


@asynccontextmanager
async def reconciling_once(app: FastAPI) -> AsyncIterator[None]:
    """Beside the requests, which do not wait for it. Nothing to do without LIVEKIT_URL."""
    if app.state.rooms is None:
        yield
        return
    running = asyncio.create_task(_until_done(app))
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _until_done(app: FastAPI) -> None:
    started_at, wait_s = datetime.now(UTC), FIRST_WAIT_S
    while not await _done(app, started_at):
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


async def _done(app: FastAPI, started_at: datetime) -> bool:
    """Whether there has been a reconciliation that began after this process did, by itself or by another that started with it."""
    settings, engine = app.state.settings, app.state.engine
    try:
        began = await to_thread.run_sync(last_whole_run_began, engine)
        if began is not None and began >= started_at:
            logger.info("another process has reconciled since this one started")
            return True
        intake = open_store(settings.intake, settings.s3())
        with contextlib.suppress(StorageError):  # makes a folder; what else is wrong is in the report
            await to_thread.run_sync(intake.check)
        report = await reconciliation_of(settings, engine, app.state.rooms, intake).run()
    except SQLAlchemyError as error:
        logger.error("not reconciled yet: %s", type(error).__name__)
        return False
    if report is None:
        logger.info("not reconciled yet: another process is at it")  # look again whether it came to an end, and when it had begun
        return False
    logger.info("reconciled: %s", reported(report))
    for note in report.notes:
        logger.warning("%s", note)
    for trouble in report.trouble:
        logger.warning("not everything was reconciled: %s", trouble)
    return not report.trouble
