"""Puts the demo calls where egress would have put them and tells Verbatim about them as LiveKit would: signed webhooks over HTTP."""

import hashlib
import shutil
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path

from livekit.protocol import egress as egress_pb
from livekit.protocol.webhook import WebhookEvent
from sqlalchemy import Connection, text

from demo.livekit_events import File, Person, Room, audio_track_event, body_of, egress_event, participant_event, room_event, routes, sign
from demo.truth import DemoCall, DemoEgress
from domain.consent import ConsentMethod, ConsentOutcome
from resources.store import consents, evaluations
from resources.store.consents import Said

TIMEOUT_S = 10


def upload(call: DemoCall, calls: Path, intake: Path, known: set[str]) -> None:
    """Copy the call's files into the intake. ``known``: egresses that an earlier run has taken in, whose files must not come again."""
    for egress in call.egresses:
        if egress.file is None or egress.egress_id in known:
            continue
        target = intake / intake_name(call, egress)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(calls / egress.file, target.with_suffix(".part"))
        target.with_suffix(".part").rename(target)


def intake_name(call: DemoCall, egress: DemoEgress) -> str:
    return f"recordings/{call.room_name}/{egress.egress_id}.ogg"


def announce(call: DemoCall, calls: Path, webhook_url: str, api_key: str, api_secret: str) -> int:
    """Post every event of the call in order; returns how many. Raises URLError, HTTPError."""
    count = 0
    for event in events(call, calls):
        body = body_of(event)
        headers = {"Content-Type": "application/webhook+json", "Authorization": sign(body, api_key, api_secret)}
        request = urllib.request.Request(webhook_url, data=body, headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):
            count += 1
    return count


def tell_consents(connection: Connection, call: DemoCall) -> None:
    """Consents that were clicked before somebody came in, as entering a training writes them down. Once: what is there already stays."""
    found = connection.execute(text("SELECT id FROM video_consultations WHERE room_sid = :sid"), {"sid": call.room_sid}).scalar_one()
    told = {row["party"] for row in consents.listed(connection, found)}
    for person in call.participants:
        if person.consents_ms is None or person.identity in told:
            continue
        said = Said(person.identity, person.role, ConsentOutcome.GRANTED, ConsentMethod.CLICK, "demo", None, None, "demo")
        consents.add(connection, found, said, "demo", call.started_at + timedelta(milliseconds=person.consents_ms))
        evaluations.judge_again(connection, [found])


def events(call: DemoCall, calls: Path) -> list[WebhookEvent]:
    """What LiveKit sends about the call, in the order in which it happens. Ids are fixed: sent again, they are the same events."""
    room = Room(call.room_sid, call.room_name, call.started_at)

    def moment(ms: int) -> datetime:
        return call.started_at + timedelta(milliseconds=ms)

    told = [(0, room_event("room_started", _id(call, "started"), call.started_at, room))]
    for person in call.participants:
        who = Person(person.sid, person.identity, person.role, moment(person.joined_ms), person.kind)
        joined, left = person.joined_ms, person.left_ms
        told.append((joined, participant_event("participant_joined", _id(call, person.sid, "joined"), moment(joined), room, who)))
        track = person.microphone_track_sid
        told.append((joined, audio_track_event("track_published", _id(call, person.sid, "track"), moment(joined), room, who, track)))
        told.append((left, participant_event("participant_left", _id(call, person.sid, "left"), moment(left), room, who)))
    for egress in call.egresses:
        began, over = moment(egress.started_ms), moment(egress.ended_ms)
        request = _request(call, egress)
        told.append(
            (
                egress.started_ms,
                egress_event(
                    "egress_started",
                    _id(call, egress.egress_id, "started"),
                    began,
                    room,
                    egress.egress_id,
                    "EGRESS_ACTIVE",
                    request,
                    started_at=began,
                ),
            )
        )
        files = []
        if egress.file is not None:
            name = intake_name(call, egress)
            files = [File(name, name, began, over, (calls / egress.file).stat().st_size)]
        told.append(
            (
                call.duration_ms + 1,
                egress_event(
                    "egress_ended",
                    _id(call, egress.egress_id, "ended"),
                    moment(call.duration_ms + 1),
                    room,
                    egress.egress_id,
                    egress.status,
                    request,
                    started_at=began,
                    ended_at=over,
                    files=files,
                    error=egress.error,
                ),
            )
        )
    told.append((call.duration_ms + 2, room_event("room_finished", _id(call, "finished"), moment(call.duration_ms), room)))
    return [event for _, event in sorted(told, key=lambda entry: entry[0])]


def _id(call: DemoCall, *parts: str) -> str:
    return "EV_" + hashlib.sha256("/".join((call.room_sid, *parts)).encode()).hexdigest()[:12]


def _request(
    call: DemoCall, egress: DemoEgress
) -> egress_pb.StartEgressRequest | egress_pb.ParticipantEgressRequest | egress_pb.RoomCompositeEgressRequest:
    match egress.request.kind:
        case "routes":
            return routes(egress.request.left, egress.request.right)
        case "participant":
            return egress_pb.ParticipantEgressRequest(room_name=call.room_name, identity=egress.request.identity)
        case _:
            return egress_pb.RoomCompositeEgressRequest(room_name=call.room_name, audio_only=True)
