"""Every refusal is an entry of the audit trail, whatever refused and on whatever route; of what the request held nothing is in it, and nobody can
fill it: what is left out is counted.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import OperationalError

from api.app import create_app
from api.rates import MovingWindow
from api.refusals import CALLERS, STRANGERS, Refusals
from domain.audit import Deed, Outcome
from domain.roles import Role
from resources.store import audit
from resources.tables import consultations, quotes, users
from tests.api.client import Issuer, client_of, settings
from tests.databases import reading_only
from tests.livekit_server import LiveKitServer

ANNA, BERT, AGENT, OTHER, CALL = (UUID(int=number) for number in (1, 2, 3, 4, 9))
BEGIN = "/api/livekit/consultation"
SECRET_WORD = "watermelon"


class Desk:
    """The API, and what the trail has of the last thing that was asked of it."""

    def __init__(self, client: httpx.Client, issuer: Issuer, engine: Engine) -> None:
        self.client, self.issuer, self.engine = client, issuer, engine

    def ask(self, role: Role | None, who: object, method: str, path: str, **more: Any) -> httpx.Response:
        headers = self.issuer.headers(role, subject=str(who)) if role else {}
        return self.client.request(method, path, headers=headers | more.pop("headers", {}), follow_redirects=False, **more)

    def refusals(self) -> list[Deed]:
        with self.engine.connect() as connection:
            return [entry.deed for entry in audit.entries(connection) if entry.deed.outcome is Outcome.REFUSED]

    def refused(self, status: int, role: Role | None, who: object, method: str, path: str, **more: Any) -> Deed:
        """The one entry that there is of it."""
        before = len(self.refusals())
        answer = self.ask(role, who, method, path, **more)
        assert answer.status_code == status, answer.text
        (deed,) = self.refusals()[before:]
        assert (deed.actor, deed.role) == ((str(who), role.value) if role else ("stranger", "none"))
        assert SECRET_WORD not in str(deed)
        assert deed.origin
        return deed


@pytest.fixture
def desk(client: httpx.Client, issuer: Issuer, engine: Engine) -> Desk:
    with engine.begin() as connection:
        connection.execute(insert(users), [{"id": ANNA, "role": "customer"}, {"id": BERT, "role": "customer"}])
        connection.execute(
            insert(consultations).values(
                id=CALL, room_name="room", consultation_type="claims", customer_id=ANNA, started_at=datetime.now(UTC)
            )
        )
    return Desk(client, issuer, engine)


@pytest.fixture
def calling(desk: Desk, engine: Engine, issuer: Issuer, livekit: Callable[..., LiveKitServer]) -> Iterator[Desk]:
    """Where calls can be begun."""
    server = livekit()
    keys = settings(livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=SecretStr(server.secret))
    with client_of(create_app(keys, engine, issuer.identities)) as client:
        yield Desk(client, issuer, engine)


def test_what_nobody_may_begin(calling: Desk, engine: Engine) -> None:
    theirs = uuid4()
    with engine.begin() as connection:
        connection.execute(insert(quotes), [{"id": theirs, "customer_id": BERT}])
    deed = calling.refused(422, Role.CUSTOMER, ANNA, "POST", BEGIN, json={"type": "quote", "quote_id": str(theirs)})
    assert (deed.action, dict(deed.details)) == (
        "request", {"method": "POST", "route": BEGIN, "status": 422, "why": "Not this customer's"},
    )  # fmt: skip
    deed = calling.refused(422, Role.CUSTOMER, ANNA, "POST", BEGIN, json={"type": "support", "customer": str(BERT)})
    assert dict(deed.details)["why"] == "Whose call is it?"
    deed = calling.refused(422, Role.CUSTOMER, ANNA, "POST", BEGIN, json={"type": SECRET_WORD})
    assert dict(deed.details)["why"] == "A parameter is missing or wrong"
    broken = calling.issuer.headers(Role.CUSTOMER, subject=str(ANNA)) | {"Content-Type": "application/json"}
    deed = calling.refused(422, Role.CUSTOMER, ANNA, "POST", BEGIN, content=f'{{"{SECRET_WORD}', headers=broken)
    assert dict(deed.details)["why"] == "A parameter is missing or wrong"
    calling.refused(401, None, None, "POST", BEGIN, content=f'{{"{SECRET_WORD}', headers={"Content-Type": "application/json"})
    for _ in range(9):
        calling.ask(Role.CUSTOMER, BERT, "POST", BEGIN, json={"type": "support"})
    calling.ask(Role.CUSTOMER, BERT, "POST", BEGIN, json={"type": "support"})
    assert dict(calling.refused(429, Role.CUSTOMER, BERT, "POST", BEGIN, json={"type": "support"}).details)["status"] == 429


def test_what_is_anothers(desk: Desk) -> None:
    said = {"party": SECRET_WORD, "role": "agent", "outcome": "granted", "method": "click", "script_version": "v1"}
    deed = desk.refused(422, Role.CUSTOMER, ANNA, "POST", f"/api/consultations/{CALL}/consent", json=said)
    assert (deed.consultation_id, deed.subject) == (CALL, str(CALL))
    assert desk.refused(404, Role.CUSTOMER, BERT, "GET", f"/api/consultations/{CALL}").action == "consultation.read"
    assert desk.refused(404, Role.CUSTOMER, BERT, "GET", f"/api/consultations/{CALL}/consent").action == "consent.read"
    asked = desk.ask(Role.CUSTOMER, ANNA, "POST", f"/api/consultations/{CALL}/handoff", json={"reason": "requested"}).json()
    path, now = f"/api/handoffs/{asked['id']}", datetime.now(UTC)
    window = {"start": (now + timedelta(hours=1)).isoformat(), "end": (now + timedelta(hours=2)).isoformat()}
    for method, where, body in (("GET", path, None), ("DELETE", path, None), ("POST", f"{path}/callback", window)):
        deed = desk.refused(404, Role.CUSTOMER, BERT, method, where, json=body)
        assert (deed.subject, deed.consultation_id) == (asked["id"], None), "it is named only by what was asked for"
    with desk.engine.begin() as connection:
        connection.execute(text("UPDATE video_consultations SET ended_at = now()"))
    deed = desk.refused(409, Role.CUSTOMER, ANNA, "POST", f"/api/consultations/{CALL}/handoff", json={"reason": "requested"})
    assert (deed.consultation_id, dict(deed.details)["why"]) == (CALL, "The call is over")


def test_what_there_is_not(calling: Desk) -> None:
    unknown = uuid4()
    deed = calling.refused(404, Role.AGENT, AGENT, "POST", f"/api/handoffs/{unknown}/accept")
    assert (deed.subject, dict(deed.details)["why"]) == (str(unknown), "No such handoff")
    starts = datetime.now(UTC) + timedelta(minutes=1)
    plan = {"title": "T", "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
    session = calling.ask(Role.AGENT, AGENT, "POST", "/api/training", json=plan).json()["id"]
    answer = {"disclosure_version": SECRET_WORD, "consents": True}
    deed = calling.refused(404, Role.AGENT, OTHER, "POST", f"/api/training/{session}/enter", json=answer)
    assert deed.subject == session
    assert calling.refused(404, Role.AGENT, OTHER, "GET", f"/api/training/{session}").action == "training.read"


def test_who_does_not_get_in(desk: Desk) -> None:
    customer = desk.issuer.token(Role.CUSTOMER, subject=str(ANNA))
    before = len(desk.refusals())
    assert desk.client.post("/sign-in", data={"token": customer}).status_code == 403
    (deed,) = desk.refusals()[before:]
    assert (deed.actor, deed.role, dict(deed.details)["route"]) == (str(ANNA), "customer", "/sign-in")
    assert dict(desk.refused(401, None, None, "POST", "/sign-in", data={"token": SECRET_WORD}).details)["status"] == 401
    assert dict(desk.refused(401, None, None, "POST", "/api/livekit/webhook", content=b"{}").details)["why"] == "Not signed by LiveKit"
    assert dict(desk.refused(303, None, None, "GET", f"/consultations/{CALL}").details)["route"] == "/consultations/{consultation_id}"
    desk.refused(404, Role.COMPLIANCE, "officer-1", "GET", f"/consultations/{uuid4()}")
    desk.refused(404, Role.COMPLIANCE, "officer-1", "GET", f"/consultations/{SECRET_WORD}")


@pytest.mark.parametrize("path", ["/api/search", "/"])
def test_a_search_that_cannot_be_read(desk: Desk, path: str) -> None:
    deed = desk.refused(400, Role.COMPLIANCE, "officer-1", "GET", path, params={"q": f'"{SECRET_WORD}'})
    assert (deed.action, dict(deed.details)) == ("search", {"why": "QuerySyntaxError", "length": 11, "continued": False})
    deed = desk.refused(400, Role.COMPLIANCE, "officer-1", "GET", path, params={"q": SECRET_WORD, "cursor": "nonsense"})
    assert dict(deed.details) == {"why": "WrongCursor", "length": 10, "continued": True}


def test_there_is_nothing_to_refuse_where_there_is_no_route(desk: Desk) -> None:
    for method, path in (("GET", "/api/nothing"), ("PUT", "/healthz")):
        assert desk.ask(Role.ADMIN, "boss", method, path).is_client_error
    assert desk.refusals() == []


def withheld(desk: Desk) -> list[tuple[str, str, Any]]:
    """(actor, action, how many) of the entries that stand for several refusals."""
    counted = [(deed, dict(deed.details)) for deed in desk.refusals()]
    return [(deed.actor, deed.action, details["withheld"]) for deed, details in counted if "withheld" in details]


def until(desk: Desk, expected: list[tuple[str, str, Any]]) -> None:
    """Waits; a test that never gets there is ended by the runner's own limit."""
    while withheld(desk) != expected:
        assert len(withheld(desk)) <= len(expected)
        time.sleep(0.05)


