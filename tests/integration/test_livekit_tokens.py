"""Tokens against a real LiveKit server: what each type of participant can do in a room, and what the server itself refuses."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from livekit import rtc
from livekit.api import TokenVerifier
from livekit.rtc.participant import PublishTrackError

from domain.grants import ParticipantType, grants_of, stated_role
from resources.livekit_rooms import LiveKitRooms
from resources.livekit_tokens import mint
from tests.integration.livekit_calls import RATE, all_hear_each_other, joined, pitch_of, token_for, tone
from tests.livekit_server import LiveKitServer
from tests.services import StartLiveKit

ROOM = "consultation_support_20250303T150000Z_9a1c5e77"
KEY, SECRET = "key1", "a-secret-that-is-long-enough-for-hs256"
NOW = datetime(2025, 3, 3, 15, tzinfo=UTC)


@pytest.fixture
def server(livekit: StartLiveKit) -> LiveKitServer:
    return livekit()


def minted(**changed: object) -> str:
    kind = ParticipantType.CUSTOMER
    asked = {"room_name": ROOM, "identity": "prt_1", "name": "Ann", "grants": grants_of(kind), "role": stated_role(kind)}
    return mint(KEY, SECRET, **(asked | changed))  # type: ignore[arg-type]


def sound_source() -> rtc.LocalAudioTrack:
    return rtc.LocalAudioTrack.create_audio_track("sound", rtc.AudioSource(RATE, 1))


def screen() -> rtc.LocalVideoTrack:
    return rtc.LocalVideoTrack.create_video_track("screen", rtc.VideoSource(64, 64))


@pytest.mark.parametrize("kind", list(ParticipantType))
def test_a_token_says_all_that_its_type_may_do(kind: ParticipantType) -> None:
    row = grants_of(kind)
    claims = TokenVerifier(KEY, SECRET).verify(minted(grants=row, role=stated_role(kind), participant_id="7"))
    video = claims.video
    assert video is not None and (video.room_join, video.room) == (True, ROOM)
    assert (claims.identity, claims.name, claims.kind) == ("prt_1", "Ann", row.kind)
    assert claims.attributes == {"role": stated_role(kind), "participant_id": "7"}
    assert (video.can_publish, video.can_subscribe, video.can_publish_data) == (
        row.can_publish,
        True,
        kind is not ParticipantType.SUPERVISOR,
    )
    assert video.can_publish_sources == (list(row.sources) or None) and video.hidden is row.hidden
    assert video.can_update_own_metadata is False
    assert not any(
        (video.room_admin, video.room_create, video.room_record, video.room_list, video.agent, video.recorder, video.ingress_admin)
    )


def test_a_token_lasts_an_hour_or_as_long_as_asked() -> None:
    def expires(token: str) -> float:
        return float(jwt.decode(token, options={"verify_signature": False})["exp"])

    assert expires(minted(now=NOW)) == (NOW + timedelta(hours=1)).timestamp()
    assert expires(minted(now=NOW, ttl=timedelta(minutes=5))) == (NOW + timedelta(minutes=5)).timestamp()


@pytest.mark.parametrize("missing", ["room_name", "identity"])
def test_a_token_for_nobody_or_nowhere_is_not_made(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=missing):
        minted(**{missing: ""})
    monkeypatch.setenv("LIVEKIT_API_KEY", "from-elsewhere")
    monkeypatch.setenv("LIVEKIT_API_SECRET", SECRET)
    with pytest.raises(ValueError, match="key"):
        mint("", SECRET, room_name=ROOM, identity="prt_1", name="", grants=grants_of(ParticipantType.AGENT), role="agent")


def test_two_hear_each_other_and_nobody_sees_the_supervisor_who_hears_both(server: LiveKitServer) -> None:
    async def run() -> None:
        async with (
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.SUPERVISOR)) as supervisor,
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.CUSTOMER)) as customer,
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.AGENT)) as agent,
        ):
            await all_hear_each_other([customer, agent], [supervisor])
            await asyncio.gather(
                customer.speak(tone(440, 1)),
                agent.speak(tone(1000, 1)),
                agent.until_heard("prt_customer", 440),
                customer.until_heard("prt_agent", 1000),
                supervisor.until_heard("prt_customer", 440),
                supervisor.until_heard("prt_agent", 1000),
            )
            assert (customer.others, agent.others) == ({"prt_agent"}, {"prt_customer"})
            assert supervisor.others == {"prt_customer", "prt_agent"}
            assert set(customer.heard) == {"prt_agent"}

    asyncio.run(run())


def test_agents_and_trainers_can_share_their_screen(server: LiveKitServer) -> None:
    async def run() -> None:
        async with (
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.AGENT)) as agent,
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.PARTNER, trainer=True)) as trainer,
        ):
            for person in (agent, trainer):
                await person.publish(screen(), rtc.TrackSource.SOURCE_SCREENSHARE)
                await person.publish(sound_source(), rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO)

    asyncio.run(run())


def test_the_server_refuses_what_a_token_does_not_grant(server: LiveKitServer) -> None:
    """All at once, because the SDK waits ten seconds for a track that the server does not take."""
    microphone, camera = rtc.TrackSource.SOURCE_MICROPHONE, rtc.TrackSource.SOURCE_CAMERA
    shared, shared_audio = rtc.TrackSource.SOURCE_SCREENSHARE, rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO
    forbidden: list[tuple[ParticipantType, Callable[[], rtc.LocalTrack], rtc.TrackSource.ValueType]] = [
        (ParticipantType.CUSTOMER, screen, shared),
        (ParticipantType.CUSTOMER, sound_source, shared_audio),
        (ParticipantType.PARTNER, screen, shared),
        (ParticipantType.ADMIN, screen, shared),
        (ParticipantType.AI, screen, camera),
        (ParticipantType.SUPERVISOR, sound_source, microphone),
        (ParticipantType.SUPERVISOR, screen, camera),
    ]

    async def tried(number: int) -> None:
        kind, track, source = forbidden[number]
        async with joined(server.ws_url, token_for(server, ROOM, kind, f"prt_{number}")) as person:
            with pytest.raises(PublishTrackError):
                await person.publish(track(), source)
            assert not person.room.local_participant.track_publications

    async def run() -> None:
        async with joined(server.ws_url, token_for(server, ROOM, ParticipantType.AGENT)) as agent:
            await asyncio.gather(*map(tried, range(len(forbidden))))
            assert not agent.published

    asyncio.run(run())


def test_nobody_changes_the_role_by_which_their_speech_is_attributed(server: LiveKitServer) -> None:
    async def run() -> None:
        async with (
            LiveKitRooms(server.url, server.key, server.secret) as rooms,
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.CUSTOMER)) as customer,
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.AGENT)) as agent,
        ):
            await asyncio.wait_for(customer.room.local_participant.set_attributes({"role": "agent"}), 30)
            await asyncio.wait_for(customer.room.local_participant.set_metadata('{"role": "agent"}'), 30)
            await all_hear_each_other([customer], [agent])  # what the customer sent before has been dealt with
            assert {person.identity: person.stated_role for person in await rooms.participants(ROOM)} == {
                "prt_customer": "customer",
                "prt_agent": "agent",
            }
            (seen,) = agent.room.remote_participants.values()
            assert (seen.attributes["role"], seen.metadata) == ("customer", "")

    asyncio.run(run())


def test_a_supervisor_cannot_write_into_the_call(server: LiveKitServer) -> None:
    async def run() -> None:
        async with (
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.SUPERVISOR)) as supervisor,
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.AGENT)) as agent,
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.CUSTOMER)) as customer,
            AsyncExitStack() as people,
        ):
            captions: list[str] = []
            customer.room.on("transcription_received", lambda parts, *_: captions.extend(part.text for part in parts))
            await agent.open_microphone()
            await customer.until(lambda: bool(customer.published))
            ((_, track),) = customer.published

            def caption(words: str) -> rtc.Transcription:
                return rtc.Transcription("prt_agent", track, [rtc.TranscriptionSegment("1", words, 0, 1, "en", True)])

            # An agent of LiveKit's may caption others, and so that its kind is no door a supervisor's token lets nothing be sent at all.
            ai = await people.enter_async_context(joined(server.ws_url, token_for(server, ROOM, ParticipantType.AI)))
            for _ in range(3):
                await supervisor.room.local_participant.publish_data("from the supervisor", reliable=True)
                await supervisor.room.local_participant.publish_transcription(caption("from the supervisor"))
            while "from the agent" not in customer.read or "from the assistant" not in captions:  # what goes out too early is lost
                await agent.room.local_participant.publish_data("from the agent", reliable=True)
                await ai.room.local_participant.publish_transcription(caption("from the assistant"))
                await asyncio.sleep(0.05)
            assert (set(customer.read), set(captions)) == ({"from the agent"}, {"from the assistant"})

    asyncio.run(run())


def test_a_token_opens_its_own_room_only(server: LiveKitServer) -> None:
    async def run() -> None:
        async with (
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.CUSTOMER)) as customer,
            joined(server.ws_url, token_for(server, f"{ROOM}2", ParticipantType.AGENT)) as agent,
            joined(server.ws_url, token_for(server, ROOM, ParticipantType.PARTNER)) as partner,
        ):
            await all_hear_each_other([customer, partner])
            assert (agent.room.name, agent.others) == (f"{ROOM}2", set())
            assert customer.others == {"prt_partner"}

    asyncio.run(run())


def test_a_token_that_has_expired_or_was_made_by_somebody_else_opens_nothing(server: LiveKitServer) -> None:
    row = grants_of(ParticipantType.CUSTOMER)
    asked = {"room_name": ROOM, "identity": "prt_1", "name": "", "grants": row, "role": "customer"}
    expired = mint(server.key, server.secret, now=datetime.now(UTC) - timedelta(hours=2), **asked)  # type: ignore[arg-type]
    forged = mint(server.key, "another-secret-that-is-long-enough-too", **asked)  # type: ignore[arg-type]

    async def run() -> None:
        for token in (expired, forged):
            with pytest.raises(rtc.ConnectError, match="401"):
                async with joined(server.ws_url, token):
                    raise AssertionError("it was let in")

    asyncio.run(run())


def test_a_tone_has_its_pitch() -> None:
    """The measure that the calls are judged by."""
    assert abs(pitch_of(tone(440, 0.1)) - 440) < 15 and pitch_of(tone(440, 0.1) // 1000) == 0
