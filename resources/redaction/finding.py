"""Finds the words of a call that are card or personal data. What is done about them belongs to domain.redaction and to the assets."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import domain.redaction
from domain.redaction.call_so_far import Find
from domain.redaction.covering import Piece, cover
from domain.redaction.cues import Cue, cues
from domain.redaction.edges import hidden
from domain.redaction.kinds_of_numbers import name
from domain.redaction.muting import usable_times
from domain.redaction.number_runs import runs
from domain.redaction.shapes import Redaction, Sensitive
from domain.redaction.spoken_addresses import addresses
from domain.redaction.spoken_numbers import Reading, read
from domain.transcripts import Turn
from resources.redaction.presidio import Presidio
from resources.redaction.terms import Terms, read_terms

_ADDRESS_CONFIDENCE = 0.95
_CHECKED = 0.98


@dataclass(frozen=True)
class Recognisers:
    """``version`` names everything that would change what is found."""

    presidio: Presidio
    terms: Terms
    version: str


def load_recognisers(terms: Path | Iterable[str] | None = None) -> Recognisers:
    """``terms``: a file of them, or they themselves. Raises WrongPolicy where the file cannot be read."""
    own = Terms(read_terms(terms) if isinstance(terms, Path) else terms or ())
    presidio = Presidio()
    return Recognisers(presidio, own, f"{presidio.version}, patterns {_patterns()}, terms {own.digest}")


def find(turns: Sequence[Turn], recogniser: Recognisers) -> tuple[Redaction, ...]:
    """In order of turns and words; no word is in two redactions. ``turns`` are one conversation's, in order. Linear in the words."""
    reading = read(turns)
    said = cues(reading)
    numbers = runs(reading, said)
    found = [
        *_numbers(reading, said, name(reading, numbers, said, recogniser.presidio.checked(numbers))),
        *_addresses(reading, said, recogniser),
        *_terms(turns, recogniser),
    ]
    redactions = []
    for piece in cover(found):
        turn = turns[piece.position]
        times = usable_times(turn, piece.first_word, piece.last_word)
        redactions.append(
            Redaction(
                kind=piece.kind,
                entity=piece.entity,
                position=piece.position,
                channel=turn.channel,
                first_word=piece.first_word,
                last_word=piece.last_word,
                start_ms=times[0] if times else None,
                end_ms=times[1] if times else None,
                confidence=piece.confidence,
                recogniser=f"{piece.recogniser}: {recogniser.version}",
            )
        )
    return tuple(redactions)


def _numbers(reading: Reading, said: Sequence[Cue], finds: Sequence[Find]) -> Iterator[Piece]:
    for number in hidden(reading, said, finds):
        find = number.find
        how = "checksum" if find.confidence > _CHECKED else "context"
        yield Piece(find.kind, ("number", find.entity), number.position, number.first_word, number.last_word, find.confidence, how)


def _addresses(reading: Reading, said: Sequence[Cue], recogniser: Recognisers) -> Iterator[Piece]:
    found = addresses(reading, said)
    for number, (address, real) in enumerate(zip(found, recogniser.presidio.addresses([one.written for one in found]), strict=True)):
        confidence = _ADDRESS_CONFIDENCE if real else address.confidence
        for first, last in address.places:
            start, end = reading.pieces[first], reading.pieces[last]
            how = "address" if real else "context"
            entity = ("address", number) if address.asked < 0 else ("asked", address.asked)
            yield Piece(Sensitive.EMAIL, entity, start.position, start.first_word, end.last_word, confidence, how)


def _terms(turns: Sequence[Turn], recogniser: Recognisers) -> Iterator[Piece]:
    for number, place in enumerate(recogniser.terms.places(turns)):
        yield Piece(Sensitive.CUSTOM, ("term", number), place.position, place.first_word, place.last_word, 1.0, "term")


@cache
def _patterns() -> str:
    """Changes with every change of what recognises: the modules of both packages."""
    folders = (Path(domain.redaction.__file__).parent, Path(__file__).parent)
    sources = [path.read_bytes() for folder in folders for path in sorted(folder.glob("*.py"))]
    return hashlib.sha256(b"\0".join(sources)).hexdigest()[:12]
