"""What compliance officers and admins can read and hear of processed calls over HTTP, and what of it stands in the audit trail."""

from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.playback import wanted
from domain.roles import Role
from resources.store.database import engine_for
from tests.api.client import Issuer, client_of, served, settings
from tests.assets.archive_world import World

CALLS = Path("demo/calls")
PAID, REFUSED = CALLS / "payment-card-read-out.ogg", CALLS / "claim-recording-refused.ogg"
WHY = {"Verbatim-Reason": "the regulator asks"}


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    return World(tmp_path / "data", database_url)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def client(world: World, issuer: Issuer) -> Iterator[httpx.Client]:
    engine = engine_for(world.database_url)
    with client_of(create_app(settings(data_dir=world.folder), engine, issuer.identities)) as opened:
        yield opened
    engine.dispose()


def ids(world: World) -> tuple[str, str]:
    ((consultation_id, recording_id),) = world.query("SELECT consultation_id, id FROM recordings")
    return str(consultation_id), str(recording_id)


def trail(world: World, action: str) -> list[tuple[object, ...]]:
    return world.query(f"SELECT actor, outcome, reason, details FROM audit_entries WHERE action = '{action}' ORDER BY number")


def test_a_recording_is_played_redacted_and_the_original_only_to_compliance_with_a_reason(
    world: World, issuer: Issuer, client: httpx.Client
) -> None:
    world.call(1, PAID, seconds=70)
    world.run()
    _, recording_id = ids(world)
    url = f"/api/recordings/{recording_id}/media"
    ((kept, rendition),) = world.query("SELECT archive_key, rendition_key FROM recordings")
    admin, officer = issuer.headers(Role.ADMIN, subject="admin"), issuer.headers(Role.COMPLIANCE, subject="officer")
    heard = client.get(url, headers=admin)
    assert heard.status_code == 200 and heard.headers["content-type"] == "audio/ogg" and heard.headers["cache-control"] == "no-store"
    assert heard.content == (world.archive / str(rendition or kept)).read_bytes()
    part = client.get(url, headers=admin | {"Range": "bytes=100-299"})
    assert part.status_code == 206 and part.content == heard.content[100:300]
    assert part.headers["content-range"] == f"bytes 100-299/{len(heard.content)}"
    assert client.get(url, headers=admin | {"Range": "bytes=99999999-"}).status_code == 416
    assert len(trail(world, "recording.play")) == 1, "a player's pieces are one view"
    for caller in (admin, admin | WHY, officer):
        assert client.get(url, params={"original": True}, headers=caller).status_code == 403
    original = client.get(url, params={"original": True}, headers=officer | WHY)
    assert original.status_code == 200 and original.content == (world.archive / str(kept)).read_bytes()
    assert original.content != PAID.read_bytes(), "card data is silent in it, too"
    assert [row[:3] for row in trail(world, "recording.play")] == [
        ("admin", "done", None),
        *[(who, "refused", None) for who in ("admin", "admin", "officer")],
        ("officer", "done", "the regulator asks"),
    ]
    for role in (Role.CUSTOMER, Role.AGENT, Role.SUPERVISOR, Role.PARTNER):
        assert client.get(url, headers=issuer.headers(role)).status_code == 403