@contextmanager
def another(desk: Desk) -> Iterator[Desk]:
    """A process of the API, which ends with the block."""
    with client_of(create_app(settings(), desk.engine, desk.issuer.identities)) as client:
        yield Desk(client, desk.issuer, desk.engine)


def wrong(desk: Desk, who: UUID, times: int = 1) -> None:
    for _ in range(times):
        assert desk.ask(Role.CUSTOMER, who, "GET", f"/api/consultations/{uuid4()}").status_code == 404


def test_a_caller_cannot_fill_the_trail_and_what_was_left_out_is_counted(desk: Desk) -> None:
    """Whether or not that caller comes again: at the latest when the process ends."""
    with another(desk) as process:
        wrong(process, BERT, CALLERS.amount + 7)
        assert len(desk.refusals()) == CALLERS.amount
        wrong(process, ANNA)
        assert [deed.actor for deed in desk.refusals()[CALLERS.amount :]] == [str(ANNA)], "others have room of their own"
        assert withheld(desk) == []
    assert withheld(desk) == [(str(BERT), "consultation.read", 7)]
    last = desk.refusals()[-1]
    assert (last.role, dict(last.details)["route"]) == ("customer", "/api/consultations/{consultation_id}")
    assert last.origin


def test_what_was_left_out_is_written_while_the_process_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.refusals.EVERY_S", 0.2)
    with another(desk) as process:
        wrong(process, BERT, CALLERS.amount + 1)
        until(desk, [(str(BERT), "consultation.read", 1)])
        wrong(process, BERT, 2)
        while sum(found[2] for found in withheld(desk)) < 3:
            time.sleep(0.05)
    assert sum(found[2] for found in withheld(desk)) == 3, "each is counted once"
    assert len(desk.refusals()) == CALLERS.amount + len(withheld(desk))


