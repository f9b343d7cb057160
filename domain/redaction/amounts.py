"""Amounts, ordinals and months among the words of a turn: "two hundred and fifty", "twenty-third", "march".

Each function looks at the tokens from a place on; ``digit`` holds what each token says as digits. Strings of digits: spoken_numbers.
"""

import re

from domain.redaction.number_words import DIGITS, MONTHS, ORDINALS, SCALES, TEENS, TENS, UNSURE_MONTHS
from domain.redaction.spoken_words import Pause, Token

MONEY = re.compile(r"[$£€]|\.")
_WRITTEN_AMOUNT = re.compile(r"[$£€]\d[\d.,]*|\d+[.,][\d.,]*\d")


def amount(parts: list[Token], digit: list[str | None], at: int) -> tuple[str, int] | None:
    """The value of an amount that begins at ``at``, and its length in tokens."""
    text = parts[at].text
    if _WRITTEN_AMOUNT.fullmatch(text):
        whole = re.sub(r"[^\d.]", "", text).partition(".")
        return (whole[0] + whole[2]) or "0", 1
    scaled = _small(parts, at)
    if scaled is None or not _is_scale(parts, scaled[1]) or toll_free(parts, digit, at):
        return None
    total, (current, end) = 0, scaled
    while _is_scale(parts, end):
        scale = SCALES[parts[end].text]
        if scale > 100:
            total, current = total + max(current, 1) * scale, 0
        elif current < 100:
            current *= scale
        else:
            break
        end += 1
        with_and = end + 1 < len(parts) and parts[end].text == "and" and parts[end - 1].pause is not Pause.HARD
        more = _small(parts, end + with_and) if end + with_and < len(parts) else None
        if more and more[0] < scale and (with_and or parts[end - 1].pause is Pause.NONE):
            current, end = current + more[0], more[1]
    return str(total + current), end - at


def _is_scale(parts: list[Token], at: int) -> bool:
    return at < len(parts) and parts[at].text in SCALES and parts[at - 1].pause is not Pause.HARD


def _small(parts: list[Token], at: int) -> tuple[int, int] | None:
    """A number under a hundred in words (or a numeral under ten thousand), and where it ends."""
    text = parts[at].text
    if text in TENS:
        follows = at + 1 < len(parts) and parts[at].pause is Pause.NONE and DIGITS.get(parts[at + 1].text, "0") != "0"
        return (int(TENS[text]) + int(DIGITS[parts[at + 1].text]), at + 2) if follows else (int(TENS[text]), at + 1)
    if text in TEENS or text in DIGITS:
        return int(TEENS.get(text) or DIGITS[text]), at + 1
    if text == "a" and at + 1 < len(parts) and parts[at + 1].text in SCALES:
        return 1, at + 1
    return (int(text), at + 1) if text.isdecimal() and len(text) <= 4 else None


def toll_free(parts: list[Token], digit: list[str | None], at: int) -> str | None:
    """The digits of "eight hundred" where that begins a number: after "one", or before three digits and more."""
    if at + 1 >= len(parts) or parts[at + 1].text != "hundred" or parts[at].pause is not Pause.NONE or (digit[at] or "") not in "89":
        return None
    after = 0
    while at + 2 + after < len(parts) and digit[at + 2 + after] is not None and parts[at + 1 + after].pause is not Pause.HARD:
        after += len(digit[at + 2 + after] or "")
    before = at > 0 and digit[at - 1] == "1" and parts[at - 1].pause is not Pause.HARD
    return f"{digit[at]}00" if digit[at] and (after >= 3 or (before and after >= 1)) else None


def ordinal(parts: list[Token], at: int) -> tuple[str, int] | None:
    text = parts[at].text
    if text in ORDINALS:
        return str(ORDINALS[text]), 1
    if text[:-2].isdecimal() and text[-2:] in ("st", "nd", "rd", "th"):
        return text[:-2], 1
    if text in TENS and at + 1 < len(parts) and parts[at].pause is Pause.NONE and ORDINALS.get(parts[at + 1].text, 10) < 10:
        return str(int(TENS[text]) + ORDINALS[parts[at + 1].text]), 2
    return None


def is_month(parts: list[Token], digit: list[str | None], at: int) -> bool:
    text = parts[at].text
    if text not in MONTHS:
        return False
    if text not in UNSURE_MONTHS:
        return True
    after = at + 1 if at + 1 < len(parts) and parts[at].pause is not Pause.HARD else len(parts)
    if after < len(parts) and parts[after].text in ("the", "of"):
        after += 1
    before = at - 1
    if before >= 0 and parts[before].text == "of":
        before -= 1
    if any(0 <= n < len(parts) and (digit[n] is not None or ordinal(parts, n) is not None) for n in (after, before)):
        return True
    alone = at == 0 or parts[at - 1].pause is Pause.HARD or parts[at - 1].text in ("in", "uh", "um", "it's", "that's")
    return alone and (at + 1 == len(parts) or parts[at].pause is Pause.HARD)
