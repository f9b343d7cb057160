"""Bearer tokens: is the signature the issuer's, is it for us, has it expired, and whom does it name."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt

from domain.parties import one_spelling
from domain.prose import storable
from domain.roles import NEVER, Caller, Role
from resources.identity import development
from resources.identity.keys import KeyFile, Keys, KeysAt, require_safe
from resources.settings import SettingMissing, Settings

ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
LEEWAY_S = 30
"""By how much the issuer's clock may differ from ours."""
LONGEST_TOKEN = 16_384
LONGEST_SUBJECT = 200
_ROLE_NAMES = frozenset(role.value for role in Role)


class NotIdentified(Exception):
    """The token proves nothing. ``str()`` says why, never with the token."""


class Identities:
    """Reads tokens of one issuer. ``roles_claim`` may be a path with dots, such as realm_access.roles."""

    def __init__(self, keys: Keys, *, issuer: str, audience: str, roles_claim: str = "roles", team_claim: str = "team") -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience
        self._roles_claim, self._team_claim = roles_claim, team_claim

    def caller(self, token: str) -> Caller:
        """Raises NotIdentified; IssuerUnavailable where the issuer's keys cannot be had."""
        if len(token) > LONGEST_TOKEN:
            raise NotIdentified("the token is longer than any of an issuer's")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise NotIdentified("the token is not a JWT") from None
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise NotIdentified(f"the token is not signed with one of {', '.join(sorted(ALGORITHMS))}")
        key = self._keys.find(header.get("kid"))
        if key is None or key.algorithm_name != algorithm:
            raise NotIdentified("the token is signed with a key that the issuer does not have")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise NotIdentified("the token has expired") from None
        except jwt.ImmatureSignatureError:
            raise NotIdentified("the token begins in the future: the issuer's clock and this machine's do not agree") from None
        except jwt.PyJWTError as error:
            raise NotIdentified(f"the token is not valid here ({type(error).__name__})") from None
        except (OverflowError, TypeError, ValueError):
            raise NotIdentified("the token has a time that is none") from None
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            raise NotIdentified("the token names nobody")
        try:
            storable(subject)
        except ValueError as unfit:
            raise NotIdentified(f"whom the token names {unfit}") from None
        team = _at(claims, self._team_claim)
        return Caller(
            one_spelling(subject), _roles(_at(claims, self._roles_claim)), team if isinstance(team, str) else None, _end(claims["exp"])
        )


def identities_of(settings: Settings) -> Identities:
    """Those whom the settings trust. Raises SettingMissing where production has no issuer."""
    if settings.oidc_issuer:
        where = settings.oidc_jwks
        if not where or not settings.oidc_audience:
            raise SettingMissing(
                "VERBATIM_OIDC_ISSUER is set, and so VERBATIM_OIDC_JWKS (address or file) and VERBATIM_OIDC_AUDIENCE must be."
            )
        if "://" in where:
            try:
                require_safe(where)
            except ValueError as error:
                raise SettingMissing(f"VERBATIM_OIDC_JWKS cannot be used: {error}.") from None
        keys: Keys = KeysAt(where) if "://" in where else KeyFile(Path(where))
        return Identities(
            keys,
            issuer=settings.oidc_issuer,
            audience=settings.oidc_audience,
            roles_claim=settings.oidc_roles_claim,
            team_claim=settings.oidc_team_claim,
        )
    if settings.environment == "production":
        raise SettingMissing("VERBATIM_OIDC_ISSUER is not set: in production callers prove who they are to an OIDC issuer. Name it.")
    return Identities(development.PublicKey(settings.data_dir), issuer=development.ISSUER, audience=development.AUDIENCE)


def _end(claim: object) -> datetime:
    """Raises NotIdentified for what is no NumericDate, which RFC 7519 has as a JSON number; the library takes a text that looks like one."""
    if isinstance(claim, bool) or not isinstance(claim, (int, float)):
        raise NotIdentified("the token has a time that is none")
    return datetime.fromtimestamp(min(claim, NEVER.timestamp()), UTC)


def _roles(claim: object) -> frozenset[Role]:
    """Names that mean nothing here are left out: an issuer has roles for other programs too."""
    named = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return frozenset(Role(name) for name in named if isinstance(name, str) and name in _ROLE_NAMES)


def _at(claims: Mapping[str, Any], path: str) -> object:
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
