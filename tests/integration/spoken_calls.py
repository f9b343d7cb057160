"""What was said in a few calls, as the search index takes it. What is searched for in them is in the tests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from domain.parties import Party
from resources.search import Document

CALLS = {
    1: ("quote", datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC)),
    2: ("claims", datetime(2025, 2, 1, 0, 0, 0, tzinfo=UTC)),
    3: ("support", datetime(2025, 3, 15, 12, 0, 0, tzinfo=UTC)),
    4: ("training", datetime(2026, 3, 15, 12, 0, 0, tzinfo=UTC)),
}
SAID = {
    11: (1, Party.AGENT, "This call may be recorded, is that okay?"),
    12: (1, Party.CUSTOMER, "Yes, I consent to being recorded."),
    13: (1, Party.ASSISTANT, "The premium is 120 dollars, twelve a month."),
    21: (2, Party.CUSTOMER, "No, I do not consent to that recording."),
    22: (2, Party.AGENT, "Don’t worry, we won't record. Tell me about the accidents."),
    23: (2, Party.CUSTOMER, "I don't know. My e-mail is follow-up@example.com & the photo's there"),
    31: (3, Party.CUSTOMER, "Not now: do consent forms exist? NOT yet and OR neither."),
    32: (3, Party.UNKNOWN, "refunds refunded refunding"),
    41: (4, Party.PARTNER, "<script>alert('consent')</script> é naïve Ünder_score 50% 4111-1111"),
}


def call_id(number: int) -> UUID:
    return UUID(int=number)


def documents(call: int, turns: Sequence[int] | None = None) -> list[Document]:
    kind, began = CALLS[call]
    return [
        Document(n, call_id(call), UUID(int=100 + call), UUID(int=200 + call), kind, speaker, began, n * 1000, n * 1000 + 500, text)
        for n, (whose, speaker, text) in SAID.items()
        if whose == call and (turns is None or n in turns)
    ]
