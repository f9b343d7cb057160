"""GET /api/handoff/live: a WebSocket that pushes the queue of handoffs as it changes. What it pushes from: resources.handoff_watch. The messages,
and what a dashboard does with them: docs/handoff-live.md.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import anyio
from anyio import to_thread
from fastapi import APIRouter, FastAPI, Query, Response, WebSocket
from pydantic import Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocketDisconnect, WebSocketState

from api.access import Refused, authorise, refusal
from api.handoff_bodies import IN_QUEUE
from api.problems import described, problem
from api.rooms import STORE_IS_DOWN
from resources.handoff_watch import Dashboard, FellBehind, HandoffWatch, change_message, queue_message
from resources.store import handoffs

router = APIRouter()
described_router = APIRouter(tags=["handoff"])
"""The same address without a WebSocket, so that the API's description has it."""

EXPIRED, BEHIND = 4401, 4008
"""Codes with which it is closed: the token has run out; come back with your number."""
LARGEST_NUMBER = 2**63 - 1
After = Annotated[int | None, Query(ge=0, le=LARGEST_NUMBER, description="Number of the last message that one has had")]
_AFTER: TypeAdapter[int | None] = TypeAdapter(Annotated[int | None, Field(ge=0, le=LARGEST_NUMBER)])
_UPGRADE = {"schema": {"type": "string"}, "example": "websocket"}
_DESCRIPTION: dict[str, Any] = {
    "x-websocket": {
        "subprotocols": ["bearer", "<access token>"],
        "messages": {
            "queue": {
                "description": "Everything that is open: first of all, and where what came after `after` is not kept any more",
                "example": {"type": "queue", "number": 1042, "handoffs": [IN_QUEUE]},
            },
            "change": {
                "description": "One handoff as it is from then on; no longer in the queue where its state is accepted, callback or cancelled",
                "example": {"type": "change", "number": 1043, "handoff": IN_QUEUE},
            },
        },
        "closeCodes": {str(EXPIRED): "The token has run out", str(BEHIND): "Too far behind: come back with the last number"},
    }
}


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
async def live(socket: WebSocket) -> None:
    """The token comes in the Authorization header or, from a browser, as the subprotocol after ``bearer``; never in the address.

    No cookie counts here, so a page elsewhere cannot open it in a person's name.
    """
    try:
        await to_thread.run_sync(authorise, socket)
        after = _AFTER.validate_python(socket.query_params.get("after"))  # not before it is known who asks
    except Refused as refused:
        await _deny(socket, refusal(socket, refused))
        return
    except ValidationError as error:
        await _deny(socket, problem(422, "A parameter is missing or wrong", f"after: {error.errors()[0]['msg']}"))
        return
    watch: HandoffWatch = socket.app.state.handoffs
    dashboard = watch.join()
    try:
        try:
            number, messages = await to_thread.run_sync(_missed, socket, after)
        except STORE_IS_DOWN:
            await _deny(socket, problem(503, "The store is down", "The queue cannot be read now; try again."))
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


@described_router.get(
    "/api/handoff/live",
    summary="Watch the queue, over a WebSocket",
    status_code=426,
    response_class=Response,
    responses={
        101: {"description": "The WebSocket is open, and messages come; see `x-websocket`", "headers": {"Upgrade": _UPGRADE}},
        422: described("`after` is no number of a message"),
        426: described("Not asked for as a WebSocket") | {"headers": {"Upgrade": _UPGRADE}},
    },
    openapi_extra=_DESCRIPTION,
)
def describe(after: After = None) -> Response:
    """Pushes each change of the queue to whoever watches it. The token comes in the Authorization header or, from a browser, as the subprotocol
    after `bearer`; never in the address. Whoever comes back with `after` gets what they missed.
    """
    return problem(426, "A WebSocket", "This address is for a WebSocket: connect with ws:// or wss://.", headers={"Upgrade": "websocket"})


async def _deny(socket: WebSocket, answer: Response) -> None:
    """The answer of one who was not let in; a server that can give none before a WebSocket is open says 403 by itself."""
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(answer)
    else:
        socket.state.refused_because = getattr(socket.state, "refused_because", "not let in")
        await socket.close()


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
