"""Access tokens for LiveKit's rooms: a row of domain.grants in the form that the server understands. Who may have one belongs to the API."""

from datetime import UTC, datetime, timedelta

from livekit.api import AccessToken, VideoGrants

from domain.grants import Grants

TTL = timedelta(hours=1)


def mint(
    key: str,
    secret: str,
    *,
    room_name: str,
    identity: str,
    name: str,
    grants: Grants,
    role: str,
    participant_id: str | None = None,
    ttl: timedelta = TTL,
    now: datetime | None = None,
) -> str:
    """A JWT for one room and one identity, good from this moment until ``now`` (default: this moment) plus ``ttl``.

    ``role`` (``domain.grants.stated_role``) and ``participant_id`` go into the participant's attributes, which the holder cannot change.
    Everybody in the room can read identity, name and attributes. Raises ValueError where key, secret, room or identity is empty.
    """
    # An AccessToken without key or secret looks for them in the environment.
    for what, value in (("key", key), ("secret", secret), ("room_name", room_name), ("identity", identity)):
        if not value:
            raise ValueError(f"a LiveKit token needs a {what}")
    left = (now + ttl - datetime.now(UTC)) if now else ttl
    attributes = {"role": role} | ({"participant_id": participant_id} if participant_id else {})
    # What is left out counts as allowed, so the three permissions are always there.
    video = VideoGrants(
        room_join=True,
        room=room_name,
        can_publish=grants.can_publish,
        can_publish_sources=list(grants.sources) or None,
        can_subscribe=grants.can_subscribe,
        can_publish_data=grants.can_publish_data,
        can_update_own_metadata=False,
        hidden=grants.hidden,
    )
    token = AccessToken(key, secret).with_identity(identity).with_name(name).with_kind(grants.kind).with_attributes(attributes)
    return str(token.with_grants(video).with_ttl(left).to_jwt())
