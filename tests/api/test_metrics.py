"""What Prometheus reads."""

import httpx2 as httpx
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from domain.roles import Role
from resources.store.database import engine_for
from tests.api.client import Issuer, client_of, settings


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_never_by_id(client: httpx.Client, issuer: Issuer) -> None:
    admin = issuer.headers(Role.ADMIN)
    for number in range(3):
        client.get(f"/api/consultations/00000000-0000-0000-0000-00000000000{number}", headers=admin)
    client.get("/no/such/path")
    client.get("/api/search", params={"q": "secret words"})
    text = client.get("/metrics", headers=issuer.headers(Role.MONITOR)).text
    found = samples(text)
    route = ("route", "/api/consultations/{consultation_id}")
    assert found["verbatim_http_requests_total", (("method", "GET"), route, ("status", "404"))] == 3
    assert found["verbatim_http_request_seconds_count", (("method", "GET"), route)] == 3
    assert found["verbatim_http_requests_total", (("method", "GET"), ("route", "/api/search"), ("status", "401"))] == 1
    assert "secret" not in text and "00000000-0000" not in text and "/no/such" not in text


def test_the_stores_figures(client: httpx.Client, issuer: Issuer) -> None:
    found = samples(client.get("/metrics", headers=issuer.headers(Role.ADMIN)).text)
    assert found["verbatim_store_up", ()] == 1
    assert found["verbatim_webhooks_waiting", ()] == 0


def test_a_store_that_is_down_is_a_figure_too(issuer: Issuer) -> None:
    nowhere = engine_for("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    with client_of(create_app(settings(), nowhere, issuer.identities)) as client:
        assert samples(client.get("/metrics", headers=issuer.headers(Role.MONITOR)).text)["verbatim_store_up", ()] == 0
