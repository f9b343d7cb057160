"""Handing a customer over, as the assistant, the customer and agents see it; rooms and tokens are those of a real LiveKit server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import jwt
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, text

from api.app import create_app
from domain.roles import Role
from resources.store import audit
from resources.tables import participants
from tests.api.client import Issuer, client_of, settings
from tests.integration.livekit_calls import eventually
from tests.livekit_server import LiveKitServer

ANNA, EVE = UUID(int=1), UUID(int=2)
FIRST, SECOND = UUID(int=3), UUID(int=4)


class Desk:
    """The API as the people around a handoff use it."""

    def __init__(self, client: httpx.Client, issuer: Issuer, engine: Engine) -> None:
        self.client, self.issuer, self.engine = client, issuer, engine

    def ask(self, method: str, path: str, role: Role, subject: object, expected: int = 200, **more: Any) -> Any:
        answer = self.client.request(method, path, headers=self.issuer.headers(role, subject=str(subject)), **more)
        assert answer.status_code == expected, (path, answer.text)
        return answer.json()

    def call(self, customer: UUID = ANNA) -> str:
        begun = self.ask("POST", "/api/livekit/consultation", Role.CUSTOMER, customer, 201, json={"type": "claims"})
        with self.engine.begin() as connection:  # as its webhooks would
            connection.execute(text("UPDATE video_consultations SET started_at = now() WHERE id = :id"), {"id": begun["consultation_id"]})
        return str(begun["consultation_id"])

    def wanted(self, call: str, **more: Any) -> Any:
        body = {"reason": "requested", "summary": "Asks about hail."}
        return self.ask("POST", f"/api/consultations/{call}/handoff", Role.ASSISTANT, "bot", 201, json=body | more)

    def status(self, agent: UUID, status: str = "available") -> Any:
        return self.ask("PUT", "/api/agents/me/status", Role.AGENT, agent, json={"status": status})

    def offered(self, agent: UUID) -> Any:
        return self.ask("POST", "/api/agents/me/heartbeat", Role.AGENT, agent)["offer"]

    def accept(self, handoff: Any, agent: UUID, expected: int = 200) -> Any:
        return self.ask("POST", f"/api/handoffs/{handoff['id']}/accept", Role.AGENT, agent, expected)

    def decline(self, handoff: Any, agent: UUID, expected: int = 200) -> Any:
        return self.ask("POST", f"/api/handoffs/{handoff['id']}/decline", Role.AGENT, agent, expected)

    def queue(self) -> Any:
        return self.ask("GET", "/api/handoff/queue", Role.SUPERVISOR, "boss")

    def later(self, **back: Any) -> None:
        """Time passes: offers run out, heartbeats grow old, as ``back`` says in seconds."""
        moves = {
            "offers": "UPDATE handoffs SET offered_until = offered_until - make_interval(secs => :s)",
            "heartbeats": "UPDATE agents_on_duty SET heartbeat_at = heartbeat_at - make_interval(secs => :s)",
        }
        with self.engine.begin() as connection:
            for what, seconds in back.items():
                connection.execute(text(moves[what]), {"s": seconds})

    def deeds(self) -> list[tuple[str, str, str]]:
        with self.engine.connect() as connection:
            deeds = [entry.deed for entry in audit.entries(connection) if entry.deed.action.startswith("handoff.")]
        return [(deed.actor, deed.action.removeprefix("handoff."), deed.outcome.value) for deed in deeds]


@pytest.fixture
def server(livekit: Callable[..., LiveKitServer]) -> LiveKitServer:
    return livekit()


@pytest.fixture
def tick_s() -> float:
    """How often the queue is looked at for what time has brought."""
    return 0.05


@pytest.fixture
def desk(engine: Engine, server: LiveKitServer, monkeypatch: pytest.MonkeyPatch, tick_s: float) -> Iterator[Desk]:
    monkeypatch.setattr("resources.handoff_watch.TICK_S", tick_s)
    issuer = Issuer()
    ours = settings(livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=SecretStr(server.secret))
    with client_of(create_app(ours, engine, issuer.identities)) as client:
        yield Desk(client, issuer, engine)


def test_an_agent_is_asked_accepts_and_enters_the_call(desk: Desk, server: LiveKitServer, engine: Engine) -> None:
    call = desk.call()
    handoff = desk.wanted(call, reason="frustration")
    assert (handoff["state"], handoff["nobody_left"]) == ("waiting", True)
    assert desk.status(FIRST)["offer"]["id"] == handoff["id"]
    queued = desk.queue()
    assert [(one["state"], one["agent"], one["reason"]) for one in queued["handoffs"]] == [("offered", str(FIRST), "frustration")]
    assert "hail" not in str(queued), "what was said is for who accepts"

    taken = desk.accept(handoff, FIRST)
    context = taken["context"]
    assert (context["consultation_id"], context["customer_id"], context["type"]) == (call, str(ANNA), "claims")
    assert (context["summary"], context["reason"]) == ("Asks about hail.", "frustration")
    assert 0 <= context["waited_seconds"] < 60
    claims = jwt.decode(taken["token"], server.secret, algorithms=["HS256"])
    assert (claims["sub"], claims["video"]["room"], claims["attributes"]["role"]) == (str(FIRST), taken["room_name"], "agent")
    assert desk.queue()["handoffs"] == []
    shown = desk.ask("GET", f"/api/consultations/{call}", Role.AGENT, FIRST)
    assert (shown["agent_id"], shown["escalated_to_human"]) == (str(FIRST), True)
    assert desk.ask("POST", "/api/agents/me/heartbeat", Role.AGENT, FIRST)["status"] == "busy"
    assert desk.deeds() == [("bot", "request", "done"), ("verbatim", "offer", "done"), (str(FIRST), "accept", "done")]


def test_asked_again_it_is_the_same_handoff(desk: Desk) -> None:
    call = desk.call()
    assert desk.wanted(call)["id"] == desk.wanted(call, reason="complex")["id"]
    assert len(desk.queue()["handoffs"]) == 1


def test_who_waits_longest_is_asked_first_then_the_next(desk: Desk) -> None:
    desk.status(SECOND)
    desk.status(FIRST)
    handoff = desk.wanted(desk.call())
    assert (desk.offered(FIRST), desk.offered(SECOND)["id"]) == (None, handoff["id"])
    assert desk.decline(handoff, SECOND)["state"] == "offered"
    assert (desk.offered(FIRST)["id"], desk.offered(SECOND)) == (handoff["id"], None)
    assert desk.accept(handoff, SECOND, 409)["detail"].startswith("Your offer of this handoff is over")
    desk.accept(handoff, FIRST)
    assert desk.accept(handoff, SECOND, 409)["detail"].startswith("This handoff has been accepted already")
    assert desk.deeds()[-2:] == [(str(FIRST), "accept", "done"), (str(SECOND), "accept", "refused")]


def test_who_has_lost_the_answer_asks_again_and_is_told_the_same(desk: Desk, server: LiveKitServer, engine: Engine) -> None:
    desk.status(FIRST)
    handoff = desk.wanted(desk.call())
    first = desk.accept(handoff, FIRST)
    with engine.begin() as connection:  # the wait is over, however late it is asked again
        connection.execute(text("UPDATE handoffs SET since = since - interval '1 hour', over_at = over_at - interval '50 minutes'"))
    again = desk.accept(handoff, FIRST)
    told = {**first["context"], "waited_seconds": first["context"]["waited_seconds"] + 600}
    assert (again["context"], again["room_name"]) == (told, first["room_name"])
    tokens = [jwt.decode(one["token"], server.secret, algorithms=["HS256"]) for one in (first, again)]
    assert [(one["sub"], one["video"]["room"]) for one in tokens] == [(str(FIRST), first["room_name"])] * 2
    assert again["expires_at"] > first["expires_at"]
    assert [deed for deed in desk.deeds() if deed[1] == "accept"] == [(str(FIRST), "accept", "done")], "it was accepted once"
    with engine.connect() as connection:
        issued = [entry.deed.actor for entry in audit.entries(connection) if entry.deed.action == "token.issue"]
    assert issued == [str(ANNA), str(FIRST), str(FIRST)], "and let in twice"


@pytest.mark.parametrize("over", [f"agent_id = '{SECOND}'", "archived = true", "ended_at = now()", "room_sid = 'RM_an_earlier_one'"])
def test_who_has_no_longer_the_customer_is_not_told_again(desk: Desk, engine: Engine, over: str) -> None:
    desk.status(FIRST)
    desk.status(SECOND)
    handoff = desk.wanted(desk.call())
    desk.accept(handoff, FIRST)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO users (id, role) VALUES (:second, 'agent') ON CONFLICT DO NOTHING"), {"second": SECOND})
        connection.execute(text(f"UPDATE video_consultations SET {over}"))
    refused = desk.accept(handoff, FIRST, 409)
    assert (refused["title"], "token" in refused, "context" in refused) == ("The call is over", False, False)


def test_an_offer_that_nobody_answers_goes_on_by_itself(desk: Desk, engine: Engine) -> None:
    desk.status(FIRST)
    desk.status(SECOND)
    handoff = desk.wanted(desk.call())
    assert desk.offered(FIRST)["id"] == handoff["id"]
    desk.later(offers=31)
    assert desk.accept(handoff, FIRST, 409)["title"] == "Not as things are"
    eventually(lambda: desk.offered(SECOND) is not None)
    assert ("verbatim", "expire", "done") in desk.deeds()


def test_an_agent_who_has_gone_silent_is_not_asked(desk: Desk) -> None:
    desk.status(FIRST)
    desk.later(heartbeats=31)
    handoff = desk.wanted(desk.call())
    assert (handoff["state"], handoff["nobody_left"], desk.queue()["available_agents"]) == ("waiting", True, 0)
    desk.ask("POST", "/api/agents/me/heartbeat", Role.AGENT, FIRST)
    eventually(lambda: desk.offered(FIRST) is not None)


def test_an_agent_in_a_call_is_not_asked(desk: Desk) -> None:
    desk.status(FIRST)
    desk.accept(desk.wanted(desk.call()), FIRST)
    desk.status(FIRST)
    assert desk.wanted(desk.call(EVE))["state"] == "waiting", "still in the first call, whatever the status says"


def test_who_cannot_be_helped_now_is_called_back(desk: Desk) -> None:
    handoff = desk.wanted(desk.call())
    path, tomorrow = f"/api/handoffs/{handoff['id']}/callback", datetime.now(UTC) + timedelta(days=1)
    window = {"start": tomorrow.isoformat(), "end": (tomorrow + timedelta(hours=1)).isoformat()}
    desk.ask("POST", path, Role.CUSTOMER, EVE, 404, json=window)
    for wrong in ({"start": window["end"], "end": window["start"]}, {"start": window["start"], "end": "2030-01-01T00:00:00Z"}):
        assert "window" in desk.ask("POST", path, Role.CUSTOMER, ANNA, 422, json=wrong)["detail"]
    desk.ask("POST", path, Role.CUSTOMER, ANNA, 422, json={"start": "2025-03-03T10:00:00", "end": "2025-03-03T11:00:00"})
    assert desk.ask("POST", path, Role.CUSTOMER, ANNA, json=window)["state"] == "callback"
    (due,) = desk.ask("GET", "/api/handoff/callbacks", Role.AGENT, FIRST)["callbacks"]
    assert (due["id"], due["customer_id"], datetime.fromisoformat(due["callback_start"])) == (handoff["id"], str(ANNA), tomorrow)
    assert desk.queue()["handoffs"] == []
    assert desk.deeds()[-1] == (str(ANNA), "callback", "done")


def test_nobody_is_called_back_while_an_agent_can_be_asked(desk: Desk) -> None:
    desk.status(FIRST)
    desk.status(SECOND)
    handoff = desk.wanted(desk.call())
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    window = {"start": tomorrow.isoformat(), "end": (tomorrow + timedelta(hours=1)).isoformat()}
    desk.ask("POST", f"/api/handoffs/{handoff['id']}/callback", Role.CUSTOMER, ANNA, 409, json=window)


def test_who_no_longer_waits_leaves_the_queue(desk: Desk, engine: Engine) -> None:
    handoff = desk.wanted(desk.call())
    desk.ask("DELETE", f"/api/handoffs/{handoff['id']}", Role.CUSTOMER, EVE, 404)
    assert desk.ask("DELETE", f"/api/handoffs/{handoff['id']}", Role.CUSTOMER, ANNA)["state"] == "cancelled"
    assert desk.ask("DELETE", f"/api/handoffs/{handoff['id']}", Role.CUSTOMER, ANNA, 409)["detail"].startswith("The customer has left")
    call = desk.call(EVE)
    desk.wanted(call)
    with engine.begin() as connection:
        connection.execute(text("UPDATE video_consultations SET ended_at = now() WHERE id = :id"), {"id": call})
    eventually(lambda: desk.queue()["handoffs"] == [])
    desk.ask("POST", f"/api/consultations/{call}/handoff", Role.CUSTOMER, EVE, 409, json={"reason": "requested"})


def test_who_may_not_finds_nothing(desk: Desk) -> None:
    call = desk.call()
    desk.ask("POST", f"/api/consultations/{call}/handoff", Role.CUSTOMER, EVE, 404, json={"reason": "requested"})
    desk.ask("POST", f"/api/consultations/{uuid4()}/handoff", Role.CUSTOMER, ANNA, 404, json={"reason": "requested"})
    handoff = desk.wanted(call)
    desk.ask("GET", f"/api/handoffs/{handoff['id']}", Role.CUSTOMER, EVE, 404)
    assert desk.ask("GET", f"/api/handoffs/{handoff['id']}", Role.CUSTOMER, ANNA)["state"] == "waiting"
    for path in ("accept", "decline"):
        desk.ask("POST", f"/api/handoffs/{uuid4()}/{path}", Role.AGENT, FIRST, 404)
        desk.ask("POST", f"/api/handoffs/{handoff['id']}/{path}", Role.AGENT, FIRST, 409)
    desk.ask("PUT", "/api/agents/me/status", Role.AGENT, "not-a-uuid", 422, json={"status": "available"})
    desk.ask("POST", "/api/agents/me/heartbeat", Role.AGENT, FIRST, 409)


def test_a_call_whose_room_is_gone_is_taken_by_nobody(desk: Desk, server: LiveKitServer, engine: Engine) -> None:
    desk.status(FIRST)
    handoff = desk.wanted(desk.call())
    server.kill()
    desk.accept(handoff, FIRST, 503)
    server.restart()
    desk.accept(handoff, FIRST, 409)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT state FROM handoffs")).scalar_one() == "offered", "nothing is half done"
        assert connection.execute(text("SELECT agent_id FROM video_consultations")).scalar_one() is None


@pytest.mark.parametrize("tick_s", [3_600])
@pytest.mark.parametrize("over", ["archived = true", "ended_at = now()", "room_sid = 'RM_an_earlier_one'"])
def test_a_call_that_is_over_is_taken_by_nobody_although_its_room_is_open(desk: Desk, engine: Engine, over: str) -> None:
    desk.status(FIRST)
    handoff = desk.wanted(desk.call())
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE video_consultations SET {over}"))
    refused = desk.accept(handoff, FIRST, 409)
    assert (refused["title"], "token" in refused, "context" in refused) == ("The call is over", False, False)
    with engine.connect() as connection:
        call = connection.execute(text("SELECT agent_id, escalated_to_human FROM video_consultations")).one()
        assert (call.agent_id, call.escalated_to_human) == (None, False)
        actions = [entry.deed.action for entry in audit.entries(connection)]
    assert desk.deeds()[-1] == (str(FIRST), "accept", "refused")
    assert actions.count("token.issue") == 1, "the customer's alone"
    assert desk.ask("POST", "/api/agents/me/heartbeat", Role.AGENT, FIRST)["status"] == "available"


def test_a_customer_who_has_left_waits_no_longer_whoever_is_still_in_the_call(desk: Desk, engine: Engine) -> None:
    calls = {state: desk.call(UUID(int=100 + number)) for number, state in enumerate(("never came", "back", "gone"))}
    stays: dict[str, list[tuple[int, int | None]]] = {
        "back": [(60, 40), (30, None)],
        "gone": [(60, 40), (50, 21)],
    }  # seconds ago: joined, left
    with engine.begin() as connection:
        for state, call in calls.items():
            for role, joined, left in [("admin", 60, None), *(("customer", *stay) for stay in stays.get(state, ()))]:
                row = {"sid": f"PA_{uuid4().hex}", "consultation_id": UUID(call), "identity": role, "role": role}
                now = datetime.now(UTC)
                row |= {"joined_at": now - timedelta(seconds=joined), "left_at": None if left is None else now - timedelta(seconds=left)}
                connection.execute(insert(participants).values(**row))
    wanted = {state: desk.wanted(call)["id"] for state, call in calls.items() if state != "gone"}
    going = desk.wanted(calls["gone"])["id"]
    eventually(lambda: going not in {one["id"] for one in desk.queue()["handoffs"]})
    assert set(wanted.values()) <= {one["id"] for one in desk.queue()["handoffs"]}
    assert desk.ask("GET", f"/api/handoffs/{going}", Role.ADMIN, "boss")["state"] == "cancelled"
    with engine.connect() as connection:
        cancelled = [entry.deed for entry in audit.entries(connection) if entry.deed.action == "handoff.cancel"]
    assert [(deed.subject, dict(deed.details)["why"]) for deed in cancelled] == [(going, "the customer has left")]


def test_who_waits_in_a_call_that_is_archived_leaves_the_queue(desk: Desk, engine: Engine) -> None:
    call = desk.call()
    desk.wanted(call)
    desk.ask("PUT", f"/api/consultations/{call}/archived", Role.ADMIN, "boss", json={"archived": True, "reason": "Begun twice."})
    eventually(lambda: desk.queue()["handoffs"] == [])
    assert desk.deeds()[-1] == ("verbatim", "cancel", "done")
