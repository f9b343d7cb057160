"""An issuer's public keys (JWKS, RFC 7517), from a file or an address. What is signed with them is read in resources.identity.tokens."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt

TIMEOUT_S = 5
FRESH_S = 300
"""After this long the keys are asked for again, so that a key that the issuer has withdrawn is not trusted for ever."""

PAUSE_S = 10
"""Least time between two requests: tokens with made-up key ids must not turn into a flood at the issuer."""

LARGEST_BYTES = 1 << 20


class IssuerUnavailable(Exception):
    """The issuer's keys cannot be had. ``str()`` says from where and why."""


class Keys(Protocol):
    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """The key of that id; without an id, the only key there is. Raises IssuerUnavailable."""
        ...


class KeyFile:
    """A JWKS file, read again whenever it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, Mapping[str | None, jwt.PyJWK]] | None = None

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        try:
            changed_ns = self._path.stat().st_mtime_ns
            if self._read is None or self._read[0] != changed_ns:
                self._read = changed_ns, read_keys(self._path.read_bytes())
        except (OSError, ValueError) as error:
            raise IssuerUnavailable(f"the keys in {self._path} cannot be read: {type(error).__name__}") from None
        return self._read[1].get(key_id)


class KeysAt:
    """A JWKS address. While it cannot be reached, the keys that were last had from it stay good."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._clock = url, clock
        self._keys: Mapping[str | None, jwt.PyJWK] = {}
        self._had_at = self._asked_at = float("-inf")
        self._lock = threading.Lock()

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        found = self._keys.get(key_id)
        if found is not None and self._clock() - self._had_at < FRESH_S:
            return found
        with self._lock:
            if self._clock() - self._asked_at >= PAUSE_S:
                self._asked_at = self._clock()
                try:
                    self._keys, self._had_at = read_keys(_fetch(self._url)), self._clock()
                except (OSError, ValueError) as error:
                    if not self._keys:
                        raise IssuerUnavailable(f"the keys at {self._url} cannot be had: {type(error).__name__}") from None
            elif not self._keys:
                raise IssuerUnavailable(f"the keys at {self._url} could not be had a moment ago")
        return self._keys.get(key_id)


def read_keys(body: bytes) -> Mapping[str | None, jwt.PyJWK]:
    """Key id -> signing key; a single key goes by None too. Kinds of key that nobody here knows are left out. Raises ValueError."""
    found: dict[str | None, jwt.PyJWK] = {}
    document = json.loads(body)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no JWKS")
    for key in listed:
        if not isinstance(key, dict) or key.get("use", "sig") != "sig" or key.get("kty") == "oct":
            continue
        try:
            found[key.get("kid")] = jwt.PyJWK.from_dict(key)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    if len(found) == 1:
        found[None] = next(iter(found.values()))
    return found


def require_safe(url: str) -> None:
    """Raises ValueError for keys that would come over the network unprotected."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("an issuer's keys are only fetched over https")


def _fetch(url: str) -> bytes:
    require_safe(url)
    request = urllib.request.Request(url, headers={"Accept": "application/jwk-set+json, application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        body: Any = answer.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise ValueError("larger than any key set")
    return bytes(body)
