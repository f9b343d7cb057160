"""LiveKit's server API: rooms, who is in them, and recording them. When a room is made or recorded belongs to the API, tokens to
resources.livekit_tokens, webhooks to resources.livekit.

What the server says is read as a webhook would be, so that reconciliation can apply it in the same way.
"""

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
from google.protobuf.message import DecodeError
from livekit.api import LiveKitAPI, ServerError
from livekit.protocol import agent_dispatch as dispatch_pb
from livekit.protocol import egress as egress_pb
from livekit.protocol import models as models_pb
from livekit.protocol import room as room_pb
from livekit.protocol.webhook import WebhookEvent

from domain.call_events import ParticipantSeen, RoomSeen
from domain.egress_layout import EgressLayout
from resources.livekit import read_event
from resources.livekit_recording import EgressFound, RecordingBucket, egress_found, recording_request, without_keys
from resources.settings import SettingMissing, Settings

T = TypeVar("T")
TIMEOUT_S = 5.0
NOT_FOUND, UNAUTHENTICATED = "not_found", "unauthenticated"
NO_EGRESS = "egress not connected"
HINTS = {
    NO_EGRESS: "this LiveKit server records nothing until it has Redis and an egress service",
    "no response from servers": "no egress service took the request: is one running and not busy?",
    UNAUTHENTICATED: "are LIVEKIT_API_KEY and LIVEKIT_API_SECRET those of this server, and do the clocks agree?",
}


class LiveKitUnreachable(Exception):
    """No answer, or none in time. Nothing is known about what the server did. ``told`` is for callers: it leaves out where the server is."""

    def __init__(self, words: str, place: str | None = None) -> None:
        """``words`` have ``{at}`` where the server's place is named."""
        self.told = words.replace("{at}", "")
        super().__init__(words.replace("{at}", f" at {place}" if place else ""))


class LiveKitRefused(Exception):
    """The server answered with an error. ``code`` is Twirp's (not_found, unauthenticated, internal, …), ``reason`` the server's own words.

    ``told`` is for callers: what a server says of itself is nobody else's business.
    """

    def __init__(self, call: str, code: str, reason: str) -> None:
        reason = reason.removeprefix("twirp error unknown: ")
        hint = next((f"; {hint}" for words, hint in HINTS.items() if words in reason or words == code), "")
        super().__init__(f"LiveKit refused to {call}: {reason or 'it gave no reason'} ({code}){hint}")
        self.told = f"LiveKit refused to {call} ({code}){hint}"
        self.code = code
        self.reason = reason

    @property
    def not_found(self) -> bool:
        return self.code == NOT_FOUND

    @property
    def no_egress(self) -> bool:
        """Whether the server cannot record at all, because it has no Redis through which to reach an egress service."""
        return NO_EGRESS in self.reason


@dataclass(frozen=True, slots=True)
class RoomCreated:
    sid: str
    name: str
    created_at: datetime | None


