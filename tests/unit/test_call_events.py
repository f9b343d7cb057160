"""What LiveKit's webhooks are evidence of."""

from datetime import UTC, datetime

import pytest

from domain.call_events import EgressSeen, EgressStatus, FileSeen, ParticipantSeen, endings, party_of
from domain.consultations import ConsultationType, spoken_line, type_from_room
from domain.egress_layout import EgressLayout, LayoutKind
from domain.failures import MAX_ATTEMPTS, PERMANENT, Reason, gives_up, retry_delay
from domain.parties import Party
from resources.livekit import read_stored

NOW = datetime(2025, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "role", "party"),
    [
        ("STANDARD", "customer", Party.CUSTOMER),
        ("STANDARD", "partner", Party.PARTNER),
        ("STANDARD", "ai", Party.ASSISTANT),
        ("AGENT", "", Party.ASSISTANT),
        ("AGENT", "customer", Party.ASSISTANT),
        ("STANDARD", "", Party.UNKNOWN),
        ("SIP", "", Party.UNKNOWN),
        ("STANDARD", "wizard", Party.UNKNOWN),
        ("STANDARD", "supervisor", None),
        ("EGRESS", "", None),
        ("INGRESS", "customer", None),
    ],
)
def test_whom_a_participant_speaks_for(kind: str, role: str, party: Party | None) -> None:
    assert party_of(ParticipantSeen("PA_1", "x", kind, role, None)) is party


def ended(status: EgressStatus, *files: FileSeen) -> EgressSeen:
    return EgressSeen("EG_1", status, NOW, NOW, EgressLayout(LayoutKind.MIXED), files)


FILE, UNWRITTEN = FileSeen("a.ogg", "", NOW, NOW, 1, 10), FileSeen("a.ogg", "", NOW, NOW, None, None)


@pytest.mark.parametrize(
    ("egress", "expected"),
    [
        (ended(EgressStatus.COMPLETE, FILE), [("a.ogg", None)]),
        (ended(EgressStatus.LIMIT_REACHED, FILE, UNWRITTEN), [("a.ogg", None), ("a.ogg", None)]),
        (ended(EgressStatus.COMPLETE), [("", Reason.NO_FILE)]),
        (ended(EgressStatus.FAILED), [("", Reason.EGRESS_FAILED)]),
        (ended(EgressStatus.FAILED, UNWRITTEN), [("", Reason.EGRESS_FAILED)]),
        (ended(EgressStatus.FAILED, FILE), [("a.ogg", None)]),
        (ended(EgressStatus.ABORTED), [("", Reason.EGRESS_FAILED)]),
        (ended(EgressStatus.STARTING, FILE), [("a.ogg", None)]),
    ],
)
def test_what_an_ended_egress_leaves(egress: EgressSeen, expected: list[tuple[str, Reason | None]]) -> None:
    assert [(file.name, reason) for file, reason in endings(egress)] == expected


@pytest.mark.parametrize(
    ("name", "metadata", "kind"),
    [
        ("consultation_quote_20250303T150405Z_0123456789abcdef01234567", "", ConsultationType.QUOTE),
        ("consultation_gossip_20250303T150405Z_01", "", None),
        ("standup", "", None),
        ("standup", '{"type": "claims"}', ConsultationType.CLAIMS),
        ("standup", '{"type": "gossip"}', None),
        ("standup", "[1]", None),
        ("standup", "no json", None),
    ],
)
def test_which_rooms_are_ours(name: str, metadata: str, kind: ConsultationType | None) -> None:
    assert type_from_room(name, metadata) is kind


def test_livekits_json_is_read_as_it_comes() -> None:
    """camelCase, int64 as strings, zero values left out, unknown fields; nanoseconds in files, seconds elsewhere."""
    event = read_stored(
        '{"event": "egress_ended", "id": "EV_1", "createdAt": "1741014245", "somethingNew": {"a": 1}, "egressInfo": {"egressId": "EG_1",'
        ' "roomId": "RM_1", "roomName": "r", "status": "EGRESS_COMPLETE", "startedAt": "1741014185000000000", "roomComposite":'
        ' {"audioOnly": true, "audioMixing": "DUAL_CHANNEL_AGENT"}, "fileResults": [{"filename": "r/1.ogg", "startedAt":'
        ' "1741014186500000000", "endedAt": "1741014246500000000", "duration": "60000000000", "size": "4096", "location": "https://b.s3/r/1.ogg"}]}}'
    )
    assert event.room is not None and event.room.sid == "RM_1"
    assert event.sent_at == datetime(2025, 3, 3, 15, 4, 5, tzinfo=UTC)
    assert event.egress is not None
    (file,) = event.egress.files
    assert event.egress.layout.kind is LayoutKind.AGENTS_LEFT
    assert (file.started_at, file.duration_ms, file.size_bytes) == (datetime(2025, 3, 3, 15, 3, 6, 500_000, tzinfo=UTC), 60_000, 4096)


@pytest.mark.parametrize("status", ['"EGRESS_OF_TOMORROW"', "99"])
def test_an_unknown_ending_keeps_its_file(status: str) -> None:
    event = read_stored(
        '{"event": "egress_ended", "id": "EV_1", "egressInfo": {"egressId": "EG_1", "fileResults": [{"filename": "a.ogg", "size": "5"}],'
        f' "status": {status}}}}}'
    )
    assert event.egress is not None
    assert [file.name for file, _ in endings(event.egress)] == ["a.ogg"]


def test_faults_that_may_pass_get_five_attempts_with_growing_delays() -> None:
    assert [gives_up(Reason.UNEXPECTED, n) for n in range(1, 6)] == [False] * 4 + [True]
    assert MAX_ATTEMPTS == 5
    delays = [retry_delay(n) for n in range(1, 5)]
    assert delays == sorted(set(delays)) and delays[0].total_seconds() == 60
    assert all(gives_up(reason, 1) for reason in PERMANENT)


def test_minutes_go_on_past_the_hour() -> None:
    assert spoken_line(3_661_000, "agent", "hello") == "[61:01] agent: hello"
