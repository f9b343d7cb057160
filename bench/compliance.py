"""What judging and redacting cost, in CPU seconds: against recognising the same call's speech, and for each word as calls grow longer.

Ratios of one run mean something; absolute times do not. Everything is loaded and has been used once before it is measured, as in a run that
takes many calls. Printing and writing results belongs to whoever calls.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from uuid import UUID

from bench.speech import cpu_seconds
from domain.consultations import ConsultationType
from domain.parties import Party
from domain.redaction.muting import muted
from domain.redaction.placeholders import redacted
from domain.redaction.shapes import CARD_DATA, Redaction
from domain.rules.judging import judge
from domain.rules.phrases import HARDLY
from domain.rules.shapes import HeardCall, HeardTurn, Interval
from domain.transcripts import Attribution, Turn
from domain.turns import Speaker, SpokenWord, turns_of
from resources.media import decode, probe
from resources.media.muting import mute
from resources.policies.rules import compliance_rules
from resources.redaction.finding import Recognisers, find, load_recognisers
from resources.speech.model import SpeechModel
from resources.speech.transcription import Heard, transcribe
from tests.corpus.entities import as_turns
from tests.corpus.reading import DAY, dialogues

MINUTE_MS = 60_000
BETWEEN_MS = 300
LEAST_WORDS = 150  # a minute
CALLS_OF = {1: 120, 10: 24, 100: 3, 1000: 1}
"""Minutes -> how many calls of that length, of other dialogues each, are measured together."""


@dataclass(frozen=True, slots=True)
class OneCall:
    """CPU seconds for one call. ``redaction``: finding and, in what is left, looking again for card data, as a run does.

    ``rules_if_sure``: the rules if every word had been heard surely. What is hardly heard (``hardly`` of the ``words``) is searched for once
    more, loosely: there may be another word in its place.
    """

    speech: float
    rules: float
    rules_if_sure: float
    redaction: float
    found_only: float  # of the redaction, the finding
    silencing: float
    words: int
    hardly: int


@dataclass(frozen=True, slots=True)
class PerWord:
    """CPU microseconds for each word, of calls so long."""

    minutes: int
    words: int
    rules: float
    redaction: float


def one_call(model: SpeechModel, recording: Path) -> OneCall:
    """A call of two parties, the customer on the left."""
    rules, recognisers = compliance_rules(), load_recognisers()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        info = probe(recording)
        sound = decode(recording, folder, info)
        heard: list[Heard] = []
        speech = _cpu(lambda: heard.append(transcribe(model, sound)))
        turns = _turns(heard[0])
        call = _call(turns, heard[0].audio_ms)
        found = find(turns, recognisers)
        sure = _surely(call)
        judge(call, rules)
        spans = {channel: some for channel, some in muted(turns, found).items() if channel is not None}
        return OneCall(
            speech,
            _cpu(lambda: judge(call, rules)),
            _cpu(lambda: judge(sure, rules)),
            _cpu(lambda: _redact(turns, recognisers)),
            _cpu(lambda: find(turns, recognisers)),
            cpu_seconds(lambda: mute(recording, folder / "silenced.ogg", info, spans)),
            sum(len(turn.words) for turn in turns),
            sum(word.confidence < HARDLY for turn in turns for word in turn.words),
        )


def growth(step: Callable[[str], None]) -> list[PerWord]:
    """For each length of CALLS_OF; the calls are made of the dialogues of the development half, again and again in another order."""
    return [_of_length(minutes, calls, step) for minutes, calls in CALLS_OF.items()]


def _of_length(minutes: int, calls: int, step: Callable[[str], None]) -> PerWord:
    rules, recognisers = compliance_rules(), load_recognisers()
    judging = redacting = 0.0
    words = 0
    for number, call in enumerate(islice(talk(minutes), calls), 1):
        step(f"rules and redaction, {minutes} minutes, call {number} of {calls}")
        turns = as_turns(call.turns)
        if number == 1 and minutes == min(CALLS_OF):
            judge(call, rules)
            _redact(turns, recognisers)
        words += sum(len(turn.words) for turn in turns)
        judging += _cpu(lambda call=call: judge(call, rules))  # type: ignore[misc]
        redacting += _cpu(lambda turns=turns: _redact(turns, recognisers))  # type: ignore[misc]
    return PerWord(minutes, words, judging / words * 1e6, redacting / words * 1e6)


def talk(minutes: int, seed: int = 0) -> Iterator[HeardCall]:
    """Calls of this length, without end, in which people talk without long pauses. Raises AssertionError for less than LEAST_WORDS a minute."""
    spoken = _shuffled(seed)
    number = 0
    while True:
        turns: list[HeardTurn] = []
        clock = 0
        while clock < minutes * MINUTE_MS:
            turn = next(spoken)
            shift = clock - turn.start_ms
            words = tuple(replace(word, start_ms=word.start_ms + shift, end_ms=word.end_ms + shift) for word in turn.words)
            turns.append(replace(turn, turn_id=len(turns) + 1, start_ms=clock, end_ms=words[-1].end_ms, words=words))
            clock = words[-1].end_ms + BETWEEN_MS
        assert sum(len(turn.words) for turn in turns) >= LEAST_WORDS * minutes
        length = turns[-1].end_ms
        number += 1
        yield HeardCall(
            UUID(int=number), ConsultationType.CLAIMS, DAY, length, tuple(turns), (Interval(0, length),), assistant_present=True
        )


def _shuffled(seed: int) -> Iterator[HeardTurn]:
    chance = random.Random(seed)
    read = dialogues("dev")
    while True:
        for dialogue in chance.sample(read, len(read)):
            yield from dialogue.call.turns


def _redact(turns: Sequence[Turn], recognisers: Recognisers) -> tuple[Redaction, ...]:
    """What the asset ``redactions`` does: what is found goes, and what is left may hold no card data."""
    found = find(turns, recognisers)
    left = [one for one in find(redacted(turns, found), recognisers) if one.kind in CARD_DATA]
    return (*found, *left)


def _turns(heard: Heard) -> tuple[Turn, ...]:
    roles = (Party.CUSTOMER, Party.AGENT)
    return turns_of(
        SpokenWord(word, Speaker(role, None, Attribution.CHANNEL, 1.0), channel)
        for channel, (role, said) in enumerate(zip(roles, heard.channels, strict=True))
        for word in said.words
    )


def _call(turns: Sequence[Turn], length_ms: int) -> HeardCall:
    heard = tuple(
        HeardTurn(number, UUID(int=1), turn.role, turn.start_ms, turn.end_ms, turn.words, turn.attribution, turn.attribution_confidence)
        for number, turn in enumerate(turns, 1)
    )
    return HeardCall(UUID(int=1), ConsultationType.SUPPORT, DAY, length_ms, heard, (Interval(0, length_ms),), assistant_present=True)


def _surely(call: HeardCall) -> HeardCall:
    turns = (replace(turn, words=tuple(replace(word, confidence=1.0) for word in turn.words)) for turn in call.turns)
    return replace(call, turns=tuple(turns))


def _cpu(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before
