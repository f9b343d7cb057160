"""Voices get names: each voice that diarization found in a mix is matched with a participant, or stays unnamed.

Evidence, strongest first: a participant who was not in the room cannot have spoken; one who was alone in it did; failing both, what the
voice says. Telling voices apart is resources.speech.diarization; who spoke each word is domain.attribution.
"""

from collections.abc import Sequence
from itertools import permutations
from math import exp

from domain.attribution import NOBODY, Candidate, NamedVoices, VoiceFinder, Voices
from domain.parties import Party
from domain.speaker_cues import role_scores
from domain.transcripts import Attribution, Word
from domain.turns import Speaker

NAMED_FROM = 0.5
"""Below this confidence a voice stays unnamed."""

MOST_VOICES = 6
_ALONE_POINTS = 4.0
_ABSENT_POINTS = -6.0


def name_voices(voices: Voices, words: Sequence[Word], candidates: Sequence[Candidate]) -> NamedVoices:
    """Matches voices with participants, one to one, by the best total of evidence; confidence grows with the lead over the next best."""
    people = [c for c in candidates if c.role is not Party.UNKNOWN]
    said = _words_by_voice(voices, words)
    labels = sorted(said, key=lambda label: -len(said[label]))[:MOST_VOICES]
    if not labels or not people:
        return NamedVoices(voices)
    points = [[_points(said[label], person, people) for person in people] for label in labels]
    return NamedVoices(voices, {label: _name(i, points, people) for i, label in enumerate(labels)})


def _words_by_voice(voices: Voices, words: Sequence[Word]) -> dict[str, list[Word]]:
    find = VoiceFinder(voices)
    said: dict[str, list[Word]] = {}
    for word in words:
        if found := find.voice_of(word):
            said.setdefault(found[0], []).append(word)
    return said


def _points(words: Sequence[Word], person: Candidate, people: Sequence[Candidate]) -> float:
    """Evidence that these words are this person's."""
    moments = [(w.start_ms + w.end_ms) // 2 for w in words]
    here = [person.present(at, slack_ms=2_000) for at in moments]
    alone = sum(1 for at, present in zip(moments, here, strict=True) if present and sum(p.present(at) for p in people) == 1)
    absent = len(here) - sum(here)
    by_presence = _ALONE_POINTS * alone / len(words) + _ABSENT_POINTS * absent / len(words)
    by_words = role_scores(" ".join(w.text for w in words), {p.role for p in people})
    return by_presence + by_words[person.role]


def _name(voice: int, points: Sequence[Sequence[float]], people: Sequence[Candidate]) -> Speaker:
    """The person whom the best matching gives this voice, if the best matching that gives it another role is clearly worse."""
    best: dict[int | None, float] = {}
    places: list[int | None] = [*range(len(people)), *[None] * max(0, len(points) - len(people))]
    for matching in permutations(places, len(points)):
        total = sum(points[i][p] for i, p in enumerate(matching) if p is not None)
        chosen = matching[voice]
        best[chosen] = max(best.get(chosen, total), total)
    ranked = sorted(((total, p) for p, total in best.items() if p is not None), key=lambda entry: (-entry[0], entry[1]))
    total, person = ranked[0]
    if None in best and best[None] > total:
        return NOBODY
    same_role = [p for t, p in ranked if people[p].role is people[person].role and total - t < 1e-9]
    lead = total - max((t for p, t in best.items() if p is None or people[p].role is not people[person].role), default=total - 3)
    confidence = round(1 - exp(-lead), 4)
    if confidence < NAMED_FROM:
        return NOBODY
    sid = people[person].sid if len(same_role) == 1 else None
    return Speaker(people[person].role, sid, Attribution.DIARIZATION, confidence)
