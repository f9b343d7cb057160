"""Overturned verdicts on their way to the tests: written by ``verbatim review export``, read back, and judged."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cli.review import export
from domain.consent import ConsentOutcome
from domain.consultations import ConsultationType
from domain.parties import Party
from domain.rules.judging import judge
from domain.rules.shapes import (
    Cause,
    ConsentJudged,
    Finding,
    HeardCall,
    Interval,
    Judgement,
    Publication,
    Severity,
    Verdict,
)
from resources.policies.rules import compliance_rules
from resources.settings import Settings
from resources.store import audit
from tests.corpus.overturned import missed, read
from tests.integration.review_store import DISCLOSURE, PHONE, claimed, confirmed, judged_call, overturned, waiting

PROMISE = ["policy", "covers", "everything"]


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings.model_validate({"database_url": database_url})


def promised(call: HeardCall) -> Judgement:
    """One rule, read off the words."""
    verdict = Verdict.MET
    for turn in call.turns:
        said = [word.text.lower() for word in turn.words]
        if turn.role is Party.AGENT and any(said[place : place + 3] == PROMISE for place in range(len(said))):
            verdict = Verdict.NOT_MET
    consent = ConsentJudged(ConsentOutcome.UNKNOWN, ConsentOutcome.UNKNOWN, Publication.QUARANTINED)
    return Judgement("1", (Finding("coverage_promise", "1", Severity.MAJOR, verdict, 1.0),), consent)


def test_what_was_overturned_is_written_read_and_judged_again(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    call = judged_call(engine, redacted=[PHONE])
    call.judge(call.promise(), DISCLOSURE, call.promise(rule_id="trust_me"))
    ids = {row["what"]: row["id"] for row in waiting(engine)}
    overturned(engine, ids["coverage_promise"])
    overturned(engine, ids["recording_disclosed"], corrected=Verdict.NOT_MET)
    claimed(engine, ids["trust_me"])
    confirmed(engine, ids["trust_me"])
    path = tmp_path / "overturned.jsonl"
    export(settings, path)
    first, second = read(path)
    assert (first.rule_id, first.rule_version, first.verdict, first.corrected, first.cause) == (
        "coverage_promise", "3", Verdict.NOT_MET, Verdict.MET, None,
    )  # fmt: skip
    assert (second.verdict, second.cause, second.corrected, second.turn) == (
        Verdict.CANNOT_TELL, Cause.SILENT, Verdict.NOT_MET, None,
    )  # fmt: skip
    assert first.turn == 0 and first.call.kind is ConsultationType.CLAIMS
    assert [(turn.role, " ".join(word.text for word in turn.words)) for turn in first.call.turns] == [
        (Party.AGENT, "Hello this is [name] [name], this policy covers everything"),
        (Party.CUSTOMER, "fine my phone is [phone]"),
        (Party.AGENT, "and your claim is number [number] then"),
    ]
    words = first.call.turns[0].words
    assert (words[0].start_ms, words[0].end_ms, words[0].confidence) == (5_600, 5_780, 0.9)
    assert (first.call.recorded, first.call.length_ms) == ((Interval(5_000, 85_000),), 90_000)
    assert missed([first], promised) == (first,), "the rule still says what was overturned"
    assert missed([first], lambda call: promised(HeardCall(call.consultation_id, call.kind, call.day, 0, (), ()))) == ()
    assert missed([second], promised) == (second,), "a rule that is not judged at all is not right"


def test_the_rules_as_they_are_are_held_against_the_file(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    rules = compliance_rules()
    call = judged_call(engine)
    call.judge(call.promise(), replace(DISCLOSURE, rule_id="recording_disclosure"))
    for row in waiting(engine):
        overturned(engine, row["id"], corrected=Verdict.NOT_MET if row["verdict"] == "cannot_tell" else None)
    export(settings, tmp_path / "overturned.jsonl")
    cases = read(tmp_path / "overturned.jsonl")
    assert [case.rule_id for case in missed(cases, lambda call: judge(call, rules))] == ["coverage_promise"], "nobody said it is recorded"


def test_the_file_names_nobody_is_its_owners_and_the_export_is_in_the_trail(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    call = judged_call(engine, redacted=[PHONE])
    call.judge(call.promise())
    overturned(engine, waiting(engine)[0]["id"])
    path = tmp_path / "overturned.jsonl"
    export(settings, path)
    written = path.read_text()
    for secret in (call.id, call.recording_id, "Paul", "Smith", "4711", "five five", "Heard it", '"ann"', "2025-03-03"):
        assert str(secret) not in written
    assert path.stat().st_mode & 0o777 == 0o600
    with engine.connect() as connection:
        last = list(audit.entries(connection))[-1].deed
    assert (last.action, dict(last.details)) == ("review.export", {"cases": 1})


def test_words_that_are_no_longer_kept_are_counted(
    engine: Engine, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = judged_call(engine)
    call.judge(call.promise())
    overturned(engine, waiting(engine)[0]["id"])
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE recordings SET destroyed_at = now()")
    export(settings, tmp_path / "none.jsonl")
    assert read(tmp_path / "none.jsonl") == ()
    assert "1 are not" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["{", "{}", "[]", '{"turns": []}'])
def test_a_line_that_is_no_case_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(ValueError, match="line 1"):
        read(path)
