"""Speech packed into the 30 s windows that Whisper takes, and its times brought back. Whole samples; no sound is touched here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from resources.speech.activity import RATE_HZ

WINDOW = 30 * RATE_HZ
PAD = RATE_HZ * 2 // 5
"""Sound kept before and after speech: consonants begin before a voice model hears them, and packed phrases stay audibly apart. With half
of it a small model made a quarter more errors."""

_EARLIEST_SPLIT = 20 * RATE_HZ
_OPEN_WINDOWS = 4


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces of one channel, (start, end) in order, played one after the other: at most WINDOW samples in all."""

    channel: int
    pieces: tuple[tuple[int, int], ...]

    @property
    def length(self) -> int:
        return sum(end - start for start, end in self.pieces)

    def restore(self, start: int, end: int) -> tuple[int, int] | None:
        """Where (start, end) of the window lies in the channel: in the piece that has most of it. None: behind the last piece."""
        offset, best, found = 0, -1, None
        for first, last in self.pieces:
            behind = offset + last - first
            shared = min(end, behind) - max(start, offset)
            if shared > best or (shared == best == 0 and start == offset):
                inside = max(start, offset) - offset, min(end, behind) - offset
                best, found = shared, (first + inside[0], first + max(inside))
            offset = behind
        return found


def pack(channel: int, regions: Iterable[tuple[int, int]], length: int, quietest: Callable[[int, int], int]) -> list[Window]:
    """Packs padded regions, each into the first of the last few windows that has room for it, so that hardly any window stays half empty.

    A region longer than a window is split where it is quietest; ``quietest(start, end)`` says where.
    """
    packed: list[list[tuple[int, int]]] = []
    room: list[int] = []
    for padded in _padded(list(regions), length):
        for start, end in _split(padded, quietest):
            fits = (n for n in range(max(0, len(packed) - _OPEN_WINDOWS), len(packed)) if room[n] >= end - start)
            n = next(fits, len(packed))
            if n == len(packed):
                packed.append([])
                room.append(WINDOW)
            packed[n].append((start, end))
            room[n] -= end - start
    return [Window(channel, tuple(pieces)) for pieces in packed]


def _padded(regions: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    """Regions with PAD around them; two neighbours share the silence between them where it is short."""
    for i, (start, end) in enumerate(regions):
        before = (regions[i - 1][1] + start) // 2 if i else 0
        behind = (end + regions[i + 1][0]) // 2 if i + 1 < len(regions) else length
        yield max(before, start - PAD), min(behind, end + PAD)


def _split(region: tuple[int, int], quietest: Callable[[int, int], int]) -> Iterator[tuple[int, int]]:
    start, end = region
    while end - start > WINDOW:
        cut = quietest(start + min(_EARLIEST_SPLIT, (end - start) // 2), start + WINDOW)
        yield start, cut
        start = cut
    yield start, end
