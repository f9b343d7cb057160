"""An overturned verdict as a labelled case for tests: what it rested on, without what names or numbers anybody. Reading cases back belongs to
the tests.

Redaction has taken out card and personal data before. What is masked here beyond that is found by the way it is written, so a name that was
written small, or opens a sentence without a comma, stays: whoever hands a file on reads it first.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from domain.rules.shapes import HeardCall, HeardTurn, Interval, Verdict

AROUND = 3
"""Turns before and after the one that a verdict rests on."""
MOST_TURNS = 60
NAME, NUMBER = "[name]", "[number]"
_EDGES = ".,?!;:\"'()"
_INTRODUCES = frozenset({"mr", "mrs", "ms", "miss", "dr", "doctor", "name's", "named"})
_NUMBER_WORDS = (
    "oh zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand double triple"
)
_SPOKEN = frozenset(_NUMBER_WORDS.split())
_LONGEST_COUNT = 2
"""So many spoken numbers in a row are a count or a price; more of them may be somebody's number."""
_OPENING_WORDS = (
    "a actually ah all alright am and any are as at because before both but by can certainly could did do does everything exactly "
    "fine first for from go good great had has have he hello her here hey hi his how however i if in is it its just let like look "
    "maybe me my nice no nope not now of oh ok okay on one or our perfect please really right see she should since so some sorry "
    "sure that thank thanks that's the their then there they this those to uh um understood was we well were what when where which "
    "while who why will with would yeah yep yes you your"
)
_OPENERS = frozenset(_OPENING_WORDS.split())
_FIRST_PERSON = re.compile(r"I(['’](m|d|ll|ve))?")


def case_of(call: HeardCall, shown: Mapping[int, Sequence[str]], about: Mapping[str, Any], corrected: Verdict) -> dict[str, Any] | None:
    """``about``: the finding's columns; ``shown``: turn -> its redacted words, as many as in the turn. None where nothing of it is kept.

    Times are ms from the call's start, so that windows are what they were; people, turns and recordings are numbered anew.
    """
    turns = _around(call, about)
    if not turns:
        return None
    places = {turn.turn_id: place for place, turn in enumerate(turns)}
    media = {one: number for number, one in enumerate(dict.fromkeys(turn.recording_id for turn in turns))}
    named = (*call.customers, *call.others_required, *call.not_asked, *(one.party for one in call.told))
    people = {one: number for number, one in enumerate(dict.fromkeys(named))}
    return {
        **{key: about[key] for key in ("rule_id", "rule_version", "verdict", "cause", "start_ms", "end_ms")},
        "corrected": corrected.value,
        "turn": places.get(about["turn_id"]),
        "kind": call.kind.value,
        "month": f"{call.day:%Y-%m}",
        "length_ms": call.length_ms,
        "recorded": _stretches(call.recorded),
        "unintelligible": _stretches(call.unintelligible),
        "consent_required": call.consent_required,
        "assistant_present": call.assistant_present,
        "customers": [people[one] for one in call.customers],
        "others_required": [people[one] for one in call.others_required],
        "not_asked": [people[one] for one in call.not_asked],
        "told": [
            {"party": people[one.party], "role": one.role.value, "outcome": one.outcome.value, "at_ms": one.at_ms} for one in call.told
        ],
        "turns": [
            {
                "recording": media[turn.recording_id],
                "role": turn.role.value,
                "start_ms": turn.start_ms,
                "end_ms": turn.end_ms,
                "attribution": turn.attribution.value,
                "attribution_confidence": turn.attribution_confidence,
                "words": [
                    [text, word.start_ms, word.end_ms, word.confidence]
                    for text, word in zip(masked(shown[turn.turn_id]), turn.words, strict=True)
                ],
            }
            for turn in turns
        ],
    }


def masked(words: Sequence[str]) -> tuple[str, ...]:
    """As many words as there were. Empty ones, of which a placeholder before them tells, stay so."""
    found = list(words)
    bare = [word.strip(_EDGES).lower() for word in words]
    for place, word in enumerate(words):
        if not word or word.startswith("["):
            continue
        if any(sign.isdigit() for sign in word) or _run(bare, place) > _LONGEST_COUNT:
            found[place] = NUMBER + _ending(word)
        elif _introduced(bare, place) or (_is_capital(word) and not _opens(words, place)):
            found[place] = NAME + _ending(word)
    for place in reversed(range(len(words))):  # who is spoken to, and a first name before a last one
        word = words[place]
        if found[place] == word and _is_capital(word) and bare[place] not in _OPENERS:
            follows = found[place + 1] if place + 1 < len(words) else ""
            if word.endswith(",") or follows.startswith(NAME):
                found[place] = NAME + _ending(word)
    return tuple(found)


def _ending(word: str) -> str:
    """What ends the sentence, or parts it."""
    return word[len(word.rstrip(_EDGES)) :]


def _run(bare: Sequence[str], place: int) -> int:
    """How many spoken numbers stand together here."""
    first = last = place
    while first >= 0 and bare[first] in _SPOKEN:
        first -= 1
    while last < len(bare) and bare[last] in _SPOKEN:
        last += 1
    return max(0, last - first - 1)


def _introduced(bare: Sequence[str], place: int) -> bool:
    if place and bare[place - 1] in _INTRODUCES:
        return True
    return place >= 2 and bare[place - 2 : place] == ["name", "is"]


def _is_capital(word: str) -> bool:
    """Written as names are; "I", and what is short and all in capitals, such as AI, is not."""
    plain = word.strip(_EDGES)
    return plain[:1].isupper() and not _FIRST_PERSON.fullmatch(plain) and not (plain.isupper() and 2 <= len(plain) <= 4)


def _opens(words: Sequence[str], place: int) -> bool:
    return place == 0 or not words[place - 1] or words[place - 1].endswith((".", "?", "!"))


def _around(call: HeardCall, about: Mapping[str, Any]) -> list[HeardTurn]:
    """The turns about the finding's words or in its window; without either, the call's beginning."""
    there = [place for place, turn in enumerate(call.turns) if turn.turn_id == about["turn_id"]]
    if about["turn_id"] is None and about["start_ms"] is not None:
        end = about["end_ms"] if about["end_ms"] is not None else call.length_ms
        there = [place for place, turn in enumerate(call.turns) if turn.start_ms < end and about["start_ms"] < turn.end_ms]
        if not there:  # nobody is heard in it: those around say so
            later = [place for place, turn in enumerate(call.turns) if turn.start_ms >= end]
            there = later[:1] or list(range(len(call.turns)))[-1:]
    elif about["turn_id"] is None:
        there = list(range(len(call.turns)))
    if not there:
        return []
    return list(call.turns[max(0, there[0] - AROUND) : there[-1] + AROUND + 1][:MOST_TURNS])


def _stretches(intervals: Sequence[Interval]) -> list[list[int | None]]:
    return [[one.start_ms, one.end_ms] for one in intervals]
