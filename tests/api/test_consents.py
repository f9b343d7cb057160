"""Consent over HTTP: records that stay, and the gate that follows from them and from who is in the call."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest
from sqlalchemy import Engine, insert, text, update
from sqlalchemy.exc import DBAPIError

from domain.roles import Role
from resources.store import audit
from resources.tables import consultations, participants, users
from tests.api.client import Issuer

ANNA, BERT, CALL = UUID(int=1), UUID(int=2), UUID(int=9)
URL = f"/api/consultations/{CALL}/consent"


@pytest.fixture(autouse=True)
def _call(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(users), [{"id": ANNA, "role": "customer"}, {"id": BERT, "role": "customer"}])
        row = {"id": CALL, "room_name": "room", "consultation_type": "claims", "customer_id": ANNA, "jurisdictions": {"agent": "US-TX"}}
        connection.execute(insert(consultations).values(**row))


def joined(engine: Engine, sid: str, identity: object, role: str) -> None:
    with engine.begin() as connection:
        row = {"sid": sid, "consultation_id": CALL, "identity": str(identity), "role": role, "joined_at": datetime.now(UTC)}
        connection.execute(insert(participants).values(**row))


def saying(outcome: str, party: object = ANNA, **more: object) -> dict[str, object]:
    return {"party": str(party), "role": "customer", "outcome": outcome, "method": "click", "script_version": "v1", **more}


def test_granted_opens_and_withdrawn_closes(client: httpx.Client, engine: Engine, issuer: Issuer) -> None:
    anna = issuer.headers(Role.CUSTOMER, subject=str(ANNA))
    gate = client.get(URL, headers=anna).json()["gate"]
    assert (gate["open"], gate["missing"], gate["rule"]) == (False, [str(ANNA)], "all_party")
    added = client.post(URL, json=saying("granted", jurisdiction="US-CA", jurisdiction_evidence="address on file"), headers=anna)
    assert (added.status_code, added.json()["gate"]["open"]) == (201, True)
    joined(engine, "PA_a", "agent-1", "agent")
    joined(engine, "PA_b", "bot", "assistant")
    assert client.get(URL, headers=anna).json()["gate"]["open"] is True
    closed = client.post(URL, json=saying("revoked", method="spoken"), headers=issuer.headers(Role.ASSISTANT, subject="bot")).json()["gate"]
    assert (closed["open"], closed["refused"]) == (False, [str(ANNA)])
    shown = client.get(URL, headers=anna).json()
    assert [(r["outcome"], r["method"], r["recorded_by"], r["jurisdiction"]) for r in shown["records"]] == [
        ("granted", "click", str(ANNA), "US-CA"),
        ("revoked", "spoken", "bot", None),
    ]
    assert {r["table_version"] for r in shown["records"]} == {shown["gate"]["table_version"]}
    with engine.connect() as connection:
        deeds = [entry.deed for entry in audit.entries(connection) if entry.deed.action == "consent.record"]
    assert [(deed.actor, dict(deed.details)["outcome"], dict(deed.details)["gate_open"]) for deed in deeds] == [
        (str(ANNA), "granted", True),
        ("bot", "revoked", False),
    ]


def test_who_joins_later_and_must_consent_closes_the_gate_again(client: httpx.Client, engine: Engine, issuer: Issuer) -> None:
    admin = issuer.headers(Role.ADMIN)
    assert client.post(URL, json=saying("granted", jurisdiction="US-CA"), headers=admin).json()["gate"]["open"] is True
    joined(engine, "PA_1", ANNA, "customer")
    joined(engine, "PA_2", "partner-1", "partner")
    assert client.get(URL, headers=admin).json()["gate"]["missing"] == ["partner-1"]
    with engine.begin() as connection:
        connection.execute(update(participants).where(participants.c.sid == "PA_2").values(left_at=datetime.now(UTC)))
    assert client.get(URL, headers=admin).json()["gate"]["open"] is True


def test_where_one_party_suffices_the_agents_is_enough_once_there(client: httpx.Client, engine: Engine, issuer: Issuer) -> None:
    admin = issuer.headers(Role.ADMIN)
    gate = client.post(URL, json=saying("unknown", jurisdiction="US-NY"), headers=admin).json()["gate"]
    assert (gate["open"], gate["rule"]) == (False, "one_party")
    joined(engine, "PA_a", "agent-1", "agent")
    assert client.get(URL, headers=admin).json()["gate"]["open"] is True


def test_nobody_lifts_a_customers_consent_by_naming_a_laxer_place(client: httpx.Client, engine: Engine, issuer: Issuer) -> None:
    """Of two places that are stated the stricter counts, in whichever order they come and whoever states them."""
    with engine.begin() as connection:
        connection.execute(update(consultations).values(jurisdictions={"customer": "US-CA"}))
    joined(engine, "PA_c", ANNA, "customer")
    joined(engine, "PA_a", "agent-1", "agent")
    admin, anna = issuer.headers(Role.ADMIN), issuer.headers(Role.CUSTOMER, subject=str(ANNA))
    client.post(URL, json=saying("granted", "agent-1", role="agent", jurisdiction="US-NY"), headers=admin)
    gate = client.post(URL, json=saying("unknown", jurisdiction="US-NY"), headers=admin).json()["gate"]
    assert (gate["open"], gate["rule"], gate["required"], gate["missing"]) == (False, "all_party", [str(ANNA)], [str(ANNA)])
    with engine.begin() as connection:
        connection.execute(update(consultations).values(jurisdictions={}))
    assert client.get(URL, headers=anna).json()["gate"]["rule"] == "one_party"
    for place in ("US-WA", "US-NY"):
        gate = client.post(URL, json=saying("unknown", jurisdiction=place), headers=anna).json()["gate"]
        assert (gate["open"], gate["rule"]) == (False, "all_party"), place


@pytest.mark.parametrize(
    "changed",
    [
        {"party": str(BERT)},
        {"role": "agent"},
        {"outcome": "perhaps"},
        {"method": "guess"},
        {"jurisdiction": "California"},
        {"script_version": ""},
        {"x": 1},
    ],
)
def test_a_wrong_record_is_refused_and_nothing_is_stored(
    client: httpx.Client, engine: Engine, issuer: Issuer, changed: dict[str, object]
) -> None:
    anna = issuer.headers(Role.CUSTOMER, subject=str(ANNA))
    assert client.post(URL, json=saying("granted") | changed, headers=anna).status_code == 422
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM consent_records")).scalar() == 0


def test_anothers_call_is_as_unknown_as_none(client: httpx.Client, issuer: Issuer) -> None:
    bert = issuer.headers(Role.CUSTOMER, subject=str(BERT))
    answers = [
        client.post(address, json=saying("granted", BERT), headers=bert) for address in (URL, f"/api/consultations/{uuid4()}/consent")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    "statement", ["UPDATE consent_records SET outcome = 'granted'", "DELETE FROM consent_records", "TRUNCATE consent_records"]
)
def test_the_applications_role_cannot_change_a_record(client: httpx.Client, engine: Engine, issuer: Issuer, statement: str) -> None:
    assert client.post(URL, json=saying("declined"), headers=issuer.headers(Role.ADMIN)).status_code == 201
    with pytest.raises(DBAPIError, match="permission denied"), engine.begin() as connection:
        connection.execute(text(statement))


def test_a_subject_in_capitals_is_the_same_person_and_takes_consent_back(client: httpx.Client, engine: Engine, issuer: Issuer) -> None:
    """An issuer may write a UUID in capitals; tables, and so identities in the room, have it in small letters."""
    clara = UUID("9a0d7a3c-8d7e-4a57-a6f7-0f3a2b1c4d5e")
    with engine.begin() as connection:
        connection.execute(insert(users).values(id=clara, role="customer"))
        connection.execute(update(consultations).values(customer_id=clara))
    joined(engine, "PA_c", clara, "customer")
    capitals = str(clara).upper()
    headers, bot = issuer.headers(Role.CUSTOMER, subject=capitals), issuer.headers(Role.ASSISTANT, subject="bot")
    for party in (str(clara), capitals):
        given = client.post(URL, json=saying("granted", party), headers=headers)
        assert (given.status_code, given.json()["gate"]["open"]) == (201, True), party
        withdrawn = client.post(URL, json=saying("revoked", party), headers=headers).json()["gate"]
        assert (withdrawn["open"], withdrawn["refused"]) == (False, [str(clara)]), party
    assert client.post(URL, json=saying("granted", clara), headers=bot).json()["gate"]["open"] is True
    assert client.post(URL, json=saying("revoked", capitals), headers=headers).json()["gate"]["open"] is False
    assert client.post(URL, json=saying("granted", capitals), headers=bot).json()["gate"]["open"] is True
    assert client.post(URL, json=saying("revoked", capitals, method="spoken"), headers=bot).json()["gate"]["open"] is False
    assert {record["party"] for record in client.get(URL, headers=headers).json()["records"]} == {str(clara)}


def test_whom_another_program_let_in_under_capitals_can_take_consent_back(client: httpx.Client, engine: Engine, issuer: Issuer) -> None:
    clara = "9A0D7A3C-8D7E-4A57-A6F7-0F3A2B1C4D5E"
    joined(engine, "PA_c", clara, "customer")
    bot = issuer.headers(Role.ASSISTANT, subject="bot")
    assert client.post(URL, json=saying("granted", clara), headers=bot).json()["gate"]["open"] is True
    assert client.post(URL, json=saying("revoked", clara.lower()), headers=bot).json()["gate"]["open"] is False


def test_consent_can_be_taken_back_when_the_call_has_ended(client: httpx.Client, engine: Engine, issuer: Issuer) -> None:
    anna = issuer.headers(Role.CUSTOMER, subject=str(ANNA))
    assert client.post(URL, json=saying("granted"), headers=anna).json()["gate"]["open"] is True
    with engine.begin() as connection:
        connection.execute(update(consultations).values(ended_at=datetime.now(UTC)))
    withdrawn = client.post(URL, json=saying("revoked"), headers=anna)
    assert (withdrawn.status_code, withdrawn.json()["gate"]["refused"]) == (201, [str(ANNA)])
    described = client.get("/openapi.json").json()["paths"]["/api/consultations/{consultation_id}/consent"]["post"]["description"]
    assert "when the call has ended" in described
