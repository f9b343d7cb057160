"""The review queue over HTTP: from what waits to what was decided, every refusal, and who is told what was said."""

from datetime import timedelta
from uuid import UUID

import httpx2 as httpx
import pytest
from sqlalchemy import Engine, update

from domain.audit import Deed
from domain.roles import Role
from domain.rules.shapes import Interval, Publication, Severity
from resources.compliance_tables import review_items
from resources.store import audit, reviews
from tests.api.client import Issuer
from tests.integration.review_store import CONSENT, DISCLOSURE, PHONE, Call, judged_call, now

REASON = {"reason": "Heard it at 0:12."}
BODIES = {"confirm": REASON, "overturn": REASON, "escalate": REASON, "close": REASON, "claim": None, "release": None}
NOWHERE = UUID(int=1)


class Desk:
    """One officer at the API."""

    def __init__(self, client: httpx.Client, issuer: Issuer, name: str, *roles: Role) -> None:
        self.client, self.issuer, self.name, self.roles = client, issuer, name, roles or (Role.COMPLIANCE,)

    @property
    def headers(self) -> dict[str, str]:
        return self.issuer.headers(*self.roles, subject=self.name)

    def queue(self, **asked: object) -> httpx.Response:
        return self.client.get("/api/reviews", params=asked, headers=self.headers)  # type: ignore[arg-type]

    def items(self, **asked: object) -> list[dict[str, object]]:
        answer = self.queue(**asked)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["reviews"])

    def read(self, item: object) -> httpx.Response:
        return self.client.get(f"/api/reviews/{item}", headers=self.headers)

    def does(self, step: str, item: object, **body: object) -> httpx.Response:
        sent = (BODIES[step] or {}) | body if BODIES[step] or body else None
        return self.client.post(f"/api/reviews/{item}/{step}", json=sent, headers=self.headers)


@pytest.fixture
def ann(client: httpx.Client, issuer: Issuer) -> Desk:
    return Desk(client, issuer, "ann")


@pytest.fixture
def bob(client: httpx.Client, issuer: Issuer) -> Desk:
    return Desk(client, issuer, "bob")


@pytest.fixture
def chief(client: httpx.Client, issuer: Issuer) -> Desk:
    return Desk(client, issuer, "chief", Role.ADMIN)


@pytest.fixture
def call(engine: Engine) -> Call:
    found = judged_call(engine)
    found.judge(found.promise(), DISCLOSURE)
    return found


def deeds(engine: Engine) -> list[Deed]:
    with engine.connect() as connection:
        return [entry.deed for entry in audit.entries(connection)]


def about(desk: Desk, what: str) -> object:
    return next(row["id"] for row in desk.items() if row["what"] == what)


def test_from_what_waits_to_a_decision_that_has_the_call_judged_again(ann: Desk, call: Call) -> None:
    first, second = ann.items()
    assert [(row["what"], row["severity"], row["state"], row["verdict"]) for row in (first, second)] == [
        ("recording_disclosed", "critical", "open", "cannot_tell"),
        ("coverage_promise", "major", "open", "not_met"),
    ]
    taken = ann.does("claim", first["id"])
    assert (taken.status_code, taken.json()["claimed_by"], taken.json()["state"]) == (200, "ann", "claimed")
    assert [row["id"] for row in ann.items(mine=True)] == [first["id"]]
    decided = ann.does("overturn", first["id"], corrected="met")
    assert (decided.status_code, decided.json()["decision"], decided.json()["corrected"]) == (200, "overturned", "met")
    assert decided.json()["state"] == "closed" and decided.json()["claimed_by"] is None
    assert ann.does("overturn", first["id"], corrected="met").json() == decided.json(), "and again it is the same"
    assert call.stage() == "findings"
    assert [row["id"] for row in ann.items()] == [second["id"]]
    assert [row["id"] for row in ann.items(state="closed")] == [first["id"]]
    shown = ann.read(first["id"]).json()
    assert [(step["step"], step["actor"], step["reason"]) for step in shown["steps"]] == [
        ("opened", "verbatim", None), ("claimed", "ann", None), ("overturned", "ann", REASON["reason"]),
    ]  # fmt: skip