class LiveKitRooms:
    """A client of one LiveKit server, for use with ``async with``. Every call raises LiveKitUnreachable within ``timeout_s``, or LiveKitRefused."""

    def __init__(self, url: str, key: str, secret: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """``url`` is http(s) or ws(s)."""
        self._url, self._key, self._secret, self._timeout_s = url, key, secret, timeout_s
        self._opened: LiveKitAPI | None = None

    async def __aenter__(self) -> Self:
        self._opened = LiveKitAPI(self._url, self._key, self._secret, timeout=aiohttp.ClientTimeout(total=self._timeout_s))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.aclose()

    async def create_room(
        self,
        name: str,
        *,
        metadata: dict[str, Any],
        empty_timeout_s: int,
        departure_timeout_s: int,
        max_participants: int = 10,
        agent_name: str | None = None,
    ) -> RoomCreated:
        """A room that is there already is returned as it is. ``max_participants`` does not count who is of kind agent. ``agent_name`` asks for
        the AI worker of that name as soon as somebody joins."""
        request = room_pb.CreateRoomRequest(
            name=name,
            metadata=json.dumps(metadata),
            empty_timeout=empty_timeout_s,
            departure_timeout=departure_timeout_s,
            max_participants=max_participants,
            agents=[dispatch_pb.RoomAgentDispatch(agent_name=agent_name)] if agent_name else [],
        )
        seen = _room(await self._ask("create a room", self._api.room.create_room(request)))
        return RoomCreated(seen.sid, seen.name, seen.created_at)

    async def room(self, name: str) -> RoomSeen | None:
        found = await self._ask("list rooms", self._api.room.list_rooms(room_pb.ListRoomsRequest(names=[name])))
        return next((_room(room) for room in found.rooms), None)

    async def rooms(self) -> tuple[RoomSeen, ...]:
        found = await self._ask("list rooms", self._api.room.list_rooms(room_pb.ListRoomsRequest()))
        return tuple(_room(room) for room in found.rooms)

    async def participants(self, room_name: str) -> tuple[ParticipantSeen, ...]:
        """Everybody in the room, hidden ones and LiveKit's own helpers too; nobody where there is no such room."""
        request = room_pb.ListParticipantsRequest(room=room_name)
        found = await self._ask("list participants", self._api.room.list_participants(request))
        people = (read_event(WebhookEvent(participant=person)).participant for person in found.participants)
        return tuple(person for person in people if person is not None)

    async def remove_participant(self, room_name: str, identity: str) -> None:
        """Sends one away; a valid token lets them in again."""
        request = room_pb.RoomParticipantIdentity(room=room_name, identity=identity)
        await self._ask("remove a participant", self._api.room.remove_participant(request))

    async def delete_room(self, name: str) -> None:
        """Ends the room and sends everybody away."""
        await self._ask("delete a room", self._api.room.delete_room(room_pb.DeleteRoomRequest(room=name)))

    async def start_recording(self, room_name: str, layout: EgressLayout, file_path: str, bucket: RecordingBucket | None = None) -> str:
        """Starts an egress and returns its id. ``layout`` is what domain.recording_control makes, ``file_path`` LiveKit's template
        ({room_name}, {time}, …) ending in .ogg; without a bucket the file stays on the egress service's disk. It records from ACTIVE on only.

        After LiveKitUnreachable it may run nonetheless: ``egresses`` tells. Raises ValueError for a layout that egress cannot make.
        """
        request = recording_request(room_name, layout, file_path, bucket)
        # A server without Redis says so here; to StartEgress it would only say "no response", and that after 23 seconds.
        listed = egress_pb.ListEgressRequest(room_name=room_name, active=True)
        await self._ask("start a recording", self._api.egress.list_egress(listed))
        try:
            info = await self._ask("start a recording", self._api.egress.start_egress(request))
        except LiveKitRefused as refused:
            hidden = without_keys(refused.reason, bucket)
            if hidden == refused.reason:
                raise
            raise LiveKitRefused("start a recording", refused.code, hidden) from None
        return str(info.egress_id)

    async def stop_recording(self, egress_id: str) -> EgressFound:
        """What the egress was when it was told to stop; it ends with a webhook."""
        request = egress_pb.StopEgressRequest(egress_id=egress_id)
        return egress_found(await self._ask("stop a recording", self._api.egress.stop_egress(request)))

    async def egresses(self, room_name: str | None = None) -> tuple[EgressFound, ...]:
        """Running egresses and those that ended in the last 24 hours, of one room or of all."""
        request = egress_pb.ListEgressRequest(room_name=room_name or "")
        found: list[EgressFound] = []
        while True:
            page = await self._ask("list recordings", self._api.egress.list_egress(request))
            found += map(egress_found, page.items)
            if not page.next_page_token.token:
                return tuple(found)
            request.page_token.CopyFrom(page.next_page_token)

    @property
    def _api(self) -> LiveKitAPI:
        if self._opened is None:
            raise RuntimeError("LiveKitRooms is used outside its `async with`")
        return self._opened

    async def _ask(self, call: str, answer: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):  # around everything: the library tries again on its own
                return await answer
        except TimeoutError:
            raise LiveKitUnreachable(f"LiveKit{{at}} did not {call} within {self._timeout_s:g} s", self._place) from None
        except ServerError as error:
            if error.status >= 500 and error.code == "unknown":  # not LiveKit's own answer, but that of a proxy before it
                raise LiveKitUnreachable(f"LiveKit{{at}} is not there to {call}: HTTP {error.status}", self._place) from None
            code = UNAUTHENTICATED if error.status in (401, 403) and error.code == "unknown" else error.code
            raise LiveKitRefused(call, code, error.message) from None
        except DecodeError:
            raise LiveKitUnreachable("what answers{at} is not LiveKit: check LIVEKIT_URL", self._place) from None
        except (aiohttp.ClientError, OSError) as error:
            # Their text can carry the whole URL.
            raise LiveKitUnreachable(f"LiveKit{{at}} cannot be reached to {call}: {type(error).__name__}", self._place) from None

    @property
    def _place(self) -> str:
        return urlsplit(self._url).netloc.rpartition("@")[2]


def rooms_of(settings: Settings) -> LiveKitRooms | None:
    """Nothing connects yet. None without LIVEKIT_URL: then there is no server to ask, and only webhooks come from elsewhere.

    Raises SettingMissing for an address without the key that opens it: a secret of webhooks, or an old key, does not.
    """
    if not settings.livekit_url:
        return None
    key, secret = settings.livekit_api_key, settings.livekit_api_secret
    if key and secret:
        return LiveKitRooms(settings.livekit_url, key, secret.get_secret_value())
    missing = [name for name, found in (("LIVEKIT_API_KEY", key), ("LIVEKIT_API_SECRET", secret)) if not found]
    are = "is" if len(missing) == 1 else "are"
    raise SettingMissing(f"LIVEKIT_URL is set, and {' and '.join(missing)} {are} not set: no call can be begun there. Set it.")


def _room(pb: models_pb.Room) -> RoomSeen:
    room = read_event(WebhookEvent(room=pb)).room
    assert room is not None
    return room
