"""What becomes of a recording without consent: what of it may be used is decided in domain.rules, how long it is kept otherwise here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.consent import ConsentOutcome
from domain.rules.shapes import Interval, Publication


class Fate(StrEnum):
    KEEP = "keep"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class WithoutConsent:
    """A policy. ``grace``: how long after the call's end nothing is destroyed."""

    version: str
    declined: Fate
    revoked: Fate
    unknown: Fate
    after_withdrawal: Fate
    grace: timedelta

    def fate(self, publication: Publication, outcome: ConsentOutcome) -> Fate:
        """Of a consultation as a whole."""
        if publication is not Publication.QUARANTINED:
            return Fate.KEEP
        by_outcome = {ConsentOutcome.DECLINED: self.declined, ConsentOutcome.REVOKED: self.revoked, ConsentOutcome.UNKNOWN: self.unknown}
        return by_outcome.get(outcome, Fate.KEEP)

    def lost(self, publication: Publication, withheld: tuple[Interval, ...]) -> tuple[Interval, ...]:
        """The stretches of the call of which the sound itself is destroyed, though the rest is published."""
        return withheld if publication is not Publication.QUARANTINED and self.after_withdrawal is Fate.DESTROY else ()


def destroy_at(policy: WithoutConsent, call_ended_at: datetime, *, in_review: bool, now: datetime) -> datetime:
    """When it may be destroyed: in the past, now. While somebody reviews it, a day from now at the earliest."""
    grace_over = call_ended_at + policy.grace
    return max(grace_over, now + timedelta(days=1)) if in_review else grace_over
