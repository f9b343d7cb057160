"""Reads the compliance rules: every YAML file under rules/, together one set. What follows from them is decided in domain.rules.

A file may hold rules, lists of words that patterns use, cues that keep words from counting, idioms, events and the phrases of consent.
The language of the patterns is told in domain.rules.syntax. Weights of a second reading may stand beside them.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, StringConstraints

from domain.parties import Party
from domain.rules.rules import RECORDING_STARTED, Cue, Event, Kind, Rule, Rules, Saying, Where, Window, WindowKind
from domain.rules.shapes import Severity
from domain.rules.syntax import WrongPattern, read
from resources.policies import WrongPolicy, _read, _Strict
from resources.policies.second_reading import FILE, second_reading

RULES = Path(__file__).parent / "rules"
Value = TypeVar("Value")
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]
Patterns = Annotated[list[Annotated[str, StringConstraints(min_length=1)]], Field(min_length=1)]


class _Cue(_Strict):
    where: Where
    patterns: Patterns
    reach: int = Field(default=0, ge=0, le=20)
    over_pause: bool = True


class _Event(_Strict):
    who: list[Party] = Field(min_length=1)
    patterns: Patterns


class _First(_Strict):
    first_s: int = Field(gt=0)


class _Last(_Strict):
    last_s: int = Field(gt=0)


class _Before(_Strict):
    before: Name


class _After(_Strict):
    after: Name


class _Saying(_Strict):
    who: list[Party] = Field(min_length=1)
    patterns: Patterns
    answering: list[str] = Field(default_factory=list)
    doubtful: bool = False
    within: int = Field(default=3, ge=1, le=60)
    ends: bool = False
    about: list[str] = Field(default_factory=list)


class _Rule(_Strict):
    id: Name
    version: str = Field(min_length=1, max_length=40)
    text: str = Field(min_length=1)
    severity: Severity
    citation: str = Field(min_length=1)
    effective_from: date
    effective_until: date | None = None
    kind: Kind
    says: list[_Saying] = Field(default_factory=list)
    window: _First | _Last | _Before | _After | Literal["whole"] = "whole"
    cues: list[Name] = Field(default_factory=list)
    unless: list[_Cue] = Field(default_factory=list)
    needs_assistant: bool = False
    doubtful_cues: list[Name] = Field(default_factory=list)
    doubtful: list[_Cue] = Field(default_factory=list)


class _File(_Strict):
    lists: dict[Name, Patterns] = Field(default_factory=dict)
    idioms: list[str] = Field(default_factory=list)
    cues: dict[Name, list[_Cue]] = Field(default_factory=dict)
    events: dict[Name, _Event] = Field(default_factory=dict)
    consent: dict[Name, Patterns] = Field(default_factory=dict)
    rules: list[_Rule] = Field(default_factory=list)


@lru_cache(maxsize=4)
def compliance_rules(folder: Path = RULES) -> Rules:
    """The rules of a folder. Their version is each rule's declared one and a digest of all files, so that no change goes unseen. Raises WrongPolicy."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise WrongPolicy(f"{folder.name} holds no rules")
    digest = hashlib.sha256()
    files: dict[str, _File] = {}
    for path in paths:
        body, files[path.name] = _read(path, _File)
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(body).digest())
    weights = folder / FILE
    second = None
    if weights.exists():
        body = weights.read_bytes()
        second = second_reading(body, FILE)
        digest.update(FILE.encode() + b"\0" + hashlib.sha256(body).digest())
    lists = _together((name, file.lists) for name, file in files.items())
    cues = _together((name, file.cues) for name, file in files.items())
    events = _together((name, file.events) for name, file in files.items())
    consent = _together((name, file.consent) for name, file in files.items())
    written = [(name, rule) for name, file in files.items() for rule in file.rules]
    _check(files, lists, cues, events, written)
    try:
        return Rules(
            _version([rule for _, rule in written], digest.hexdigest()),
            tuple(_rule(rule) for _, rule in written),
            tuple(Event(name, frozenset(event.who), tuple(event.patterns)) for name, event in events.items()),
            {name: tuple(_cue(cue) for cue in some) for name, some in cues.items()},
            {name: tuple(some) for name, some in lists.items()},
            tuple(idiom for file in files.values() for idiom in file.idioms),
            {name: tuple(some) for name, some in consent.items()},
            second,
        )
    except WrongPattern as error:  # a list's; those of patterns are found by their place
        raise WrongPolicy(f"{folder.name}: {error}") from None


