"""GET /metrics: what a Prometheus server wants to know. Counts and times only; no id, no name, nothing that was said."""

import time
from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resources.store import reading, work

router = APIRouter()


class Measured:
    """Counts requests by route, method and status, and times them. The route is its template, so no id becomes a label."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        labels = ("method", "route", "status")
        self.requests = Counter("verbatim_http_requests", "Requests answered", labels, registry=registry)
        self.seconds = Histogram("verbatim_http_request_seconds", "Time to answer", ("method", "route"), registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == WEBHOOK:
            await self.app(scope, receive, send)
            return
        answered: list[int] = []

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
            await send(message)

        began = time.perf_counter()
        try:
            await self.app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self.seconds.labels(scope["method"], route).observe(time.perf_counter() - began)
            self.requests.labels(scope["method"], route, str(answered[0] if answered else 500)).inc()


WEBHOOK = "/api/livekit/webhook"
"""Told by what it leaves in the store; timing it would cost as much as it takes."""


class Store(Collector):
    """Asks the store when somebody looks: what waits at which stage, what was given up, which webhooks wait."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("verbatim_store_up", "Whether PostgreSQL answers")
        try:
            with self._engine.connect() as connection:
                stages = work.progress(connection)
                waiting = sum(reading.unknown_rooms(connection).values())
                active = reading.active_egresses(connection)
        except SQLAlchemyError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        recordings = GaugeMetricFamily("verbatim_recordings", "Recordings by the first result that is missing", labels=["stage"])
        for stage, count in sorted(stages.items()):
            recordings.add_metric([stage], count)
        yield recordings
        yield GaugeMetricFamily("verbatim_webhooks_waiting", "Webhooks whose room is not known", value=waiting)
        yield GaugeMetricFamily("verbatim_egresses_active", "Egresses that started and have not ended", value=active)


_EXAMPLE = """# HELP verbatim_store_up Whether PostgreSQL answers
# TYPE verbatim_store_up gauge
verbatim_store_up 1.0
# HELP verbatim_webhooks_waiting Webhooks whose room is not known
# TYPE verbatim_webhooks_waiting gauge
verbatim_webhooks_waiting 0.0
"""


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE}}, "description": "Prometheus' text format"}
    },
)
def metrics(request: Request) -> Response:
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
