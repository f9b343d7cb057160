"""Who can take part in a consultation. What a party may do belongs to the roles, not here."""

from enum import StrEnum


class Party(StrEnum):
    """A party of a consultation; UNKNOWN is what a turn is attributed to when nobody can say who spoke."""

    CUSTOMER = "customer"
    AGENT = "agent"
    ASSISTANT = "assistant"
    PARTNER = "partner"
    ADMIN = "admin"
    UNKNOWN = "unknown"
