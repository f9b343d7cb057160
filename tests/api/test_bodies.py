"""What is sent with a request, over a real connection: read only from who may, and only so much of it."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from sqlalchemy import Engine

from api.access import PUBLIC, ROUTES
from api.app import create_app
from api.bodies import LARGEST_BODY_BYTES
from domain.roles import Role
from tests.api.client import Issuer, served, settings
from tests.api.test_access import address, trail

ISSUER = Issuer()
CUSTOMER = "00000000-0000-0000-0000-000000000001"
BEGIN = "/api/livekit/consultation"
HUGE = 400_000_000


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    with served(create_app(settings(), engine, ISSUER.identities)) as opened:
        yield opened


def answer_before_the_end(url: str, path: str, headers: dict[str, str], begun: bytes) -> tuple[int, dict[str, Any]]:
    """What comes back although the body that was begun has not ended, and never will: (status, problem)."""
    place = urlsplit(url)
    assert place.hostname and place.port
    lines = [f"POST {path} HTTP/1.1", f"Host: {place.netloc}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    with socket.create_connection((place.hostname, place.port), timeout=120) as connection:
        connection.sendall("\r\n".join(lines).encode() + begun)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length:
            body += connection.recv(65536)
    return int(head.split()[1]), json.loads(body)


def in_chunks(size: int) -> bytes:
    return b"".join(b"10000\r\n" + b" " * 65536 + b"\r\n" for _ in range(size // 65536 + 1))


BODIES = {
    "a length that it says": ({"Content-Length": str(HUGE)}, b"    "),
    "chunks without end": ({"Transfer-Encoding": "chunked"}, in_chunks(LARGEST_BODY_BYTES)),
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize(
    ("role", "status", "title"), [(None, 401, "Sign in"), (Role.MONITOR, 403, "Not for this role"), (Role.CUSTOMER, 413, "Too large")]
)
def test_who_asks_counts_before_what_and_nothing_is_read_to_its_end(
    url: str, engine: Engine, kind: str, role: Role | None, status: int, title: str
) -> None:
    said, begun = BODIES[kind]
    headers = {"Content-Type": "application/json"} | (ISSUER.headers(role, subject=CUSTOMER) if role else {}) | said
    found, problem = answer_before_the_end(url, BEGIN, headers, begun)
    assert (found, problem["status"], problem["title"]) == (status, status, title)
    (entry,) = trail(engine)
    assert dict(entry.deed.details)["status"] == status


def test_a_public_route_reads_no_more_either(url: str) -> None:
    said, begun = BODIES["chunks without end"]
    assert answer_before_the_end(url, "/api/training/enter", {"Content-Type": "application/json"} | said, begun)[0] == 413
    assert answer_before_the_end(url, "/api/livekit/webhook", {"Content-Type": "application/webhook+json"} | said, begun)[0] == 413


def test_as_much_as_is_allowed_is_read(url: str) -> None:
    """JSON may be spaced out to the limit, and a byte more is too much."""
    said = json.dumps({"type": "claims"}).encode()
    with httpx.Client(base_url=url, headers=ISSUER.headers(Role.CUSTOMER, subject=CUSTOMER) | {"Content-Type": "application/json"}) as http:
        fits = http.post(BEGIN, content=said.ljust(LARGEST_BODY_BYTES))
        assert (fits.status_code, fits.json()["title"]) == (503, "No LiveKit server"), "it got as far as any"
        more = http.post(BEGIN, content=said.ljust(LARGEST_BODY_BYTES + 1))
        assert (more.status_code, more.headers["content-type"]) == (413, "application/problem+json")
        assert str(LARGEST_BODY_BYTES) in more.json()["detail"]


@pytest.mark.parametrize("body", [b"{", b'{"type": 7}', b"\xff", b"[" * 100_000], ids=["broken", "wrong", "no text", "deep"])
def test_what_cannot_be_read_is_told_only_to_who_may_ask(url: str, body: bytes) -> None:
    """On every route that takes a body."""
    taking = [key for key, roles in ROUTES.items() if roles != PUBLIC and key[0] in ("POST", "PUT")]
    with httpx.Client(base_url=url, headers={"Content-Type": "application/json"}) as http:
        for method, path in taking:
            stranger = http.request(method, address(path), content=body)
            assert (stranger.status_code, stranger.headers["content-type"]) == (401, "application/problem+json"), path
            wrong = http.request(method, address(path), content=body, headers=ISSUER.headers(Role.MONITOR))
            assert wrong.status_code == 403, path
        known = http.post(BEGIN, content=body, headers=ISSUER.headers(Role.CUSTOMER, subject=CUSTOMER))
        assert known.status_code in (400, 422)


def test_the_description_says_that_there_is_a_limit(engine: Engine) -> None:
    document = create_app(settings(), engine, ISSUER.identities).openapi()
    with_body = [one for operations in document["paths"].values() for one in operations.values() if "requestBody" in one]
    assert len(with_body) > 10
    for operation in with_body:
        assert "application/problem+json" in operation["responses"]["413"]["content"]
