"""Who calls, and in which roles. Which role may use which route is in api.access; who takes part in a call as what, in domain.parties."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Role(StrEnum):
    """ASSISTANT is the AI worker's own service account and MONITOR that of whatever collects metrics; the others are people."""

    CUSTOMER = "customer"
    AGENT = "agent"
    PARTNER = "partner"
    SUPERVISOR = "supervisor"
    COMPLIANCE = "compliance"
    ADMIN = "admin"
    ASSISTANT = "assistant"
    MONITOR = "monitor"


NEVER = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Caller:
    """``subject`` is the issuer's opaque id of the person, a UUID as tables spell it; ``team`` the one that a supervisor answers for;
    ``expires_at`` the token's end."""

    subject: str
    roles: frozenset[Role]
    team: str | None = None
    expires_at: datetime = NEVER

    def acting(self, allowed: frozenset[Role]) -> Role | None:
        """The role in which a caller does what ``allowed`` may do; None if in none. Of several, the one that sees most."""
        return next(iter(self.acting_in(allowed)), None)

    def acting_in(self, allowed: frozenset[Role]) -> tuple[Role, ...]:
        """All of the caller's roles that ``allowed`` has, the one that sees most first."""
        return tuple(role for role in _SEES_MOST if role in self.roles and role in allowed)


_SEES_MOST = (Role.ADMIN, Role.COMPLIANCE, Role.SUPERVISOR, Role.ASSISTANT, Role.AGENT, Role.PARTNER, Role.CUSTOMER, Role.MONITOR)
