"""When two evaluations ask the same: the fingerprint of what is to be decided about a finding or a redacted value."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from uuid import UUID

from domain.redaction.shapes import Redaction, Sensitive
from domain.rules.shapes import Finding

CONSENT_RULE = "recording_consent"
RECORDED_RULE = "recorded_without_consent"


@dataclass(frozen=True, slots=True)
class ConsentSeen:
    """What consent amounted to when its rule was judged. ``records``: how many the API had taken by then."""

    outcome: str
    spoken: str
    withdrawn_at_ms: int | None
    records: int


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One piece of a redacted value: its words in the turn at ``position``, both included."""

    kind: Sensitive
    position: int
    first_word: int
    last_word: int

    @classmethod
    def of(cls, one: Redaction) -> "Place":
        return cls(one.kind, one.position, one.first_word, one.last_word)


def question_of(finding: Finding, consent: ConsentSeen) -> str:
    """64 hex digits: the same for the same rule, verdict and cause at the same words or, without words, in the same window.

    Turns of another transcript are other words. Of the rule on consent, a decision counts for what consent amounted to and for the records
    that there were: a customer who withdraws later is not overruled by what was decided before.
    """
    where: tuple[object, ...] = (finding.start_ms, finding.end_ms)
    if finding.turn_id is not None:
        where = (str(finding.recording_id), finding.turn_id, finding.first_word, finding.last_word)
    seen = astuple(consent) if finding.rule_id == CONSENT_RULE else ()
    return _digest("finding", finding.rule_id, finding.verdict, finding.cause, where, seen)


def question_of_value(transcript_id: UUID, pieces: Iterable[Place]) -> str:
    """64 hex digits: the same for the same kind of value at the same words of one transcript."""
    return _digest("redaction", str(transcript_id), [astuple(piece) for piece in sorted(pieces)])


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
