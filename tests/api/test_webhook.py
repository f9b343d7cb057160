"""The front door: who is let in, what is stored, and what LiveKit is told."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2 as httpx
import jwt
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from api.app import create_app
from demo.livekit_events import Room, body_of, room_event, sign
from resources import embedded_postgres, migrations
from resources.settings import SettingMissing, Settings
from resources.store.database import engine_for
from tests.api.client import client_of

URL = "/api/livekit/webhook"
KEY, SECRET = "key1", "a-secret-that-is-long-enough-for-hs256"
OLD_KEY, OLD_SECRET = "key0", "the-secret-before-also-long-enough-xx"
NAME = "consultation_quote_20250303T150000Z_0123456789abcdef01234567"
BODY = body_of(
    room_event("room_started", "EV_1", datetime(2025, 3, 3, 15, tzinfo=UTC), Room("RM_1", NAME, datetime(2025, 3, 3, 15, tzinfo=UTC)))
)


def settings(**more: object) -> Settings:
    keys = {"livekit_api_key": KEY, "livekit_api_secret": SecretStr(SECRET), "livekit_old_keys": {OLD_KEY: SecretStr(OLD_SECRET)}}
    return Settings.model_validate({**keys, **more})


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    with client_of(create_app(settings(), engine)) as opened:
        yield opened


def stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM webhook_events")).scalar_one())


def test_a_signed_event_is_stored_byte_for_byte_and_applied(client: httpx.Client, engine: Engine) -> None:
    body = BODY[:-1] + b', "fieldOfTomorrow": {"a": 1}  }'
    answer = client.post(URL, content=body, headers={"Authorization": sign(body, KEY, SECRET), "Content-Type": "application/webhook+json"})
    assert answer.status_code == 200
    with engine.connect() as connection:
        assert connection.execute(text("SELECT body FROM webhook_events")).scalar_one() == body.decode()
        assert connection.execute(text("SELECT room_sid, consultation_type FROM video_consultations")).one() == ("RM_1", "quote")


def test_the_key_before_the_rotation_still_counts(client: httpx.Client, engine: Engine) -> None:
    assert client.post(URL, content=BODY, headers={"Authorization": sign(BODY, OLD_KEY, OLD_SECRET)}).status_code == 200
    assert stored(engine) == 1


def test_a_repeated_event_is_answered_alike_and_stored_once(client: httpx.Client, engine: Engine) -> None:
    for _ in range(3):
        assert client.post(URL, content=BODY, headers={"Authorization": sign(BODY, KEY, SECRET)}).status_code == 200
    assert stored(engine) == 1


def unhashed() -> str:
    return jwt.encode({"iss": KEY, "exp": datetime.now(UTC) + timedelta(minutes=5)}, SECRET, "HS256")


def unsigned() -> str:
    claims = {
        "iss": KEY,
        "exp": datetime.now(UTC) + timedelta(minutes=5),
        "sha256": base64.b64encode(hashlib.sha256(BODY).digest()).decode(),
    }
    return jwt.encode(claims, "", "none")


REFUSED = {
    "missing": lambda: None,
    "empty": lambda: "",
    "no token": lambda: "let me in",
    "bearer": lambda: f"Bearer {sign(BODY, KEY, SECRET)}",
    "another secret": lambda: sign(BODY, KEY, "b" * 40),
    "another key": lambda: sign(BODY, "key9", SECRET),
    "the old key with the new secret": lambda: sign(BODY, OLD_KEY, SECRET),
    "expired": lambda: sign(BODY, KEY, SECRET, ttl=timedelta(minutes=-10)),
    "another body": lambda: sign(BODY + b" ", KEY, SECRET),
    "no body hash": unhashed,
    "algorithm none": unsigned,
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_livekit_did_not_sign_is_refused_and_not_stored(client: httpx.Client, engine: Engine, how: str) -> None:
    token = REFUSED[how]()
    answer = client.post(URL, content=BODY, headers={} if token is None else {"Authorization": token})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert token in (None, "") or token not in answer.text
    assert stored(engine) == 0


def test_every_single_changed_byte_is_noticed(client: httpx.Client, engine: Engine) -> None:
    token = sign(BODY, KEY, SECRET)
    for position in range(0, len(BODY), 7):
        changed = bytearray(BODY)
        changed[position] ^= 1
        assert client.post(URL, content=bytes(changed), headers={"Authorization": token}).status_code == 401
    assert stored(engine) == 0


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b'"x"', b"{}", b'{"event": "room_started"}', b'{"event": 7, "id": "EV_1"}'])
def test_signed_but_no_event_is_400(client: httpx.Client, engine: Engine, body: bytes) -> None:
    answer = client.post(URL, content=body, headers={"Authorization": sign(body, KEY, SECRET)})
    assert answer.status_code == 400
    assert stored(engine) == 0


def test_bytes_that_are_no_text_are_not_what_livekit_signed(client: httpx.Client, engine: Engine) -> None:
    body = b"\xff\xfe{}"
    assert client.post(URL, content=body, headers={"Authorization": sign(body, KEY, SECRET)}).status_code == 401
    assert stored(engine) == 0


@pytest.mark.parametrize(
    "event",
    [
        '{"event": "participant_joined", "id": "EV_9", "participant": {"sid": "PA_1", "identity": "a\\u0000b"}}',
        '{"event": "room_started", "id": "' + "E" * 1000 + '"}',
    ],
)
def test_what_no_database_takes_is_400(client: httpx.Client, engine: Engine, event: str) -> None:
    assert client.post(URL, content=event, headers={"Authorization": sign(event.encode(), KEY, SECRET)}).status_code == 400
    assert stored(engine) == 0


@pytest.mark.parametrize(
    "event",
    [
        '{"event": "egress_ended", "id": "EV_9", "egressInfo": {"egressId": "EG_1", "roomId": "RM_1", "roomName": "r", "status": 99}}',
        '{"event": "participant_joined", "id": "EV_9", "room": {"sid": "RM_1"}, "participant": {"sid": "PA_1", "kind": 99}}',
        '{"event": "room_started", "id": "EV_9", "room": {"sid": "RM_1", "name": "r", "creationTime": "36028797018963968"}}',
    ],
)
def test_values_of_a_later_livekit_are_stored_all_the_same(client: httpx.Client, engine: Engine, event: str) -> None:
    assert client.post(URL, content=event, headers={"Authorization": sign(event.encode(), KEY, SECRET)}).status_code == 200
    assert stored(engine) == 1


def test_a_huge_body_is_not_read(client: httpx.Client, engine: Engine) -> None:
    assert client.post(URL, content=b" " * (2 << 20), headers={"Authorization": "x"}).status_code == 413


def test_what_can_never_be_stored_is_400_and_not_sent_again(client: httpx.Client, engine: Engine) -> None:
    room = Room("RM_1", "consultation_quote_20250303T090000Z_x", datetime(2025, 3, 3, 9, tzinfo=UTC))
    for changed in (replace(room, sid="R" * 16_000), replace(room, name="n" * 16_000)):
        body = body_of(room_event("room_started", "EV_1", room.started_at, changed))
        assert client.post(URL, content=body, headers={"Authorization": sign(body, KEY, SECRET)}).status_code == 400
    assert stored(engine) == 0
    message = room_event("room_started", "EV_1", room.started_at, replace(room, name="somebody-elses"))
    message.room.metadata = "[" * 20_000
    body = body_of(message)
    assert client.post(URL, content=body, headers={"Authorization": sign(body, KEY, SECRET)}).status_code == 200
    assert stored(engine) == 1


def test_a_database_that_never_answers_is_503(client: httpx.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.webhooks.LONGEST_STORING_S", 0.5)
    headers = {"Authorization": sign(BODY, KEY, SECRET)}
    with engine.connect() as holder, holder.begin():
        holder.execute(text("LOCK webhook_events IN ACCESS EXCLUSIVE MODE"))
        assert client.post(URL, content=BODY, headers=headers).status_code == 503
    assert client.post(URL, content=BODY, headers=headers).status_code == 200
    assert stored(engine) == 1


def test_the_database_down_is_503_and_the_event_counts_after_livekits_retry(tmp_path: Path) -> None:
    with embedded_postgres.running(tmp_path / "pg", ("verbatim",)) as server:
        owner = engine_for(server.owner_url("verbatim"))
        migrations.upgrade(owner)
        owner.dispose()
        engine = engine_for(server.url("verbatim"))
        headers = {"Authorization": sign(BODY, KEY, SECRET)}
        with client_of(create_app(settings(), engine)) as client:
            embedded_postgres.stop(tmp_path / "pg")
            assert client.get("/readyz").json()["down"] == ["postgresql"]
            answer = client.post(URL, content=BODY, headers=headers)
            assert answer.status_code == 503
            with embedded_postgres.running(tmp_path / "pg", ("verbatim",)) as again:
                restarted = engine_for(again.url("verbatim"))
                with client_of(create_app(settings(), restarted)) as second:
                    assert second.get("/readyz").status_code == 200
                    assert second.post(URL, content=BODY, headers=headers).status_code == 200
                assert stored(restarted) == 1
                restarted.dispose()
        engine.dispose()


def test_without_keys_nothing_starts() -> None:
    with pytest.raises(SettingMissing, match="LIVEKIT_API_KEY"):
        create_app(Settings.model_validate({"livekit_api_key": None, "livekit_api_secret": None}))


def test_no_answer_but_on_loopback(engine: Engine) -> None:
    with client_of(create_app(settings(), engine), server=("192.0.2.1", 8000)) as outside:
        assert outside.get("/healthz").status_code == 403
    with client_of(create_app(settings(), engine)) as inside:
        assert inside.get("/healthz").status_code == 200
        assert inside.get("/healthz", headers={"Host": "evil.example"}).status_code == 403
        assert inside.get("/healthz", headers={"Host": "[::1]:8000"}).status_code == 200
