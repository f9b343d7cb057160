"""Trainings over HTTP: scheduled, invited to, entered, attended; the rooms are those of a real LiveKit server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from uuid import UUID, uuid4

import httpx2 as httpx
import jwt
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import Engine, text

from api.app import create_app
from api.live_calls import TOKENS
from domain.roles import Role
from resources.identity.invitations import Invitation, Invitations
from resources.settings import SettingMissing
from resources.store import audit
from tests.api.client import Issuer, client_of, settings
from tests.livekit_server import LiveKitServer

TRAINER, OTHER = UUID(int=3), UUID(int=4)
PARTNER, SECOND = UUID(int=11), UUID(int=12)
SECRET = "an-invite-secret-of-thirty-two-characters"


class School:
    """The API as trainers and partners use it."""

    def __init__(self, client: httpx.Client, issuer: Issuer, engine: Engine) -> None:
        self.client, self.issuer, self.engine = client, issuer, engine

    def ask(self, method: str, path: str, expected: int = 200, agent: UUID = TRAINER, role: Role = Role.AGENT, **more: Any) -> Any:
        headers = self.issuer.headers(role, subject=str(agent)) | more.pop("headers", {})
        answer = self.client.request(method, f"/api/training{path}", headers=headers, **more)
        assert answer.status_code == expected, (path, answer.text)
        return answer.json()

    def scheduled(self, starts_in: float = 5, minutes: float = 60, **more: Any) -> str:
        starts = datetime.now(UTC) + timedelta(minutes=starts_in)
        body = {"title": "Weather cover", "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(minutes=minutes)).isoformat()}
        return str(self.ask("POST", "", 201, json=body | more)["id"])

    def invited(self, session: str, partner: UUID = PARTNER, expected: int = 201, **more: Any) -> Any:
        return self.ask("POST", f"/{session}/invites", expected, json={"partner": str(partner)} | more)

    def told(self, invite: str, expected: int = 200) -> Any:
        answer = self.client.post("/api/training/disclosure", json={"invite": invite})
        assert answer.status_code == expected, answer.text
        return answer.json()

    def enter(self, invite: str, expected: int = 200, **more: Any) -> Any:
        version = more.pop("disclosure_version", None) or self.told(invite)["disclosure_version"]
        body = {"invite": invite, "disclosure_version": version, "consents": True} | more
        answer = self.client.post("/api/training/enter", json=body)
        assert answer.status_code == expected, answer.text
        return answer.json()

    def deeds(self) -> list[tuple[str, str, str]]:
        with self.engine.connect() as connection:
            deeds = [entry.deed for entry in audit.entries(connection)]
        return [(deed.actor, deed.action, deed.outcome.value) for deed in deeds]

    def change(self, sql: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(sql), values)


@pytest.fixture
def server(livekit: Callable[..., LiveKitServer]) -> LiveKitServer:
    return livekit()


@pytest.fixture
def school(engine: Engine, server: LiveKitServer) -> Iterator[School]:
    issuer = Issuer()
    ours = settings(
        livekit_url=server.url, livekit_api_key=server.key, livekit_api_secret=SecretStr(server.secret), invite_secret=SecretStr(SECRET)
    )
    with client_of(create_app(ours, engine, issuer.identities)) as client:
        yield School(client, issuer, engine)


def test_a_partner_is_told_consents_and_enters(school: School, server: LiveKitServer) -> None:
    session = school.scheduled()
    invite = school.invited(session)["invite"]
    told = school.told(invite)
    assert (told["title"], told["state"]) == ("Weather cover", "open")
    assert "recorded" in told["disclosure"]
    entered = school.enter(invite)
    claims = jwt.decode(entered["token"], server.secret, algorithms=["HS256"])
    assert (claims["sub"], claims["attributes"]["role"]) == (str(PARTNER), "partner")
    assert "screen_share" not in claims["video"]["canPublishSources"]
    assert claims["video"]["room"].startswith("consultation_training_")

    version = told["disclosure_version"]
    own = school.ask("POST", f"/{session}/enter", json={"disclosure_version": version, "consents": True})
    assert "screen_share" in jwt.decode(own["token"], server.secret, algorithms=["HS256"])["video"]["canPublishSources"]
    consent = school.client.get(f"/api/consultations/{session}/consent", headers=school.issuer.headers(Role.ADMIN)).json()
    assert {(one["party"], one["role"], one["outcome"], one["script_version"]) for one in consent["records"]} == {
        (str(PARTNER), "partner", "granted", version),
        (str(TRAINER), "agent", "granted", version),
    }
    (shown,) = school.ask("GET", f"/{session}")["invites"]
    assert shown["entered_at"] is not None
    assert [deed[1:] for deed in school.deeds() if deed[0] == str(PARTNER)] == [
        ("consent.record", "done"), ("training.enter", "done"), ("token.issue", "done"),
    ]  # fmt: skip
    everything = school.client.get("/api/consultations", headers=school.issuer.headers(Role.ADMIN)).text
    with school.engine.connect() as connection:
        kept = " ".join(str(row) for row in connection.execute(text("SELECT * FROM audit_entries")))
    assert invite not in everything + kept, "an invitation is written down nowhere"


def test_an_invitation_is_a_link_that_no_log_has_the_secret_of(school: School) -> None:
    given = school.invited(school.scheduled())
    link = urlsplit(given["url"])
    assert (link.scheme, link.netloc, link.path, link.query) == ("http", "127.0.0.1:8000", "/training", "")
    assert dict(parse_qsl(link.fragment)) == {"invite": given["invite"]}
    school.told(dict(parse_qsl(link.fragment))["invite"])
    page = school.client.get(urlunsplit(link))
    assert page.status_code == 200 and "Invitation to a training" in page.text


@pytest.mark.parametrize("public", ["https://calls.example", "https://example/apps/calls/"])
def test_an_invitation_leads_to_the_application(engine: Engine, public: str) -> None:
    issuer = Issuer()
    with client_of(create_app(settings(public_url=public, invite_secret=SecretStr(SECRET)), engine, issuer.identities)) as client:
        school = School(client, issuer, engine)
        assert school.invited(school.scheduled())["url"].startswith(f"{public.rstrip('/')}/training#invite=")


@pytest.mark.parametrize(
    "wrong", ["calls.example", "ftp://calls.example", "https://calls.example/?a=b", "https://calls.example/#x", "javascript:x"]
)
def test_where_invitations_lead_is_an_address(wrong: str) -> None:
    with pytest.raises(ValidationError, match="public_url"):
        settings(public_url=wrong)


def test_a_partner_who_gives_the_training_may_show_the_screen(school: School, server: LiveKitServer) -> None:
    invite = school.invited(school.scheduled(), trainer=True)["invite"]
    claims = jwt.decode(school.enter(invite)["token"], server.secret, algorithms=["HS256"])
    assert "screen_share" in claims["video"]["canPublishSources"]


def test_who_declines_does_not_enter_and_it_is_noted(school: School) -> None:
    session = school.scheduled()
    invite = school.invited(session)["invite"]
    assert school.enter(invite, 403, consents=False)["title"] == "This training is recorded"
    consent = school.client.get(f"/api/consultations/{session}/consent", headers=school.issuer.headers(Role.ADMIN)).json()
    assert [one["outcome"] for one in consent["records"]] == ["declined"]
    school.enter(invite, 409, disclosure_version="of-last-year")
    school.enter(invite)


def test_an_invitation_counts_once_for_each_partner_until_it_is_revoked(school: School) -> None:
    session = school.scheduled()
    first = school.invited(session)
    assert school.invited(session, expected=409)["title"] == "Invited already"
    school.ask("DELETE", f"/{session}/invites/{first['id']}", agent=OTHER, expected=404)
    school.ask("DELETE", f"/{session}/invites/{first['id']}")
    school.ask("DELETE", f"/{session}/invites/{first['id']}", 404)
    assert "revoked" in school.told(first["invite"], 410)["detail"]
    assert "revoked" in school.enter(first["invite"], 410, disclosure_version="any")["detail"]
    school.told(school.invited(session)["invite"])
    assert (str(PARTNER), "training.enter", "refused") in school.deeds()


def test_as_many_are_invited_as_there_is_room_for(school: School) -> None:
    session = school.scheduled(max_partners=1)
    school.invited(session)
    assert school.invited(session, SECOND, 409)["title"] == "It is full"


def test_what_nobody_here_has_signed_lets_nobody_in(school: School, tmp_path: Path) -> None:
    session = school.scheduled()
    given = school.invited(session)
    expires = datetime.now(UTC) + timedelta(hours=1)
    real = Invitation(UUID(given["id"]), UUID(session), PARTNER, expires)
    signed = Invitations(settings(invite_secret=SecretStr(SECRET)))
    forged = Invitations(settings(invite_secret=SecretStr("another-secret-of-thirty-two-characters!"))).sign(real)
    unknown = [
        forged,
        "nonsense",
        jwt.encode(jwt.decode(given["invite"], options={"verify_signature": False}), "", "none"),
        signed.sign(Invitation(uuid4(), UUID(session), PARTNER, expires)),
        signed.sign(Invitation(real.id, UUID(session), SECOND, expires)),
        signed.sign(Invitation(real.id, uuid4(), PARTNER, expires)),
    ]
    assert {school.told(text, 404)["detail"] for text in unknown} == {
        "Nobody here has given this invitation. Ask who invited you for a new one."
    }
    old = signed.sign(Invitation(real.id, UUID(session), PARTNER, datetime.now(UTC) - timedelta(minutes=1)))
    assert "expired" in school.told(old, 410)["detail"]
    school.change("UPDATE training_invites SET expires_at = now() - interval '1 minute'")
    assert "expired" in school.told(given["invite"], 410)["detail"], "what the store says counts, whatever was signed"


def test_before_it_opens_and_after_it_is_over_nobody_enters(school: School) -> None:
    session = school.scheduled(starts_in=60)
    invite = school.invited(session)["invite"]
    assert "entered from" in school.enter(invite, 409)["detail"]
    school.change("UPDATE training_sessions SET starts_at = now() - interval '3 hours', ends_at = now() - interval '2 hours'")
    assert school.enter(invite, 410)["title"] == "Over"
    another = school.scheduled()
    second = school.invited(another)["invite"]
    school.ask("DELETE", f"/{another}")
    assert school.enter(second, 410)["title"] == "Cancelled"
    school.invited(another, SECOND, 409)
    school.ask("DELETE", f"/{another}", 409)


def test_it_is_rescheduled_until_it_opens(school: School) -> None:
    session = school.scheduled(starts_in=60)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    body = {"title": "Later", "starts_at": tomorrow.isoformat(), "ends_at": (tomorrow + timedelta(hours=1)).isoformat()}
    changed = school.ask("PUT", f"/{session}", json=body)
    assert (changed["title"], datetime.fromisoformat(changed["starts_at"])) == ("Later", tomorrow)
    school.ask("PUT", f"/{session}", 404, agent=OTHER, json=body)
    school.ask("PUT", f"/{session}", 422, json=body | {"ends_at": tomorrow.isoformat()})
    school.ask("PUT", f"/{school.scheduled()}", 409, json=body)


def test_a_repeated_click_is_one_session_and_lists_are_ones_own(school: School) -> None:
    starts = datetime.now(UTC) + timedelta(hours=1)
    body = {"title": "Once", "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
    again = [school.ask("POST", "", 201, json=body, headers={"Idempotency-Key": "k"})["id"] for _ in range(2)]
    assert again[0] == again[1]
    school.ask("POST", "", 409, json=body | {"title": "Another"}, headers={"Idempotency-Key": "k"})
    later = [school.scheduled(starts_in=minutes) for minutes in (200, 100, 300)]
    page = school.ask("GET", "?limit=2")
    rest = school.ask("GET", f"?limit=2&cursor={page['next_cursor']}")
    assert [one["id"] for one in page["trainings"] + rest["trainings"]] == [again[0], later[1], later[0], later[2]]
    assert rest["next_cursor"] is None
    assert school.ask("GET", "", agent=OTHER)["trainings"] == []
    school.ask("GET", f"/{later[0]}", 404, agent=OTHER)
    school.ask("GET", f"/{later[0]}", agent=OTHER, role=Role.COMPLIANCE)
    school.ask("GET", "?cursor=nonsense", 400)


def test_a_session_is_an_agents_own_and_at_a_sound_time(school: School) -> None:
    starts = datetime.now(UTC) + timedelta(hours=1)
    body = {"title": "T", "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
    school.ask("POST", "", 422, json=body | {"trainer": str(OTHER)})
    school.ask("POST", "", 422, role=Role.ADMIN, json=body)
    assert school.ask("POST", "", 201, role=Role.ADMIN, json=body | {"trainer": str(OTHER)})["trainer"] == str(OTHER)
    school.ask("POST", "", 422, json=body | {"ends_at": body["starts_at"]})
    school.ask("POST", "", 422, json=body | {"title": ""})
    school.ask("POST", "", 422, json=body | {"starts_at": "2025-03-05T16:00:00"})


def test_what_was_shared_is_listed_with_the_session(school: School) -> None:
    session = school.scheduled()
    slides = {"title": "Slides", "url": "https://files.example/slides.pdf", "sha256": "0" * 64}
    shared = school.ask("POST", f"/{session}/materials", 201, json=slides)
    assert [one["url"] for one in school.ask("GET", f"/{session}")["materials"]] == [slides["url"]]
    for wrong in ({"url": "http://files.example/a"}, {"url": "javascript:alert(1)"}, {"sha256": "abc"}, {"title": "a\x00b"}):
        school.ask("POST", f"/{session}/materials", 422, json=slides | wrong)
    school.ask("POST", f"/{session}/materials", 404, agent=OTHER, json=slides)
    assert school.ask("DELETE", f"/{session}/materials/{shared['id']}")["materials"] == []
    school.ask("DELETE", f"/{session}/materials/{shared['id']}", 404)


def test_livekit_down_lets_nobody_in_and_writes_nothing(school: School, server: LiveKitServer) -> None:
    session = school.scheduled()
    invite = school.invited(session)["invite"]
    server.kill()
    school.enter(invite, 503)
    consent = school.client.get(f"/api/consultations/{session}/consent", headers=school.issuer.headers(Role.ADMIN)).json()
    assert consent["records"] == []
    assert school.ask("GET", f"/{session}")["invites"][0]["entered_at"] is None


def test_who_tries_invitations_without_end_is_told_to_wait(school: School) -> None:
    answers = [school.client.post("/api/training/disclosure", json={"invite": "guess"}).status_code for _ in range(31)]
    assert answers == [404] * 30 + [429]


def test_nobody_enters_more_often_than_they_could_need_whichever_process_they_reach(school: School, server: LiveKitServer) -> None:
    """Signed in or by invitation; what is refused for it leaves no record. Taking consent back is never too often."""
    session = school.scheduled()
    invite = school.invited(session)["invite"]
    version = school.told(invite)["disclosure_version"]
    keys = {"livekit_url": server.url, "livekit_api_key": server.key, "livekit_api_secret": SecretStr(server.secret)}
    yes = {"disclosure_version": version, "consents": True}
    with client_of(create_app(settings(**keys, invite_secret=SecretStr(SECRET)), school.engine, school.issuer.identities)) as other:
        doors = (school, School(other, school.issuer, school.engine))
        for number in range(TOKENS.amount):
            doors[number % 2].ask("POST", f"/{session}/enter", json=yes)
        before = school.deeds()
        for door in doors:
            door.ask("POST", f"/{session}/enter", 429, json=yes)
        assert {deed[1:] for deed in school.deeds()[len(before) :]} == {("request", "refused")}
        school.enter(invite, disclosure_version=version)
        for number in range(TOKENS.amount - 1):
            doors[number % 2].enter(invite, disclosure_version=version)
        doors[1].enter(invite, 429, disclosure_version=version)
    no = yes | {"consents": False}
    school.ask("POST", f"/{session}/enter", 403, json=no)
    assert school.client.get(f"/api/consultations/{session}/consent", headers=school.issuer.headers(Role.ADMIN)).json()["records"][-1][
        "outcome"
    ] == "revoked"  # fmt: skip


def test_who_says_no_without_end_fills_nothing_and_can_still_take_a_yes_back(school: School) -> None:
    session = school.scheduled()
    answer = {"disclosure_version": school.told(school.invited(session)["invite"])["disclosure_version"], "consents": False}
    for _ in range(TOKENS.amount):
        school.ask("POST", f"/{session}/enter", 403, json=answer)
    school.ask("POST", f"/{session}/enter", 429, json=answer)
    school.ask("POST", f"/{session}/enter", json=answer | {"consents": True})
    school.ask("POST", f"/{session}/enter", 403, json=answer)
    records = school.client.get(f"/api/consultations/{session}/consent", headers=school.issuer.headers(Role.ADMIN)).json()["records"]
    assert [one["outcome"] for one in records] == ["declined"] * TOKENS.amount + ["granted", "revoked"]


def test_production_signs_nothing_without_a_secret(tmp_path: Path) -> None:
    with pytest.raises(SettingMissing, match="VERBATIM_INVITE_SECRET"):
        Invitations(settings(environment="production", data_dir=tmp_path))
    assert list(tmp_path.iterdir()) == []
    one, two = (Invitations(settings(data_dir=tmp_path)) for _ in range(2))
    invitation = Invitation(uuid4(), uuid4(), PARTNER, datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1))
    assert two.read(one.sign(invitation)) == invitation, "elsewhere a secret of the folder's own is made, once"
