"""What surrounds words can leave it open whether they count: nobody guesses, and a person decides."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from domain.parties import Party
from domain.rules.judging import judge
from domain.rules.rules import Cue, Kind, Rule, Rules, Saying, Where, Window
from domain.rules.shapes import Cause, Finding, Severity, Verdict
from resources.policies import WrongPolicy
from resources.policies.rules import compliance_rules
from tests.unit.spoken_turns import call, reword

AGENT = frozenset({Party.AGENT})
FEES = Saying(AGENT, ("fees ..3 apply",))
NEVER = Cue(Where.INSIDE, ("never",))
PERHAPS = (Cue(Where.AFTER, ("i guess",), 1), Cue(Where.INSIDE, ("hardly",)))


def found(*lines: str, kind: Kind = Kind.FORBID, **what: object) -> list[Finding]:
    rule = Rule("fees", "1", "Fees are told.", Severity.MINOR, "House rule", date(2020, 1, 1), None, kind, (FEES,), Window())
    made = replace(rule, **{"unless": (NEVER,), "doubtful": PERHAPS} | what)  # type: ignore[arg-type]
    rules = Rules("v", (made,), (), {"told": (Cue(Where.BEFORE, ("she says",), 2),)}, {}, (), {})
    return list(judge(call(*lines), rules).findings)


@pytest.mark.parametrize(
    ("words", "forbidden", "required", "cause"),
    [
        ("Our fees apply.", Verdict.NOT_MET, Verdict.MET, None),
        ("Our fees apply, i guess.", Verdict.CANNOT_TELL, Verdict.CANNOT_TELL, Cause.UNCLEAR),
        ("Our fees hardly apply.", Verdict.CANNOT_TELL, Verdict.CANNOT_TELL, Cause.UNCLEAR),
        ("Our fees never apply, i guess.", Verdict.MET, Verdict.NOT_MET, None),
        ("Our fees apply. I guess you knew.", Verdict.NOT_MET, Verdict.MET, None),
    ],
)
def test_doubtful_surroundings_leave_it_open(words: str, forbidden: Verdict, required: Verdict, cause: Cause | None) -> None:
    for kind, verdict in ((Kind.FORBID, forbidden), (Kind.REQUIRE, required)):
        (finding,) = found(f"agent: {words}", kind=kind)
        assert (finding.verdict, finding.cause) == (verdict, cause), kind


def test_where_it_is_clear_elsewhere_that_counts() -> None:
    lines = ("agent: Our fees apply, i guess.", "customer: Do they, or do they not?", "agent: Yes, the fees will apply.")
    (finding,) = found(*lines)
    assert (finding.verdict, finding.turn_id) == (Verdict.NOT_MET, 3)
    (finding,) = found(*lines, kind=Kind.REQUIRE)
    assert (finding.verdict, finding.turn_id) == (Verdict.MET, 3)


def test_shared_cues_can_be_doubtful_for_one_rule() -> None:
    (finding,) = found("agent: My boss, she says that fees apply.", doubtful_cues=("told",))
    assert (finding.verdict, finding.cause) == (Verdict.CANNOT_TELL, Cause.UNCLEAR)
    (finding,) = found("agent: My boss, she says that fees apply.", cues=("told",))
    assert finding.verdict is Verdict.MET


def test_words_can_be_doubtful_themselves() -> None:
    hint = Saying(AGENT, ("it ..2 costs something", "fees"), doubtful=True)
    (finding,) = found("agent: Well, it always costs something.", says=(hint, FEES))
    assert (finding.verdict, finding.cause) == (Verdict.CANNOT_TELL, Cause.UNCLEAR)
    (finding,) = found("agent: Our fees apply.", says=(hint, FEES))
    assert finding.verdict is Verdict.NOT_MET, "the clear words are the ones that count, in whichever order they are written"


def test_doubtful_words_are_not_also_guessed_where_they_were_hardly_heard() -> None:
    hint = Saying(AGENT, ("it always costs something",), doubtful=True)
    rule = Rule("fees", "1", "Fees are told.", Severity.MINOR, "House rule", date(2020, 1, 1), None, Kind.FORBID, (hint,), Window())
    heard = reword(call("agent: Well you know it always costs something to drive a car here"), 0, 4, text="ways", confidence=0.3)
    assert judge(heard, Rules("v", (rule,), (), {}, {}, (), {})).findings[0].verdict is Verdict.MET
    sure = replace(rule, says=(replace(hint, doubtful=False),))
    assert judge(heard, Rules("v", (sure,), (), {}, {}, (), {})).findings[0].verdict is Verdict.CANNOT_TELL


FILE = """
cues: {told: [{where: before, patterns: ["she says"]}]}
rules:
  - id: fees
    version: "1"
    text: Fees are told.
    severity: minor
    citation: House rule
    effective_from: 2020-01-01
    kind: forbid
    says: [{who: [agent], patterns: ["fees apply"]}, {who: [agent], patterns: ["fees"], doubtful: true}]
    doubtful_cues: [NAME]
    doubtful: [{where: after, reach: 1, patterns: ["PATTERN"]}]
"""


def test_it_is_read_from_yaml(tmp_path: Path) -> None:
    (tmp_path / "fees.yaml").write_text(FILE.replace("NAME", "told").replace("PATTERN", "i guess"))
    (rule,) = compliance_rules(tmp_path).rules
    assert (rule.doubtful_cues, rule.doubtful) == (("told",), (Cue(Where.AFTER, ("i guess",), 1),))
    assert [saying.doubtful for saying in rule.says] == [False, True]


@pytest.mark.parametrize(
    ("name", "pattern", "told"),
    [
        ("rumours", "i guess", "fees.yaml, fees: there are no cues rumours"),
        ("told", "(i guess", "fees.yaml, rules.fees.doubtful.0.patterns.0: '(i guess': ) is missing"),
    ],
)
def test_a_wrong_one_is_told_by_its_place(tmp_path: Path, name: str, pattern: str, told: str) -> None:
    (tmp_path / "fees.yaml").write_text(FILE.replace("NAME", name).replace("PATTERN", pattern))
    with pytest.raises(WrongPolicy) as raised:
        compliance_rules(tmp_path)
    assert str(raised.value) == told
