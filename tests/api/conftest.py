"""An issuer of tokens, and a client of an application that trusts it."""

from collections.abc import Iterator

import httpx2 as httpx
import pytest
from sqlalchemy import Engine

from api.app import create_app
from tests.api.client import Issuer, client_of, settings


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def client(engine: Engine, issuer: Issuer) -> Iterator[httpx.Client]:
    with client_of(create_app(settings(), engine, issuer.identities)) as opened:
        yield opened
