"""CPU of our webhook handler against the bare one: the same signed events, over HTTP, in turns."""

import http.client
import statistics
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from sqlalchemy import text

from bench.serving import serving
from demo.livekit_events import File, Person, Room, audio_track_event, body_of, egress_event, participant_event, room_event, routes, sign
from resources import embedded_postgres, migrations
from resources.store.database import engine_for

KEY, SECRET = "bench", "a-secret-for-the-bench-of-32-characters"
CALLS_A_ROUND = 60
ROUNDS = 13
START = datetime(2025, 3, 3, 9, tzinfo=UTC)


def measure() -> dict[str, float]:
    """{"ours_ms", "bare_ms", "ratio"}: CPU milliseconds of the server a webhook, medians over rounds, of which the first warms up."""
    with tempfile.TemporaryDirectory() as folder, embedded_postgres.running(Path(folder)) as server:
        url = server.url("verbatim")
        engine = engine_for(server.owner_url("verbatim"))
        migrations.upgrade(engine)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE bare_events (event_id text PRIMARY KEY, body text)"))
        engine.dispose()
        environment = {"VERBATIM_DATABASE_URL": url, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}
        with serving("bare", environment) as bare, serving("ours", environment) as ours:
            used: dict[str, list[float]] = {"ours": [], "bare": []}
            for number in range(ROUNDS):
                events = _events(number)
                for name, (process, port) in (("bare", bare), ("ours", ours)):
                    used[name].append(_cpu_ms(process, port, events))
    ours_ms, bare_ms = (statistics.median(used[name][1:]) for name in ("ours", "bare"))
    return {
        "ours_ms": ours_ms,
        "bare_ms": bare_ms,
        "ratio": statistics.median(a / b for a, b in zip(used["ours"][1:], used["bare"][1:], strict=True)),
    }


def _cpu_ms(process: psutil.Process, port: int, events: list[tuple[bytes, str]]) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    before = sum(process.cpu_times()[:2])
    for body, token in events:
        connection.request("POST", "/api/livekit/webhook", body, {"Authorization": token, "Content-Type": "application/webhook+json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    return (sum(process.cpu_times()[:2]) - before) * 1000 / len(events)


def _events(number: int) -> list[tuple[bytes, str]]:
    """A round of whole calls, nine events each, as a server sends them."""
    signed = []
    for n in range(CALLS_A_ROUND):
        key = f"{number}x{n}"
        room = Room(f"RM_{key}", f"consultation_quote_20250303T090000Z_{key}", START + timedelta(minutes=n))

        def at(seconds: float, room: Room = room) -> datetime:
            return room.started_at + timedelta(seconds=seconds)

        cus, agt = Person(f"PA_c{key}", "cus", "customer", at(1)), Person(f"PA_a{key}", "agt", "agent", at(2))
        request = routes(["cus"], ["agt"])
        ids = iter(f"EV_{key}_{k}" for k in range(9))
        told = [
            room_event("room_started", next(ids), at(0), room),
            participant_event("participant_joined", next(ids), at(1), room, cus),
            participant_event("participant_joined", next(ids), at(2), room, agt),
            audio_track_event("track_published", next(ids), at(3), room, cus, f"TR_{key}"),
            egress_event("egress_started", next(ids), at(4), room, f"EG_{key}", "EGRESS_ACTIVE", request, started_at=at(4)),
            participant_event("participant_left", next(ids), at(60), room, cus),
            participant_event("participant_left", next(ids), at(61), room, agt),
            egress_event(
                "egress_ended",
                next(ids),
                at(62),
                room,
                f"EG_{key}",
                "EGRESS_COMPLETE",
                request,
                started_at=at(4),
                ended_at=at(62),
                files=[File(f"{key}.ogg", f"{key}.ogg", at(4), at(62), 250_000)],
            ),
            room_event("room_finished", next(ids), at(63), room),
        ]
        signed += [(body, sign(body, KEY, SECRET)) for body in map(body_of, told)]
    return signed
