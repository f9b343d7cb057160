"""``verbatim up``: the whole system, embedded, in the foreground."""

import time
from contextlib import ExitStack
from datetime import timedelta

from rich.console import Console

from cli.stack import Stack, running
from domain.roles import Role
from resources.identity import issue
from resources.settings import Settings

CHECK_EVERY_S = 2


def run(settings: Settings) -> None:
    console = Console()
    with ExitStack() as exits:
        with console.status("Starting PostgreSQL, the API and Dagster …"):
            stack = exits.enter_context(running(settings, {}))
        show_urls(console, stack, settings)
        stay(console, stack)


def show_urls(console: Console, stack: Stack, settings: Settings) -> None:
    console.print(f"Search page   {stack.api_url}/")
    console.print(f"API           {stack.api_url}/openapi.json")
    console.print(f"Dagster       {stack.dagster_url}/")
    if settings.oidc_issuer is None and settings.environment == "development":
        token = issue(settings, Role.COMPLIANCE, subject="local", lifetime=timedelta(hours=12))
        console.print("Sign in there as a compliance officer with this token; `verbatim token` issues others:")
        console.print(token, soft_wrap=True, highlight=False)
    console.print("Ctrl-C stops everything.")


def stay(console: Console, stack: Stack) -> None:
    """Until Ctrl-C. Raises DidNotStart when one of the processes ends by itself."""
    try:
        while True:
            time.sleep(CHECK_EVERY_S)
            stack.check()
    except KeyboardInterrupt:
        console.print("Stopping …")