def _version(rules: Iterable[_Rule], digest: str) -> str:
    """For example "recording_disclosure=1,trust_me=2+0a1b2c3d4e5f"."""
    return ",".join(sorted(f"{rule.id}={rule.version}" for rule in rules)) + f"+{digest[:12]}"


def _together(parts: Iterable[tuple[str, Mapping[str, Value]]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for file, some in parts:
        for name in some:
            if name in found:
                raise WrongPolicy(f"{file}, {name}: another file has it, too")
        found |= some
    return found


def _check(
    files: Mapping[str, _File],
    lists: Mapping[str, list[str]],
    cues: Mapping[str, list[_Cue]],
    events: Mapping[str, _Event],
    written: list[tuple[str, _Rule]],
) -> None:
    for file_name, file in files.items():
        for place, patterns in _patterns(file):
            for number, pattern in enumerate(patterns):
                try:
                    read(pattern, lists)
                except WrongPattern as error:
                    raise WrongPolicy(f"{file_name}, {place}.{number}: {error}") from None
    seen: dict[str, list[_Rule]] = {}
    for file_name, rule in written:
        where = f"{file_name}, {rule.id}"
        if rule.effective_until is not None and rule.effective_until <= rule.effective_from:
            raise WrongPolicy(f"{where}: effective_until {rule.effective_until} is not after effective_from {rule.effective_from}")
        if seen.setdefault(rule.id, []):
            raise WrongPolicy(f"{where}: there are two rules of this id")
        seen[rule.id].append(rule)
        if (rule.kind not in (Kind.CONSENT, Kind.RECORDED)) != bool(rule.says):
            raise WrongPolicy(f"{where}: a rule needs what is said, and that of consent has it elsewhere")
        for name in [*rule.cues, *rule.doubtful_cues]:
            if name not in cues:
                raise WrongPolicy(f"{where}: there are no cues {name}")
        event = getattr(rule.window, "before", None) or getattr(rule.window, "after", None)
        if event is not None and event != RECORDING_STARTED and event not in events:
            raise WrongPolicy(f"{where}: there is no event {event}")


def _patterns(file: _File) -> Iterable[tuple[str, list[str]]]:
    yield "idioms", file.idioms
    yield from ((f"lists.{name}", some) for name, some in file.lists.items())
    yield from ((f"events.{name}.patterns", event.patterns) for name, event in file.events.items())
    yield from ((f"consent.{name}", some) for name, some in file.consent.items())
    for name, some in file.cues.items():
        yield from ((f"cues.{name}.{number}.patterns", cue.patterns) for number, cue in enumerate(some))
    for rule in file.rules:
        yield from ((f"rules.{rule.id}.says.{number}.patterns", saying.patterns) for number, saying in enumerate(rule.says))
        yield from ((f"rules.{rule.id}.says.{number}.answering", saying.answering) for number, saying in enumerate(rule.says))
        yield from ((f"rules.{rule.id}.says.{number}.about", saying.about) for number, saying in enumerate(rule.says))
        yield from ((f"rules.{rule.id}.unless.{number}.patterns", cue.patterns) for number, cue in enumerate(rule.unless))
        yield from ((f"rules.{rule.id}.doubtful.{number}.patterns", cue.patterns) for number, cue in enumerate(rule.doubtful))


def _rule(read: _Rule) -> Rule:
    return Rule(
        read.id,
        read.version,
        read.text,
        read.severity,
        read.citation,
        read.effective_from,
        read.effective_until,
        read.kind,
        tuple(
            Saying(
                frozenset(saying.who),
                tuple(saying.patterns),
                tuple(saying.answering),
                saying.doubtful,
                saying.within,
                saying.ends,
                tuple(saying.about),
            )
            for saying in read.says
        ),
        _window(read.window),
        tuple(read.cues),
        tuple(_cue(cue) for cue in read.unless),
        read.needs_assistant,
        tuple(read.doubtful_cues),
        tuple(_cue(cue) for cue in read.doubtful),
    )


def _cue(read: _Cue) -> Cue:
    return Cue(read.where, tuple(read.patterns), read.reach, read.over_pause)


def _window(read: _First | _Last | _Before | _After | str) -> Window:
    if isinstance(read, _First):
        return Window(WindowKind.FIRST, seconds=read.first_s)
    if isinstance(read, _Last):
        return Window(WindowKind.LAST, seconds=read.last_s)
    if isinstance(read, _Before):
        return Window(WindowKind.BEFORE, event=read.before)
    if isinstance(read, _After):
        return Window(WindowKind.AFTER, event=read.after)
    return Window()
