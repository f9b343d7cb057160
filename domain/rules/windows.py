"""When a rule counts, and whether what was said in that time was heard well enough to say that something was, or was not."""

from collections.abc import Collection, Mapping, Sequence

from domain.parties import Party
from domain.rules.intervals import common, joined, length_ms
from domain.rules.phrases import HARDLY
from domain.rules.places import Place, Read, mean
from domain.rules.rules import RECORDING_STARTED, Window, WindowKind
from domain.rules.shapes import Cause, HeardCall, HeardTurn, Interval
from domain.transcripts import Attribution, Word

LEAST_RECORDED = 0.9
MOST_UNINTELLIGIBLE = 0.15
MOST_BADLY_HEARD = 0.15
MOST_UNKNOWN = 0.25
MOST_OVERLAPPED = 0.4
LATEST_WORD = 0.5  # of the window, before anybody is understood
BADLY = 0.5  # a word below this was not heard
LEAST_WORDS = 3
AROUND_MS = 5_000  # on either side of what was found
MOST_BADLY_AROUND = 0.4  # of its speaker's words there,
MOST_UNINTELLIGIBLE_AROUND = 0.4  # and of that time
AT_ONCE_MS = 500  # word times are good to about 200 ms
ALONE = frozenset({Attribution.CHANNEL, Attribution.FILE})  # nobody else is on these channels


def span(window: Window, call: HeardCall, events: Mapping[str, int]) -> Interval | None:
    """The time of a window, None where its event never happens. ``events``: when each one happens for the first time, ms."""
    if window.kind is WindowKind.FIRST:
        return Interval(0, window.seconds * 1000)
    if window.kind is WindowKind.LAST:
        return Interval(max(0, call.length_ms - window.seconds * 1000), call.length_ms)
    if window.kind is WindowKind.WHOLE:
        return Interval(0, max(call.length_ms, 1))
    at = min((one.start_ms for one in call.recorded), default=None) if window.event == RECORDING_STARTED else events.get(window.event)
    if at is None:
        return None
    return Interval(0, at) if window.kind is WindowKind.BEFORE else Interval(at, max(call.length_ms, at + 1))


def unheard(call: HeardCall, heard: Sequence[Read], window: Interval, who: frozenset[Party]) -> Cause | None:
    """Why nobody can say that something was not said by these parties in the window; None: it was really heard."""
    time = common((window,), (Interval(0, max(call.length_ms, 1)),))
    whole = length_ms(time)
    recorded = common(call.recorded, time)
    if whole <= 0 or length_ms(recorded) < LEAST_RECORDED * whole:
        return Cause.DAMAGED
    if length_ms(common(call.unintelligible, time)) > MOST_UNINTELLIGIBLE * whole:
        return Cause.DAMAGED
    words = [(turn, word) for turn in call.turns for word in turn.words if word.start_ms < _end(window) and window.start_ms < word.end_ms]
    theirs = [(turn, word) for turn, word in words if turn.role in who]
    unknown = [(turn, word) for turn, word in words if turn.role is Party.UNKNOWN]
    if sum(_understood(word) for _, word in theirs) < LEAST_WORDS:
        if unknown:
            return Cause.UNKNOWN_SPEAKER
        return Cause.LOW_CONFIDENCE if any(not _understood(word) for _, word in words) else Cause.SILENT
    if len(unknown) > MOST_UNKNOWN * (len(theirs) + len(unknown)):
        return Cause.UNKNOWN_SPEAKER
    if badly_heard(heard, window, who) > MOST_BADLY_HEARD:
        return Cause.LOW_CONFIDENCE
    if min(word.start_ms for _, word in words if _understood(word)) - time[0].start_ms > LATEST_WORD * whole:
        return Cause.SILENT
    return Cause.OVERLAPPED if _overlapped(call.turns, time, who) else None


def drowned(call: HeardCall, place: Place, window: Interval, who: frozenset[Party]) -> Cause | None:
    """Why nobody can say that what was found was said, however sure its words: people who talk at once are misheard as sentences."""
    tokens = place.read.said.tokens[place.start : place.end]
    found = Interval(tokens[0].start_ms, max(token.end_ms for token in tokens))
    around = (Interval(max(0, found.start_ms - AROUND_MS), (found.end_ms or 0) + AROUND_MS),)
    turns = {token.turn for token in tokens}
    if _at_once(call.turns, turns, found) or _overlapped(call.turns, common((window,), (Interval(0, max(call.length_ms, 1)),)), who):
        return Cause.OVERLAPPED
    if length_ms(common(call.unintelligible, around)) > MOST_UNINTELLIGIBLE_AROUND * length_ms(around):
        return Cause.DAMAGED
    return Cause.LOW_CONFIDENCE if badly_heard((place.read,), around[0], who | {place.read.said.role}) > MOST_BADLY_AROUND else None


def _at_once(turns: Sequence[HeardTurn], places: Collection[int], time: Interval) -> bool:
    """Whether the channel of these turns has somebody else's words, too, in this time: one party's turns over each other, or several in a mix."""
    ours = [turns[place] for place in places]
    others = [
        turn
        for place, turn in enumerate(turns)
        if place not in places
        and any(
            turn.recording_id == one.recording_id and (turn.role is one.role or not {turn.attribution, one.attribution} & ALONE)
            for one in ours
        )
    ]
    return length_ms(common((time,), (Interval(turn.start_ms, turn.end_ms) for turn in others))) > AT_ONCE_MS


def badly_heard(heard: Sequence[Read], window: Interval, who: frozenset[Party]) -> float:
    """The share of these parties' words in the window that were hardly heard, or seem to be missing."""
    words = badly = 0
    for said in (one.said for one in heard if one.said.role in who):
        for place, token in enumerate(said.tokens):
            if window.start_ms <= token.start_ms < _end(window):
                words += 1
                badly += (token.confidence < HARDLY) + (place in said.lost)
    return badly / words if words else 0.0


def heard_confidence(call: HeardCall, window: Interval, who: frozenset[Party]) -> float:
    """How well the words of these parties were heard in the window."""
    return mean(
        [
            word.confidence
            for turn in call.turns
            if turn.role in who
            for word in turn.words
            if window.start_ms <= word.start_ms < _end(window)
        ]
    )


def _overlapped(turns: Sequence[HeardTurn], time: Sequence[Interval], who: frozenset[Party]) -> bool:
    theirs = common(joined(Interval(turn.start_ms, turn.end_ms) for turn in turns if turn.role in who), time)
    others = common(joined(Interval(turn.start_ms, turn.end_ms) for turn in turns if turn.role not in who), time)
    return length_ms(common(theirs, others)) > MOST_OVERLAPPED * length_ms(theirs)


def _understood(word: Word) -> bool:
    return word.confidence >= BADLY


def _end(interval: Interval) -> int:
    return interval.end_ms if interval.end_ms is not None else 1 << 62
