"""What an evaluation finds otherwise than the one before, and what that comes from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.rules.shapes import Finding, Verdict

_WORST = (Verdict.NOT_MET, Verdict.CANNOT_TELL, Verdict.MET)


@dataclass(frozen=True, slots=True)
class Ruled:
    """The worst verdict on one rule, and the version of the rule that said so."""

    verdict: Verdict
    rule_version: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What a judgement rests on: what was transcribed and redacted, how many consent records, how many reviews.

    ``rules`` names the texts of all rules and their shared lists, ``jurisdictions`` those of the table, ``people`` who was in the call, as whom and
    where: each None where that was not written down.
    """

    redactions: frozenset[str]
    consent_records: int
    reviews: int
    rules: str | None = None
    jurisdictions: str | None = None
    people: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """``before`` is None where the rule is new, ``after`` where it is gone. ``why``: one or more of rule (its version), shared_rules (the
    set of rules changed, and not that version: a list that rules share, consent's phrases), transcript, consent_record, jurisdictions, people,
    review."""

    rule_id: str
    before: Verdict | None
    after: Verdict | None
    why: tuple[str, ...]


def ruled(findings: Iterable[Finding]) -> dict[str, Ruled]:
    """Rule id to its worst verdict."""
    worst: dict[str, Ruled] = {}
    for finding in findings:
        before = worst.get(finding.rule_id)
        if before is None or _WORST.index(finding.verdict) < _WORST.index(before.verdict):
            worst[finding.rule_id] = Ruled(finding.verdict, finding.rule_version)
    return worst


def changes(before: Mapping[str, Ruled], after: Mapping[str, Ruled], then: Basis, now: Basis) -> tuple[Change, ...]:
    """The rules on which the verdict differs, in the order of their ids."""
    shared = [
        *(["transcript"] if then.redactions != now.redactions else []),
        *(["consent_record"] if then.consent_records != now.consent_records else []),
        *(["jurisdictions"] if _differ(then.jurisdictions, now.jurisdictions) else []),
        *(["people"] if _differ(then.people, now.people) else []),
        *(["review"] if then.reviews != now.reviews else []),
    ]
    found = []
    for rule_id in sorted(before.keys() | after.keys()):
        old, new = before.get(rule_id), after.get(rule_id)
        then_said, now_says = old.verdict if old else None, new.verdict if new else None
        if then_said == now_says:
            continue
        rule = ["rule"] if old is None or new is None or old.rule_version != new.rule_version else []
        if not rule and _differ(then.rules, now.rules):
            rule = ["shared_rules"]
        found.append(Change(rule_id, then_said, now_says, (*rule, *shared)))
    return tuple(found)


def _differ(then: str | None, now: str | None) -> bool:
    return then is not None and now is not None and then != now
