"""Conversations for tests of redaction, written as "role: words"."""

from domain.parties import Party
from domain.transcripts import Attribution, Turn, Word

WORD_MS = 300


def turns(*lines: str, confidence: float = 0.95) -> list[Turn]:
    """A channel for each role; words follow each other without a gap, turns after half a second."""
    made: list[Turn] = []
    channels: dict[str, int] = {}
    clock = 0
    for line in lines:
        role, text = line.split(": ", 1)
        words = tuple(Word(word, clock + n * WORD_MS, clock + (n + 1) * WORD_MS, confidence) for n, word in enumerate(text.split()))
        channel = channels.setdefault(role, len(channels))
        made.append(Turn(Party(role), None, channel, clock, words[-1].end_ms, text, words, confidence, Attribution.CHANNEL, 1.0))
        clock = words[-1].end_ms + 500
    return made
