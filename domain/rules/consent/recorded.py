"""The rule on what was recorded without consent: nothing after a refusal, and before consent no more than the opening in which it is asked for."""

from domain.consent import ConsentOutcome
from domain.rules.intervals import since
from domain.rules.rules import Rule, WindowKind
from domain.rules.shapes import Cause, ConsentJudged, Finding, HeardCall, Verdict


def recorded_finding(rule: Rule, call: HeardCall, judged: ConsentJudged) -> Finding:
    """The rule's window, its first seconds, is how long the asking may take. Every stretch stands in the judgement, however short."""
    opening_ms = rule.window.seconds * 1000 if rule.window.kind is WindowKind.FIRST else 0
    begins = min((one.start_ms for one in call.recorded), default=0)
    too_early = since(judged.recorded_before, begins + opening_ms)
    wrong = (*too_early, *judged.recorded_after)
    if wrong and judged.outcome is ConsentOutcome.UNKNOWN and not judged.recorded_after:
        verdict, cause = Verdict.CANNOT_TELL, Cause.UNCLEAR
        return Finding(rule.id, rule.version, rule.severity, verdict, 0.0, cause, start_ms=wrong[0].start_ms, end_ms=wrong[0].end_ms)
    if wrong:
        first = min(wrong, key=lambda one: one.start_ms)
        return Finding(rule.id, rule.version, rule.severity, Verdict.NOT_MET, 1.0, start_ms=first.start_ms, end_ms=first.end_ms)
    return Finding(rule.id, rule.version, rule.severity, Verdict.MET, 1.0)
