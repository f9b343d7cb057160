"""The description of the API is true: whatever is sent by it is answered as it says, and nothing is answered with a fault of ours."""

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis.errors import Unsatisfiable
from jsonschema_rs import validator_for
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance
from sqlalchemy import Engine, insert, update

from api.access import PUBLIC, ROUTES
from api.app import create_app
from api.description import Described
from api.rates import MovingWindow
from domain.roles import Role
from resources.compliance_tables import review_items
from resources.tables import consultations, users
from tests.api.client import Issuer, client_of, served, settings
from tests.livekit_server import LiveKitServer

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ISSUER = Issuer()


def test_every_route_answers_as_described(engine: Engine, livekit: Callable[..., LiveKitServer]) -> None:
    """As somebody who may do everything, and as a stranger; with what the description allows and what it does not."""
    server = livekit()
    keys = {"livekit_url": server.url, "livekit_api_key": server.key, "livekit_api_secret": SecretStr(server.secret)}
    app = create_app(settings(**keys), engine, ISSUER.identities)
    everything = ISSUER.headers(*Role, subject="00000000-0000-0000-0000-000000000001")
    asked: Counter[str] = Counter()
    with served(app) as url:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

                @tries(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
                @given(case=operation.as_strategy(generation_mode=mode))
                def ask(case: Any) -> None:
                    case.call_and_validate(headers=everything, checks=CHECKS)
                    case.call_and_validate(checks=CHECKS)
                    asked[case.operation.label] += 1

                with suppress(Unsatisfiable):  # nothing that such a route is sent could be wrong
                    ask()
    assert len(asked) == sum(len(operations) for operations in app.openapi()["paths"].values())


WITH_IDS = ("/api/livekit/consultation", "/api/livekit/token", "/api/training/disclosure", "/api/training/enter")
"""Besides the routes that have an id in their path: those that take one in the body, or that a caller soon has asked too often."""
ADMIN, AGENT, CUSTOMER, PARTNER, BOT = (str(UUID(int=number)) for number in (5, 3, 1, 11, 6))
ITEM = UUID(int=77)
PLAYED = "/api/recordings/{recording_id}/media"
"""Asked for over recordings that were really processed, elsewhere."""
CALLERS = {
    Role.ADMIN: ADMIN,
    Role.AGENT: AGENT,
    Role.CUSTOMER: CUSTOMER,
    Role.PARTNER: PARTNER,
    Role.ASSISTANT: BOT,
    Role.COMPLIANCE: "officer",
}


class Seeds:
    """A call that goes on, with its agent; a handoff of it; a training that is open, with an invitation and a material."""

    def __init__(self, http: httpx.Client, engine: Engine) -> None:
        self._http = http
        begun = self._made(Role.CUSTOMER, "/api/livekit/consultation", {"type": "claims"})
        with engine.begin() as connection:
            connection.execute(insert(users).values(id=UUID(AGENT), role="agent"))
            connection.execute(update(consultations).values(agent_id=UUID(AGENT), started_at=datetime.now(UTC)))
        call, starts = begun["consultation_id"], datetime.now(UTC)
        handoff = self._made(Role.CUSTOMER, f"/api/consultations/{call}/handoff", {"reason": "requested"})
        plan = {"title": "T", "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
        training = self._made(Role.AGENT, "/api/training", plan)["id"]
        invite = self._made(Role.AGENT, f"/api/training/{training}/invites", {"partner": PARTNER})
        material = self._made(Role.AGENT, f"/api/training/{training}/materials", {"title": "M", "url": "https://files.example/a"})
        self.ids = {
            "consultation_id": call, "handoff_id": handoff["id"], "training_id": training, "invite_id": invite["id"],
            "material_id": material["id"], "item_id": str(ITEM),
        }  # fmt: skip
        with engine.begin() as connection:
            item = {"id": ITEM, "consultation_id": UUID(call), "about": "redaction", "what": "phone", "fingerprint": "f"}
            connection.execute(insert(review_items).values(**item, severity="review", state="open"))
        told = http.post("/api/training/disclosure", json={"invite": invite["invite"]}).json()
        tomorrow = starts + timedelta(days=1)
        self.bodies = {
            "roomName": begun["room_name"], "invite": invite["invite"], "disclosure_version": told["disclosure_version"],
            "start": tomorrow.isoformat(), "end": (tomorrow + timedelta(hours=1)).isoformat(),
        }  # fmt: skip

    def put_into(self, case: Any, caller: str) -> None:
        for name in case.path_parameters or {}:
            case.path_parameters[name] = self.ids[name]
        if isinstance(case.body, dict):
            case.body.update({name: value for name, value in self.bodies.items() if name in case.body})
            case.body.update({"identity": caller} if "identity" in case.body else {})
            case.body.update({"party": caller} if "party" in case.body else {})

    def _made(self, role: Role, path: str, body: dict[str, str]) -> Any:
        answer = self._http.post(path, json=body, headers=ISSUER.headers(role, subject=CALLERS[role]))
        assert answer.status_code == 201, answer.text
        return answer.json()


def answered(operation: Any, seeds: Seeds, role: Role, caller: str) -> set[int]:
    """The statuses of a few requests, each of which was checked against the description."""
    statuses = set()

    @tries(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def ask(case: Any) -> None:
        seeds.put_into(case, caller)
        statuses.add(case.call_and_validate(headers=ISSUER.headers(role, subject=caller), checks=CHECKS).status_code)

    ask()
    return statuses


def test_every_role_is_answered_as_described_about_what_there_is(
    engine: Engine, livekit: Callable[..., LiveKitServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the ids of real rows, so that more is reached than "no such consultation"; and with no limit in the way."""
    monkeypatch.setattr(MovingWindow, "hit", lambda *_: True)
    server = livekit()
    keys = {"livekit_url": server.url, "livekit_api_key": server.key, "livekit_api_secret": SecretStr(server.secret)}
    reached: defaultdict[str, set[int]] = defaultdict(set)
    with served(create_app(settings(**keys), engine, ISSUER.identities)) as url, httpx.Client(base_url=url, timeout=60) as http:
        seeds = Seeds(http, engine)
        operations = [
            found.ok() for found in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations() if isinstance(found, Ok)
        ]
        chosen = [one for one in operations if ("{" in one.path or one.path in WITH_IDS) and one.path != PLAYED]
        for operation in sorted(chosen, key=lambda one: one.method == "delete"):
            for role, caller in CALLERS.items():
                reached[operation.label] |= answered(operation, seeds, role, caller)
    assert len(reached) == len(chosen) > len(WITH_IDS)
    nothing = {label: codes for label, codes in reached.items() if codes <= {401, 403, 404, 422}}
    assert not nothing, "what there is was not reached"


def test_every_parameter_body_and_answer_has_an_example_that_fits(engine: Engine) -> None:
    document = create_app(settings(), engine, ISSUER.identities).openapi()
    missing = []

    def look(where: str, content: dict[str, Any]) -> None:
        for kind, media in content.items():
            schema = media.get("schema", {})
            named = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
            example = media.get("example", named.get("example"))
            if example is None:
                missing.append(f"{where} {kind}")
            else:
                validator_for({**schema, "components": document["components"]}).validate(example)

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                look(f"{method} {path} {parameter['name']}", {"": parameter})
            look(f"{method} {path} body", operation.get("requestBody", {}).get("content", {}))
            for status, answer in operation["responses"].items():
                look(f"{method} {path} {status}", answer.get("content", {}))
    assert missing == []


def test_what_is_planned_can_be_sent_as_the_example_stands(engine: Engine) -> None:
    """Also in a process that has been up for long: the description is made anew every day."""
    app = create_app(settings(), engine, ISSUER.identities)
    with client_of(app) as http:
        document = http.get("/openapi.json").json()
        example = document["components"]["schemas"]["Scheduling"]["example"]
        made = http.post("/api/training", json=example, headers=ISSUER.headers(Role.AGENT, subject=AGENT))
        assert made.status_code == 201, made.text
        moved = http.put(
            f"/api/training/{made.json()['id']}",
            json=document["components"]["schemas"]["Rescheduling"]["example"],
            headers=ISSUER.headers(Role.AGENT, subject=AGENT),
        )
        assert moved.status_code == 200, moved.text
        window = document["components"]["schemas"]["CallingBack"]["example"]
        assert datetime.fromisoformat(window["start"]) > datetime.now(UTC)
        assert isinstance(app, Described)
        app.made_on = datetime.now(UTC).date() - timedelta(days=400)
        before = app.openapi_schema
        assert http.get("/openapi.json").json() == document and app.openapi_schema is not before


NO_MOMENTS = ["0.5", "0", "1700000000", "2025-03-03", "2025-03-03T15:00:00", "2025-03-03T15:00Z", "2025-03-03 15:00:00Z", "now", "", "-1e3"]


@pytest.mark.parametrize("wrong", NO_MOMENTS)
def test_only_what_the_description_calls_a_date_and_time_is_one(client: httpx.Client, issuer: Issuer, wrong: str) -> None:
    agent = issuer.headers(Role.AGENT, subject=AGENT)
    for name in ("since", "until"):
        assert client.get("/api/consultations", params={name: wrong}, headers=agent).status_code == 422
        assert client.get("/api/consultations", params={name: "2025-03-03T15:00:00.25+01:00"}, headers=agent).status_code == 200
    plan = {"title": "T", "starts_at": wrong, "ends_at": "2025-03-03T16:00:00Z"}
    refused = client.post("/api/training", json=plan, headers=agent)
    assert refused.status_code == 422 and "starts_at" in refused.json()["detail"]


def test_a_moment_in_json_is_no_number(client: httpx.Client, issuer: Issuer) -> None:
    agent = issuer.headers(Role.AGENT, subject=AGENT)
    plan = {"title": "T", "starts_at": datetime.now(UTC).timestamp() + 600, "ends_at": datetime.now(UTC).timestamp() + 1200}
    assert client.post("/api/training", json=plan, headers=agent).status_code == 422


def test_text_that_the_store_cannot_keep_is_not_described_as_allowed(engine: Engine) -> None:
    document = create_app(settings(), engine, ISSUER.identities).openapi()
    texts = {name: schema["properties"] for name, schema in document["components"]["schemas"].items() if "properties" in schema}
    for model, name in (
        ("Written", "text"),
        ("Archiving", "reason"),
        ("Scheduling", "title"),
        ("Entering", "roomName"),
        ("Reasoned", "reason"),
    ):
        validator = validator_for(texts[model][name])
        assert validator.is_valid("of more\nthan one line, é") and not validator.is_valid("a\0b"), (model, name)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/api/training/00000000-0000-0000-0000-000000000001", "DELETE, GET, PUT"),
        ("PUT", "/api/training", "GET, POST"),
        ("DELETE", "/api/consultations/00000000-0000-0000-0000-000000000001/consent", "GET, POST"),
        ("PATCH", "/api/training/disclosure", "DELETE, GET, POST, PUT"),
        ("DELETE", "/api/search", "GET"),
        ("POST", "/healthz", "GET"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("PATCH", "/sign-in", "GET, POST"),
    ],
)
def test_a_wrong_method_is_told_every_right_one(client: httpx.Client, method: str, path: str, allowed: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.headers["content-type"] == "application/problem+json"


def test_it_says_which_token_is_wanted(engine: Engine) -> None:
    app = create_app(settings(), engine, ISSUER.identities)
    document = app.openapi()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            public = ROUTES[method.upper(), path] == PUBLIC
            assert bool(operation.get("security")) is not public, (method, path)
