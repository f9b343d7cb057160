"""The customer's consent to being recorded, from what was said, what the API recorded, and whether the place asks for it."""

from collections.abc import Collection, Sequence

from domain.rules.consent.combined import Weighed, combine
from domain.rules.consent.combined import finding as consent_finding
from domain.rules.consent.spoken import spoken
from domain.rules.places import Read
from domain.rules.shapes import HeardCall

__all__ = ["Weighed", "consent_finding", "judge_consent"]


def judge_consent(call: HeardCall, heard: Sequence[Read], disclosed: Collection[tuple[int, bool]]) -> Weighed:
    """What the customer's consent amounts to. ``disclosed``: the turns in which the business says that it records, and whether that is sure."""
    return combine(call, spoken(call.turns, heard, disclosed))
