"""Every way in which a file that egress or an import brings is broken, and what each is called."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.failures import Reason, RecordingError
from resources.media import MAX_CHANNELS, decode, probe
from tests.integration.media_files import SPEECH, cut, make


def nothing(folder: Path) -> Path:
    (folder / "a.ogg").write_bytes(b"")
    return folder / "a.ogg"


def wav_header_alone(folder: Path) -> Path:
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16, b"data", 0)
    assert len(header) == 44
    (folder / "a.wav").write_bytes(header)
    return folder / "a.wav"


def wav_header_that_promises_sound(folder: Path) -> Path:
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 64_000, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16, b"data", 64_000)
    (folder / "a.wav").write_bytes(header)
    return folder / "a.wav"


def ogg_header_alone(folder: Path) -> Path:
    pages = make(folder / "whole.ogg", "-c:a", "libopus").read_bytes().split(b"OggS")[1:3]
    (folder / "a.ogg").write_bytes(b"".join(b"OggS" + page for page in pages))
    return folder / "a.ogg"


def mp4_without_a_packet(folder: Path) -> Path:
    return make(folder / "a.mp4", "-c:a", "aac", "-t", "0")


def ogg_cut(folder: Path) -> Path:
    return cut(make(folder / "whole.ogg", "-c:a", "libopus"), folder / "a.ogg", 0.6)


def ogg_without_its_last_page(folder: Path) -> Path:
    whole = make(folder / "whole.ogg", "-c:a", "libopus").read_bytes()
    (folder / "a.ogg").write_bytes(whole[: whole.rfind(b"OggS")])
    return folder / "a.ogg"


def ogg_one_byte_short(folder: Path) -> Path:
    whole = make(folder / "whole.ogg", "-c:a", "libopus").read_bytes()
    (folder / "a.ogg").write_bytes(whole[:-1])
    return folder / "a.ogg"


def wav_cut(folder: Path) -> Path:
    return cut(make(folder / "whole.wav"), folder / "a.wav", 0.7)


def mp4_cut(folder: Path) -> Path:
    return cut(make(folder / "whole.mp4", "-c:a", "aac"), folder / "a.mp4", 0.6)


def mp4_with_index_cut(folder: Path) -> Path:
    return cut(make(folder / "whole.mp4", "-c:a", "aac", "-movflags", "faststart"), folder / "a.mp4", 0.6)


def mp4_never_finished(folder: Path) -> Path:
    whole = make(folder / "whole.mp4", "-c:a", "aac").read_bytes()
    (folder / "a.mp4").write_bytes(whole[: whole.find(b"moov") - 4])
    return folder / "a.mp4"


def mp3_cut(folder: Path) -> Path:
    return cut(make(folder / "whole.mp3", "-c:a", "libmp3lame"), folder / "a.mp3", 0.6)


def flac_cut(folder: Path) -> Path:
    return cut(SPEECH, folder / "a.flac", 0.6)


def text(folder: Path) -> Path:
    (folder / "a.ogg").write_text("Not a recording.\n" * 100)
    return folder / "a.ogg"


def playlist(folder: Path) -> Path:
    (folder / "a.mp4").write_text("#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n")
    return folder / "a.mp4"


def noise(folder: Path) -> Path:
    (folder / "a.mp3").write_bytes(random.Random(7).randbytes(200_000))
    return folder / "a.mp3"


def picture(folder: Path) -> Path:
    return make(folder / "a.jpg", "-f", "lavfi", "-i", "testsrc=size=160x120", "-frames:v", "1", "-update", "1", source=None)


def ogg_with_noise_inside(folder: Path) -> Path:
    (folder / "a.ogg").write_bytes(b"OggS" + random.Random(8).randbytes(100_000))
    return folder / "a.ogg"


def mp4_with_noise_inside(folder: Path) -> Path:
    (folder / "a.mp4").write_bytes(struct.pack(">I4s", 16, b"ftyp") + b"isom" + bytes(4) + random.Random(9).randbytes(5_000))
    return folder / "a.mp4"


def video_alone(folder: Path) -> Path:
    return make(folder / "a.mp4", "-f", "lavfi", "-t", "2", "-i", "testsrc=size=160x120:rate=10", "-c:v", "mpeg4", source=None)


BROKEN: dict[Callable[[Path], Path], Reason] = {
    nothing: Reason.EMPTY,
    wav_header_alone: Reason.NO_MEDIA,
    wav_header_that_promises_sound: Reason.NO_MEDIA,
    ogg_header_alone: Reason.NO_MEDIA,
    mp4_without_a_packet: Reason.NO_MEDIA,
    ogg_cut: Reason.TRUNCATED,
    ogg_without_its_last_page: Reason.TRUNCATED,
    ogg_one_byte_short: Reason.TRUNCATED,
    wav_cut: Reason.TRUNCATED,
    mp4_cut: Reason.TRUNCATED,
    mp4_with_index_cut: Reason.TRUNCATED,
    mp4_never_finished: Reason.TRUNCATED,
    mp3_cut: Reason.TRUNCATED,
    flac_cut: Reason.TRUNCATED,
    text: Reason.NOT_MEDIA,
    playlist: Reason.NOT_MEDIA,
    noise: Reason.NOT_MEDIA,
    picture: Reason.NOT_MEDIA,
    ogg_with_noise_inside: Reason.NOT_MEDIA,
    mp4_with_noise_inside: Reason.NOT_MEDIA,
    video_alone: Reason.NO_AUDIO,
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_broken_file_fails_with_its_reason(tmp_path: Path, broken: Callable[[Path], Path]) -> None:
    file = broken(tmp_path)

    with pytest.raises(RecordingError) as failure:
        probe(file)

    assert failure.value.reason is BROKEN[broken]
    assert str(tmp_path) not in str(failure.value)


def test_a_file_smaller_than_announced_is_truncated(tmp_path: Path) -> None:
    file = make(tmp_path / "a.ogg", "-c:a", "libopus")

    with pytest.raises(RecordingError) as failure:
        probe(file, announced_bytes=file.stat().st_size + 1)

    assert failure.value.reason is Reason.TRUNCATED


def test_an_empty_file_is_called_empty_whatever_was_announced(tmp_path: Path) -> None:
    with pytest.raises(RecordingError) as failure:
        probe(nothing(tmp_path), announced_bytes=1000)

    assert failure.value.reason is Reason.EMPTY


def test_too_many_channels_are_refused(tmp_path: Path) -> None:
    file = make(tmp_path / "a.wav", "-ac", str(MAX_CHANNELS * 2))

    with pytest.raises(RecordingError) as failure:
        probe(file)

    assert failure.value.reason is Reason.NOT_MEDIA


def test_sound_that_breaks_off_while_decoding_is_truncated(tmp_path: Path) -> None:
    file = make(tmp_path / "a.mp3", "-c:a", "libmp3lame")
    info = probe(file)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])

    with pytest.raises(RecordingError) as failure:
        decode(file, tmp_path, info)

    assert failure.value.reason is Reason.TRUNCATED


def test_a_file_that_is_gone_when_it_is_decoded_is_not_media(tmp_path: Path) -> None:
    file = make(tmp_path / "a.ogg", "-c:a", "libopus")
    info = probe(file)
    file.write_bytes(b"gone")

    with pytest.raises(RecordingError) as failure:
        decode(file, tmp_path, info)

    assert failure.value.reason is Reason.NOT_MEDIA
