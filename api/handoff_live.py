"""GET /api/handoff/live: a WebSocket that pushes the queue of handoffs as it changes. What it pushes from: resources.handoff_watch.

A message is JSON: ``{"type": "queue", "number": n, "handoffs": [...]}`` is everything that is open, ``{"type": "change", "number": n,
"handoff": {...}}`` one handoff as it is from then on, no longer in the queue where its state is accepted, callback or cancelled. Whoever comes
back with ``?after=n`` gets what came after n, or the whole queue where that is not kept any more.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated

import anyio
from anyio import to_thread
from fastapi import APIRouter, FastAPI, Query, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from api.access import Refused, authorise, refusal
from api.problems import problem
from api.rooms import STORE_IS_DOWN
from resources.handoff_watch import Dashboard, FellBehind, HandoffWatch, change_message, queue_message
from resources.store import handoffs

router = APIRouter()

EXPIRED, BEHIND = 4401, 4008
"""Codes with which it is closed: the token has run out; come back with your number."""
LARGEST_NUMBER = 2**63 - 1


@asynccontextmanager
async def watching_handoffs(app: FastAPI) -> AsyncIterator[None]:
    """While the block lasts, the queue is settled and dashboards are told."""
    app.state.handoffs = HandoffWatch(app.state.engine)
    running = asyncio.create_task(app.state.handoffs.run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@router.websocket("/api/handoff/live")
async def live(socket: WebSocket, after: Annotated[int | None, Query(ge=0, le=LARGEST_NUMBER)] = None) -> None:
    """The token comes in the Authorization header or, from a browser, as the subprotocol after ``bearer``; never in the address.

    No cookie counts here, so a page elsewhere cannot open it in a person's name.
    """
    try:
        await to_thread.run_sync(authorise, socket)
    except Refused as refused:
        await socket.send_denial_response(refusal(socket, refused))
        return
    watch: HandoffWatch = socket.app.state.handoffs
    dashboard = watch.join()
    try:
        try:
            number, messages = await to_thread.run_sync(_missed, socket, after)
        except STORE_IS_DOWN:
            await socket.send_denial_response(problem(503, "The store is down", "The queue cannot be read now; try again."))
            return
        await socket.accept("bearer" if "bearer" in socket.scope["subprotocols"] else None)
        with suppress(WebSocketDisconnect):
            for message in messages:
                await socket.send_text(message)
            code = await _first(_until_gone(socket), _until_expired(socket), _push(socket, dashboard, number))
            if code is not None and socket.application_state is WebSocketState.CONNECTED:
                await socket.close(code)
    finally:
        watch.leave(dashboard)


def _missed(socket: WebSocket, after: int | None) -> tuple[int, list[str]]:
    """(number of the newest change that is in it, what a dashboard is to be told first)."""
    with socket.app.state.engine.connect() as connection:
        changes = handoffs.changes_after(connection, after) if after is not None else None
        if changes is not None and after is not None:
            return (changes[-1]["number"] if changes else after), [change_message(row["number"], row["entry"]) for row in changes]
        number, waiting = handoffs.queue(connection)
        return number, [queue_message(number, [one.entry for one in waiting])]


async def _push(socket: WebSocket, dashboard: Dashboard, number: int) -> int:
    while True:
        try:
            change = await dashboard.next()
        except FellBehind:
            return BEHIND
        if change.number > number:
            await socket.send_text(change.message)


async def _until_gone(socket: WebSocket) -> None:
    """Dashboards say nothing that matters here."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _until_expired(socket: WebSocket) -> int:
    expires_at: datetime = socket.state.caller.expires_at
    await asyncio.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()))
    return EXPIRED


async def _first(*endings: Coroutine[None, None, int | None]) -> int | None:
    """What the first of these to end returns; the others are cancelled. A dashboard that goes ends them all."""
    results: list[int | None] = []
    async with anyio.create_task_group() as tasks:

        async def watch(ending: Coroutine[None, None, int | None]) -> None:
            with suppress(WebSocketDisconnect):
                results.append(await ending)
            tasks.cancel_scope.cancel()

        for ending in endings:
            tasks.start_soon(watch, ending)
    return results[0] if results else None
