"""Keys of an issuer over HTTP and from a file, and development tokens."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from cli.main import cli
from domain.roles import Role
from resources.identity import Identities, IssuerUnavailable, KeyFile, KeysAt, NotIdentified, identities_of, issue
from resources.identity.keys import FRESH_S, PAUSE_S
from resources.settings import SettingMissing
from tests.api.client import AUDIENCE, ISSUER, Issuer, settings


class JwksServer:
    """Serves whatever ``body`` holds, and counts how often it was asked."""

    def __init__(self, body: bytes) -> None:
        self.body, self.asked = body, 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(server.body)

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/jwks"


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def server(issuer: Issuer) -> Iterator[JwksServer]:
    opened = JwksServer(issuer.jwks)
    yield opened
    opened.http.shutdown()
    opened.http.server_close()


def reading(keys: KeysAt | KeyFile) -> Identities:
    return Identities(keys, issuer=ISSUER, audience=AUDIENCE)


FUTURE = st.integers(2 * 10**9, 10**30)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = FUTURE | FUTURE.map(str) | SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=3)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "sub", "iss", "aud", "roles", "team"])
@given(value=JSON)
@tries(deadline=None)
def test_whatever_an_issuer_signs_is_read_or_proves_nothing(claim: str, value: object) -> None:
    """Never a fault of ours: a program that writes its times as text has no token, as one that has expired has none."""
    issuer = Issuer()
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "a", "roles": ["agent"], "exp": now + 300} | {claim: value}
    token = jwt.PyJWS().encode(json.dumps(claims).encode(), issuer.key, "EdDSA", headers={"kid": "k1"})
    with suppress(NotIdentified):
        caller = issuer.identities.caller(token)
        assert caller.subject and caller.expires_at.tzinfo is not None


def test_keys_are_asked_for_once_and_again_when_they_change(server: JwksServer, issuer: Issuer) -> None:
    now = [0.0]
    identities = reading(KeysAt(server.url, clock=lambda: now[0]))
    for _ in range(5):
        assert identities.caller(issuer.token(Role.AGENT, subject="a")).roles == {Role.AGENT}
    assert server.asked == 1
    other = Issuer()
    server.body = other.jwks.replace(b'"k1"', b'"k2"')
    token = jwt.encode(jwt.decode(other.token(Role.ADMIN), options={"verify_signature": False}), other.key, "EdDSA", headers={"kid": "k2"})
    with pytest.raises(NotIdentified):
        identities.caller(token)
    now[0] += PAUSE_S
    assert identities.caller(token).roles == {Role.ADMIN}
    assert server.asked == 2
    with pytest.raises(NotIdentified, match="does not have"):
        identities.caller(issuer.token(Role.AGENT))


def test_made_up_key_ids_do_not_flood_the_issuer(server: JwksServer, issuer: Issuer) -> None:
    identities = reading(KeysAt(server.url, clock=lambda: 0.0))
    for number in range(20):
        with pytest.raises(NotIdentified):
            identities.caller(jwt.encode({}, issuer.key, "EdDSA", headers={"kid": f"made-up-{number}"}))
    assert server.asked == 1


def test_while_the_issuer_is_down_its_last_keys_are_good(server: JwksServer, issuer: Issuer) -> None:
    now = [0.0]
    identities = reading(KeysAt(server.url, clock=lambda: now[0]))
    assert identities.caller(issuer.token(Role.AGENT))
    server.body = b"<html>down</html>"
    now[0] += FRESH_S + PAUSE_S
    assert identities.caller(issuer.token(Role.AGENT))
    with pytest.raises(IssuerUnavailable, match=r"127\.0\.0\.1"):
        reading(KeysAt(server.url)).caller(issuer.token(Role.AGENT))


def test_a_key_file_is_read_again_when_it_changes(tmp_path: Path, issuer: Issuer) -> None:
    path = tmp_path / "jwks.json"
    with pytest.raises(IssuerUnavailable, match=r"jwks\.json"):
        reading(KeyFile(path)).caller(issuer.token(Role.AGENT))
    path.write_bytes(b'{"keys": []}')
    identities = reading(KeyFile(path))
    with pytest.raises(NotIdentified):
        identities.caller(issuer.token(Role.AGENT))
    path.unlink()
    path.write_bytes(issuer.jwks)
    assert identities.caller(issuer.token(Role.AGENT)).roles == {Role.AGENT}


def test_rsa_and_elliptic_curve_keys_and_a_claim_that_lies_deeper(tmp_path: Path) -> None:
    signing: dict[str, Any] = {"RS256": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1())}
    algorithms: dict[str, Any] = {"RS256": jwt.algorithms.RSAAlgorithm, "ES256": jwt.algorithms.ECAlgorithm}
    listed = [json.loads(algorithms[name].to_jwk(key.public_key())) | {"kid": name, "use": "sig"} for name, key in signing.items()]
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [*listed, {"kty": "oct", "k": "c2VjcmV0", "kid": "HS256"}, {"kty": "new"}]}))
    identities = Identities(KeyFile(path), issuer=ISSUER, audience=AUDIENCE, roles_claim="realm_access.roles")
    claims = jwt.decode(Issuer().token(), options={"verify_signature": False}) | {
        "realm_access": {"roles": ["supervisor"]},
        "team": "north",
    }
    for name, key in signing.items():
        caller = identities.caller(jwt.encode(claims, key, name, headers={"kid": name}))
        assert (set(caller.roles), caller.team) == ({Role.SUPERVISOR}, "north")
    with pytest.raises(NotIdentified):
        identities.caller(jwt.encode(claims, "secret" * 8, "HS256", headers={"kid": "HS256"}))
    with pytest.raises(NotIdentified):
        identities.caller(jwt.encode(claims, signing["RS256"], "RS256", headers={"kid": "ES256"}))


def test_a_development_token_works_in_its_own_data_folder_alone(tmp_path: Path) -> None:
    mine, other = settings(data_dir=tmp_path / "a"), settings(data_dir=tmp_path / "b")
    token = issue(mine, Role.COMPLIANCE, subject="me", lifetime=timedelta(minutes=5))
    assert identities_of(mine).caller(token).subject == "me"
    with pytest.raises(NotIdentified):
        identities_of(other).caller(token)
    issue(other, Role.COMPLIANCE, subject="me", lifetime=timedelta(minutes=5))
    with pytest.raises(NotIdentified):
        identities_of(other).caller(token)
    (key,) = (tmp_path / "a").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "more", [{"VERBATIM_ENVIRONMENT": "production"}, {"VERBATIM_OIDC_ISSUER": "https://issuer.example"}], ids=["production", "issuer"]
)
def test_the_command_issues_none_where_they_do_not_count(tmp_path: Path, more: dict[str, str]) -> None:
    told = CliRunner().invoke(cli, ["token", "--role", "admin"], env={"VERBATIM_DATA_DIR": str(tmp_path), **more})
    assert isinstance(told.exception, SettingMissing)
    assert next(iter(more)) in str(told.exception)
    assert list(tmp_path.iterdir()) == []


def test_the_command_issues_a_token(tmp_path: Path) -> None:
    told = CliRunner().invoke(cli, ["token", "--role", "supervisor", "--team", "north"], env={"VERBATIM_DATA_DIR": str(tmp_path)})
    caller = identities_of(settings(data_dir=tmp_path)).caller(told.stdout.strip())
    assert (set(caller.roles), caller.team) == ({Role.SUPERVISOR}, "north")
