"""Consultations over HTTP: who sees which, what they write on them, and pages that stay in order while calls come in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest
from sqlalchemy import Engine, insert, select, update

from api.app import create_app
from domain.audit import Outcome
from domain.roles import Role
from resources.store import audit
from resources.store.database import engine_for
from resources.tables import consultations, users
from tests.api.client import Issuer, client_of, settings

URL = "/api/consultations"
BEGAN = datetime(2025, 3, 3, 15, tzinfo=UTC)
ANNA, BERT, AGENT = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture
def calls(engine: Engine) -> list[UUID]:
    """Two calls of Anna's with the agent, one of Bert's without."""
    with engine.begin() as connection:
        connection.execute(
            insert(users), [{"id": ANNA, "role": "customer"}, {"id": BERT, "role": "customer"}, {"id": AGENT, "role": "agent"}]
        )
    return [
        made(engine, 1, "claims", customer_id=ANNA, agent_id=AGENT, started_at=BEGAN, ended_at=BEGAN + timedelta(minutes=5)),
        made(engine, 2, "quote", customer_id=ANNA, agent_id=AGENT, started_at=BEGAN + timedelta(days=1)),
        made(engine, 3, "quote", customer_id=BERT),
    ]


def made(engine: Engine, number: int, kind: str, **values: object) -> UUID:
    consultation_id = uuid4()
    with engine.begin() as connection:
        row = {
            "id": consultation_id,
            "room_name": f"room-{number}",
            "consultation_type": kind,
            "created_at": BEGAN + timedelta(minutes=number),
        }
        connection.execute(insert(consultations).values(**row, **values))
    return consultation_id


def ids(answer: httpx.Response) -> list[UUID]:
    assert answer.status_code == 200, answer.text
    return [UUID(row["id"]) for row in answer.json()["consultations"]]


def test_everybody_sees_their_own_and_officers_all(client: httpx.Client, issuer: Issuer, calls: list[UUID]) -> None:
    first, second, third = calls
    assert ids(client.get(URL, headers=issuer.headers(Role.ADMIN))) == [third, second, first]
    assert ids(client.get(URL, headers=issuer.headers(Role.CUSTOMER, subject=str(ANNA)))) == [second, first]
    assert ids(client.get(URL, headers=issuer.headers(Role.CUSTOMER, subject=str(BERT)))) == [third]
    assert ids(client.get(URL, headers=issuer.headers(Role.AGENT, subject=str(AGENT)))) == [second, first]
    assert ids(client.get(URL, headers=issuer.headers(Role.CUSTOMER, subject="nobody's"))) == []
    assert ids(client.get(URL, headers=issuer.headers(Role.CUSTOMER, Role.COMPLIANCE, subject=str(BERT)))) == [third, second, first]
    assert client.get(URL, headers=issuer.headers(Role.SUPERVISOR)).status_code == 403


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"type": "quote"}, [2, 1]),
        ({"state": "ended"}, [0]),
        ({"state": "open"}, [1]),
        ({"state": "planned"}, [2]),
        ({"customer_id": str(BERT)}, [2]),
        ({"agent_id": str(AGENT), "type": "claims"}, [0]),
        ({"since": "2025-03-04T00:00:00Z"}, [1]),
        ({"until": "2025-03-04T01:00:00+01:00"}, [0]),
        ({"archived": "true"}, []),
    ],
)
def test_filters(client: httpx.Client, issuer: Issuer, calls: list[UUID], asked: dict[str, str], found: list[int]) -> None:
    assert ids(client.get(URL, params=asked, headers=issuer.headers(Role.ADMIN))) == [calls[n] for n in found]


@pytest.mark.parametrize(
    "asked", [{"limit": "0"}, {"type": "x"}, {"since": "2025-03-04T00:00:00"}, {"since": "yesterday"}, {"agent_id": "7"}]
)
def test_wrong_parameters_are_named(client: httpx.Client, issuer: Issuer, asked: dict[str, str]) -> None:
    answer = client.get(URL, params=asked, headers=issuer.headers(Role.ADMIN))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert next(iter(asked)) in answer.json()["detail"]


def test_pages_stay_in_order_while_calls_come_in(client: httpx.Client, engine: Engine, issuer: Issuer, calls: list[UUID]) -> None:
    headers = issuer.headers(Role.ADMIN)
    for number in range(4, 11):
        made(engine, number, "support")
    before = ids(client.get(URL, params={"limit": 100}, headers=headers))
    seen, cursor = [], None
    for number in range(20):
        page = client.get(URL, params={"limit": 3} | ({"cursor": cursor} if cursor else {}), headers=headers)
        seen += ids(page)
        made(engine, 100 + number, "support")
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert seen == before
    for wrong in ("x", "bnVsbA==", "e30=", "WyIyMDI1LTAzLTAzIiwgMV0="):
        assert client.get(URL, params={"cursor": wrong}, headers=headers).status_code == 400


def test_unknown_and_forbidden_answer_alike(client: httpx.Client, engine: Engine, issuer: Issuer, calls: list[UUID]) -> None:
    bert = issuer.headers(Role.CUSTOMER, subject=str(BERT))
    annas, nowhere = client.get(f"{URL}/{calls[0]}", headers=bert), client.get(f"{URL}/{uuid4()}", headers=bert)
    assert (annas.status_code, annas.json()) == (nowhere.status_code, nowhere.json())
    assert annas.status_code == 404
    assert client.put(f"{URL}/{calls[0]}/rating", json={"stars": 1}, headers=bert).status_code == 404
    with engine.connect() as connection:
        refused = [entry.deed for entry in audit.entries(connection)]
        assert connection.execute(select(consultations.c.customer_rating).where(consultations.c.id == calls[0])).scalar() is None
    assert {(deed.actor, deed.outcome) for deed in refused} == {(str(BERT), Outcome.REFUSED)}
    assert next(deed.subject for deed in refused) == str(calls[0])


def test_notes_summary_rating_and_the_trail_of_them(client: httpx.Client, engine: Engine, issuer: Issuer, calls: list[UUID]) -> None:
    address = f"{URL}/{calls[0]}"
    agent, anna = issuer.headers(Role.AGENT, subject=str(AGENT)), issuer.headers(Role.CUSTOMER, subject=str(ANNA))
    assert client.put(f"{address}/notes", json={"text": "Called back."}, headers=agent).json()["agent_notes"] == "Called back."
    assert (
        client.put(f"{address}/summary", json={"text": "Photos."}, headers=issuer.headers(Role.ASSISTANT)).json()["ai_summary"] == "Photos."
    )
    assert client.put(f"{address}/rating", json={"stars": 4}, headers=anna).json()["customer_rating"] == 4
    assert client.put(f"{address}/rating", json={"stars": 5}, headers=anna).json()["customer_rating"] == 5
    shown = client.get(address, headers=agent).json()
    assert (shown["agent_notes"], shown["ai_summary"], shown["customer_rating"], shown["duration_seconds"]) == (
        "Called back.",
        "Photos.",
        5,
        300,
    )
    assert "transcript" not in shown
    with engine.connect() as connection:
        trail = [(entry.deed.actor, entry.deed.action, entry.deed.consultation_id) for entry in audit.entries(connection)]
        texts = str([entry.deed for entry in audit.entries(connection)])
    assert [action for _, action, _ in trail] == [
        "consultation.notes", "consultation.summary", "consultation.rating", "consultation.rating", "consultation.read",
    ]  # fmt: skip
    assert {found for _, _, found in trail} == {calls[0]}
    assert "Called back" not in texts and "Photos" not in texts


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("rating", {"stars": 6}),
        ("rating", {"stars": 0}),
        ("rating", {"stars": "5"}),
        ("rating", {"stars": 4.5}),
        ("rating", {}),
        ("notes", {"text": "a\0b"}),
        ("notes", {"text": "x" * 20_001}),
        ("notes", {"text": "x", "more": 1}),
        ("notes", None),
        ("archived", {"archived": True}),
        ("archived", {"archived": True, "reason": ""}),
    ],
)
def test_a_wrong_body_changes_nothing(
    client: httpx.Client, engine: Engine, issuer: Issuer, calls: list[UUID], path: str, body: object
) -> None:
    headers = issuer.headers(*{"rating": [Role.CUSTOMER]}.get(path, [Role.ADMIN]), subject=str(ANNA))
    assert client.put(f"{URL}/{calls[0]}/{path}", json=body, headers=headers).status_code == 422
    with engine.connect() as connection:
        row = connection.execute(select(consultations).where(consultations.c.id == calls[0])).one()
        assert (row.customer_rating, row.agent_notes, row.archived) == (None, None, False)
        assert [entry.deed.outcome for entry in audit.entries(connection)] == [Outcome.REFUSED]


def test_half_a_surrogate_is_refused(client: httpx.Client, issuer: Issuer, calls: list[UUID]) -> None:
    headers = issuer.headers(Role.ADMIN) | {"Content-Type": "application/json"}
    assert client.put(f"{URL}/{calls[0]}/notes", content=b'{"text": "\\ud800"}', headers=headers).status_code == 422


def test_archived_is_hidden_and_kept_with_its_reason(client: httpx.Client, engine: Engine, issuer: Issuer, calls: list[UUID]) -> None:
    admin = issuer.headers(Role.ADMIN)
    put = client.put(f"{URL}/{calls[0]}/archived", json={"archived": True, "reason": "Entered twice."}, headers=admin)
    assert put.json()["archived"] is True
    assert ids(client.get(URL, headers=admin)) == [calls[2], calls[1]]
    assert ids(client.get(URL, params={"archived": True}, headers=admin)) == [calls[0]]
    with engine.connect() as connection:
        (entry,) = audit.entries(connection)
    assert (entry.deed.reason, entry.deed.details) == ("Entered twice.", (("archived", True),))
    client.put(f"{URL}/{calls[0]}/archived", json={"archived": False, "reason": "It was another one."}, headers=admin)
    assert ids(client.get(URL, headers=admin)) == [calls[2], calls[1], calls[0]]


def test_without_its_database_it_says_so(issuer: Issuer) -> None:
    nowhere = engine_for("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    with client_of(create_app(settings(), nowhere, issuer.identities)) as client:
        for address in (URL, f"{URL}/{uuid4()}"):
            answer = client.get(address, headers=issuer.headers(Role.ADMIN))
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


def test_what_an_agent_notes_is_not_for_the_customer(client: httpx.Client, issuer: Issuer, calls: list[UUID]) -> None:
    one = f"{URL}/{calls[0]}"
    written = client.put(f"{one}/notes", json={"text": "Ask for the papers."}, headers=issuer.headers(Role.AGENT, subject=str(AGENT)))
    assert written.json()["agent_notes"] == "Ask for the papers."
    readers = {
        "customer": issuer.headers(Role.CUSTOMER, subject=str(ANNA)),
        "agent": issuer.headers(Role.AGENT, subject=str(AGENT)),
        "officer": issuer.headers(Role.COMPLIANCE),
        "a customer who is another call's agent": issuer.headers(Role.CUSTOMER, Role.AGENT, subject=str(ANNA)),
    }
    read = {who: client.get(one, headers=headers).json()["agent_notes"] for who, headers in readers.items()}
    listed = {
        who: next(row["agent_notes"] for row in client.get(URL, headers=headers).json()["consultations"] if row["id"] == str(calls[0]))
        for who, headers in readers.items()
    }
    seen = {
        "customer": None,
        "agent": "Ask for the papers.",
        "officer": "Ask for the papers.",
        "a customer who is another call's agent": None,
    }
    assert read == listed == seen
    rated = client.put(f"{one}/rating", json={"stars": 4}, headers=readers["customer"])
    assert (rated.status_code, rated.json()["agent_notes"]) == (200, None)


def test_a_customer_who_is_an_agent_too_keeps_what_is_a_customers(
    client: httpx.Client, engine: Engine, issuer: Issuer, calls: list[UUID]
) -> None:
    first, second, _ = calls
    both = issuer.headers(Role.CUSTOMER, Role.AGENT, subject=str(ANNA))
    assert ids(client.get(URL, headers=both)) == [second, first]
    assert client.get(f"{URL}/{first}", headers=both).status_code == 200
    said = {"party": str(ANNA), "role": "customer", "outcome": "revoked", "method": "click", "script_version": "v1"}
    assert client.post(f"{URL}/{first}/consent", json=said, headers=both).status_code == 201
    assert client.post(f"{URL}/{first}/consent", json=said | {"party": str(AGENT), "role": "agent"}, headers=both).status_code == 422, (
        "in a call in which it is the customer it speaks for itself alone"
    )
    with engine.begin() as connection:
        connection.execute(update(consultations).where(consultations.c.id == calls[2]).values(agent_id=ANNA))
    assert ids(client.get(URL, headers=both)) == [calls[2], second, first]
    with engine.connect() as connection:
        deeds = [entry.deed for entry in audit.entries(connection) if entry.deed.action == "consent.record"]
    assert [deed.role for deed in deeds] == ["customer"]
