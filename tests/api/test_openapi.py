"""The description of the API is true: whatever is sent by it is answered as it says, and nothing is answered with a fault of ours."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis.errors import Unsatisfiable
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance
from sqlalchemy import Engine

from api.access import PUBLIC, ROUTES
from api.app import create_app
from domain.roles import Role
from tests.api.client import Issuer, served, settings
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


def test_it_says_which_token_is_wanted_and_shows_examples(engine: Engine) -> None:
    app = create_app(settings(), engine, ISSUER.identities)
    document = app.openapi()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            public = ROUTES[method.upper(), path] == PUBLIC
            assert bool(operation.get("security")) is not public, (method, path)
