"""The demo calls' ground truth: complete, consistent with the files beside it, and read strictly."""

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import demo
from demo.truth import BadTruth, DemoCall, DemoEgress, load_call, load_calls
from domain.consultations import type_from_room
from domain.parties import Party

FOLDER = Path(demo.__path__[0]) / "calls"
CALLS = {call.name: call for call in load_calls(FOLDER)}
RECORDED = [(call, egress) for call in CALLS.values() for egress in call.egresses if egress.file]
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
each_recording = pytest.mark.parametrize(("call", "egress"), RECORDED, ids=[egress.file for _, egress in RECORDED])


def test_the_calls_are_those_that_the_demo_promises() -> None:
    assert list(CALLS) == [
        "quote-with-consent",
        "claim-recording-refused",
        "support-consent-withdrawn",
        "payment-card-read-out",
        "support-mono-mix",
        "partner-training",
        "claim-egress-failed",
    ]
    assert {call.type for call in CALLS.values()} == {"quote", "claims", "support", "training"}
    assert {str(call.started_at.date()) for call in CALLS.values()} == {"2025-03-03", "2025-03-04", "2025-03-05"}


@each_call
def test_a_call_is_named_as_livekit_and_the_product_name_things(call: DemoCall) -> None:
    assert re.fullmatch(rf"consultation_{call.type}_{call.started_at:%Y%m%dT%H%M%SZ}_[0-9a-f]{{24}}", call.room_name)
    assert type_from_room(call.room_name) == call.type
    assert re.fullmatch(r"RM_[0-9A-Za-z]{12}", call.room_sid)
    for person in call.participants:
        assert re.fullmatch(r"PA_[0-9A-Za-z]{12}", person.sid)
        assert re.fullmatch(r"TR_AM[0-9A-Za-z]{10}", person.microphone_track_sid)
        assert re.fullmatch(r"[a-z]{3}_[0-9a-f]{16}", person.identity)
        assert (person.kind == "AGENT") == (person.role is Party.ASSISTANT)
        assert 0 <= person.joined_ms < person.left_ms <= call.duration_ms
    for egress in call.egresses:
        assert re.fullmatch(r"EG_[0-9A-Za-z]{12}", egress.egress_id)
        assert 0 < egress.started_ms < egress.ended_ms <= call.duration_ms


def test_no_two_things_share_an_id() -> None:
    people = [person for call in CALLS.values() for person in call.participants]
    ids = [call.room_sid for call in CALLS.values()] + [call.room_name for call in CALLS.values()]
    ids += [egress.egress_id for call in CALLS.values() for egress in call.egresses]
    ids += [value for person in people for value in (person.identity, person.sid, person.microphone_track_sid)]
    assert len(set(ids)) == len(ids)


@each_recording
def test_a_file_is_opus_of_the_length_and_channels_that_its_truth_says(call: DemoCall, egress: DemoEgress) -> None:
    channels, length_ms = opus_shape(file_of(egress))
    assert channels == (2 if egress.request.kind == "routes" else 1)
    assert abs(length_ms - (egress.ended_ms - egress.started_ms)) < 50
    assert 30_000 <= length_ms <= 90_000


def test_the_files_fit_into_a_checkout() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_500_000


@each_recording
def test_turns_lie_inside_the_file_in_order_and_said_by_somebody_who_is_there(call: DemoCall, egress: DemoEgress) -> None:
    people = {person.identity: person for person in call.participants}
    assert egress.turns
    assert all(before.start_ms < after.start_ms for before, after in pairwise(egress.turns))
    for turn in egress.turns:
        speaker = people[turn.identity]
        assert turn.role is speaker.role
        assert turn.text.strip() == turn.text != ""
        assert 0 < turn.start_ms < turn.end_ms < egress.ended_ms - egress.started_ms
        assert speaker.joined_ms <= egress.started_ms + turn.start_ms
        assert egress.started_ms + turn.end_ms <= speaker.left_ms


@each_recording
def test_a_turn_is_on_the_channel_that_the_egress_was_asked_to_put_its_speaker_on(call: DemoCall, egress: DemoEgress) -> None:
    request = egress.request
    for turn in egress.turns:
        if request.kind == "routes":
            assert turn.identity in (request.left, request.right)[turn.channel if turn.channel is not None else 9]
        else:
            assert turn.channel is None
            assert request.kind == "room_composite" or turn.identity == request.identity


@each_recording
def test_two_turns_of_one_channel_never_overlap(call: DemoCall, egress: DemoEgress) -> None:
    for channel in {turn.channel for turn in egress.turns}:
        mine = [turn for turn in egress.turns if turn.channel == channel]
        assert all(before.end_ms < after.start_ms for before, after in pairwise(mine))


def test_people_interrupt_each_other_in_some_calls() -> None:
    interrupted = [
        call.name for call, egress in RECORDED if any(after.start_ms < before.end_ms - 100 for before, after in pairwise(egress.turns))
    ]
    assert len(set(interrupted)) >= 2


