"""Who spoke: each word of a recording gets a speaker, with the method and how sure it is.

The channel decides where it belongs to one participant; then who was in the room; then, for mixes, the voices that diarization told
apart (named in domain.voices). What nobody can say is UNKNOWN, never a guess. Pure: times are milliseconds of the recording.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.parties import Party
from domain.transcripts import Attribution, Turn, Word
from domain.turns import PAUSE_MS, Speaker, SpokenWord, turns_of

JOIN_SLACK_MS = 2_000
"""LiveKit's join and leave times are whole seconds, so presence at an edge is uncertain by this much."""

PRESENT_ALONE = 0.95
ONE_ROLE_PRESENT = 0.7
CARRIED_ON = 0.7
"""Two people share a channel while one hands over to the other: who began a sentence alone also ends it, but less surely."""

NOBODY = Speaker(Party.UNKNOWN, None, Attribution.UNKNOWN, 0.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A participant whose voice a channel can carry, and when they were in the room. None: since before, or until after, the recording."""

    sid: str | None
    role: Party
    joined_ms: int | None = None
    left_ms: int | None = None

    def present(self, at_ms: int, slack_ms: int = 0) -> bool:
        after_joining = self.joined_ms is None or at_ms >= self.joined_ms - slack_ms
        return after_joining and (self.left_ms is None or at_ms < self.left_ms + slack_ms)


@dataclass(frozen=True, slots=True)
class Layout:
    """For each channel of the file, its candidates. ``one_participant``: the file was recorded from one person's tracks alone."""

    channels: tuple[tuple[Candidate, ...], ...]
    one_participant: bool = False

    def candidates(self, channel: int) -> tuple[Candidate, ...]:
        return self.channels[channel] if channel < len(self.channels) else ()

    def as_mix(self) -> "Layout":
        """The same people on a single channel: what a file whose channels turned out identical really is."""
        return Layout((tuple(dict.fromkeys(c for channel in self.channels for c in channel)),), self.one_participant)


@dataclass(frozen=True, slots=True)
class SpeakerSegment:
    """A stretch in which one voice speaks. ``speaker`` is a label that means nothing outside its recording."""

    start_ms: int
    end_ms: int
    speaker: str


@dataclass(frozen=True, slots=True)
class Voices:
    """What diarization found on one channel: who has the floor (no two at once), and where several spoke together. Both in order."""

    segments: tuple[SpeakerSegment, ...] = ()
    overlaps: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class NamedVoices:
    """Voices and whom each label was found to be."""

    voices: Voices
    names: Mapping[str, Speaker] = field(default_factory=dict)


def speaker_at(layout: Layout, channel: int, at_ms: int) -> Speaker:
    """Who a channel belongs to at a moment, as far as its layout and the room's comings and goings say."""
    candidates = layout.candidates(channel)
    if len(candidates) == 1:
        only = candidates[0]
        method = Attribution.FILE if layout.one_participant else Attribution.CHANNEL
        return NOBODY if only.role is Party.UNKNOWN else Speaker(only.role, only.sid, method, 1.0)
    present = [c for c in candidates if c.present(at_ms)] or [c for c in candidates if c.present(at_ms, JOIN_SLACK_MS)]
    roles = {c.role for c in present}
    if len(roles) != 1 or Party.UNKNOWN in roles:
        return NOBODY
    if len(present) == 1:
        return Speaker(present[0].role, present[0].sid, Attribution.PRESENCE, PRESENT_ALONE)
    return Speaker(present[0].role, None, Attribution.PRESENCE, ONE_ROLE_PRESENT)


def needs_voices(layout: Layout, channel: int, words: Iterable[Word]) -> bool:
    """Whether telling voices apart could say more about this channel than the layout does."""
    return any(speaker_at(layout, channel, _middle(word)).role is Party.UNKNOWN for word in words)


def attribute(words: Mapping[int, Sequence[Word]], layout: Layout, voices: Mapping[int, NamedVoices] | None = None) -> tuple[Turn, ...]:
    """The turns of a whole recording. ``words`` and ``voices`` are by channel; one without voices is attributed by its layout alone."""
    named = voices or {}
    spoken: list[SpokenWord] = []
    for channel, said in words.items():
        find = VoiceFinder(named[channel].voices) if channel in named else None
        speakers = _carried_on(layout, channel, said)
        for word, speaker in zip(said, speakers, strict=True):
            if find is not None and speaker.role is Party.UNKNOWN:
                speaker = _by_voice(word, find, named[channel].names)
            spoken.append(SpokenWord(word, speaker, channel))
    return turns_of(spoken)


def _carried_on(layout: Layout, channel: int, words: Sequence[Word]) -> list[Speaker]:
    """The layout's speaker of each word; where it names nobody, the one who spoke just before or goes on just after and was in the room."""
    speakers = [speaker_at(layout, channel, _middle(word)) for word in words]
    for order in (range(1, len(words)), range(len(words) - 2, -1, -1)):
        step = order.step
        for i in order:
            near, gap_ms = speakers[i - step], abs(words[i].start_ms - words[i - step].end_ms)
            if step < 0:
                gap_ms = abs(words[i - step].start_ms - words[i].end_ms)
            unnamed = speakers[i].role is Party.UNKNOWN and near.attribution is Attribution.PRESENCE
            if unnamed and gap_ms < PAUSE_MS and _could_be(near, layout.candidates(channel), _middle(words[i])):
                speakers[i] = replace(near, confidence=min(near.confidence, CARRIED_ON))
    return speakers


def _could_be(speaker: Speaker, candidates: Iterable[Candidate], at_ms: int) -> bool:
    return any(c.role is speaker.role and c.sid == speaker.participant_sid and c.present(at_ms, JOIN_SLACK_MS) for c in candidates)


class VoiceFinder:
    """Finds the voice that speaks during a word."""

    REACH_MS = 500
    """A word this near to a voice's stretch still belongs to it: word times and diarization both err by some 100 ms."""

    def __init__(self, voices: Voices) -> None:
        self._segments = sorted(voices.segments, key=lambda s: s.start_ms)
        self._starts = [s.start_ms for s in self._segments]
        self._overlaps = sorted(voices.overlaps)
        self._overlap_starts = [start for start, _ in self._overlaps]

    def voice_of(self, word: Word) -> tuple[str, float] | None:
        """(label, confidence 0 to 1) of the voice that has most of the word; None where none is near."""
        shares: dict[str, int] = {}
        nearest: tuple[int, str] | None = None
        last = bisect_right(self._starts, word.end_ms + self.REACH_MS)
        for segment in reversed(self._segments[max(0, last - 16) : last]):
            shared = min(segment.end_ms, word.end_ms) - max(segment.start_ms, word.start_ms)
            if shared > 0:
                shares[segment.speaker] = shares.get(segment.speaker, 0) + shared
            elif -shared <= self.REACH_MS and (nearest is None or -shared < nearest[0]):
                nearest = (-shared, segment.speaker)
        if shares:
            label = max(shares, key=lambda s: (shares[s], s))
            sure = shares[label] / sum(shares.values())
            return label, sure * (0.6 if self._is_overlapped(word) else 1.0)
        return (nearest[1], 0.6) if nearest else None

    def _is_overlapped(self, word: Word) -> bool:
        index = bisect_right(self._overlap_starts, _middle(word)) - 1
        return index >= 0 and _middle(word) < self._overlaps[index][1]


def _by_voice(word: Word, find: VoiceFinder, names: Mapping[str, Speaker]) -> Speaker:
    found = find.voice_of(word)
    if found is None:
        return NOBODY
    label, confidence = found
    name = names.get(label)
    if name is None or name.role is Party.UNKNOWN:
        return Speaker(Party.UNKNOWN, None, Attribution.UNKNOWN, 0.0, voice=label)
    return Speaker(name.role, name.participant_sid, name.attribution, round(name.confidence * confidence, 4), voice=label)


def _middle(word: Word) -> int:
    return (word.start_ms + word.end_ms) // 2
