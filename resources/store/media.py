"""What the pipeline needs to know of one recording, and the facts that it finds out about its file."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from domain.call_events import EgressStatus
from domain.egress_layout import EgressLayout, Listed
from domain.hearing import Person
from domain.parties import Party
from resources.media import MediaInfo
from resources.store import work
from resources.tables import consultations, participants, recordings, transcripts


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as the store knows it. ``call_ended_at`` is the room's end or, where that is missing, the recording's."""

    id: UUID
    consultation_id: UUID
    egress_id: str
    egress_status: EgressStatus
    file_name: str
    location: str
    intake_key: str | None
    layout: EgressLayout
    started_at: datetime | None
    ended_at: datetime | None
    call_ended_at: datetime
    announced_at: datetime
    announced_bytes: int | None
    announced_duration_ms: int | None
    sha256: str | None
    size_bytes: int | None
    media: MediaInfo | None
    flags: tuple[str, ...]
    current_transcript_id: UUID | None
    archived_transcript_id: UUID | None
    archive_key: str | None
    archive_version_id: str | None
    intake_cleared_at: datetime | None

    @property
    def expected_ms(self) -> int | None:
        """How long the file should be: what egress says of it, else the time it was recorded."""
        if self.announced_duration_ms:
            return self.announced_duration_ms
        if self.started_at and self.ended_at and self.ended_at > self.started_at:
            return round((self.ended_at - self.started_at).total_seconds() * 1000)
        return None


def load(connection: Connection, recording_id: UUID) -> Recording:
    row = (
        connection.execute(
            select(recordings, consultations.c.ended_at.label("room_ended_at"))
            .select_from(recordings.join(consultations))
            .where(recordings.c.id == recording_id)
        )
        .mappings()
        .one()
    )
    media = None
    if row["sha256"] is not None and row["codec"] is not None:
        media = MediaInfo(
            container=row["container"],
            codec=row["codec"],
            channels=row["channels"],
            sample_rate_hz=row["sample_rate_hz"],
            duration_ms=row["duration_ms"],
            has_video=row["has_video"],
            size_bytes=row["size_bytes"],
        )
    plain = {
        key: row[key]
        for key in (
            "id",
            "consultation_id",
            "egress_id",
            "file_name",
            "location",
            "intake_key",
            "started_at",
            "ended_at",
            "announced_at",
            "announced_bytes",
            "announced_duration_ms",
            "sha256",
            "size_bytes",
            "current_transcript_id",
            "archived_transcript_id",
            "archive_key",
            "archive_version_id",
            "intake_cleared_at",
        )
    }
    return Recording(
        **plain,
        egress_status=EgressStatus(row["egress_status"]),
        layout=EgressLayout.from_json(row["layout"]),
        call_ended_at=row["room_ended_at"] or row["ended_at"] or row["announced_at"],
        media=media,
        flags=tuple(row["flags"]),
    )


def people(connection: Connection, recording: Recording) -> list[Person]:
    """Everybody who was in the call, in the order in which they joined."""
    rows = connection.execute(
        select(participants)
        .where(participants.c.consultation_id == recording.consultation_id)
        .order_by(participants.c.joined_at.nulls_last(), participants.c.sid)
    ).mappings()

    def offset(moment: datetime | None) -> int | None:
        if moment is None or recording.started_at is None:
            return None
        return round((moment - recording.started_at).total_seconds() * 1000)

    return [
        Person(
            Listed(row["sid"], row["identity"], Party(row["role"]), tuple(row["audio_tracks"])),
            offset(row["joined_at"]),
            offset(row["left_at"]),
            offset(row["microphone_at"]),
        )
        for row in rows
    ]


def save_media(connection: Connection, recording_id: UUID, owner: str, *, intake_key: str, sha256: str, info: MediaInfo) -> None:
    """What fetching and probing found out. Raises LeaseLost."""
    work.hold(connection, recording_id, owner)
    _set(
        connection,
        recording_id,
        intake_key=intake_key,
        sha256=sha256,
        size_bytes=info.size_bytes,
        duration_ms=info.duration_ms,
        container=info.container,
        codec=info.codec,
        channels=info.channels,
        sample_rate_hz=info.sample_rate_hz,
        has_video=info.has_video,
        fetched_at=func.now(),
    )


def save_archived(
    connection: Connection, recording_id: UUID, owner: str, *, transcript_id: UUID, key: str, version_id: str | None, document_sha256: str
) -> None:
    """The archive's copies were read back and are whole. Raises LeaseLost."""
    work.hold(connection, recording_id, owner)
    _set(
        connection,
        recording_id,
        archived_transcript_id=transcript_id,
        archive_key=key,
        archive_version_id=version_id,
        archived_at=func.coalesce(recordings.c.archived_at, func.now()),
    )
    connection.execute(update(transcripts).where(transcripts.c.id == transcript_id).values(document_sha256=document_sha256))


def upload_is_shared(connection: Connection, recording: Recording) -> bool:
    """Whether another recording, which has not left the intake yet, was ingested from the same object."""
    other = select(recordings.c.id).where(
        recordings.c.intake_key == recording.intake_key, recordings.c.id != recording.id, recordings.c.intake_cleared_at.is_(None)
    )
    return connection.execute(other.limit(1)).first() is not None


def save_intake_cleared(connection: Connection, recording_id: UUID) -> None:
    _set(connection, recording_id, intake_cleared_at=func.coalesce(recordings.c.intake_cleared_at, func.now()))


def save_searchable(connection: Connection, recording_id: UUID, transcript_id: UUID) -> None:
    """Its turns can be found from the commit of this transaction on; the first time is kept."""
    _set(
        connection,
        recording_id,
        searchable_transcript_id=transcript_id,
        searchable_at=func.coalesce(recordings.c.searchable_at, func.clock_timestamp()),
    )


def _set(connection: Connection, recording_id: UUID, **values: Any) -> None:
    connection.execute(update(recordings).where(recordings.c.id == recording_id).values(**values))
