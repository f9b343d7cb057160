"""Rules as data: what must or may not be said, by whom and when, and what keeps words from counting. Read from YAML by resources.policies.rules.

How phrases are found belongs to phrases, what follows for a call to judging; consent's own phrases are only named here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from domain.parties import Party
from domain.rules import syntax
from domain.rules.phrases import PhraseBook
from domain.rules.second_reading import SecondReading
from domain.rules.shapes import Severity


class Kind(StrEnum):
    REQUIRE = "require"
    FORBID = "forbid"
    CONSENT = "consent"  # judged by domain.rules.consent; here for its version, citation and dates
    RECORDED = "recorded"  # what was recorded without consent: follows from that


class Where(StrEnum):
    """Where a cue must stand so that the words found do not count, or nobody can tell whether they do."""

    BEFORE = "before"
    AFTER = "after"
    OVER = "over"  # shares a word with them
    INSIDE = "inside"  # among them, and not one of the words that the pattern itself names
    SENTENCE = "sentence"  # in the same sentence
    NEAR = "near"  # at most ``reach`` words away, on either side, across sentences


class WindowKind(StrEnum):
    WHOLE = "whole"
    FIRST = "first"
    LAST = "last"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Window:
    """When a rule counts. ``seconds`` for the first and last, ``event`` for before and after; RECORDING_STARTED is the one event that nobody says."""

    kind: WindowKind = WindowKind.WHOLE
    seconds: int = 0
    event: str = ""


RECORDING_STARTED = "recording_started"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens when one of ``who`` says one of ``patterns`` for the first time."""

    id: str
    who: frozenset[Party]
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that keep others from counting, or leave that open. ``reach``: how many words may lie between. ``over_pause``: whether a comma may."""

    where: Where
    patterns: tuple[str, ...]
    reach: int = 0
    over_pause: bool = True


@dataclass(frozen=True, slots=True)
class Saying:
    """What counts when one of ``who`` says it; with ``answering``, only in an answer to somebody else who says that, ``within`` its first words.

    ``ends``: only where a sentence, a clause or a turn ends with it. ``about``: what the same turn, or the one before, has to speak of, too;
    where neither does, nobody can tell what the words are about. ``doubtful``: it can be meant otherwise, and is at most a reason to listen.
    """

    who: frozenset[Party]
    patterns: tuple[str, ...]
    answering: tuple[str, ...] = ()
    doubtful: bool = False
    within: int = 3
    ends: bool = False
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """``cues`` name shared lists of what keeps words from counting, ``unless`` are the rule's own.

    ``doubtful_cues`` and ``doubtful`` are the same of what leaves it open: words near which one of them stands may count or not.
    ``needs_assistant``: the rule is only for calls in which the AI takes part.
    """

    id: str
    version: str
    text: str
    severity: Severity
    citation: str
    effective_from: date
    effective_until: date | None
    kind: Kind
    says: tuple[Saying, ...]
    window: Window
    cues: tuple[str, ...] = ()
    unless: tuple[Cue, ...] = ()
    needs_assistant: bool = False
    doubtful_cues: tuple[str, ...] = ()
    doubtful: tuple[Cue, ...] = ()

    @property
    def who(self) -> frozenset[Party]:
        return frozenset(party for saying in self.says for party in saying.who)

    def counts_on(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_until is None or day < self.effective_until)


@dataclass(frozen=True)
class Rules:
    """All rules, their shared lists, and the phrases of consent by class. Raises WrongPattern.

    ``lists`` are named words and phrases that patterns use, ``idioms`` phrases whose "no" or "not" denies nothing.
    ``second``: another opinion on some of the rules. ``version`` names the texts exactly.
    """

    version: str
    rules: tuple[Rule, ...]
    events: tuple[Event, ...]
    cues: Mapping[str, tuple[Cue, ...]]
    lists: Mapping[str, tuple[str, ...]]
    idioms: tuple[str, ...]
    consent: Mapping[str, tuple[str, ...]]
    second: SecondReading | None = None
    _books: dict[tuple[frozenset[str], bool], PhraseBook] = field(init=False, repr=False, compare=False, default_factory=dict)
    _patterns: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        patterns: dict[str, tuple[str, ...]] = {IDIOM: self.idioms}
        patterns |= {event_kind(event.id): event.patterns for event in self.events}
        patterns |= {consent_kind(name): written for name, written in self.consent.items()}
        for name, cues in self.cues.items():
            patterns |= {cue_kind(name, place): cue.patterns for place, cue in enumerate(cues)}
        for rule in self.rules:
            patterns |= {saying_kind(rule.id, place): saying.patterns for place, saying in enumerate(rule.says)}
            patterns |= {answering_kind(rule.id, place): saying.answering for place, saying in enumerate(rule.says) if saying.answering}
            patterns |= {about_kind(rule.id, place): saying.about for place, saying in enumerate(rule.says) if saying.about}
            patterns |= {cue_kind(rule.id, place): cue.patterns for place, cue in enumerate(rule.unless)}
            patterns |= {doubt_kind(rule.id, place): cue.patterns for place, cue in enumerate(rule.doubtful)}
        for written in patterns.values():
            for pattern in written:
                syntax.read(pattern, self.lists)  # a wrong one is told of now, and not in the middle of a call
        object.__setattr__(self, "_patterns", patterns)

    def voiding(self, rule: Rule) -> list[tuple[Cue, str]]:
        """What keeps the words of a rule from counting, with the class of its phrases."""
        return self._shared(rule.cues) + [(cue, cue_kind(rule.id, place)) for place, cue in enumerate(rule.unless)]

    def doubting(self, rule: Rule) -> list[tuple[Cue, str]]:
        """And what leaves it open whether they count."""
        return self._shared(rule.doubtful_cues) + [(cue, doubt_kind(rule.id, place)) for place, cue in enumerate(rule.doubtful)]

    def _shared(self, names: Iterable[str]) -> list[tuple[Cue, str]]:
        return [(cue, cue_kind(name, place)) for name in names for place, cue in enumerate(self.cues[name])]

    def book(self, role: Party, at_ms: int = 0) -> PhraseBook:
        """The phrases that matter when this party speaks: what only others may (not) say is not sought in its words.

        ``at_ms``: when it begins. After the opening what had to be said in it is sought only where it was well heard.
        """
        theirs = frozenset(self._patterns) - self._of_others(role)
        later = at_ms >= max((rule.window.seconds for rule in self.rules if rule.window.kind is WindowKind.FIRST), default=0) * 1000
        if (theirs, later) not in self._books:
            loosely = {kind for kind in theirs if kind.startswith(SAID) or kind == consent_kind("refuse")} - self._doubtful()
            loosely -= self._of_the_opening() if later else set()
            patterns = {kind: self._patterns[kind] for kind in self._patterns if kind in theirs}
            self._books[theirs, later] = PhraseBook(patterns, self.lists, loosely)
        return self._books[theirs, later]

    def _of_the_opening(self) -> set[str]:
        opening = [rule for rule in self.rules if rule.window.kind is WindowKind.FIRST]
        return {saying_kind(rule.id, place) for rule in opening for place in range(len(rule.says))}

    def _doubtful(self) -> set[str]:
        """What is doubtful even where it is well heard is not also sought where it was not."""
        return {saying_kind(rule.id, place) for rule in self.rules for place, saying in enumerate(rule.says) if saying.doubtful}

    def _of_others(self, role: Party) -> set[str]:
        if role is Party.UNKNOWN:
            return set()
        others: set[str] = set()
        for rule in self.rules:
            others |= {saying_kind(rule.id, place) for place, saying in enumerate(rule.says) if role not in saying.who}
            if role not in rule.who:
                others |= {cue_kind(rule.id, place) for place in range(len(rule.unless))}
                others |= {doubt_kind(rule.id, place) for place in range(len(rule.doubtful))}
        return others


IDIOM = "idiom"
SAID = "said/"


def event_kind(event: str) -> str:
    return f"event/{event}"


def consent_kind(name: str) -> str:
    return f"consent/{name}"


def cue_kind(owner: str, place: int) -> str:
    return f"cue/{owner}/{place}"


def doubt_kind(rule: str, place: int) -> str:
    return cue_kind(f"{rule}/doubtful", place)


def answering_kind(rule: str, place: int) -> str:
    return f"answering/{rule}/{place}"


def about_kind(rule: str, place: int) -> str:
    return f"about/{rule}/{place}"


def saying_kind(rule: str, place: int) -> str:
    return f"{SAID}{rule}/{place}"
