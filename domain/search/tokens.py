"""What counts as a word, the same for what was said and for what is looked for, whatever index stores it.

A token is a run of letters and digits, in lower case. Apostrophes inside a word vanish (don't and don’t are both dont); every other
sign separates. There are no stop words: "I do not consent" is not "I consent".
"""

import re
from dataclasses import dataclass

# Letters and decimal digits; fractions, superscripts and Roman numerals of one sign (²¼Ⅷ) separate, as indexes disagree about them.
_SIGN = r"[^\W_\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2079\u2080-\u2089\u2150-\u218b\u2460-\u249b]"
_TOKEN = re.compile(rf"{_SIGN}+(?:['’ʼ]{_SIGN}+)*")
_NO_SIGN = re.compile(rf"(?!{_SIGN}).")  # apostrophes, and the dot that the small form of İ leaves behind


@dataclass(frozen=True, slots=True)
class Token:
    """``start`` and ``end`` are character positions in the text as it was written."""

    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    return [Token(_NO_SIGN.sub("", match.group().lower()), match.start(), match.end()) for match in _TOKEN.finditer(text)]


def normalised(text: str) -> str:
    """The tokens with a space between them: what an index stores."""
    return " ".join(token.text for token in tokens(text))
