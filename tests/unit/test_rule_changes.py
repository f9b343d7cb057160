"""Which verdicts changed between two evaluations, and why."""

from dataclasses import replace

from domain.rules.changes import Basis, Change, changes, ruled
from domain.rules.shapes import Finding, Severity, Verdict

M, N, C = Verdict.MET, Verdict.NOT_MET, Verdict.CANNOT_TELL
BASIS = Basis(frozenset({"a"}), 0, 0)


def finding(rule: str, verdict: Verdict, version: str = "1") -> Finding:
    return Finding(rule, version, Severity.MAJOR, verdict, 0.9)


def test_the_worst_of_several_findings_counts() -> None:
    found = ruled([finding("a", M), finding("a", N), finding("a", C), finding("b", C), finding("b", M)])
    assert {rule: one.verdict for rule, one in found.items()} == {"a": N, "b": C}


def test_nothing_is_reported_where_nothing_changed() -> None:
    same = ruled([finding("a", M), finding("b", N)])
    assert changes(same, same, BASIS, Basis(frozenset({"b"}), 3, 1)) == ()


def test_a_change_names_what_differs() -> None:
    before, after = ruled([finding("a", M), finding("b", M)]), ruled([finding("a", N, "2"), finding("b", M)])
    assert changes(before, after, BASIS, BASIS) == (Change("a", M, N, ("rule",)),)
    same_rule = ruled([finding("a", N), finding("b", M)])
    assert changes(before, same_rule, BASIS, Basis(frozenset({"b"}), 0, 0)) == (Change("a", M, N, ("transcript",)),)
    assert changes(before, same_rule, BASIS, Basis(frozenset({"a"}), 1, 1)) == (Change("a", M, N, ("consent_record", "review")),)


def test_lists_that_rules_share_the_table_and_the_people_are_reasons_too() -> None:
    before, after = ruled([finding("a", M)]), ruled([finding("a", N)])
    then = Basis(frozenset({"a"}), 0, 0, "r+1", "t+1", "p1")

    def why(**changed: str | None) -> tuple[str, ...]:
        (change,) = changes(before, after, then, replace(then, **changed))  # type: ignore[arg-type]
        return change.why

    assert why(rules="r+2") == ("shared_rules",)
    assert why(jurisdictions="t+2") == ("jurisdictions",)
    assert why(people="p2") == ("people",)
    assert why(people=None) == (), "what was not written down is no reason"
    own = ruled([finding("a", N, "2")])
    (change,) = changes(before, own, then, replace(then, rules="r+2"))
    assert change.why == ("rule",)


def test_rules_that_are_new_or_gone() -> None:
    assert changes(ruled([finding("a", M)]), ruled([finding("b", C)]), BASIS, BASIS) == (
        Change("a", M, None, ("rule",)),
        Change("b", None, C, ("rule",)),
    )
