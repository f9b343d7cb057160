"""An HTTP client of an application in this process, with the address it thinks it is served on, and callers in every role."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr

from domain.roles import Role
from resources.identity import Identities
from resources.settings import Settings

KEY, SECRET = "key1", "a-secret-that-is-long-enough-for-hs256"
ISSUER, AUDIENCE = "https://issuer.example", "verbatim"


class Issuer:
    """An OIDC issuer's signing side; its public key is the only one that ``identities`` trust."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(self.key.public_key()))
        self.jwks = json.dumps({"keys": [{**public, "kid": "k1", "use": "sig", "alg": "EdDSA"}]}).encode()
        self.identities = Identities(self, issuer=ISSUER, audience=AUDIENCE)

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        return jwt.PyJWK.from_dict(json.loads(self.jwks)["keys"][0]) if key_id == "k1" else None

    def token(self, *roles: Role, subject: str = "somebody", **changed: object) -> str:
        now = datetime.now(UTC)
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "roles": [*roles], "iat": now, "exp": now + timedelta(minutes=5)}
        return jwt.encode(claims | changed, self.key, "EdDSA", headers={"kid": "k1"})

    def headers(self, *roles: Role, subject: str = "somebody") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(*roles, subject=subject)}"}


def settings(**more: object) -> Settings:
    return Settings.model_validate({"livekit_api_key": KEY, "livekit_api_secret": SecretStr(SECRET), **more})


@contextmanager
def client_of(app: FastAPI, server: tuple[str, int] = ("127.0.0.1", 8000)) -> Iterator[httpx.Client]:
    with TestClient(app, base_url=f"http://{server[0]}:{server[1]}", raise_server_exceptions=False) as client:
        yield client


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application on a real port of loopback; its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
        assert thread.is_alive(), "the server did not start"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
