"""An HTTP client of an application in this process, with the address it thinks it is served on."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2 as httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient


@contextmanager
def client_of(app: FastAPI, server: tuple[str, int] = ("127.0.0.1", 8000)) -> Iterator[httpx.Client]:
    with TestClient(app, base_url=f"http://{server[0]}:{server[1]}", raise_server_exceptions=False) as client:
        yield client
