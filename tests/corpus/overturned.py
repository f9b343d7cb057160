"""Verdicts that people overturned, as cases: what ``verbatim review export`` wrote, read back into calls that can be judged.

A file of them is handed to ``missed`` with the rules' engine; what comes back is what the rules still get wrong.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.consent import ConsentOutcome
from domain.consultations import ConsultationType
from domain.parties import Party
from domain.rules.changes import ruled
from domain.rules.shapes import Cause, ConsentTold, HeardCall, HeardTurn, Interval, Judgement, Verdict
from domain.transcripts import Attribution, Word


@dataclass(frozen=True, slots=True)
class Overturned:
    """``verdict`` and ``cause`` are what the rule said, ``corrected`` what a person did. ``turn``: the one it rested on, a place in the call's
    turns. The call is cut to the turns around, and its day is the first of its month."""

    rule_id: str
    rule_version: str
    verdict: Verdict
    cause: Cause | None
    corrected: Verdict
    turn: int | None
    call: HeardCall


def read(path: Path) -> tuple[Overturned, ...]:
    """Raises ValueError, with the line's number, for a line that is no case."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.append(_case(json.loads(line)))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path.name}, line {number}, is no case: {type(error).__name__}") from None
    return tuple(found)


def missed(cases: Iterable[Overturned], judge: Callable[[HeardCall], Judgement]) -> tuple[Overturned, ...]:
    """The cases on which the worst verdict of their rule is not the one that is right, in order."""
    return tuple(case for case in cases if _worst(judge(case.call), case.rule_id) is not case.corrected)


def _worst(judgement: Judgement, rule_id: str) -> Verdict | None:
    found = ruled(judgement.findings).get(rule_id)
    return found.verdict if found else None


def _case(told: dict[str, Any]) -> Overturned:
    turns = tuple(_turn(number, turn) for number, turn in enumerate(told["turns"]))
    if told["turn"] is not None and not 0 <= told["turn"] < len(turns):
        raise ValueError("no such turn")
    call = HeardCall(
        consultation_id=UUID(int=0),
        kind=ConsultationType(told["kind"]),
        day=date.fromisoformat(f"{told['month']}-01"),
        length_ms=told["length_ms"],
        turns=turns,
        recorded=tuple(Interval(*one) for one in told["recorded"]),
        unintelligible=tuple(Interval(*one) for one in told["unintelligible"]),
        told=tuple(
            ConsentTold(str(one["party"]), Party(one["role"]), ConsentOutcome(one["outcome"]), one["at_ms"]) for one in told["told"]
        ),
        **{name: tuple(map(str, told[name])) for name in ("customers", "others_required", "not_asked")},
        consent_required=told["consent_required"],
        assistant_present=told["assistant_present"],
    )
    cause = Cause(told["cause"]) if told["cause"] else None
    return Overturned(
        told["rule_id"], told["rule_version"], Verdict(told["verdict"]), cause, Verdict(told["corrected"]), told["turn"], call
    )


def _turn(number: int, told: dict[str, Any]) -> HeardTurn:
    return HeardTurn(
        turn_id=number,
        recording_id=UUID(int=told["recording"]),
        role=Party(told["role"]),
        start_ms=told["start_ms"],
        end_ms=told["end_ms"],
        words=tuple(Word(*word) for word in told["words"] if word[0]),
        attribution=Attribution(told["attribution"]),
        attribution_confidence=told["attribution_confidence"],
    )