def test_one_item_shows_the_redacted_words_and_where_to_listen_and_reading_is_written_down(ann: Desk, call: Call, engine: Engine) -> None:
    item = about(ann, "coverage_promise")
    shown = ann.read(item).json()
    assert (shown["quote"], shown["turn_id"], shown["turn_start_ms"]) == ("policy covers everything", call.turn_ids[0], 5_600)
    assert (shown["consultation_id"], shown["start_ms"]) == (str(call.id), 7_000)
    (read,) = [deed for deed in deeds(engine) if deed.action == "review.read"]
    assert (read.actor, read.role, read.consultation_id, read.subject) == ("ann", "compliance", call.id, item)
    assert dict(read.details) == {"quote": True}


def test_what_was_said_while_a_refusal_stood_is_quoted_to_compliance_officers_alone(ann: Desk, chief: Desk, call: Call) -> None:
    call.judge(call.promise(), withheld=[Interval(7_999, 9_000)])
    item = about(ann, "coverage_promise")
    url = f"/api/consultations/{call.id}/findings"
    for desk, quote in ((ann, "policy covers everything"), (chief, None)):
        assert desk.read(item).json()["quote"] == quote
        judged = desk.client.get(url, headers=desk.headers).json()["evaluations"][0]
        assert (judged["withheld"], [one["quote"] for one in judged["findings"]]) == ([[7_999, 9_000]], [quote])
    call.judge(call.promise(), withheld=[Interval(0, 5_000), Interval(9_000, None)])
    judged = chief.client.get(url, headers=chief.headers).json()["evaluations"][0]
    assert [one["quote"] for one in judged["findings"]] == ["policy covers everything"]


def test_of_a_call_in_quarantine_the_words_are_for_compliance_officers_alone(ann: Desk, chief: Desk, call: Call) -> None:
    call.judge(call.promise(), CONSENT, outcome="declined", publication=Publication.QUARANTINED)
    item = about(ann, "coverage_promise")
    assert ann.read(item).json()["quote"] == "policy covers everything"
    assert chief.read(item).json()["quote"] is None


def test_a_value_is_shown_in_its_redacted_turn(ann: Desk, engine: Engine) -> None:
    call = judged_call(engine, redacted=[PHONE])
    with engine.begin() as connection:
        reviews.ask_about_redactions(connection, call.redaction_id, 0.9)
    (row,) = ann.items(about="redaction", what="phone", severity="review")
    assert ann.read(row["id"]).json()["quote"] == "fine my phone is [phone]"
    ann.does("claim", row["id"])
    refused = ann.does("overturn", row["id"], corrected="met")
    assert (refused.status_code, refused.json()["title"]) == (422, "Not a decision")
    assert ann.does("overturn", row["id"]).json()["decision"] == "overturned"


@pytest.mark.parametrize("step", BODIES)
def test_an_item_that_is_not_there_is_404(ann: Desk, engine: Engine, step: str) -> None:
    answer = ann.does(step, NOWHERE)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    (deed,) = deeds(engine)
    assert (deed.action, deed.outcome.value, deed.subject) == (f"review.{step}", "refused", str(NOWHERE))


def test_reading_an_item_that_is_not_there_is_404(ann: Desk) -> None:
    assert ann.read(NOWHERE).status_code == 404
    assert ann.read("no-id").status_code == 422


@pytest.mark.parametrize("step", [step for step in BODIES if step != "claim"])
def test_without_a_claim_of_ones_own_every_step_is_409(ann: Desk, bob: Desk, call: Call, engine: Engine, step: str) -> None:
    item = about(ann, "coverage_promise")
    unclaimed = ann.does(step, item)
    assert (unclaimed.status_code, unclaimed.headers["content-type"]) == (409, "application/problem+json")
    assert "claim it first" in unclaimed.json()["detail"]
    bob.does("claim", item)
    assert "Another reviewer" in ann.does(step, item).json()["detail"]
    with engine.begin() as connection:
        connection.execute(update(review_items).values(claim_expires_at=now() - timedelta(seconds=1)))
    assert bob.does(step, item).status_code == 409, "nor with one that has ended"
    whys = [dict(deed.details)["why"] for deed in deeds(engine) if deed.action == f"review.{step}"]
    assert whys == ["NotYourClaim"] * 3


