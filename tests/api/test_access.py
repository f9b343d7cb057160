"""Who gets in: every route with every role and with none, the pages' sign-in, and what the audit trail keeps of it."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient, WebSocketDenialResponse

from api.access import PAGES, PUBLIC, ROUTES, SESSION, require_listed
from api.app import create_app
from domain.audit import Entry, Outcome
from domain.roles import Role
from resources.settings import SettingMissing
from resources.store import audit
from tests.api.client import Issuer, settings

WEBSOCKETS = ("/api/handoff/live",)
GUARDED = sorted(key for key, roles in ROUTES.items() if roles != PUBLIC)


def trail(engine: Engine) -> list[Entry]:
    with engine.connect() as connection:
        return list(audit.entries(connection))


def address(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "00000000-0000-0000-0000-000000000001", path)


def opened(client: httpx.Client, path: str, headers: dict[str, str], host: str = "127.0.0.1:8000") -> httpx.Response:
    """What a WebSocket is answered: 101 where it opens."""
    assert isinstance(client, TestClient)
    try:
        with client.websocket_connect(f"ws://{host}{path}", headers=headers):
            return httpx.Response(101)
    except WebSocketDenialResponse as denied:
        return denied


@pytest.mark.parametrize("role", [*Role, None])
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_every_route_with_every_role_and_with_none(client: httpx.Client, issuer: Issuer, method: str, path: str, role: Role | None) -> None:
    headers = issuer.headers(role) if role else {}
    answer = (
        opened(client, path, headers)
        if path in WEBSOCKETS
        else client.request(method, address(path), headers=headers, follow_redirects=False)
    )
    if role is None:
        assert answer.status_code == (303 if path in PAGES else 401)
    elif role in ROUTES[method, path]:
        assert answer.status_code not in (401, 403)
    else:
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", WEBSOCKETS)
def test_while_development_tokens_count_a_websocket_opens_on_loopback_alone(client: httpx.Client, issuer: Issuer, path: str) -> None:
    assert opened(client, path, issuer.headers(Role.ADMIN)).status_code == 101
    assert opened(client, path, issuer.headers(Role.ADMIN), host="elsewhere.example").status_code == 403


def test_a_route_that_is_not_in_the_table_stops_the_start() -> None:
    router = APIRouter()
    router.add_api_route("/api/forgotten", lambda: None)
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(router)
    with pytest.raises(RuntimeError, match="/api/forgotten"):
        require_listed(app)


def _with_header(issuer: Issuer, **changed: object) -> str:
    """A token whose header no library would write; its signature is over what it says."""
    _, claims, _ = issuer.token(Role.ADMIN).split(".")
    header = json.dumps({"alg": "EdDSA", "typ": "JWT", "kid": "k1"} | changed).encode()
    signed = f"{base64.urlsafe_b64encode(header).decode().rstrip('=')}.{claims}"
    return f"{signed}.{base64.urlsafe_b64encode(issuer.key.sign(signed.encode())).decode().rstrip('=')}"


def forged(issuer: Issuer) -> dict[str, str]:
    stranger = Ed25519PrivateKey.generate()
    now = datetime.now(UTC)
    claims = {"iss": "https://issuer.example", "aud": "verbatim", "sub": "x", "roles": ["admin"], "exp": now + timedelta(minutes=5)}
    raw = issuer.key.public_key().public_bytes_raw()
    return {
        "no JWT": "nonsense",
        "another key": jwt.encode(claims, stranger, "EdDSA", headers={"kid": "k1"}),
        "a key nobody knows": jwt.encode(claims, stranger, "EdDSA", headers={"kid": "k2"}),
        "the public key as an HMAC secret": jwt.encode(claims, raw, "HS256", headers={"kid": "k1"}),
        "no signature": jwt.encode(claims, "", "none", headers={"kid": "k1"}),
        "expired": issuer.token(Role.ADMIN, exp=now - timedelta(minutes=1)),
        "not yet valid": issuer.token(Role.ADMIN, nbf=now + timedelta(minutes=5)),
        "another audience": issuer.token(Role.ADMIN, aud="elsewhere"),
        "another issuer": issuer.token(Role.ADMIN, iss="https://elsewhere.example"),
        "no expiry": issuer.token(Role.ADMIN, exp=None),
        "an expiry that is text": issuer.token(Role.ADMIN, exp="9999999999"),
        "an expiry without end": issuer.token(Role.ADMIN, exp=float("inf")),
        "an expiry that is no number": issuer.token(Role.ADMIN, exp=float("nan")),
        "an expiry that is true": issuer.token(Role.ADMIN, exp=True),
        "a beginning without end": issuer.token(Role.ADMIN, nbf=float("inf")),
        "a beginning that is a list": issuer.token(Role.ADMIN, nbf=[1]),
        "issued at no time": issuer.token(Role.ADMIN, iat=float("-inf")),
        "an algorithm that is a list": _with_header(issuer, alg=["EdDSA"]),
        "a key's id that is a list": _with_header(issuer, kid=["k1"]),
        "nobody": issuer.token(Role.ADMIN, subject=""),
        "a NUL": issuer.token(Role.ADMIN, subject="x\0"),
        "half of a surrogate pair": issuer.token(Role.ADMIN, subject="x\ud800"),
        "longer than any": issuer.token(Role.ADMIN, padding="x" * 20_000),
    }


@pytest.mark.parametrize("kind", list(forged(Issuer())))
def test_a_token_that_proves_nothing_is_401(client: httpx.Client, issuer: Issuer, kind: str) -> None:
    token = forged(issuer)[kind]
    answer = client.get("/api/search", params={"q": "x"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert token not in answer.text


def test_roles_of_other_programs_mean_nothing(client: httpx.Client, issuer: Issuer) -> None:
    token = issuer.token(roles=["billing:admin", "Admin", 7, None, {"admin": True}])
    assert client.get("/api/search", params={"q": "x"}, headers={"Authorization": f"Bearer {token}"}).status_code == 403


def test_clocks_may_differ_by_half_a_minute(client: httpx.Client, issuer: Issuer) -> None:
    token = issuer.token(Role.ADMIN, exp=datetime.now(UTC) - timedelta(seconds=10), iat=datetime.now(UTC) + timedelta(seconds=10))
    assert client.get("/api/search", params={"q": "x"}, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_who_searched_and_who_was_refused_is_in_the_trail(client: httpx.Client, engine: Engine, issuer: Issuer) -> None:
    client.get("/api/search", params={"q": "refund"}, headers=issuer.headers(Role.COMPLIANCE, subject="officer-1"))
    client.get("/api/search", params={"q": "refund"}, headers=issuer.headers(Role.CUSTOMER, subject="customer-1"))
    client.get("/api/search", params={"q": "refund"})
    searched, refused, stranger = (entry.deed for entry in trail(engine))
    assert (searched.actor, searched.role, searched.action, searched.outcome) == ("officer-1", "compliance", "search", Outcome.DONE)
    assert dict(searched.details) == {"query": "refund", "hits": 0, "continued": False}
    assert (refused.actor, refused.role, refused.outcome, dict(refused.details)["route"]) == (
        "customer-1", "customer", Outcome.REFUSED, "/api/search",
    )  # fmt: skip
    assert (stranger.actor, stranger.outcome) == ("stranger", Outcome.REFUSED)


def test_strangers_cannot_fill_the_trail(client: httpx.Client, engine: Engine) -> None:
    answers = {client.get("/api/search", params={"q": "x"}, headers={"Authorization": "Bearer x"}).status_code for _ in range(40)}
    assert answers == {401}
    assert len(trail(engine)) <= 10


def test_a_page_leads_to_the_sign_in_and_back(client: httpx.Client, engine: Engine, issuer: Issuer) -> None:
    sent = client.get("/?q=refund OR fee", follow_redirects=False)
    assert sent.status_code == 303
    form = client.get(sent.headers["location"])
    assert 'value="/?q=refund%20OR%20fee"' in form.text
    token = issuer.token(Role.COMPLIANCE, subject="officer-1")
    signed = client.post("/sign-in", data={"token": f" {token}\n", "next": "/?q=refund%20OR%20fee"}, follow_redirects=False)
    assert (signed.status_code, signed.headers["location"]) == (303, "/?q=refund%20OR%20fee")
    cookie = signed.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert "Nobody said that" in client.get(signed.headers["location"]).text
    assert client.get("/api/search", params={"q": "refund"}).status_code == 401, "the cookie is for pages alone"
    assert [entry.deed.action for entry in trail(engine) if entry.deed.outcome is Outcome.DONE] == ["session.begin", "search"]
    client.post("/sign-out")
    assert client.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "asked", ["https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example", "javascript:alert(1)", "/a\r\nb"]
)
def test_signing_in_leads_nowhere_else(client: httpx.Client, issuer: Issuer, asked: str) -> None:
    signed = client.post("/sign-in", data={"token": issuer.token(Role.ADMIN), "next": asked}, follow_redirects=False)
    assert signed.headers["location"] == "/"


@pytest.mark.parametrize(("token", "status"), [("nonsense", 401), ("", 401), ("x" * 40_000, 413)])
def test_a_bad_sign_in_says_so_and_sets_nothing(client: httpx.Client, token: str, status: int) -> None:
    answer = client.post("/sign-in", data={"token": token})
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert SESSION not in client.cookies


def test_production_needs_an_issuer() -> None:
    with pytest.raises(SettingMissing, match="VERBATIM_OIDC_ISSUER"):
        create_app(settings(environment="production"))
    with pytest.raises(SettingMissing, match="VERBATIM_OIDC_JWKS"):
        create_app(settings(environment="production", oidc_issuer="https://issuer.example"))
    with pytest.raises(SettingMissing, match="https"):
        create_app(settings(oidc_issuer="https://issuer.example", oidc_audience="verbatim", oidc_jwks="http://issuer.example/keys"))
