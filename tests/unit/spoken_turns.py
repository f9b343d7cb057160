"""Calls for tests of the rules, written as dialogues are."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from domain.consultations import ConsultationType
from domain.parties import Party
from domain.rules.shapes import HeardCall, HeardTurn, Interval
from domain.transcripts import Attribution, Word

WORD_MS = 300
RECORDING = UUID(int=7)


def call(*lines: str, confidence: float = 0.95, starts_s: Sequence[int] = (), **what: object) -> HeardCall:
    """A call of lines like "agent: This call is recorded." Each turn follows the one before, or begins at its second of ``starts_s``."""
    turns: list[HeardTurn] = []
    clock = 0
    for number, line in enumerate(lines):
        role, text = line.split(": ", 1)
        if number < len(starts_s):
            clock = starts_s[number] * 1000
        words = tuple(Word(word, clock + n * WORD_MS, clock + (n + 1) * WORD_MS, confidence) for n, word in enumerate(text.split()))
        known = role != "unknown"
        turns.append(
            HeardTurn(
                *(number + 1, RECORDING, Party(role), clock, words[-1].end_ms, words),
                *(Attribution.CHANNEL if known else Attribution.UNKNOWN, 1.0 if known else 0.0),
            )
        )
        clock = words[-1].end_ms + 500
    length = turns[-1].end_ms if turns else 60_000
    made = HeardCall(
        *(UUID(int=1), ConsultationType.SUPPORT, date(2026, 3, 2), length, tuple(turns), (Interval(0, length),)),
        assistant_present=any(turn.role is Party.ASSISTANT for turn in turns),
    )
    return replace(made, **what)  # type: ignore[arg-type]


def reword(heard: HeardCall, turn: int, word: int, **change: object) -> HeardCall:
    """The call with one word of one turn changed."""
    said = heard.turns[turn]
    words = list(said.words)
    words[word] = replace(words[word], **change)  # type: ignore[arg-type]
    turns = (*heard.turns[:turn], replace(said, words=tuple(words)), *heard.turns[turn + 1 :])
    return replace(heard, turns=turns)


def without(heard: HeardCall, turn: int, word: int) -> HeardCall:
    """The call with one word not recognised: its time stays empty."""
    said = heard.turns[turn]
    words = said.words[:word] + said.words[word + 1 :]
    return replace(heard, turns=(*heard.turns[:turn], replace(said, words=words), *heard.turns[turn + 1 :]))
