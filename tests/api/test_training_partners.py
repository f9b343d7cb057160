"""Trainings as partners who can sign in see them, and who may come in without an invitation: everybody who is recorded answers the disclosure first."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx2 as httpx
import jwt
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from api.app import create_app
from domain.roles import Role
from tests.api.client import Issuer, client_of, settings
from tests.api.test_training import OTHER, PARTNER, SECOND, SECRET, TRAINER, School
from tests.livekit_server import LiveKitServer


@pytest.fixture
def server(livekit: Callable[..., LiveKitServer]) -> LiveKitServer:
    return livekit()


@pytest.fixture
def school(engine: Engine, server: LiveKitServer) -> Iterator[School]:
    ours = settings(
        livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=SecretStr(server.secret), invite_secret=SecretStr(SECRET)
    )
    issuer = Issuer()
    with client_of(create_app(ours, engine, issuer.identities)) as client:
        yield School(client, issuer, engine)


def ask(school: School, role: Role, who: object, method: str, path: str, **more: Any) -> httpx.Response:
    return school.client.request(method, path, headers=school.issuer.headers(role, subject=str(who)), **more)


def token(school: School, session: str, role: Role, who: object, kind: str) -> httpx.Response:
    room = ask(school, Role.ADMIN, "boss", "GET", f"/api/consultations/{session}").json()["room_name"]
    return ask(school, role, who, "POST", "/api/livekit/token", json={"roomName": room, "identity": str(who), "participantType": kind})


def saying(outcome: str, party: object = PARTNER, **more: object) -> dict[str, object]:
    return {"party": str(party), "role": "partner", "outcome": outcome, "method": "click", "script_version": "v1", **more}


def outcomes(school: School, session: str) -> list[tuple[str, str]]:
    records = ask(school, Role.ADMIN, "boss", "GET", f"/api/consultations/{session}/consent").json()["records"]
    return [(one["party"], one["outcome"]) for one in records]


def seen(school: School, partner: UUID) -> list[str]:
    return [one["id"] for one in ask(school, Role.PARTNER, partner, "GET", "/api/consultations").json()["consultations"]]


def test_a_partner_sees_its_trainings_and_comes_back_into_them(school: School, server: LiveKitServer) -> None:
    session = school.scheduled()
    school.scheduled()
    invite = school.invited(session, trainer=True)["invite"]
    assert seen(school, PARTNER) == [session], "invited is enough, and to that one alone"
    assert seen(school, SECOND) == []
    school.enter(invite)
    assert ask(school, Role.PARTNER, PARTNER, "GET", f"/api/consultations/{session}").status_code == 200
    assert ask(school, Role.PARTNER, SECOND, "GET", f"/api/consultations/{session}").status_code == 404
    assert token(school, session, Role.PARTNER, PARTNER, "partner").status_code == 200, "consented before, and is back"
    assert token(school, session, Role.PARTNER, SECOND, "partner").status_code == 404
    path = f"/api/training/{session}"
    told = ask(school, Role.PARTNER, PARTNER, "GET", f"{path}/disclosure").json()
    assert "recorded" in told["disclosure"]
    answer = {"disclosure_version": told["disclosure_version"], "consents": True}
    entered = ask(school, Role.PARTNER, PARTNER, "POST", f"{path}/enter", json=answer)
    claims = jwt.decode(entered.json()["token"], server.secret, algorithms=["HS256"])
    assert (claims["sub"], claims["attributes"]["role"]) == (str(PARTNER), "partner")
    assert "screen_share" in claims["video"]["canPublishSources"], "who gives the training, as by the invitation"
    for method, where, body in (("GET", f"{path}/disclosure", None), ("POST", f"{path}/enter", answer)):
        assert ask(school, Role.PARTNER, SECOND, method, where, json=body).status_code == 404


def test_a_partner_withdraws_its_own_consent_and_nobody_elses(school: School) -> None:
    session = school.scheduled()
    school.enter(school.invited(session)["invite"])
    consent = f"/api/consultations/{session}/consent"
    assert ask(school, Role.PARTNER, PARTNER, "POST", consent, json=saying("revoked", TRAINER)).status_code == 422
    assert ask(school, Role.PARTNER, PARTNER, "POST", consent, json=saying("revoked", role="agent")).status_code == 422
    assert ask(school, Role.PARTNER, SECOND, "POST", consent, json=saying("revoked", SECOND)).status_code == 404
    assert ask(school, Role.PARTNER, PARTNER, "POST", consent, json=saying("revoked")).status_code == 201
    assert ask(school, Role.PARTNER, PARTNER, "GET", consent).json()["records"][-1]["outcome"] == "revoked"
    assert token(school, session, Role.PARTNER, PARTNER, "partner").status_code == 403, "not without consent"
    assert ask(school, Role.PARTNER, PARTNER, "POST", consent, json=saying("granted")).status_code == 201
    assert token(school, session, Role.PARTNER, PARTNER, "partner").status_code == 200


def test_whose_invitation_is_revoked_sees_what_it_attended_and_may_withdraw(school: School) -> None:
    session, never = school.scheduled(), school.scheduled()
    given, unused = school.invited(session), school.invited(never)
    school.enter(given["invite"])
    for training, invite in ((session, given), (never, unused)):
        school.ask("DELETE", f"/{training}/invites/{invite['id']}")
    assert seen(school, PARTNER) == [session], "where it was, not where it is no longer invited"
    assert token(school, session, Role.PARTNER, PARTNER, "partner").status_code == 403
    told = ask(school, Role.ADMIN, "boss", "GET", f"/api/training/{session}/disclosure").json()
    answer = {"disclosure_version": told["disclosure_version"], "consents": True}
    assert ask(school, Role.PARTNER, PARTNER, "POST", f"/api/training/{session}/enter", json=answer).status_code == 410
    school.enter(given["invite"], 403, disclosure_version="of-last-year", consents=False)
    assert outcomes(school, session) == [(str(PARTNER), "granted"), (str(PARTNER), "revoked")]
    school.change("UPDATE training_sessions SET starts_at = now() - interval '3 hours', ends_at = now() - interval '2 hours'")
    school.change("UPDATE training_invites SET expires_at = now() - interval '1 hour'")
    answer = {"disclosure_version": "v", "consents": False}
    assert ask(school, Role.PARTNER, PARTNER, "POST", f"/api/training/{session}/enter", json=answer).status_code == 403
    assert len(outcomes(school, session)) == 3, "when it is over, too"


def test_nobody_who_is_recorded_comes_in_without_the_disclosure(school: School) -> None:
    session = school.scheduled()
    version = school.told(school.invited(session)["invite"])["disclosure_version"]
    school.enter(school.invited(session, SECOND)["invite"])  # and so the room is open
    speakers = {"agent": (Role.AGENT, TRAINER), "admin": (Role.ADMIN, "boss"), "partner": (Role.PARTNER, PARTNER)}
    for kind, (role, who) in speakers.items():
        refused = token(school, session, role, who, kind)
        assert (refused.status_code, refused.json()["title"]) == (403, "This training is recorded")
        assert (str(who), "token.issue", "refused") in school.deeds()
    path = f"/api/training/{session}/enter"
    for kind, (role, who) in speakers.items():
        answer = {"disclosure_version": version, "consents": True}
        assert ask(school, role, who, "POST", path, json=answer | {"disclosure_version": "of-last-year"}).status_code == 409
        assert ask(school, role, who, "POST", path, json=answer | {"consents": False}).status_code == 403
        assert token(school, session, role, who, kind).status_code == 403
        assert ask(school, role, who, "POST", path, json=answer).status_code == 200
        assert token(school, session, role, who, kind).status_code == 200
    assert token(school, session, Role.SUPERVISOR, "s", "supervisor").status_code == 200, "is neither seen nor heard"
    assert token(school, session, Role.ASSISTANT, "bot", "ai").status_code == 200, "is nobody"
    assert ask(school, Role.AGENT, OTHER, "POST", path, json=answer).status_code == 404
    handed = ask(school, Role.AGENT, TRAINER, "POST", f"/api/consultations/{session}/handoff", json={"reason": "requested"})
    assert handed.status_code == 409, "who accepted would come in without it"
