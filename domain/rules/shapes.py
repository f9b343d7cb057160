"""What a rule is judged over, and what comes out: a verdict with the words that it rests on.

All times are whole milliseconds from the start of the call, not of a recording. Confidences are between 0 and 1.
How a rule is matched belongs to the other modules of this package, where calls come from to resources.store.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from domain.consent import ConsentOutcome
from domain.consultations import ConsultationType
from domain.parties import Party
from domain.transcripts import Attribution, Word


class Verdict(StrEnum):
    MET = "met"
    NOT_MET = "not_met"
    CANNOT_TELL = "cannot_tell"


class Cause(StrEnum):
    """Why nobody can tell."""

    SILENT = "silent"  # nobody to whom the rule applies is heard in the window
    DAMAGED = "damaged"  # there is sound, and no words were made out of it; or no recording covers the window
    OVERLAPPED = "overlapped"
    LOW_CONFIDENCE = "low_confidence"
    UNKNOWN_SPEAKER = "unknown_speaker"
    UNCLEAR = "unclear"  # the words can be taken either way


class Severity(StrEnum):
    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    REVIEW = "review"  # nothing wrong in itself, but somebody should look


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``start_ms`` to before ``end_ms``; an end of None is open."""

    start_ms: int
    end_ms: int | None


@dataclass(frozen=True, slots=True)
class HeardTurn:
    """What one speaker said without a break. ``turn_id`` is opaque; ``words`` are in order of time."""

    turn_id: int
    recording_id: UUID
    role: Party
    start_ms: int
    end_ms: int
    words: tuple[Word, ...]
    attribution: Attribution
    attribution_confidence: float


@dataclass(frozen=True, slots=True)
class ConsentTold:
    """A consent record that the API took, ``at_ms`` from the call's start (negative: before it)."""

    party: str
    role: Party
    outcome: ConsentOutcome
    at_ms: int


@dataclass(frozen=True, slots=True)
class HeardCall:
    """A consultation as its recordings tell of it. ``turns`` in order of time, over all recordings.

    ``recorded``: what the recordings cover. ``unintelligible``: where there is speech or noise of which no words could be made.
    ``consent_required``: whether the table of jurisdictions asks for the customers' consent, on ``day``; True where nobody knows where they are.
    ``customers``: who was there as one; empty where nobody knows. ``others_required``: parties besides them who had to consent, such as a
    training's partners; ``not_asked``: those who need not have. ``assistant_present``: whether the AI took part.
    """

    consultation_id: UUID
    kind: ConsultationType
    day: date
    length_ms: int
    turns: tuple[HeardTurn, ...]
    recorded: tuple[Interval, ...]
    unintelligible: tuple[Interval, ...] = ()
    told: tuple[ConsentTold, ...] = ()
    consent_required: bool = True
    customers: tuple[str, ...] = ()
    others_required: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    assistant_present: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's verdict on one consultation.

    ``turn_id`` to ``end_ms`` say where the words are on which it rests (or the window that lacks them, without a turn). ``first_word`` and
    ``last_word`` are places in that turn. ``cause`` is set where the verdict is cannot_tell. A rule of things that may not be said has a
    finding for every place where one is. ``overturned``: a person has decided otherwise, and this is their verdict. The words themselves are
    not here: whoever shows them takes them from the redacted turn.
    """

    rule_id: str
    rule_version: str
    severity: Severity
    verdict: Verdict
    confidence: float
    cause: Cause | None = None
    turn_id: int | None = None
    recording_id: UUID | None = None
    first_word: int | None = None
    last_word: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    overturned: bool = False


class Publication(StrEnum):
    """What of a consultation others than compliance officers may find and hear."""

    PUBLISHED = "published"
    CUT = "cut"  # up to a moment: consent was withdrawn there
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class ConsentJudged:
    """What the customer's consent amounts to, spoken words, the API's records and the law of the place together.

    ``spoken``: the words alone. ``withdrawn_at_ms``: the moment of a withdrawal. ``recorded_before`` and ``recorded_after``: exactly
    which stretches were recorded before consent was there, and after it was withdrawn or declined. ``withheld``: where in the call a refusal
    stood, recorded or not: nothing of it is found, heard or quoted, also where it was taken back later and the rest is published.
    ``overturned``: a person has decided otherwise about it, and so whether the call is published.
    """

    outcome: ConsentOutcome
    spoken: ConsentOutcome
    publication: Publication
    withdrawn_at_ms: int | None = None
    recorded_before: tuple[Interval, ...] = ()
    recorded_after: tuple[Interval, ...] = ()
    withheld: tuple[Interval, ...] = ()
    overturned: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts on one consultation. ``rules_version`` names the rules' texts exactly."""

    rules_version: str
    findings: tuple[Finding, ...]
    consent: ConsentJudged
