"""What kind of container a file is, by its own bytes, and whether its end is missing.

The kind is never guessed from the name, and FFmpeg is told it: its own guessing takes text for a playlist, which may name other
files. Streams and packets belong to resources.media.probing.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from domain.failures import Reason, RecordingError

KINDS = ("ogg", "wav", "mp4", "mp3", "flac", "matroska")
_HEAD_BYTES = 64 * 1024
_OGG_PAGE_MAX = 65_307
_UNKNOWN_SIZE = 0xFFFFFFFF
"""What a program that writes a WAV into a pipe puts where the size goes."""


def kind_of(path: Path) -> str | None:
    """One of KINDS (FFmpeg's names for them), or None: nothing we take."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] in (b"ftyp", b"moov", b"mdat"):
        return "mp4"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "matroska"
    return "mp3" if head[:3] == b"ID3" or _two_mp3_frames(head) else None


def check_complete(path: Path, kind: str) -> None:
    """Raises RecordingError where the container's own structure shows that its end is missing (TRUNCATED), that it never held anything
    (NO_MEDIA) or that only its beginning looks right (NOT_MEDIA)."""
    with path.open("rb") as file:
        size = path.stat().st_size
        match kind:
            case "ogg":
                _check_ogg(file, size)
            case "wav":
                _check_wav(file, size)
            case "mp4":
                _check_mp4(file, size)
            case "mp3":
                _check_mp3(file, size)


def _truncated(detail: str) -> RecordingError:
    return RecordingError(Reason.TRUNCATED, detail)


def _check_ogg(file: BinaryIO, size: int) -> None:
    file.seek(max(0, size - 2 * _OGG_PAGE_MAX))
    tail = file.read()
    pages = list(_ogg_pages(tail))
    if not pages:
        raise RecordingError(Reason.NOT_MEDIA, "it begins like Ogg, but has no Ogg page")
    last = pages[-1]
    if len(tail) < size or any(int.from_bytes(page[6:14], "little", signed=True) > 0 for page in pages):
        if tail.rfind(last) + len(last) < len(tail):
            raise _truncated("the last Ogg page is cut")
        if not last[5] & 0x04:
            raise _truncated("the Ogg stream has no end-of-stream page")
    else:
        raise RecordingError(Reason.NO_MEDIA, "the Ogg has its header pages and no sound")


def _ogg_pages(content: bytes) -> Iterator[bytes]:
    """Every whole page. A page begins with OggS, version 0 and at most three flags; the same four letters in sound do not."""
    position = 0
    while (position := content.find(b"OggS", position)) >= 0:
        body = position + 27 + content[position + 26] if len(content) > position + 26 else len(content) + 1
        end = body + sum(content[position + 27 : body])
        if end > len(content) or content[position + 4] != 0 or content[position + 5] > 7:
            position += 4
            continue
        yield content[position:end]
        position = end


def _check_wav(file: BinaryIO, size: int) -> None:
    """The chunks before ``data``, then ``data`` itself: it may claim more than there is only as a streaming writer does."""
    file.seek(12)
    while len(header := file.read(8)) == 8:
        name, claimed = struct.unpack("<4sI", header)
        if name == b"data":
            there = size - file.tell()
            if claimed != _UNKNOWN_SIZE and claimed > there:
                raise _truncated(f"the WAV header announces {claimed} bytes of sound, {there} are there")
            return
        file.seek(claimed + claimed % 2, 1)
    raise _truncated("the WAV has no data chunk")


_MP4_BOXES = frozenset(b"ftyp moov mdat free skip wide uuid moof mfra sidx ssix styp meta pdin udta emsg prft".split())


def _mp4_boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, end) of every top-level box; ``end`` can lie beyond the file."""
    start = 0
    while start + 8 <= size:
        file.seek(start)
        length, name = struct.unpack(">I4s", file.read(8))
        if length == 1:
            large = file.read(8)
            length = struct.unpack(">Q", large)[0] if len(large) == 8 else size + 1
        end = size if length == 0 else start + length
        if end < start + 8:
            return
        yield name, start, end
        start = end


def _check_mp4(file: BinaryIO, size: int) -> None:
    names = set()
    for name, _, end in _mp4_boxes(file, size):
        names.add(name)
        if name not in _MP4_BOXES:
            raise RecordingError(Reason.NOT_MEDIA, "it begins like MP4, but is not made of MP4 boxes")
        if end > size:
            raise _truncated(f"an MP4 box ends {end - size} bytes behind the end of the file")
    if b"moov" not in names:
        raise _truncated("the MP4 has no index (moov): its writer did not finish")


def _check_mp3(file: BinaryIO, size: int) -> None:
    """Only a file with a Xing or Info tag says how long it should be."""
    file.seek(0)
    start = _after_id3(file.read(10))
    file.seek(start)
    frame = file.read(2048)
    at = max(frame.find(b"Xing", 0, 200), frame.find(b"Info", 0, 200))
    if at < 0 or len(frame) < at + 16:
        return
    flags = struct.unpack(">I", frame[at + 4 : at + 8])[0]
    if flags & 2:
        claimed = struct.unpack(">I", frame[at + (12 if flags & 1 else 8) :][:4])[0]
        if claimed > size - start:
            raise _truncated(f"the MP3 header announces {claimed} bytes, {size - start} are there")


def _after_id3(head: bytes) -> int:
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


_BITRATES_KBIT = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def _mp3_frame_bytes(header: bytes) -> int | None:
    """Length of the layer III frame that starts with these four bytes; None: no such frame."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer != 1 or bitrate in (0, 15) or rate == 3:
        return None
    kbit = _BITRATES_KBIT[3 if version == 3 else 2][bitrate]
    return (144 if version == 3 else 72) * kbit * 1000 // _RATES_HZ[version][rate] + (header[2] >> 1 & 1)


def _two_mp3_frames(head: bytes) -> bool:
    """One sync pattern occurs by chance in any file; a second one exactly where the first frame ends does not."""
    first = _mp3_frame_bytes(head[:4])
    return first is not None and _mp3_frame_bytes(head[first : first + 4]) is not None
