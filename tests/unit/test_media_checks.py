"""Flags: what is odd about a recording is seen, what is ordinary is not."""

import pytest

from domain.attribution import Candidate, Layout, attribute
from domain.call_events import EgressStatus
from domain.media_checks import ChannelSpeech, Flag, attribution_flags, egress_flags, length_flags, speech_flags
from domain.parties import Party
from domain.transcripts import Word

MINUTE = 60_000


def test_a_party_with_a_live_microphone_who_never_speaks_is_a_dead_channel() -> None:
    channels = [ChannelSpeech(30_000, MINUTE), ChannelSpeech(0, MINUTE)]

    assert speech_flags(channels, audio_ms=MINUTE, identical_channels=False) == (Flag.DEAD_CHANNEL,)


@pytest.mark.parametrize(
    ("live_ms", "audio_ms"), [(0, MINUTE), (5_000, MINUTE), (MINUTE, 5_000)], ids=["no microphone", "a moment's microphone", "short file"]
)
def test_a_party_who_hardly_had_the_chance_to_speak_is_none(live_ms: int, audio_ms: int) -> None:
    channels = [ChannelSpeech(3_000, MINUTE), ChannelSpeech(0, live_ms)]

    assert speech_flags(channels, audio_ms=audio_ms, identical_channels=False) == ()


def test_identical_channels_and_no_speech_are_flagged() -> None:
    assert speech_flags([ChannelSpeech(1_000)], audio_ms=MINUTE, identical_channels=True) == (Flag.IDENTICAL_CHANNELS,)
    assert speech_flags([ChannelSpeech(0)], audio_ms=MINUTE, identical_channels=False) == (Flag.NO_SPEECH,)


@pytest.mark.parametrize(
    ("media_ms", "expected_ms", "flags"),
    [
        (MINUTE, None, ()),
        (MINUTE, MINUTE, ()),
        (MINUTE - 5_000, MINUTE, ()),
        (MINUTE - 5_001, MINUTE, (Flag.MEDIA_SHORTER,)),
        (MINUTE + 5_001, MINUTE, (Flag.MEDIA_LONGER,)),
        (57 * MINUTE, 60 * MINUTE, ()),
        (57 * MINUTE - 1, 60 * MINUTE, (Flag.MEDIA_SHORTER,)),
        (63 * MINUTE + 1, 60 * MINUTE, (Flag.MEDIA_LONGER,)),
    ],
)
def test_media_may_differ_from_the_call_by_five_seconds_or_five_per_cent(
    media_ms: int, expected_ms: int | None, flags: tuple[Flag, ...]
) -> None:
    assert length_flags(media_ms, expected_ms) == flags


def test_a_mix_that_nobody_could_attribute_is_flagged_and_an_attributed_call_is_not() -> None:
    words = [Word("hello", 0, 300, 0.9), Word("there", 300, 600, 0.9)]
    agent, customer = Candidate("PA_1", Party.AGENT), Candidate("PA_2", Party.CUSTOMER)

    assert attribution_flags(attribute({0: words}, Layout(((agent, customer),)))) == (Flag.UNATTRIBUTED_MONO,)
    assert attribution_flags(attribute({0: words}, Layout(((agent,),)))) == ()
    assert attribution_flags(()) == ()


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (EgressStatus.COMPLETE, ()),
        (None, ()),
        (EgressStatus.LIMIT_REACHED, (Flag.LIMIT_REACHED,)),
        (EgressStatus.FAILED, (Flag.EGRESS_FAILED,)),
        (EgressStatus.ABORTED, (Flag.ABORTED,)),
    ],
)
def test_an_unusual_ending_is_flagged(status: EgressStatus | None, flags: tuple[Flag, ...]) -> None:
    assert egress_flags(status) == flags
