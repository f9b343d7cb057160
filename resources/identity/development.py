"""Development tokens: signed with a key of the data folder's own, so that everything works before an issuer is there. Never in production."""

import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.roles import Role
from resources.settings import SettingMissing, Settings

ISSUER = "verbatim-development"
AUDIENCE = "verbatim"
_FILE = "development-signing-key.pem"


class PublicKey:
    """The key of a data folder, as a set of keys with one member. A folder without one trusts nobody yet."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _FILE

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is not None or not self._path.exists():
            return None
        return jwt.PyJWK.from_json(jwt.algorithms.OKPAlgorithm.to_jwk(_read(self._path).public_key()), "EdDSA")


def issue(
    settings: Settings, role: Role, *, subject: str, lifetime: timedelta, team: str | None = None, now: datetime | None = None
) -> str:
    """A token for ``role``. Raises SettingMissing in production, and where an issuer is set, whose tokens alone count then."""
    if settings.environment == "production":
        raise SettingMissing("VERBATIM_ENVIRONMENT is production: development tokens are not issued there, ask your OIDC issuer for one.")
    if settings.oidc_issuer:
        raise SettingMissing("VERBATIM_OIDC_ISSUER is set, so only its tokens count: ask it for one, or unset it.")
    issued_at = now or datetime.now(UTC)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "roles": [role.value], "iat": issued_at, "exp": issued_at + lifetime}
    return jwt.encode(claims | ({"team": team} if team else {}), _key(settings.data_dir), "EdDSA")


def made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """What is in this file of the data folder, made where it is not there yet: whole or not at all, and of two that make it the first counts."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        beside = path.with_suffix(f".{secrets.token_hex(8)}")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(make())
        try:
            os.link(beside, path)
        except FileExistsError:
            pass
        beside.unlink()
    return path.read_bytes()


def _key(data_dir: Path) -> Ed25519PrivateKey:
    made_once(data_dir / _FILE, _new_key)
    return _read(data_dir / _FILE)


def _new_key() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _read(path: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingMissing(f"{path} is not an Ed25519 key: remove it, and a new one is made")
    return key