def test_what_another_has_claimed_is_409_and_names_nobody(ann: Desk, bob: Desk, call: Call) -> None:
    item = about(ann, "coverage_promise")
    ann.does("claim", item)
    refused = bob.does("claim", item)
    assert refused.status_code == 409
    assert "ann" not in refused.json()["detail"]
    assert ann.does("claim", item).status_code == 200
    assert ann.does("release", item).json()["state"] == "open"
    assert bob.does("claim", item).status_code == 200


@pytest.mark.parametrize("step", BODIES)
def test_what_is_decided_is_409_for_everybody_else(ann: Desk, bob: Desk, call: Call, step: str) -> None:
    item = about(ann, "coverage_promise")
    ann.does("claim", item)
    assert ann.does("confirm", item, reason="She says it twice.").status_code == 200
    assert ann.does("confirm", item, reason="She says it twice.").status_code == 200
    for desk in (ann, bob):
        assert desk.does(step, item).status_code == 409, "and for the same one, if it is something else or for another reason"


@pytest.mark.parametrize("step", BODIES)
def test_what_no_evaluation_finds_any_more_is_409(ann: Desk, call: Call, step: str) -> None:
    item = about(ann, "coverage_promise")
    ann.does("claim", item)
    call.judge(DISCLOSURE)
    assert ann.does(step, item).status_code == 409
    assert [row["id"] for row in ann.items(state="gone")] == [item]


def test_who_escalates_leaves_it_to_others(ann: Desk, bob: Desk, chief: Desk, call: Call) -> None:
    item = about(ann, "coverage_promise")
    ann.does("claim", item)
    escalated = ann.does("escalate", item).json()
    assert (escalated["state"], escalated["escalated"], escalated["claimed_by"]) == ("escalated", True, None)
    assert ann.does("claim", item).status_code == 409
    assert bob.does("claim", item).json()["state"] == "claimed"
    bob.does("escalate", item)
    assert bob.does("claim", item).status_code == 409
    chief.does("claim", item)
    assert chief.does("close", item).json() | {"closed_at": None} == escalated | {"state": "closed", "version": 7}


@pytest.mark.parametrize("step", [step for step, body in BODIES.items() if body])
@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "   "}, {"reason": "x" * 501}, {"reason": "a\0b"}, {"reason": "x", "more": 1}, {"reason": 7}]
)
def test_a_decision_without_a_sound_reason_is_422(ann: Desk, call: Call, step: str, body: dict[str, object]) -> None:
    item = about(ann, "coverage_promise")
    ann.does("claim", item)
    answer = ann.client.post(f"/api/reviews/{item}/{step}", json=body, headers=ann.headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert ann.read(item).json()["state"] == "claimed"


@pytest.mark.parametrize(
    ("what", "corrected"), [("recording_disclosed", None), ("coverage_promise", "not_met"), ("coverage_promise", "cannot_tell")]
)
def test_a_verdict_that_cannot_be_the_right_one_is_422(ann: Desk, call: Call, what: str, corrected: str | None) -> None:
    item = about(ann, what)
    ann.does("claim", item)
    assert ann.does("overturn", item, corrected=corrected).status_code == 422
    assert call.stage() == "archive"


def test_the_queue_by_pages_and_filters(ann: Desk, call: Call) -> None:
    call.judge(*[call.promise(first_word=word, severity=severity) for word, severity in enumerate(Severity)])
    ids = [row["id"] for row in ann.items()]
    assert len(ids) == 4
    paged: list[object] = []
    page = ann.queue(limit=3).json()
    while True:
        paged += [row["id"] for row in page["reviews"]]
        if page["next_cursor"] is None:
            break
        page = ann.queue(limit=3, cursor=page["next_cursor"]).json()
    assert paged == ids
    assert [row["severity"] for row in ann.items(severity="minor")] == ["minor"]
    assert ann.items(what="trust_me") == ann.items(about="redaction") == ann.items(mine=True) == []
    assert len(ann.items(state="gone")) == 2


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"cursor": "x"}, 400), ({"cursor": "WyJ4Il0="}, 400), ({"state": "lost"}, 422), ({"limit": 0}, 422), ({"what": "a b"}, 422),
     ({"severity": "worst"}, 422), ({"about": "anything"}, 422)],
)  # fmt: skip
def test_what_the_queue_cannot_be_asked(ann: Desk, asked: dict[str, object], status: int) -> None:
    assert ann.queue(**asked).status_code == status
