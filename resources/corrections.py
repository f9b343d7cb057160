"""What must have happened without anybody telling, taken in as if LiveKit had told it. What that is, is decided in domain.reconciliation.

Ids say what they are of; so the same correction changes nothing a second time, and a webhook that comes after all finds its work done.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from google.protobuf.json_format import MessageToJson
from livekit.protocol import models as models_pb
from livekit.protocol.webhook import WebhookEvent
from sqlalchemy import Engine

from domain.reconciliation import Ended, Left, OpenCall
from resources.livekit import read_event
from resources.store.inbox import Inbox, Outcome

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def corrected(engine: Engine, missed: Iterable[Left | Ended]) -> Iterator[tuple[str, OpenCall]]:
    """(type of the event, its call) of each that was news. Each is a transaction of its own. Raises SQLAlchemy's errors."""
    for one in missed:
        match one:
            case Left(call, person, at):
                event = _event("participant_left", person.sid, at, call)
                event.participant.CopyFrom(models_pb.ParticipantInfo(sid=person.sid, identity=person.identity))
            case Ended(call, at):
                event = _event("room_finished", call.room_sid, at, call)
        if take_in(engine, event) is not Outcome.DUPLICATE:
            yield event.event, call


def take_in(engine: Engine, event: WebhookEvent) -> Outcome:
    return Inbox(engine).receive(read_event(event), MessageToJson(event, indent=None))


def whole_seconds(moment: datetime) -> int:
    """Whole seconds, as LiveKit tells them."""
    return (moment - EPOCH) // timedelta(seconds=1)


def _event(kind: str, of: str, at: datetime, call: OpenCall) -> WebhookEvent:
    """Seconds are rounded up: nobody leaves, and nothing ends, before what shows that it was there."""
    room = models_pb.Room(sid=call.room_sid, name=call.room_name)
    return WebhookEvent(event=kind, id=f"reconciled:{kind}:{of}", created_at=-((EPOCH - at) // timedelta(seconds=1)), room=room)