def test_what_is_in_quarantine_is_for_compliance_alone(world: World, issuer: Issuer, client: httpx.Client) -> None:
    world.call(1, REFUSED, seconds=75, consent=None)
    world.run()
    consultation_id, recording_id = ids(world)
    media, transcript = f"/api/recordings/{recording_id}/media", f"/api/consultations/{consultation_id}/transcript"
    admin, officer = issuer.headers(Role.ADMIN), issuer.headers(Role.COMPLIANCE)
    assert client.get(media, headers=admin).status_code == 404 and client.get(media, headers=officer).status_code == 200
    seen = client.get(transcript, headers=admin).json()
    assert (seen["publication"], seen["consent"], seen["turns"]) == ("quarantined", "declined", [])
    assert any("consent" in turn["text"] for turn in client.get(transcript, headers=officer).json()["turns"])
    verdicts = [client.get(f"/api/consultations/{consultation_id}/findings", headers=who).json() for who in (admin, officer)]
    for answer, quoted in zip(verdicts, (False, True), strict=True):
        (evaluation,) = answer["evaluations"]
        (refusal,) = [one for one in evaluation["findings"] if one["rule_id"] == "recording_consent"]
        assert refusal["verdict"] == "not_met" and (refusal["quote"] is not None) == quoted
        assert evaluation["recorded_after"] and 8_000 < evaluation["recorded_after"][0][0] < 16_000


def test_the_transcript_is_redacted_and_its_original_has_no_card_data_either(world: World, issuer: Issuer, client: httpx.Client) -> None:
    world.call(1, PAID, seconds=70)
    world.run()
    consultation_id, _ = ids(world)
    url, officer = f"/api/consultations/{consultation_id}/transcript", issuer.headers(Role.COMPLIANCE, subject="officer")
    shown = client.get(url, headers=officer).json()
    text = " ".join(turn["text"] for turn in shown["turns"])
    assert shown["redacted"] and "[card_number]" in text and "[expiry_date]" in text
    assert client.get(url, params={"original": True}, headers=officer).status_code == 403
    original = client.get(url, params={"original": True}, headers=officer | WHY).json()
    text = " ".join(turn["text"] for turn in original["turns"])
    assert not original["redacted"] and "[card_number]" in text and "March" in text and "[expiry_date]" not in text
    assert [row[1:3] for row in trail(world, "transcript.read")] == [
        ("done", None),
        ("refused", None),
        ("done", "the regulator asks"),
    ]


@pytest.mark.parametrize("url", ["/api/recordings/{id}/media", "/api/consultations/{id}/transcript", "/api/consultations/{id}/findings"])
def test_what_is_not_there_is_404(client: httpx.Client, issuer: Issuer, url: str) -> None:
    answer = client.get(url.format(id="00000000-0000-0000-0000-000000000009"), headers=issuer.headers(Role.COMPLIANCE))
    assert answer.status_code == 404 and answer.headers["content-type"] == "application/problem+json"


def test_in_a_browser_the_transcript_has_a_player_that_plays(world: World, issuer: Issuer, page: Page) -> None:
    world.call(1, PAID, seconds=70)
    world.run()
    consultation_id, _ = ids(world)
    engine = engine_for(world.database_url)
    with served(create_app(settings(data_dir=world.folder), engine, issuer.identities)) as url:
        page.context.add_cookies([{"name": "verbatim_session", "value": issuer.token(Role.COMPLIANCE), "url": url}])
        page.goto(f"{url}/consultations/{consultation_id}")
        player = page.locator("audio")
        expect(player).to_be_visible()
        expect(page.get_by_text("[card_number]").first).to_be_visible()
        length = player.evaluate(
            "a => new Promise((done, failed) => { a.onloadedmetadata = () => done(a.duration); a.onerror = () => failed(a.error.message);"
            " a.preload = 'metadata'; a.load(); })"
        )
        assert 60 < length < 75
    engine.dispose()


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None), ("bytes=0-0", (0, 0)), ("bytes=10-", (10, 99)), ("bytes=-30", (70, 99)), ("bytes=-300", (0, 99)), ("bytes=90-500", (90, 99)),
        ("bytes=5-2", None), ("bytes=1-2,5-6", None), ("items=1-2", None), ("bytes=-", None), ("bytes=a-b", None),
    ],
)  # fmt: skip
def test_ranges(header: str | None, part: tuple[int, int] | None) -> None:
    assert wanted(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_ranges_behind_the_end(header: str) -> None:
    with pytest.raises(ValueError):
        wanted(header, 100)
