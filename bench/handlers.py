"""Two servers to compare: our API, and the least that any webhook handler does (check the signature, insert one row).

``python -m bench.handlers ours|bare PORT`` serves until it is ended; database and keys come from the environment.
"""

import sys

import uvicorn
from fastapi import FastAPI, Request, Response
from livekit.api import TokenVerifier, WebhookReceiver
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool

from api.app import create_app
from resources.settings import Settings
from resources.store.database import engine_for


def bare(settings: Settings) -> FastAPI:
    assert settings.database_url is not None
    engine = engine_for(settings.database_url.get_secret_value())
    (key, secret), *_ = settings.webhook_keys().items()
    receiver = WebhookReceiver(TokenVerifier(key, secret))
    app = FastAPI()
    store = text("INSERT INTO bare_events (event_id, body) VALUES (:id, :body) ON CONFLICT DO NOTHING")

    def insert(event_id: str, body: str) -> None:
        with engine.begin() as connection:
            connection.execute(store, {"id": event_id, "body": body})

    @app.post("/api/livekit/webhook")
    async def webhook(request: Request) -> Response:
        body = (await request.body()).decode()
        event = receiver.receive(body, request.headers["authorization"])
        await run_in_threadpool(insert, event.id, body)
        return Response()

    @app.get("/readyz")
    def readyz() -> Response:
        return Response()

    return app


if __name__ == "__main__":
    chosen = create_app(Settings()) if sys.argv[1] == "ours" else bare(Settings())
    uvicorn.run(chosen, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