def test_what_strangers_are_refused_is_counted_by_their_address(desk: Desk) -> None:
    with another(desk) as process:
        for _ in range(STRANGERS.amount + 5):
            process.ask(None, None, "GET", "/api/search?q=x")
    assert withheld(desk) == [("stranger", "request", 5)]


def counted(desk: Desk) -> int:
    """How many are told of as left out; 0 where PostgreSQL has ended the connection that asks."""
    try:
        return sum(found[2] for found in withheld(desk))
    except OperationalError:
        return 0


def test_a_database_that_is_down_loses_no_count(desk: Desk, owner: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of what was left out, nor of what it could not take."""
    monkeypatch.setattr("api.refusals.EVERY_S", 0.2)
    with another(desk) as process:
        with reading_only(owner):
            for _ in range(4):
                process.ask(Role.MONITOR, BERT, "GET", "/api/consultations")
            assert desk.refusals() == []
        while counted(desk) < 4:  # they may be written in two goes
            time.sleep(0.05)
    assert sum(found[2] for found in withheld(desk)) == 4


def test_more_kinds_than_can_be_told_apart_are_counted_together(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.refusals.MOST_KINDS", 3)
    counting = Refusals(MovingWindow())
    for number in range(5):
        for _ in range(CALLERS.amount + 2):
            counting.room(CALLERS, (str(number),), Deed(str(number), "agent", "request", Outcome.REFUSED))
    counting.write(desk.engine)
    assert sorted(withheld(desk)) == [("0", "request", 2), ("1", "request", 2), ("2", "request", 2), ("stranger", "request", 4)]


def test_strangers_cannot_fill_the_trail_by_changing_what_they_ask_for(desk: Desk) -> None:
    for path in ("/api/search?q=x", "/api/consultations", "/metrics", "/"):
        for _ in range(STRANGERS.amount):
            desk.ask(None, None, "GET", path)
        desk.ask(None, None, "POST", "/api/livekit/webhook", content=b"{}")
    assert len(desk.refusals()) == STRANGERS.amount
