"""A judged call put into the store directly, and reviewers who act on its review queue, each step in a transaction of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, insert, select, text, update

from domain.consent import ConsentOutcome
from domain.parties import Party
from domain.redaction.shapes import Redaction, Sensitive
from domain.review import Reviewer, ReviewRefused, apply
from domain.roles import Role
from domain.rules.shapes import Cause, ConsentJudged, Finding, Interval, Judgement, Publication, Severity, Verdict
from domain.transcripts import Attribution, Turn, Word
from resources.policies import recording_consent
from resources.store import evaluations, heard_calls, redactions, review_list, reviews
from resources.store.review_list import Filters
from resources.store.reviews import Hand
from resources.tables import consultations, recordings, transcripts, turns

BEGAN = datetime(2025, 3, 3, 15, tzinfo=UTC)
LATE = 5_000
"""How long after the call's beginning its recording begins, ms."""
SAID = (
    (Party.AGENT, "Hello this is Paul Smith, this policy covers everything"),
    (Party.CUSTOMER, "fine my phone is five five five zero one nine nine"),
    (Party.AGENT, "and your claim is number 4711 then"),
)
ANN, BOB = Hand(Reviewer("ann", Role.COMPLIANCE), "compliance"), Hand(Reviewer("bob", Role.COMPLIANCE), "compliance")
CHIEF = Hand(Reviewer("chief", Role.ADMIN), "admin")
WHY = "Heard it at 0:12."


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Call:
    """One consultation with a recording, transcribed and redacted; ``turn_ids`` in the transcript's order."""

    engine: Engine
    id: UUID = field(default_factory=uuid4)
    recording_id: UUID = field(default_factory=uuid4)
    transcript_id: UUID = field(default_factory=uuid4)
    redaction_id: UUID = field(default_factory=uuid4)
    turn_ids: Sequence[int] = ()

    def promise(self, **changed: Any) -> Finding:
        """Found not met at "policy covers everything"."""
        words = {"first_word": 6, "last_word": 8, "start_ms": 7_000, "end_ms": 8_000}
        place = {"turn_id": self.turn_ids[0], "recording_id": self.recording_id, **words}
        found = Finding("coverage_promise", "3", Severity.MAJOR, Verdict.NOT_MET, 0.9, None, **place)  # type: ignore[arg-type]
        return replace(found, **changed)

    def judge(
        self,
        *found: Finding,
        outcome: str = "granted",
        publication: Publication = Publication.PUBLISHED,
        withheld: Sequence[Interval] = (),
    ) -> UUID:
        """As the asset does: what people overturned is applied, and what is left is asked."""
        consent = ConsentJudged(ConsentOutcome(outcome), ConsentOutcome.UNKNOWN, publication, withheld=tuple(withheld))
        with self.engine.begin() as connection:
            heard = heard_calls.load(connection, self.id, recording_consent())
            judgement = apply(Judgement("1", found, consent), reviews.decisions(connection, self.id))
            evaluation_id = evaluations.save(connection, heard, judgement, None)
            reviews.ask(connection, evaluation_id)
        return evaluation_id

    def redact(self, *found: Redaction, version: str = "1") -> None:
        with self.engine.begin() as connection:
            self.redaction_id = redactions.save(
                connection,
                self.recording_id,
                "run",
                transcript_id=self.transcript_id,
                version=version,
                spoken=spoken(),
                found=found,
                card_data_left=0,
            )

    def stage(self) -> str:
        with self.engine.connect() as connection:
            return str(connection.execute(select(recordings.c.stage).where(recordings.c.id == self.recording_id)).scalar_one())


CONSENT = Finding("recording_consent", "1", Severity.CRITICAL, Verdict.CANNOT_TELL, 0.2, Cause.UNCLEAR, start_ms=0, end_ms=15_000)
DISCLOSURE = Finding("recording_disclosed", "1", Severity.CRITICAL, Verdict.CANNOT_TELL, 0.0, Cause.SILENT, start_ms=0, end_ms=60_000)
PHONE = Redaction(Sensitive.PHONE, 0, 1, 1, 4, 10, 3_400, 4_900, 0.55, "context: 1")


