"""Beginning a call and entering it, against a real LiveKit server."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import jwt
import pytest
from livekit import rtc
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select, update

from api.app import create_app
from demo.livekit_events import Room, body_of, room_event, sign
from domain.audit import Outcome
from domain.roles import Role
from resources.live_tables import promised_rooms
from resources.livekit_rooms import LiveKitRooms
from resources.store import audit
from resources.store.database import engine_for
from resources.tables import consultations, quotes, users
from tests.api.client import Issuer, client_of, settings
from tests.livekit_server import LiveKitServer

BEGIN, ENTER = "/api/livekit/consultation", "/api/livekit/token"
ANNA, AGENT = UUID(int=1), UUID(int=3)


@pytest.fixture
def server(livekit: Callable[..., LiveKitServer]) -> LiveKitServer:
    return livekit()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def client(engine: Engine, server: LiveKitServer, issuer: Issuer) -> Iterator[httpx.Client]:
    with client_of(create_app(of(server), engine, issuer.identities)) as opened:
        yield opened


def of(server: LiveKitServer) -> Any:
    return settings(
        livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=SecretStr(server.secret), room_empty_timeout_seconds=120
    )


@pytest.fixture
def anna(issuer: Issuer) -> dict[str, str]:
    return issuer.headers(Role.CUSTOMER, subject=str(ANNA))


def asking(server: LiveKitServer, ask: Callable[[LiveKitRooms], Any]) -> Any:
    async def run() -> Any:
        async with LiveKitRooms(server.url, server.key, server.secret) as rooms:
            return await ask(rooms)

    return asyncio.run(run())


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(consultations)).all())


def trail(engine: Engine) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        return [(entry.deed.actor, entry.deed.action, entry.deed.outcome.value) for entry in audit.entries(connection)]


def claims_of(token: str, server: LiveKitServer) -> dict[str, Any]:
    return dict(jwt.decode(token, server.secret, algorithms=["HS256"]))


def test_a_customer_begins_a_call_and_enters_it(client: httpx.Client, engine: Engine, server: LiveKitServer, anna: dict[str, str]) -> None:
    answer = client.post(BEGIN, json={"type": "support", "jurisdiction": "US-CA"}, headers=anna)
    assert answer.status_code == 201, answer.text
    begun = answer.json()
    (row,) = rows(engine)
    assert (str(row.id), row.room_name, row.customer_id, row.jurisdictions) == (
        begun["consultation_id"], begun["room_name"], ANNA, {"customer": "US-CA"},
    )  # fmt: skip
    room = asking(server, lambda rooms: rooms.room(begun["room_name"]))
    assert (room.sid, room.name) == (row.room_sid, row.room_name)
    kind, stamp, unguessable = begun["room_name"].split("_")[1:]
    assert kind == "support" and len(unguessable) == 32
    assert abs(datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=1)
    said = claims_of(begun["token"], server)
    assert (said["sub"], said["attributes"]["role"], said["video"]["canUpdateOwnMetadata"]) == (str(ANNA), "customer", False)
    assert said["exp"] - said["nbf"] <= 3_600
    assert begun["url"] == server.ws_url

    async def enter() -> str:
        call = rtc.Room()
        await call.connect(begun["url"], begun["token"])
        name = call.name
        await call.disconnect()
        return name

    assert asyncio.run(enter()) == begun["room_name"]
    assert trail(engine) == [(str(ANNA), "consultation.begin", "done"), (str(ANNA), "token.issue", "done")]


def test_a_repeated_click_is_the_same_call(client: httpx.Client, engine: Engine, anna: dict[str, str]) -> None:
    headers = anna | {"Idempotency-Key": "click-1"}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: client.post(BEGIN, json={"type": "support"}, headers=headers), range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.json()["consultation_id"], answer.json()["room_name"]) for answer in answers}) == 1
    assert len(rows(engine)) == 1
    assert client.post(BEGIN, json={"type": "quote"}, headers=headers).status_code == 409
    assert client.post(BEGIN, json={"type": "support"}, headers=anna | {"Idempotency-Key": "click-2"}).status_code == 201
    assert len(rows(engine)) == 2


def test_livekit_down_is_503_and_leaves_no_row(client: httpx.Client, engine: Engine, server: LiveKitServer, anna: dict[str, str]) -> None:
    headers = anna | {"Idempotency-Key": "click-1"}
    server.kill()
    answer = client.post(BEGIN, json={"type": "support"}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert server.secret not in answer.text
    assert rows(engine) == []
    assert client.post(ENTER, json={"roomName": "x", "identity": str(ANNA), "participantType": "customer"}, headers=anna).status_code == 503
    server.restart()
    assert client.post(BEGIN, json={"type": "support"}, headers=headers).status_code == 201
    assert len(rows(engine)) == 1


def test_readyz_names_livekit_while_it_is_down(client: httpx.Client, server: LiveKitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.health.ASK_AGAIN_S", 0.0)
    assert client.get("/readyz").json() == {"status": "ready", "down": [], "warnings": []}
    server.kill()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "down": ["livekit"], "warnings": []})
    server.restart()
    assert client.get("/readyz").json()["down"] == []


def test_the_store_down_is_503_and_leaves_no_room(server: LiveKitServer, issuer: Issuer, anna: dict[str, str]) -> None:
    nowhere = engine_for("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    with client_of(create_app(of(server), nowhere, issuer.identities)) as client:
        assert client.post(BEGIN, json={"type": "support"}, headers=anna).status_code == 503
    assert asking(server, lambda rooms: rooms.rooms()) == ()


def test_a_webhook_that_is_faster_makes_no_second_row(
    client: httpx.Client, engine: Engine, server: LiveKitServer, anna: dict[str, str]
) -> None:
    headers = anna | {"Idempotency-Key": "click-1"}
    begun = client.post(BEGIN, json={"type": "support"}, headers=headers).json()
    room = asking(server, lambda rooms: rooms.room(begun["room_name"]))
    with engine.begin() as connection:
        connection.execute(consultations.delete())
        connection.execute(promised_rooms.delete())
    body = body_of(room_event("room_started", "EV_1", datetime.now(UTC), Room(room.sid, room.name, datetime.now(UTC))))
    assert (
        client.post("/api/livekit/webhook", content=body, headers={"Authorization": sign(body, server.key, server.secret)}).status_code
        == 200
    )
    (webhooks,) = rows(engine)
    again = client.post(BEGIN, json={"type": "support"}, headers=headers).json()
    (row,) = rows(engine)
    assert (row.id, str(row.id), row.customer_id, row.started_at) == (webhooks.id, again["consultation_id"], ANNA, webhooks.started_at)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "gossip"},
        {"type": "support", "jurisdiction": "California"},
        {"type": "support", "quote_id": str(uuid4())},
        {"type": "quote", "quote_id": str(uuid4())},
        {"type": "claims", "claim_id": "7"},
        {"type": "support", "customer": str(AGENT)},
        {"type": "support", "more": 1},
    ],
)
def test_a_wrong_beginning_begins_nothing(
    client: httpx.Client, engine: Engine, server: LiveKitServer, anna: dict[str, str], body: dict[str, object]
) -> None:
    assert client.post(BEGIN, json=body, headers=anna).status_code == 422
    assert rows(engine) == [] and asking(server, lambda rooms: rooms.rooms()) == ()


def test_a_quote_of_anothers_is_as_unknown_as_none(client: httpx.Client, engine: Engine, anna: dict[str, str], issuer: Issuer) -> None:
    theirs, hers = uuid4(), uuid4()
    with engine.begin() as connection:
        connection.execute(insert(users), [{"id": ANNA, "role": "customer"}, {"id": AGENT, "role": "agent"}])
        connection.execute(insert(quotes), [{"id": theirs, "customer_id": AGENT}, {"id": hers, "customer_id": ANNA}])
    unknown, others = (client.post(BEGIN, json={"type": "quote", "quote_id": str(one)}, headers=anna) for one in (uuid4(), theirs))
    assert (unknown.status_code, unknown.json()) == (others.status_code, others.json()) == (422, unknown.json())
    body = {"type": "quote", "quote_id": str(hers), "customer": str(ANNA)}
    assert client.post(BEGIN, json=body, headers=issuer.headers(Role.ADMIN)).status_code == 201


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN, Role.ASSISTANT])
def test_who_begins_for_a_customer_gets_no_token_of_the_customers(
    client: httpx.Client, engine: Engine, anna: dict[str, str], issuer: Issuer, role: Role
) -> None:
    body = {"type": "support", "customer": str(ANNA)}
    answer = client.post(BEGIN, json=body, headers=issuer.headers(role, subject=str(AGENT)))
    assert answer.status_code == 201, answer.text
    begun = answer.json()
    assert (begun["token"], begun["expires_at"]) == (None, None)
    assert [action for _, action, _ in trail(engine)] == ["consultation.begin"]
    assert entering(client, anna, begun["room_name"], "customer", ANNA).status_code == 200, "the customer asks for its own"


def test_a_customer_who_is_an_agent_too_begins_and_enters_as_a_customer(
    client: httpx.Client, engine: Engine, server: LiveKitServer, issuer: Issuer
) -> None:
    both = issuer.headers(Role.CUSTOMER, Role.AGENT, subject=str(ANNA))
    own = client.post(BEGIN, json={"type": "support"}, headers=both)
    assert own.status_code == 201 and claims_of(own.json()["token"], server)["sub"] == str(ANNA)
    anothers = client.post(BEGIN, json={"type": "support", "customer": str(UUID(int=2))}, headers=both)
    assert (anothers.status_code, anothers.json()["token"]) == (201, None)
    with engine.connect() as connection:
        roles = [entry.deed.role for entry in audit.entries(connection) if entry.deed.action == "consultation.begin"]
    assert roles == ["customer", "agent"]


def entering(client: httpx.Client, headers: dict[str, str], room: str, kind: str, identity: object) -> httpx.Response:
    return client.post(ENTER, json={"roomName": room, "identity": str(identity), "participantType": kind}, headers=headers)


def test_who_may_enter_as_what(client: httpx.Client, engine: Engine, server: LiveKitServer, anna: dict[str, str], issuer: Issuer) -> None:
    room = client.post(BEGIN, json={"type": "support"}, headers=anna).json()["room_name"]
    agent = issuer.headers(Role.AGENT, subject=str(AGENT))
    assert entering(client, agent, room, "agent", AGENT).status_code == 404, "not this agent's call"
    with engine.begin() as connection:
        connection.execute(insert(users).values(id=AGENT, role="agent"))
        connection.execute(update(consultations).values(agent_id=AGENT))
    given = {
        "customer": entering(client, anna, room, "customer", ANNA),
        "agent": entering(client, agent, room, "agent", AGENT),
        "supervisor": entering(client, issuer.headers(Role.SUPERVISOR, subject="s"), room, "supervisor", "s"),
        "admin": entering(client, issuer.headers(Role.ADMIN, subject="a"), room, "admin", "a"),
        "ai": entering(client, issuer.headers(Role.ASSISTANT, subject="bot"), room, "ai", "bot"),
    }
    assert {kind: answer.status_code for kind, answer in given.items()} == dict.fromkeys(given, 200)
    said = {kind: claims_of(answer.json()["token"], server) for kind, answer in given.items()}
    assert {kind: one["attributes"]["role"] for kind, one in said.items()} == {
        "customer": "customer", "agent": "agent", "supervisor": "supervisor", "admin": "admin", "ai": "assistant",
    }  # fmt: skip
    assert (
        "screen_share" in said["agent"]["video"]["canPublishSources"]
        and "screen_share" not in said["customer"]["video"]["canPublishSources"]
    )
    assert (said["supervisor"]["video"]["hidden"], said["supervisor"]["video"]["canPublish"]) == (True, False)
    assert said["ai"]["kind"] == "agent"
    refused = {
        "as an agent": entering(client, anna, room, "agent", ANNA),
        "as a supervisor": entering(client, anna, room, "supervisor", ANNA),
        "as the AI": entering(client, agent, room, "ai", AGENT),
        "as somebody else": entering(client, anna, room, "customer", AGENT),
    }
    assert {why: answer.status_code for why, answer in refused.items()} == dict.fromkeys(refused, 403)
    with engine.connect() as connection:
        deeds = [entry.deed for entry in audit.entries(connection)]
    assert sum(deed.action == "token.issue" and deed.outcome is Outcome.REFUSED for deed in deeds) == 5


def test_a_room_that_is_over_gone_or_anothers_lets_nobody_in(
    client: httpx.Client, engine: Engine, server: LiveKitServer, anna: dict[str, str], issuer: Issuer
) -> None:
    room = client.post(BEGIN, json={"type": "support"}, headers=anna).json()["room_name"]
    bert = UUID(int=2)
    answers = [entering(client, issuer.headers(Role.CUSTOMER, subject=str(bert)), room, "customer", bert)]
    answers.append(entering(client, anna, "consultation_support_20250303T090000Z_x", "customer", ANNA))
    asking(server, lambda rooms: rooms.create_room("elsewhere", metadata={}, empty_timeout_s=60, departure_timeout_s=20))
    answers.append(entering(client, issuer.headers(Role.ADMIN, subject="a"), "elsewhere", "admin", "a"))
    with engine.begin() as connection:
        connection.execute(update(consultations).values(ended_at=datetime.now(UTC)))
    answers.append(entering(client, anna, room, "customer", ANNA))
    assert [answer.status_code for answer in answers] == [404] * 4
    assert len({answer.text for answer in answers}) == 1, "unknown and forbidden answer alike"


def test_who_asks_without_end_is_told_to_wait(client: httpx.Client, anna: dict[str, str], issuer: Issuer) -> None:
    answers = [entering(client, anna, "x", "customer", ANNA).status_code for _ in range(40)]
    assert set(answers) == {404, 429}
    assert entering(client, issuer.headers(Role.ADMIN, subject="a"), "x", "admin", "a").status_code == 404, "others are not held up"


def test_who_asks_two_processes_is_allowed_no_more_than_at_one(
    client: httpx.Client, engine: Engine, server: LiveKitServer, anna: dict[str, str], issuer: Issuer
) -> None:
    with client_of(create_app(of(server), engine, issuer.identities)) as other:
        begun = [one.post(BEGIN, json={"type": "support"}, headers=anna).status_code for _ in range(10) for one in (client, other)]
        tokens = [entering(one, anna, "x", "customer", ANNA).status_code for _ in range(30) for one in (client, other)]
    assert begun == [201] * 10 + [429] * 10
    assert tokens == [404] * 30 + [429] * 30
    assert len(rows(engine)) == 10


def test_without_a_livekit_server_it_says_so(engine: Engine, issuer: Issuer, anna: dict[str, str]) -> None:
    with client_of(create_app(settings(), engine, issuer.identities)) as client:
        answer = client.post(BEGIN, json={"type": "support"}, headers=anna)
    assert answer.status_code == 503 and "LIVEKIT_URL" in answer.json()["detail"]


def test_a_customer_whose_issuer_writes_capitals_is_one_person(client: httpx.Client, server: LiveKitServer, issuer: Issuer) -> None:
    clara = "9A0D7A3C-8D7E-4A57-A6F7-0F3A2B1C4D5E"
    headers = issuer.headers(Role.CUSTOMER, subject=clara)
    begun = client.post(BEGIN, json={"type": "support"}, headers=headers).json()
    assert claims_of(begun["token"], server)["sub"] == clara.lower()
    for identity in (clara, clara.lower()):
        asked = {"roomName": begun["room_name"], "identity": identity, "participantType": "customer"}
        entrance = client.post(ENTER, json=asked, headers=headers)
        assert claims_of(entrance.json()["token"], server)["sub"] == clara.lower()
