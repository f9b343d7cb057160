"""All verdicts on one call: each rule that counts on its day, and the customer's consent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.parties import Party
from domain.rules.consent import consent_finding, judge_consent
from domain.rules.consent.recorded import recorded_finding
from domain.rules.places import ENOUGH, Place, Read, may_be_denied, places, read
from domain.rules.rules import Kind, Rule, Rules, event_kind
from domain.rules.shapes import Cause, Finding, HeardCall, Interval, Judgement, Verdict
from domain.rules.tokens import utterances
from domain.rules.windows import badly_heard, drowned, heard_confidence, span, unheard

DISCLOSURE = "recording_disclosure"  # the rule that says what telling of the recording is
MOST_BADLY_HEARD = 0.2  # of what somebody said, beyond which nobody can say that they did not say it
MOST_UNINTELLIGIBLE = 0.5  # of a whole call, beyond which nobody can say that something was never said


def judge(call: HeardCall, rules: Rules) -> Judgement:
    """Every rule's verdict on this call. Rules that do not count on its day, or need an assistant where none takes part, say nothing."""
    heard = [read(rules, said) for said in utterances(call.turns)]
    events = _events(rules, heard)
    asked = _asked(heard)
    consent = judge_consent(call, heard, _disclosed(rules, call, heard, asked))
    findings: list[Finding] = []
    for rule in rules.rules:
        if not rule.counts_on(call.day) or (rule.needs_assistant and not call.assistant_present):
            continue
        if rule.kind is Kind.CONSENT:
            findings.append(consent_finding(rule, call, consent))
        elif rule.kind is Kind.RECORDED:
            findings.append(recorded_finding(rule, call, consent.judged))
        elif rule.kind is Kind.REQUIRE:
            findings.append(_required(rules, rule, call, heard, events, asked))
        else:
            findings += _forbidden(rules, rule, call, heard, events, asked)
    return Judgement(rules.version, tuple(findings), consent.judged)


Asked = Mapping[int, frozenset[str]]


def _asked(heard: Iterable[Read]) -> Asked:
    """The classes of what is said in each turn, by the turn's place."""
    found: dict[int, set[str]] = {}
    for one in heard:
        for kind, phrases in one.sure.items():
            for phrase in phrases:
                found.setdefault(one.said.tokens[phrase.start].turn, set()).add(kind)
    return {turn: frozenset(kinds) for turn, kinds in found.items()}


def _disclosed(rules: Rules, call: HeardCall, heard: Iterable[Read], asked: Asked) -> set[tuple[int, bool]]:
    """The turns, by place, in which the recording is told of, at any time of the call, and whether that is sure."""
    return {
        (place.read.said.tokens[place.start].turn, not _doubt(place) and not may_be_denied(place))
        for rule in rules.rules
        if rule.id == DISCLOSURE
        for one in heard
        for place in places(rules, rule, one, call.turns, asked)
        if _role(place) is not Party.UNKNOWN
    }


def _events(rules: Rules, heard: Iterable[Read]) -> Mapping[str, int]:
    """When each event is spoken of for the first time, ms from the call's start."""
    found: dict[str, int] = {}
    for one in heard:
        for event in rules.events:
            if one.said.role in event.who:
                for phrase in one.sure.get(event_kind(event.id), ()):
                    at = one.said.tokens[phrase.start].start_ms
                    found[event.id] = min(at, found.get(event.id, at))
    return found


