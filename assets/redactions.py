"""Asset ``redactions``: which words of the day's transcripts are personal or card data, and how the turns read without them.

A call is read as a whole, all its recordings together: what one file asks for another one answers. Silencing the sound belongs to the asset
``archive``, which writes it; what counts as personal to domain.redaction and resources.redaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import dagster as dg
from sqlalchemy import Connection

from assets.batches import Done, Report, Selection, work_through
from assets.checks import card_data_check, card_data_result
from assets.partitions import partitions
from assets.reporting import given_up_check, result
from assets.services import Services
from assets.transcripts import transcripts
from domain.redaction.kept import known_again
from domain.redaction.kinds_of_numbers import LOW_CONFIDENCE
from domain.redaction.muting import usable_times
from domain.redaction.placeholders import redacted
from domain.redaction.shapes import CARD_DATA, Redaction
from domain.redaction.whole_call import Part, whole_call
from domain.review import leave_readable
from domain.transcripts import Turn
from resources.redaction.finding import Recognisers, find
from resources.store import redactions as results
from resources.store import reviews, transcribed_calls, work
from resources.store.transcribed_calls import Transcribed
from resources.store.work import Claim

LOOK_AGAIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is redacted in one recording, and how much a second look at it still takes for card data."""

    found: tuple[Redaction, ...]
    card_data_left: int


@dg.asset(
    partitions_def=partitions,
    deps=[transcripts],
    group_name="consultations",
    kinds={"python"},
    check_specs=[*given_up_check("redactions"), *card_data_check("redactions")],
)
def redactions(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], selection: Selection) -> dg.MaterializeResult:
    """Card and personal data in the day's transcripts, replaced in what is shown; card numbers and security codes in what is kept, too."""

    def hide(claimed: Claim, report: Report) -> Done:
        recognisers, owner, now = services.recognisers, context.run_id, services.now()
        with services.engine.begin() as connection:
            reviews.hold(connection, claimed.consultation_id)
            work.hold(connection, claimed.recording_id, owner)
            call = transcribed_calls.load(connection, claimed.consultation_id, recognisers.version)
            stale = [one for one in call if not one.counts]
            if claimed.recording_id not in {one.recording_id for one in call}:
                return Done.WAITING
            if not stale:
                return Done.PROCESSED
            # Together, and at once: a card number that is taken out of one file would no longer tell what the next one goes on with.
            ids, lease = [one.recording_id for one in stale], timedelta(seconds=services.settings.lease_seconds)
            coming = transcribed_calls.waits(connection, claimed.consultation_id)
            if coming or not work.take_along(connection, ids, owner, now, lease):
                work.wait(connection, claimed.recording_id, now + LOOK_AGAIN)
                return Done.WAITING
        hidden = _hidden(call, recognisers) if any(one.made is None for one in stale) else {}
        with services.engine.begin() as connection:
            reviews.hold(connection, claimed.consultation_id)
            for one in sorted(stale, key=lambda one: one.recording_id):
                work.hold(connection, one.recording_id, owner)
            if transcribed_calls.load(connection, claimed.consultation_id, recognisers.version) != call:
                return Done.WAITING  # somebody has decided, or another file has come, meanwhile: the next run looks again
            made = [_save(connection, one, hidden, owner) for one in stale]
            for redaction_id in made:
                reviews.ask_about_redactions(connection, redaction_id, LOW_CONFIDENCE)
        report.counters["values"] += len({(one.kind, one.entity) for each in hidden.values() for one in each.found})
        return Done.PROCESSED

    report = work_through(context, services, selection, "redactions", hide, again=True)
    return result(context, services, "redactions", report, [card_data_result(context, services)])


def _hidden(call: Sequence[Transcribed], recognisers: Recognisers) -> dict[UUID, Hidden]:
    """For each recording of the call. The second look is over the whole of it, too."""
    parts = [one.part for one in call]
    together = whole_call(parts)
    heard = together.at_home(find(together.turns, recognisers), parts)
    alone = [find(part.turns, recognisers) if len(parts) > 1 else () for part in parts]
    found = [leave_readable(_all_of(one.part.turns, *looks), one.spared) for one, *looks in zip(call, heard, alone, strict=True)]
    shown = [Part(part.offset_ms, redacted(part.turns, each)) for part, each in zip(parts, found, strict=True)]
    again = whole_call(shown)
    left = again.at_home((one for one in find(again.turns, recognisers) if one.kind in CARD_DATA), shown)
    return {one.recording_id: Hidden(each, len(rest)) for one, each, rest in zip(call, found, left, strict=True)}


def _all_of(turns: Sequence[Turn], heard: Sequence[Redaction], alone: Sequence[Redaction]) -> tuple[Redaction, ...]:
    """What an earlier look took out, what the call tells, and what this recording tells by itself: those who talk in between, or are in two
    files, take none of that away. No word is in two of them."""
    values = max((one.entity for one in heard), default=-1) + 1
    found = list(known_again(turns))
    taken = {(one.position, place) for one in found for place in range(one.first_word, one.last_word + 1)}
    for one in (*heard, *(replace(one, entity=one.entity + values) for one in alone)):
        words = [place for place in range(one.first_word, one.last_word + 1) if (one.position, place) not in taken]
        for first, last in _runs(words):
            start, end = usable_times(turns[one.position], first, last) or (None, None)
            found.append(replace(one, first_word=first, last_word=last, start_ms=start, end_ms=end))
        taken.update((one.position, place) for place in words)
    return tuple(found)


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """(first, last) of each stretch without a gap."""
    firsts = [place for n, place in enumerate(places) if not n or places[n - 1] + 1 < place]
    lasts = [place for n, place in enumerate(places) if n + 1 == len(places) or place + 1 < places[n + 1]]
    return list(zip(firsts, lasts, strict=True))


def _save(connection: Connection, one: Transcribed, hidden: Mapping[UUID, Hidden], owner: str) -> UUID:
    """The redaction that counts from now on. What kept the recording from it before is history."""
    if one.made is not None:
        results.make_current(connection, one.recording_id, one.transcript_id, one.made)
        redaction_id = one.made
    else:
        redaction_id = results.save(
            connection,
            one.recording_id,
            owner,
            transcript_id=one.transcript_id,
            version=one.version,
            spoken=one.part.turns,
            found=hidden[one.recording_id].found,
            card_data_left=hidden[one.recording_id].card_data_left,
        )
    work.finish(connection, one.recording_id, "redactions")
    return redaction_id
