"""CPU of the token endpoint against minting the same token bare.

Ours is what the API's own process spends on one ``POST /api/livekit/token``, user and system time of all its threads, over HTTP on one
connection that stays open: reading the request, proving the caller, the limit, asking LiveKit for the room, asking the store whose it is,
writing the audit entry, minting. LiveKit, PostgreSQL and whoever asks are other processes and do not count, and looking after
recordings, which the process would also do, is switched off.

Bare is ``resources.livekit_tokens.mint`` of the same token, called in a loop: livekit-api's AccessToken with the same grants and claims, and
no request around it. No endpoint comes near that: a FastAPI route that reads the same body, asks nobody and mints takes five times as much. Both
are told, without a limit. What the limit is held against is the least route that lets the right ones in: it proves the same caller, asks the
same LiveKit for the room and mints the same token, but has no store, no limits, no trail and no answers for when something is wrong.

Rounds take turns, so that what else the machine does falls on all alike. Everybody asks less often than the limit allows; the limit stands.
"""

import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import psutil

from bench.serving import serving
from domain.grants import ParticipantType, grants_of, stated_role
from domain.roles import Role
from resources import embedded_postgres, migrations
from resources.livekit_tokens import mint
from resources.store.database import engine_for
from tests.api.client import AUDIENCE, ISSUER, Issuer
from tests.livekit_server import LiveKitServer
from tests.services import variables

ROUNDS = 13
CALLERS_A_ROUND, REQUESTS_EACH = 12, 25
MINTED_A_ROUND = 3_000
PATH = "/api/livekit/token"

Asking = tuple[bytes, dict[str, str]]
"""Body and headers of a request for a token."""


def measure() -> dict[str, float]:
    """With a LiveKit server of its own, from the program that ``make services`` built. Raises KeyError where there is none.

    CPU milliseconds a token, medians over rounds of which the first warms up: {"ours_ms", "http_ms", "bare_ms", "ratio", "over_http"}.
    """
    program = variables()["VERBATIM_TEST_LIVEKIT_SERVER"]
    with tempfile.TemporaryDirectory() as folder:
        livekit = LiveKitServer(program, Path(folder))
        try:
            return _measured(livekit)
        finally:
            livekit.kill()


def _measured(livekit: LiveKitServer) -> dict[str, float]:
    used: dict[str, list[float]] = {"ours": [], "asking": [], "http": [], "bare": []}
    with tempfile.TemporaryDirectory() as folder, embedded_postgres.running(Path(folder) / "postgres") as server:
        owner = engine_for(server.owner_url("verbatim"))
        migrations.upgrade(owner)
        owner.dispose()
        issuer, keys = Issuer(), Path(folder) / "jwks.json"
        keys.write_bytes(issuer.jwks)
        environment = {
            "VERBATIM_DATABASE_URL": server.url("verbatim"),
            "VERBATIM_OIDC_ISSUER": ISSUER,
            "VERBATIM_OIDC_JWKS": str(keys),
            "VERBATIM_OIDC_AUDIENCE": AUDIENCE,
            "VERBATIM_RECORD_CALLS": "false",
            "LIVEKIT_URL": livekit.url,
            "LIVEKIT_API_KEY": livekit.key,
            "LIVEKIT_API_SECRET": livekit.secret,
        }
        with (
            serving("ours", environment) as ours,
            serving("asking", environment) as asking,
            serving("minting", environment) as minting,
        ):
            for _ in range(ROUNDS):
                asked = [_begun(ours[1], issuer) for _ in range(CALLERS_A_ROUND)]
                used["ours"].append(_cpu_ms(ours, asked))
                used["asking"].append(_cpu_ms(asking, asked))
                used["http"].append(_cpu_ms(minting, asked))
                used["bare"].append(_minted_ms(livekit, json.loads(asked[0][0])))
    kept = {name: values[1:] for name, values in used.items()}
    return {f"{name}_ms": statistics.median(values) for name, values in kept.items()} | {
        "ratio": statistics.median(a / b for a, b in zip(kept["ours"], kept["bare"], strict=True)),
        "over_asking": statistics.median(a / b for a, b in zip(kept["ours"], kept["asking"], strict=True)),
        "over_http": statistics.median(a / b for a, b in zip(kept["ours"], kept["http"], strict=True)),
    }


def _begun(port: int, issuer: Issuer) -> Asking:
    """A customer who has begun a call, and asks to enter it."""
    customer = str(uuid4())
    headers = issuer.headers(Role.CUSTOMER, subject=customer) | {"Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/api/livekit/consultation", b'{"type": "support"}', headers)
    answer = connection.getresponse()
    begun = json.loads(answer.read())
    assert answer.status == 201, begun
    return json.dumps({"roomName": begun["room_name"], "identity": customer, "participantType": "customer"}).encode(), headers


def _cpu_ms(served: tuple[psutil.Process, int], asked: list[Asking]) -> float:
    process, port = served
    connection = http.client.HTTPConnection("127.0.0.1", port)
    before = sum(process.cpu_times()[:2])
    for body, headers in asked * REQUESTS_EACH:
        connection.request("POST", PATH, body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    return (sum(process.cpu_times()[:2]) - before) * 1000 / (len(asked) * REQUESTS_EACH)


def _minted_ms(livekit: LiveKitServer, asked: dict[str, str]) -> float:
    kind = ParticipantType(asked["participantType"])
    before = time.process_time()
    for _ in range(MINTED_A_ROUND):
        mint(
            livekit.key,
            livekit.secret,
            room_name=asked["roomName"],
            identity=asked["identity"],
            name=stated_role(kind),
            grants=grants_of(kind),
            role=stated_role(kind),
        )
    return (time.process_time() - before) * 1000 / MINTED_A_ROUND
