"""Calls whose first minute is noise, made of a demo call. The rest is as it was, so that only the opening cannot be heard."""

import subprocess
from pathlib import Path

from resources.media import ffmpeg_path

OPENING_S = 60
TWICE = f"[one][two]amerge=inputs=2,aformat=sample_rates=48000:channel_layouts=stereo,atrim=end={OPENING_S}[noise]"


def _noise(colour: str) -> str:
    """Loud noise, another one on each channel."""
    return ";".join(
        f"anoisesrc=color={colour}:amplitude=0.7:seed={seed}:sample_rate=48000:duration={OPENING_S}[{name}]"
        for name, seed in (("one", 11), ("two", 12))
    )


_SILENCE = ";".join(f"anullsrc=sample_rate=48000:channel_layout=mono:duration={OPENING_S}[{name}]" for name in ("one", "two"))

_BABBLE = (  # both parties of the call backwards, three times over each other, as loud as they go; the channels differ by where they begin
    "[0:a]aformat=channel_layouts=mono,atrim=end=80,areverse,asplit=6[a][b][c][d][e][f];"
    "[b]aloop=2:3840000,atrim=start=9,asetpts=PTS-STARTPTS[b2];[c]aloop=2:3840000,atrim=start=17,asetpts=PTS-STARTPTS[c2];"
    "[a][b2][c2]amix=inputs=3:duration=first:normalize=0,alimiter[one];"
    "[d]aloop=2:3840000,atrim=start=5,asetpts=PTS-STARTPTS[d2];[e]aloop=2:3840000,atrim=start=23,asetpts=PTS-STARTPTS[e2];"
    "[f]aloop=2:3840000,atrim=start=31,asetpts=PTS-STARTPTS[f2];[d2][e2][f2]amix=inputs=3:duration=shortest:normalize=0,alimiter[two]"
)

OPENINGS = {"white": _noise("white"), "pink": _noise("pink"), "babble": _BABBLE, "silence": _SILENCE}


def with_opening(call: Path, opening: str, target: Path) -> Path:
    """The call, two channels, with this for its first minute."""
    rest = f"[0:a]aformat=sample_rates=48000:channel_layouts=stereo,atrim=start={OPENING_S},asetpts=PTS-STARTPTS[rest]"
    graph = f"{OPENINGS[opening]};{TWICE};{rest};[noise][rest]concat=n=2:v=0:a=1[out]"
    command = [ffmpeg_path(), "-nostdin", "-loglevel", "error", "-y", "-i", str(call), "-filter_complex", graph, "-map", "[out]"]
    subprocess.run([*command, "-c:a", "libopus", "-b:a", "96k", str(target)], check=True)
    return target
