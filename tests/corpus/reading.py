"""Reads the labelled dialogues and makes calls of them. The format is told in README.md; damage is done in damage."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID, uuid5

from domain.consultations import ConsultationType
from domain.parties import Party
from domain.rules.shapes import HeardCall, HeardTurn, Interval
from domain.transcripts import Attribution, Word

CORPUS = Path(__file__).parent
WORD_MS = 333
BETWEEN_MS = 500
CONFIDENCE = 0.95
DAY = date(2026, 3, 2)
KINDS = frozenset(["plain", "negated", "double_negated", "quoted", "asked", "interrupted", "wrong_speaker", "out_of_window", "other"])
SAID = (
    *("coverage_promise", "claim_guarantee", "no_other_insurance", "trust_me", "wording_interpretation"),
    *("ai_denial", "complaint", "legal_threat"),
)
VALUES = frozenset(["card_number", "security_code", "expiry_date", "ssn", "bank_account", "email", "phone", "date_of_birth"])
EXPECTED = {
    "disclosure": {"met", "not_met"},
    "consent": {"granted", "implied", "declined", "revoked", "unknown"},
    "ai_disclosure": {"met", "not_met"},
}
_SPACE = UUID("5d1f3e0e-97f0-4a5c-8b0a-6d2c0f6a4e11")
_TURN = re.compile(r"^(?:\[(\d+):(\d\d)\]\s*)?(customer|agent|assistant|partner|admin|unknown):\s*(.*)$")
_MARK = re.compile(r"<(/?)([a-z_]+)(?:#(\d+))?>")


class WrongCorpus(ValueError):
    """A dialogue is not as README.md says. ``str()`` names file and line."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Words ``first`` to ``last`` of a turn are (a piece of) one value. ``value`` numbers the values of the dialogue."""

    kind: str
    value: int
    turn: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Dialogue:
    """``expect`` as written, ``said`` None where it is not scored."""

    id: str
    kind: str
    expect: Mapping[str, str]
    said: frozenset[str] | None
    call: HeardCall
    marks: tuple[Mark, ...]


def dialogues(half: str, corpus: Path = CORPUS) -> list[Dialogue]:
    """All dialogues of ``dev`` or ``scored``. Raises WrongCorpus."""
    return [dialogue for path in sorted((corpus / half).rglob("*.txt")) for dialogue in read(path)]


def read(path: Path) -> Iterator[Dialogue]:
    """The dialogues of a file. Raises WrongCorpus."""
    head: dict[str, str] = {}
    turns: list[tuple[str | None, Party, str, bool]] = []
    name = ""
    for number, line in enumerate([*path.read_text().splitlines(), "=== "], 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("==="):
            if name:
                yield dialogue_of(path.name, name, head, turns)
            name, head, turns = line[3:].strip(), {}, []
        elif found := _TURN.match(line):
            at = None if found[1] is None else str(int(found[1]) * 60 + int(found[2]))
            text = found[4].strip()
            turns.append((at, Party(found[3]), text.removesuffix("//").strip(), text.endswith("//")))
        elif not turns and re.match(r"^[a-z_]+:", line):
            key, value = line.split(":", 1)
            head[key] = value.strip()
        else:
            raise WrongCorpus(f"{path.name}, line {number}: neither a head nor a turn")


def dialogue_of(file: str, name: str, head: Mapping[str, str], turns: list[tuple[str | None, Party, str, bool]]) -> Dialogue:
    """``turns``: (when it begins, seconds; who; the words; whether the next one cuts in). Raises WrongCorpus."""
    if head.get("kind") not in KINDS:
        raise WrongCorpus(f"{file}, {name}: kind")
    expect = dict(part.strip().split("=", 1) for part in head.get("expect", "").split(",") if part.strip())
    written = expect.pop("said", None)
    said = None if written is None else frozenset(written.split("+")) - {"none"}
    for key, value in expect.items():
        if value not in EXPECTED.get(key, ()):
            raise WrongCorpus(f"{file}, {name}: {key}={value}")
    if said and said - set(SAID):
        raise WrongCorpus(f"{file}, {name}: said={written}")
    heard: list[HeardTurn] = []
    marks: list[Mark] = []
    numbers: dict[tuple[str, str], int] = {}
    clock = 0
    for place, (at, role, text, cut) in enumerate(turns):
        texts, found = _marked(text, f"{file}, {name}")
        if not texts:
            raise WrongCorpus(f"{file}, {name}: an empty turn")
        start = clock if at is None else max(clock, int(at) * 1000)
        words = tuple(Word(word, start + number * WORD_MS, start + (number + 1) * WORD_MS, CONFIDENCE) for number, word in enumerate(texts))
        heard.append(HeardTurn(place + 1, uuid5(_SPACE, name), role, start, words[-1].end_ms, words, _attribution(role), _sure(role)))
        for kind, group, first, last in found:
            name_of = (kind, group or f"alone {len(marks)}")
            marks.append(Mark(kind, numbers.setdefault(name_of, len(numbers)), place, first, last))
        clock = max(start, words[-1].end_ms - 2 * WORD_MS) if cut else words[-1].end_ms + BETWEEN_MS
    length = max(turn.end_ms for turn in heard)
    assistant = any(turn.role is Party.ASSISTANT for turn in heard)
    call = HeardCall(
        uuid5(_SPACE, f"call {name}"),
        ConsultationType.CLAIMS,
        DAY,
        length,
        tuple(heard),
        (Interval(0, length),),
        assistant_present=assistant,
    )
    return Dialogue(name, head["kind"], expect, said, call, tuple(marks))


def _attribution(role: Party) -> Attribution:
    return Attribution.UNKNOWN if role is Party.UNKNOWN else Attribution.CHANNEL


def _sure(role: Party) -> float:
    return 0.0 if role is Party.UNKNOWN else 1.0


def _marked(text: str, where: str) -> tuple[list[str], list[tuple[str, str | None, int, int]]]:
    """(the words without marks, (kind, number, first word, last word) of each mark)."""
    words: list[str] = []
    found: list[tuple[str, str | None, int, int]] = []
    open_: tuple[str, str | None, int] | None = None
    place = 0
    glued = False
    for mark in [*_MARK.finditer(text), None]:
        between = text[place : mark.start() if mark else len(text)]
        pieces = between.split()
        if glued and pieces and not between[0].isspace():
            words[-1] += pieces.pop(0)  # a comma after the mark belongs to the word in it
        words += pieces
        glued = bool(words) and bool(between.strip() or glued) and not between[-1:].isspace()
        if mark is None:
            break
        place = mark.end()
        if not mark[1]:
            if open_ or mark[2] not in VALUES:
                raise WrongCorpus(f"{where}: mark {mark[2]}")
            open_ = (mark[2], mark[3], len(words))
            glued = False
        else:
            if open_ is None or open_[0] != mark[2] or len(words) == open_[2]:
                raise WrongCorpus(f"{where}: mark {mark[2]}")
            found.append((open_[0], open_[1], open_[2], len(words) - 1))
            open_ = None
    if open_:
        raise WrongCorpus(f"{where}: a mark is not closed")
    return words, found
