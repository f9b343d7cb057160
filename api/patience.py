"""How long a request waits for PostgreSQL: every wait of every request, in this one place. How that is done is in resources.store.patience."""

from starlette.types import ASGIApp, Receive, Scope, Send

from resources.store.patience import answered_within

SILENCE_S = 15.0
"""More than a search may take, and less than callers wait. What is down longer is down."""


class Impatient:
    """Inside, and in the threads of what runs inside, a silent PostgreSQL is down after SILENCE_S."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with answered_within(SILENCE_S):
            await self.app(scope, receive, send)
