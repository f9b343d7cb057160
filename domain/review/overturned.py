"""What a person's decision changes: verdicts of a judgement, whether the call is published, and which words are left readable."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from domain.consent import ConsentOutcome
from domain.redaction.shapes import CARD_DATA, Redaction
from domain.review.questions import CONSENT_RULE, RECORDED_RULE, ConsentSeen, Place, question_of
from domain.rules.intervals import ENDLESS, common, touches
from domain.rules.shapes import ConsentJudged, Finding, Judgement, Publication, Verdict


@dataclass(frozen=True, slots=True)
class Overturned:
    """Question -> the verdict that is right. ``consent_records``: how many the API has taken of the consultation."""

    verdicts: Mapping[str, Verdict]
    consent_records: int


def apply(judgement: Judgement, decisions: Overturned) -> Judgement:
    """The judgement with people's verdicts in the place of those that they overturned. The one on consent decides whether it is published, and
    with it what depends on it."""
    consent = judgement.consent
    seen = ConsentSeen(consent.outcome.value, consent.spoken.value, consent.withdrawn_at_ms, decisions.consent_records)
    findings = tuple(_decided(finding, decisions.verdicts.get(question_of(finding, seen))) for finding in judgement.findings)
    ruled = [one.verdict for one in findings if one.rule_id == CONSENT_RULE and one.overturned]
    if not ruled:
        return replace(judgement, findings=findings)
    met = all(verdict is Verdict.MET for verdict in ruled)
    decided = _published(consent) if met else replace(consent, publication=Publication.QUARANTINED, overturned=True)
    return replace(judgement, findings=tuple(_following(one, decided, met) for one in findings), consent=decided)


def leave_readable(found: Iterable[Redaction], places: Collection[Place]) -> tuple[Redaction, ...]:
    """What is redacted, without the pieces that a person has found not to be personal data.

    Card numbers and security codes stay redacted: their words are kept nowhere, so nothing could be shown instead.
    """
    return tuple(one for one in found if one.kind in CARD_DATA or Place.of(one) not in places)


def version_with(version: str, places: Collection[Place]) -> str:
    """The version of a redaction that leaves these words readable: decided otherwise, it is another one."""
    if not places:
        return version
    return f"{version}+{hashlib.sha256(repr(sorted(places)).encode()).hexdigest()[:12]}"


def _decided(finding: Finding, verdict: Verdict | None) -> Finding:
    return finding if verdict is None else replace(finding, verdict=verdict, cause=None, confidence=1.0, overturned=True)


def _published(consent: ConsentJudged) -> ConsentJudged:
    """There was consent: no refusal stands. What was recorded before consent is told where it is known when that was; and what lies in a refusal
    that was taken back stays withheld, for that is another question."""
    closed = tuple(one for one in consent.withheld if one.end_ms is not None)
    return replace(
        consent,
        publication=Publication.PUBLISHED,
        recorded_before=consent.recorded_before if consent.outcome is ConsentOutcome.REVOKED else (),
        recorded_after=common(consent.recorded_after, closed),
        withheld=closed,
        overturned=True,
    )


def _following(finding: Finding, consent: ConsentJudged, met: bool) -> Finding:
    """What was recorded without consent depends on whether there was one: a decision about that answers it, unless something of it is left."""
    if finding.rule_id != RECORDED_RULE or finding.overturned or finding.verdict is Verdict.MET:
        return finding
    if not met:
        return _decided(finding, Verdict.NOT_MET) if finding.verdict is Verdict.CANNOT_TELL else finding
    start, end = finding.start_ms or 0, finding.end_ms if finding.end_ms is not None else ENDLESS
    left = consent.recorded_after or touches(consent.recorded_before, start, end)
    return finding if left else _decided(finding, Verdict.MET)
