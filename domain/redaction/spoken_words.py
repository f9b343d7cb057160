"""Cuts the words of a transcript into the parts that say something each: "forty-one", "s-m-i-t-h", "(555)". What they say: spoken_numbers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.redaction.number_words import NUMBER_WORDS


class Pause(StrEnum):
    NONE = "none"
    SOFT = "soft"  # a comma
    HARD = "hard"  # the end of a sentence or of a turn


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a word: ``word`` is the word's place in its turn."""

    text: str
    word: int
    pause: Pause


_LETTERS = r"[^\W\d_]"
_PART = re.compile(
    r"[^\s@]+@[^\s@]*[^\W_]"  # an address that was written out
    r"|[$£€]?\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?(?![\d,])|[$£€]\d+(?:\.\d{1,2})?(?!\d)|(?<![\d.])\d+\.\d{1,2}(?!\.?\d)"
    r"|\d+(?:st|nd|rd|th)\b|\d{1,2}:\d\d(?!\d)"
    rf"|\d*{_LETTERS}(?:[^\W_]|['’](?={_LETTERS})|[.\-_](?=[^\W_]))*"
    r"|\d+|[@/%_+&]"
)
_HARD = re.compile(r"[.?!][\"'”’)]*\s*$")
_SOFT = re.compile(r"[,;:…–—-][\"'”’)]*\s*$")
_SPLIT = re.compile(r"[-.]")


def tokens(words: Iterator[str] | Sequence[str]) -> list[Token]:
    """The parts of the words that say something each; a word of signs alone is one token, so that none is lost."""
    found: list[Token] = []
    for place, word in enumerate(words):
        parts = [part for match in _PART.finditer(word.lower()) for part in _parts(match.group())] or (
            [word.strip()] if word.strip() else []
        )
        pause = Pause.HARD if _HARD.search(word) else Pause.SOFT if _SOFT.search(word) else Pause.NONE
        for n, part in enumerate(parts):
            found.append(Token(part.replace("’", "'"), place, pause if n == len(parts) - 1 else Pause.NONE))
    return found


_AS_WRITTEN = re.compile(r".*@|[$£€]?[\d,]*\.?\d+$")


def _parts(text: str) -> list[str]:
    if _AS_WRITTEN.match(text):
        return [text]
    parts = _SPLIT.split(text)
    if len(parts) == 1:
        return [text]
    if all(len(part) == 1 and part.isalpha() for part in parts):  # c.v.v. is a word, s-m-i-t-h is spelled
        return ["".join(parts)] if "-" not in text else parts
    if any(part.isdigit() or part in NUMBER_WORDS for part in parts) or ("-" in text and "." not in text):
        return [part for part in parts if part] if text not in _WHOLE else [text]
    return [text]


_WHOLE = frozenset({"mm-hm", "mm-hmm", "uh-huh", "mhm-hm", "uh-uh", "e-mail"})
