"""Stretches of a recording are silenced in every kind of file that is taken in: there, on that channel, and nowhere else."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from domain.failures import Reason, RecordingError
from resources.media import decode, probe
from resources.media.muting import mute
from tests.integration.media_files import DATA, make
from tests.integration.test_media import KINDS

SPOKEN = (3_300, 4_200)
"""There is speech all through this stretch."""


def loudest(sound: "np.ndarray[tuple[int], np.dtype[np.int16]]", start_ms: int, end_ms: int) -> int:
    return int(np.abs(sound[start_ms * 16 : end_ms * 16].astype(int)).max())


@pytest.mark.parametrize("kind", KINDS)
def test_a_stretch_of_one_channel_is_silent_and_everything_else_is_where_it_was(tmp_path: Path, kind: str) -> None:
    name, arguments, _ = KINDS[kind]
    file = make(tmp_path / name, *arguments)
    info = probe(file)
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    before = [channel[:] for channel in decode(file, tmp_path / "before", info)]
    target = tmp_path / f"muted{file.suffix}"

    made = mute(file, target, info, {0: [SPOKEN]})

    after = [channel[:] for channel in decode(target, tmp_path / "after", made)]
    assert (made.container, made.codec, made.channels, made.has_video) == (info.container, info.codec, info.channels, info.has_video)
    assert abs(len(after[0]) - len(before[0])) <= 16 * 60
    assert loudest(before[0], *SPOKEN) > 3000 and loudest(after[0], SPOKEN[0] + 30, SPOKEN[1] - 30) < 250
    for channel in range(min(info.channels, 2)):
        kept = [(0, SPOKEN[0] - 60), (SPOKEN[1] + 60, 10_500), *([SPOKEN] if channel else [])]
        for stretch in kept:
            then, now = (sound[channel][stretch[0] * 16 : stretch[1] * 16].astype(float) for sound in (before, after))
            assert np.corrcoef(then, now)[0, 1] > 0.9, (channel, stretch)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    file = make(tmp_path / "a.ogg", "-c:a", "libopus")
    info = probe(file)
    digests = set()
    for n in range(2):
        mute(file, tmp_path / f"{n}.ogg", info, {1: [(0, 500), (400, 2_000)]})
        digests.add(hashlib.sha256((tmp_path / f"{n}.ogg").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_a_whole_channel_to_its_open_end(tmp_path: Path) -> None:
    file = DATA / "call.ogg"
    info = probe(file)
    made = mute(file, tmp_path / "a.ogg", info, {0: [(0, info.duration_ms + 10_000)]})
    left, right = decode(tmp_path / "a.ogg", tmp_path, made)
    assert np.abs(left[:].astype(int)).max() < 250 and np.abs(right[:]).max() > 3000


def test_what_cannot_be_read_leaves_a_reason(tmp_path: Path) -> None:
    file = make(tmp_path / "a.ogg", "-c:a", "libopus")
    info = probe(file)
    file.write_bytes(b"OggS" + bytes(1000))
    with pytest.raises(RecordingError) as caught:
        mute(file, tmp_path / "b.ogg", info, {0: [(0, 100)]})
    assert caught.value.reason in (Reason.NOT_MEDIA, Reason.NO_MEDIA, Reason.TRUNCATED)


def test_a_channel_that_is_not_there(tmp_path: Path) -> None:
    file = make(tmp_path / "a.ogg", "-c:a", "libopus", "-ac", "1")
    with pytest.raises(ValueError, match="none numbered 1"):
        mute(file, tmp_path / "b.ogg", probe(file), {1: [(0, 100)]})
