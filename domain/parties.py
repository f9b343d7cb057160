"""Who can take part in a consultation. What a party may do belongs to the roles, not here."""

from enum import StrEnum
from uuid import UUID


class Party(StrEnum):
    """A party of a consultation; UNKNOWN is what a turn is attributed to when nobody can say who spoke."""

    CUSTOMER = "customer"
    AGENT = "agent"
    ASSISTANT = "assistant"
    PARTNER = "partner"
    ADMIN = "admin"
    UNKNOWN = "unknown"


def one_spelling(identity: str) -> str:
    """A UUID as it is written everywhere here, in small letters with hyphens; any other identity as it is.

    Issuers write theirs in capitals too, and tables know people by UUID: without this one person would be two.
    """
    try:
        return str(UUID(identity))
    except ValueError:
        return identity