def _required(rules: Rules, rule: Rule, call: HeardCall, heard: Sequence[Read], events: Mapping[str, int], asked: Asked) -> Finding:
    window = span(rule.window, call, events)
    if window is None:  # what it must come before or after never happens
        return Finding(rule.id, rule.version, rule.severity, Verdict.MET, 1.0)
    found = _within(rules, rule, call, heard, window, asked)
    best = max(found, key=lambda place: (place.sure and place.clear and _role(place) is not Party.UNKNOWN, place.confidence), default=None)
    if best is not None:
        cause = _doubt(best) or drowned(call, best, window, rule.who)
        return _finding(rule, Verdict.CANNOT_TELL if cause else Verdict.MET, call, best, cause)
    cause = unheard(call, heard, window, rule.who)
    verdict = Verdict.CANNOT_TELL if cause else Verdict.NOT_MET
    confidence = 0.0 if cause else heard_confidence(call, window, rule.who)
    end = min(window.end_ms if window.end_ms is not None else call.length_ms, call.length_ms)
    return Finding(
        rule.id, rule.version, rule.severity, verdict, confidence, cause, start_ms=window.start_ms, end_ms=max(end, window.start_ms)
    )


def _forbidden(rules: Rules, rule: Rule, call: HeardCall, heard: Sequence[Read], events: Mapping[str, int], asked: Asked) -> list[Finding]:
    window = span(rule.window, call, events)
    if window is None:
        return [Finding(rule.id, rule.version, rule.severity, Verdict.MET, 1.0)]
    found = _within(rules, rule, call, heard, window, asked)
    said = [place for place in found if not _doubt(place) and not may_be_denied(place)]
    if said:
        return [_finding(rule, Verdict.NOT_MET, call, place, None) for place in said]
    if found:
        best = max(found, key=lambda place: (place.sure, place.clear, place.confidence))
        return [_finding(rule, Verdict.CANNOT_TELL, call, best, _doubt(best) or Cause.LOW_CONFIDENCE)]
    if badly_heard(heard, window, rule.who) > MOST_BADLY_HEARD:
        return [
            Finding(rule.id, rule.version, rule.severity, Verdict.CANNOT_TELL, 0.0, Cause.LOW_CONFIDENCE, start_ms=0, end_ms=call.length_ms)
        ]
    if _mostly_unintelligible(call):
        return [Finding(rule.id, rule.version, rule.severity, Verdict.CANNOT_TELL, 0.0, Cause.DAMAGED, start_ms=0, end_ms=call.length_ms)]
    return [Finding(rule.id, rule.version, rule.severity, Verdict.MET, heard_confidence(call, window, rule.who) or 1.0)]


def _within(rules: Rules, rule: Rule, call: HeardCall, heard: Iterable[Read], window: Interval, asked: Asked) -> list[Place]:
    """Places that begin in the window."""
    found = [place for one in heard for place in places(rules, rule, one, call.turns, asked)]
    end = window.end_ms if window.end_ms is not None else call.length_ms
    return [place for place in found if window.start_ms <= place.read.said.tokens[place.start].start_ms < end]


def _doubt(place: Place) -> Cause | None:
    if _role(place) is Party.UNKNOWN:
        return Cause.UNKNOWN_SPEAKER
    if not place.sure or place.confidence < ENOUGH:
        return Cause.LOW_CONFIDENCE
    return None if place.clear else Cause.UNCLEAR


def _role(place: Place) -> Party:
    return place.read.said.role


def _mostly_unintelligible(call: HeardCall) -> bool:
    lost = sum((one.end_ms if one.end_ms is not None else call.length_ms) - one.start_ms for one in call.unintelligible)
    return lost > MOST_UNINTELLIGIBLE * max(call.length_ms, 1)


def _finding(rule: Rule, verdict: Verdict, call: HeardCall, place: Place, cause: Cause | None) -> Finding:
    """The words are told by their turn; words over several turns by those of the first."""
    tokens = place.read.said.tokens[place.start : place.end]
    first = tokens[0]
    last = [token for token in tokens if token.turn == first.turn][-1]
    turn = call.turns[first.turn]
    where: dict[str, Any] = {"turn_id": turn.turn_id, "recording_id": turn.recording_id, "first_word": first.word, "last_word": last.word}
    return Finding(
        rule.id, rule.version, rule.severity, verdict, place.confidence, cause, **where, start_ms=first.start_ms, end_ms=tokens[-1].end_ms
    )
