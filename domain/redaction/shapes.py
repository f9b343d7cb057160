"""What redaction finds: words of a transcript's turns that may not be shown. Recognising them belongs to resources.redaction."""

from dataclasses import dataclass
from enum import StrEnum


class Sensitive(StrEnum):
    CARD_NUMBER = "card_number"
    SECURITY_CODE = "security_code"
    EXPIRY_DATE = "expiry_date"
    SSN = "ssn"
    BANK_ACCOUNT = "bank_account"
    EMAIL = "email"
    PHONE = "phone"
    DATE_OF_BIRTH = "date_of_birth"
    CUSTOM = "custom"


CARD_DATA = frozenset({Sensitive.CARD_NUMBER, Sensitive.SECURITY_CODE})
"""What may not be kept at all: it is muted in the original before that goes to the archive (PCI DSS 3.3.1)."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """Words ``first_word`` to ``last_word`` (places in the turn, both included) of the transcript's turn at ``position``.

    ``entity`` is the same for all the pieces of one value that is said in several. ``start_ms`` and ``end_ms`` count from the recording's
    first sample; both are None where the words' times cannot be used, and then the whole turn is muted. ``recogniser`` says what found
    it, with its version. ``confidence`` is between 0 and 1.
    """

    kind: Sensitive
    entity: int
    position: int
    channel: int | None
    first_word: int
    last_word: int
    start_ms: int | None
    end_ms: int | None
    confidence: float
    recogniser: str
