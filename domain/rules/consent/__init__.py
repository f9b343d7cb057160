"""The customer's consent to being recorded, from what was said, what the API recorded, and whether the place asks for it."""

from collections.abc import Sequence

from domain.rules.consent.combined import Weighed, combine
from domain.rules.consent.combined import finding as consent_finding
from domain.rules.consent.spoken import spoken
from domain.rules.places import Read
from domain.rules.shapes import HeardCall

__all__ = ["Weighed", "consent_finding", "judge_consent"]


def judge_consent(call: HeardCall, heard: Sequence[Read]) -> Weighed:
    """What the customer's consent amounts to."""
    return combine(call, spoken(call.turns, heard))
