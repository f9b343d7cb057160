"""What is taken out of the transcript itself: card numbers and security codes, which may not be kept anywhere (PCI DSS 3.3.1).

Words keep their number and times, so that everything that points at a place in a turn still does; and what was taken out is known again when
the transcript is looked through another time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from domain.redaction.shapes import CARD_DATA, Redaction, Sensitive
from domain.transcripts import Turn, Word

KNOWN_AGAIN = "placeholder"
"""The recogniser of what an earlier look took out."""
_SIGNS = {f"[{kind.value}]": kind for kind in CARD_DATA}


def masked(words: Sequence[Word], redactions: Iterable[Redaction]) -> tuple[Word, ...]:
    """The words of a turn, as many as they were, each of the redacted ones with its placeholder. ``redactions``: this turn's."""
    found = list(words)
    for redaction in redactions:
        for place in range(redaction.first_word, redaction.last_word + 1):
            found[place] = replace(found[place], text=f"[{redaction.kind.value}]")
    return tuple(found)


def shown(words: Sequence[str], redactions: Iterable[Redaction]) -> tuple[str, ...]:
    """The words of a turn as they may be quoted, as many as they were: a placeholder for each piece, the rest of it empty."""
    found = ["" if word in _SIGNS and place and words[place - 1] == word else word for place, word in enumerate(words)]
    for redaction in redactions:
        for place in range(redaction.first_word, redaction.last_word + 1):
            found[place] = f"[{redaction.kind.value}]" if place == redaction.first_word else ""
    return tuple(found)


def known_again(turns: Sequence[Turn]) -> tuple[Redaction, ...]:
    """What was taken out of these turns before. Their times are used as they stand."""
    found: list[Redaction] = []
    for position, turn in enumerate(turns):
        place = 0
        while place < len(turn.words):
            kind: Sensitive | None = _SIGNS.get(turn.words[place].text)
            last = place
            while kind is not None and last + 1 < len(turn.words) and _SIGNS.get(turn.words[last + 1].text) is kind:
                last += 1
            if kind is not None:
                start, end = turn.words[place].start_ms, turn.words[last].end_ms
                whole = start < end
                times = (start if whole else None, end if whole else None)
                found.append(Redaction(kind, -1 - len(found), position, turn.channel, place, last, times[0], times[1], 1.0, KNOWN_AGAIN))
            place = last + 1
    return tuple(found)
