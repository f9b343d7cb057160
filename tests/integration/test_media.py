"""Every kind of file that egress or an import brings, read and decoded. Broken ones: test_media_broken."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from resources.media import MediaToolMissing, PcmFile, decode, ffmpeg_path, probe
from tests.integration.media_files import SPEECH, make

JFK_MS = 11_000
VIDEO = ("-f", "lavfi", "-i", "testsrc=size=160x120:rate=10", "-shortest", "-c:v", "mpeg4")

KINDS: dict[str, tuple[str, tuple[str, ...], tuple[str, str, int, int, bool]]] = {
    "opus, two channels": ("a.ogg", ("-c:a", "libopus"), ("ogg", "opus", 2, 48_000, False)),
    "opus, one channel": ("a.ogg", ("-c:a", "libopus", "-ac", "1"), ("ogg", "opus", 1, 48_000, False)),
    "mp4, video and sound": ("a.mp4", (*VIDEO, "-c:a", "aac"), ("mp4", "aac", 2, 44_100, True)),
    "mp4, sound alone": ("a.mp4", ("-c:a", "aac", "-ac", "1", "-ar", "48000"), ("mp4", "aac", 1, 48_000, False)),
    "mp4, index first": ("a.mp4", ("-c:a", "aac", "-movflags", "faststart"), ("mp4", "aac", 2, 44_100, False)),
    "mp3": ("a.mp3", ("-c:a", "libmp3lame", "-ar", "22050", "-ac", "1"), ("mp3", "mp3", 1, 22_050, False)),
    "mp3 without tags": ("a.mp3", ("-c:a", "libmp3lame", "-id3v2_version", "0", "-write_xing", "0"), ("mp3", "mp3", 2, 44_100, False)),
    "wav, telephone": ("a.wav", ("-ar", "8000", "-ac", "1"), ("wav", "pcm_s16le", 1, 8_000, False)),
    "wav, two channels": ("a.wav", (), ("wav", "pcm_s16le", 2, 44_100, False)),
    "wav, four channels": ("a.wav", ("-ac", "4"), ("wav", "pcm_s16le", 4, 44_100, False)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_and_decoded_to_16_khz_per_channel(tmp_path: Path, kind: str) -> None:
    name, arguments, (container, codec, channels, rate, has_video) = KINDS[kind]
    file = make(tmp_path / name, *arguments)

    info = probe(file, announced_bytes=file.stat().st_size)
    sound = decode(file, tmp_path, info)

    assert (info.container, info.codec, info.channels, info.sample_rate_hz, info.has_video) == (container, codec, channels, rate, has_video)
    assert abs(info.duration_ms - JFK_MS) < 150
    assert info.size_bytes == file.stat().st_size
    assert len(sound) == channels
    assert all(abs(len(channel) / 16 - JFK_MS) < 150 for channel in sound)
    assert all(np.abs(channel[:]).max() > 3000 for channel in sound[:2])


def test_the_name_of_a_file_does_not_matter(tmp_path: Path) -> None:
    file = make(tmp_path / "a.ogg", "-c:a", "libopus").rename(tmp_path / "-call 'one' %d.txt")

    info = probe(file)

    assert info.container == "ogg"
    assert len(decode(file, tmp_path, info)) == 2


def test_left_is_first(tmp_path: Path) -> None:
    file = make(tmp_path / "a.ogg", "-af", "pan=stereo|c0=c0|c1=0*c0", "-c:a", "libopus", "-mapping_family", "1")

    left, right = decode(file, tmp_path, probe(file))

    assert np.abs(left[:]).max() > 3000
    assert np.abs(right[:]).max() < 200


def test_sound_that_begins_late_stays_where_a_player_plays_it(tmp_path: Path) -> None:
    video = ("-f", "lavfi", "-t", "14", "-i", "testsrc=size=160x120:rate=10")
    file = make(tmp_path / "a.mp4", *video, "-itsoffset", "3", "-i", SPEECH, "-map", "0:v", "-map", "1:a", "-c:v", "mpeg4", source=None)

    info = probe(file)
    sound = decode(file, tmp_path, info)[0]

    assert abs(info.duration_ms - 14_000) < 150
    assert np.abs(sound[: int(2.9 * 16_000)]).max() < 50
    assert np.abs(sound[3 * 16_000 :]).max() > 3000


def test_pages_lost_from_the_middle_leave_the_rest_in_place(tmp_path: Path) -> None:
    whole = make(tmp_path / "a.ogg", "-c:a", "libopus", "-page_duration", "500000")
    pages = whole.read_bytes().split(b"OggS")[1:]
    holed = tmp_path / "holed.ogg"
    holed.write_bytes(b"".join(b"OggS" + page for n, page in enumerate(pages) if not 8 <= n < 12))

    before = decode(whole, tmp_path, probe(whole))[0][:].astype(float)
    after = decode(holed, tmp_path, probe(holed))[0][:].astype(float)

    assert abs(len(before) - len(after)) < 1600
    assert np.corrcoef(before[9 * 16_000 : 10 * 16_000], after[9 * 16_000 : 10 * 16_000])[0, 1] > 0.95


def test_a_wav_written_into_a_pipe_is_whole(tmp_path: Path) -> None:
    made = subprocess.run([ffmpeg_path(), "-loglevel", "error", "-i", SPEECH, "-f", "wav", "pipe:1"], check=True, capture_output=True)
    (tmp_path / "a.wav").write_bytes(made.stdout)

    assert abs(probe(tmp_path / "a.wav").duration_ms - JFK_MS) < 150


def test_progress_grows_to_the_end(tmp_path: Path) -> None:
    file = make(tmp_path / "a.ogg", "-c:a", "libopus")
    seen: list[float] = []

    decode(file, tmp_path, probe(file), seen.append)

    assert seen == sorted(seen)
    assert 0.95 < seen[-1] <= 1


def test_a_caller_that_gives_up_leaves_no_ffmpeg_behind(tmp_path: Path) -> None:
    file = make(tmp_path / "a.ogg", "-stream_loop", "400", "-i", SPEECH, "-c:a", "libopus", "-b:a", "16k", source=None)

    class GivenUp(Exception):
        pass

    def give_up(share: float) -> None:
        raise GivenUp

    with pytest.raises(GivenUp):
        decode(file, tmp_path, probe(file), give_up)

    assert not [p for p in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path).encode() in _read(p)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_without_any_ffmpeg_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    monkeypatch.setattr("imageio_ffmpeg._utils._get_bin_dir", lambda: "/nowhere")
    monkeypatch.setattr(sys, "prefix", "/nowhere")
    from imageio_ffmpeg import _utils

    _utils._get_ffmpeg_exe.cache_clear()
    try:
        with pytest.raises(MediaToolMissing, match="install"):
            ffmpeg_path()
    finally:
        _utils._get_ffmpeg_exe.cache_clear()


def test_samples_are_read_from_disk_by_the_slice(tmp_path: Path) -> None:
    np.arange(100, dtype="<i2").tofile(tmp_path / "a.s16")
    samples = PcmFile(tmp_path / "a.s16")

    assert len(samples) == 100
    assert samples[10:13].tolist() == [10, 11, 12]
    assert samples[98:200].tolist() == [98, 99]
    assert samples[200:].tolist() == []
