"""Who calls, and in which roles. Which role may use which route is in api.access; who takes part in a call as what, in domain.parties."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """ASSISTANT is the AI worker's own service account; the others are people."""

    CUSTOMER = "customer"
    AGENT = "agent"
    PARTNER = "partner"
    SUPERVISOR = "supervisor"
    COMPLIANCE = "compliance"
    ADMIN = "admin"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Caller:
    """``subject`` is the issuer's opaque id of the person; ``team`` the one that a supervisor answers for."""

    subject: str
    roles: frozenset[Role]
    team: str | None = None

    def acting(self, allowed: frozenset[Role]) -> Role | None:
        """The role in which a caller does what ``allowed`` may do; None if in none. The order of Role decides between several."""
        return next((role for role in Role if role in self.roles and role in allowed), None)