def spoken() -> tuple[Turn, ...]:
    """A word takes 200 ms; a turn begins two seconds after the one before."""
    found = []
    for number, (role, said) in enumerate(SAID):
        begin = number * 2_000 + 600
        words = tuple(Word(word, begin + 200 * n, begin + 200 * n + 180, 0.9) for n, word in enumerate(said.split()))
        channel = 0 if role is Party.CUSTOMER else 1
        found.append(Turn(role, None, channel, begin, words[-1].end_ms, said, words, 0.9, Attribution.CHANNEL, 1.0))
    return tuple(found)


def judged_call(engine: Engine, *, kind: str = "claims", redacted: Sequence[Redaction] = ()) -> Call:
    call = Call(engine)
    with engine.begin() as connection:
        row = {"id": call.id, "room_name": f"room-{call.id}", "consultation_type": kind, "started_at": BEGAN}
        connection.execute(insert(consultations).values(**row, ended_at=BEGAN + timedelta(seconds=90)))
        connection.execute(
            insert(recordings).values(
                id=call.recording_id,
                consultation_id=call.id,
                egress_id=f"EG_{call.id}",
                egress_status="EGRESS_COMPLETE",
                started_at=BEGAN + timedelta(milliseconds=LATE),
                duration_ms=80_000,
                sha256="0" * 64,
                lease_owner="run",
            )
        )
        connection.execute(
            insert(transcripts).values(
                id=call.transcript_id,
                recording_id=call.recording_id,
                fingerprint="f",
                model="m",
                media_sha256="0" * 64,
                speech_ms=5_000,
                word_count=20,
                turn_count=len(SAID),
                dropped_words=0,
            )
        )
        rows = [
            {
                "transcript_id": call.transcript_id,
                "position": position,
                "role": turn.role.value,
                "channel": turn.channel,
                "start_ms": turn.start_ms,
                "end_ms": turn.end_ms,
                "text": turn.text,
                "words": [[word.text, word.start_ms, word.end_ms, word.confidence] for word in turn.words],
                "confidence": turn.confidence,
                "attribution": turn.attribution.value,
                "attribution_confidence": turn.attribution_confidence,
            }
            for position, turn in enumerate(spoken())
        ]
        connection.execute(insert(turns), rows)
        connection.execute(update(recordings).values(current_transcript_id=call.transcript_id).where(recordings.c.id == call.recording_id))
        found = select(turns.c.id).where(turns.c.transcript_id == call.transcript_id).order_by(turns.c.position)
        call.turn_ids = connection.execute(found).scalars().all()
    call.redact(*redacted)
    return call


def waiting(engine: Engine, at: datetime | None = None, **filters: Any) -> list[Any]:
    """The queue."""
    with engine.connect() as connection:
        return list(review_list.listed(connection, Filters(**filters), at or now(), limit=100, cursor=None).rows)


def item_of(engine: Engine, item_id: UUID) -> Any:
    with engine.connect() as connection:
        return review_list.one(connection, item_id, now())


def steps_of(engine: Engine, item_id: UUID) -> list[tuple[str, str, str | None]]:
    with engine.connect() as connection:
        found = review_list.detail(connection, item_id, now())
    assert found is not None
    return [(step["step"], step["actor"], step["reason"]) for step in found.steps]


def claimed(engine: Engine, item_id: UUID, hand: Hand = ANN, at: datetime | None = None) -> ReviewRefused | None:
    with engine.begin() as connection:
        return reviews.claim(connection, item_id, hand, at or now())


def overturned(
    engine: Engine, item_id: UUID, hand: Hand = ANN, corrected: Verdict | None = None, at: datetime | None = None
) -> ReviewRefused | None:
    """Claims it, too."""
    claimed(engine, item_id, hand, at)
    with engine.begin() as connection:
        return reviews.overturn(connection, item_id, hand, WHY, corrected, at or now())


def confirmed(engine: Engine, item_id: UUID, hand: Hand = ANN, at: datetime | None = None) -> ReviewRefused | None:
    with engine.begin() as connection:
        return reviews.confirm(connection, item_id, hand, WHY, at or now())


def one(engine: Engine, sql: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(sql)).one()