def test_the_customer_is_alone_on_the_left() -> None:
    for call, egress in RECORDED:
        if egress.request.kind == "routes":
            roles = {person.identity: person.role for person in call.participants}
            assert [roles[identity] for identity in egress.request.left] == [Party.CUSTOMER]
            assert Party.CUSTOMER not in [roles[identity] for identity in egress.request.right]


def test_the_assistant_leaves_before_the_agent_speaks() -> None:
    call = CALLS["quote-with-consent"]
    (egress,) = call.egresses
    agent = next(person for person in call.participants if person.role is Party.AGENT)
    assistant = next(person for person in call.participants if person.role is Party.ASSISTANT)
    first = min(turn.start_ms for turn in egress.turns if turn.role is Party.AGENT) + egress.started_ms
    last = max(turn.end_ms for turn in egress.turns if turn.role is Party.ASSISTANT) + egress.started_ms
    assert last < agent.joined_ms < assistant.left_ms < first
    assert egress.started_ms >= 2000


def test_consent_is_refused_and_withdrawn_by_the_customer_and_the_call_goes_on() -> None:
    for name, words in (("claim-recording-refused", "I do not consent"), ("support-consent-withdrawn", "I withdraw my consent")):
        (egress,) = CALLS[name].egresses
        place = next(i for i, turn in enumerate(egress.turns) if words in turn.text)
        assert egress.turns[place].role is Party.CUSTOMER
        assert len(egress.turns) - place > 4


def test_the_card_number_is_one_that_payment_systems_accept_as_a_number() -> None:
    (egress,) = CALLS["payment-card-read-out"].egresses
    said = " ".join(turn.text for turn in egress.turns if turn.role is Party.CUSTOMER).lower()
    digits = [DIGITS.index(word) for word in re.findall(r"[a-z]+", said) if word in DIGITS]
    card, code = digits[:16], digits[16:]
    assert len(code) == 3
    doubled = [digit if place % 2 else sum(divmod(digit * 2, 10)) for place, digit in enumerate(card)]
    assert sum(doubled) % 10 == 0


def test_a_training_has_one_file_for_each_of_its_three_people() -> None:
    call = CALLS["partner-training"]
    assert sorted(person.role for person in call.participants) == [Party.AGENT, Party.PARTNER, Party.PARTNER]
    assert {egress.request.identity for egress in call.egresses} == {person.identity for person in call.participants}
    assert len({egress.started_ms for egress in call.egresses}) == 3


def test_the_failed_egress_left_nothing_but_its_error() -> None:
    (egress,) = CALLS["claim-egress-failed"].egresses
    assert egress.status == "EGRESS_FAILED"
    assert egress.error
    assert egress.file is None
    assert egress.turns == ()


SPOILT: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "missing": (lambda call: call.pop("room_sid"), "call.room_sid: is missing"),
    "unknown": (lambda call: call.update(colour="red"), "call: has unknown fields colour"),
    "mistyped": (lambda call: call["participants"][0].update(joined_ms="0"), "participant.joined_ms: is not of type int"),
    "a truth as a number": (lambda call: call.update(duration_ms=True), "call.duration_ms: is not of type int"),
    "no such role": (lambda call: call["egresses"][0]["turns"][0].update(role="judge"), "'judge' is not a valid Party"),
    "no such request": (lambda call: call["egresses"][0]["request"].update(kind="track"), "request.kind: is none of"),
    "local time": (lambda call: call.update(started_at="2025-03-03T15:04:05"), "started_at: has no time zone"),
    "a list of numbers": (lambda call: call["egresses"][0]["request"].update(left=[1]), "request.left: is not a list of strings"),
}


@pytest.mark.parametrize(("spoil", "says"), SPOILT.values(), ids=SPOILT)
def test_a_spoilt_file_is_refused_with_its_name_and_the_field(spoil: Callable[[dict[str, Any]], object], says: str, tmp_path: Path) -> None:
    call = json.loads((FOLDER / "quote-with-consent.json").read_text())
    spoil(call)
    path = tmp_path / "spoilt.json"
    path.write_text(json.dumps(call))
    with pytest.raises(BadTruth, match=re.escape(says)) as refused:
        load_call(path)
    assert str(refused.value).startswith("spoilt.json: ")


def test_a_file_that_is_no_json_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(BadTruth, match=r"^broken\.json: "):
        load_calls(tmp_path)


def file_of(egress: DemoEgress) -> Path:
    assert egress.file is not None
    return FOLDER / egress.file


def opus_shape(path: Path) -> tuple[int, int]:
    """(channels, milliseconds) as the Ogg pages say: the identification header's, and the last page's position less the pre-skip."""
    data = path.read_bytes()
    head, last = data.index(b"OpusHead"), data.rindex(b"OggS")
    pre_skip = int.from_bytes(data[head + 10 : head + 12], "little")
    position = int.from_bytes(data[last + 6 : last + 14], "little")
    return data[head + 9], (position - pre_skip) // 48
