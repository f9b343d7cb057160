"""Invitations to a training: a signed text that names the session, the partner and itself, and says until when. Whether it was revoked is in the
store. Production does not start without VERBATIM_INVITE_SECRET; elsewhere a secret of the data folder's own is made.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import jwt

from resources.identity.development import made_once
from resources.settings import SettingMissing, Settings

ISSUER = "verbatim-invitation"
LONGEST = 2_000
LEEWAY_S = 30
_FILE = "development-invite-secret"


class NotAnInvitation(Exception):
    """Nobody here has signed it."""


class InvitationOver(Exception):
    """It was good once."""


@dataclass(frozen=True, slots=True)
class Invitation:
    id: UUID
    consultation_id: UUID
    partner_id: UUID
    expires_at: datetime


class Invitations:
    """Signs and reads invitations. Raises SettingMissing where the settings have no secret."""

    def __init__(self, settings: Settings) -> None:
        self._secret = _secret(settings)

    def sign(self, invitation: Invitation) -> str:
        claims = {
            "iss": ISSUER,
            "jti": str(invitation.id),
            "aud": str(invitation.consultation_id),
            "sub": str(invitation.partner_id),
            "exp": invitation.expires_at,
        }
        return jwt.encode(claims, self._secret, "HS256")

    def read(self, text: str, *, expired: bool = False) -> Invitation:
        """Raises NotAnInvitation, InvitationOver. ``expired``: who it names is wanted even where it no longer lets anybody in."""
        if len(text) > LONGEST:
            raise NotAnInvitation
        try:
            claims = jwt.decode(
                text,
                self._secret,
                algorithms=["HS256"],
                issuer=ISSUER,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub", "jti"], "verify_aud": False, "verify_exp": not expired},
            )
            ends = datetime.fromtimestamp(claims["exp"], UTC)
            return Invitation(UUID(claims["jti"]), UUID(claims["aud"]), UUID(claims["sub"]), ends)
        except jwt.ExpiredSignatureError:
            raise InvitationOver from None
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            raise NotAnInvitation from None


def require_invite_secret(settings: Settings) -> None:
    """Raises SettingMissing where production has none."""
    if settings.invite_secret is None and settings.environment == "production":
        raise SettingMissing(
            "VERBATIM_INVITE_SECRET is not set: no invitation to a training can be signed. Set it to 32 random characters or more."
        )


def _secret(settings: Settings) -> str:
    require_invite_secret(settings)
    if settings.invite_secret is not None:
        return settings.invite_secret.get_secret_value()
    return made_once(settings.data_dir / _FILE, lambda: secrets.token_hex(32).encode()).decode()
