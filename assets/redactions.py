"""Asset ``redactions``: which words of the day's transcripts are personal or card data, and how the turns read without them.

Silencing the sound belongs to the asset ``archive``, which writes it; what counts as personal to domain.redaction and resources.redaction.
"""

from collections.abc import Sequence

import dagster as dg

from assets.batches import Done, Report, Selection, work_through
from assets.checks import card_data_check, card_data_result
from assets.partitions import partitions
from assets.reporting import given_up_check, result
from assets.services import Services
from assets.transcripts import transcripts
from domain.redaction.kept import known_again
from domain.redaction.kinds_of_numbers import LOW_CONFIDENCE
from domain.redaction.placeholders import redacted
from domain.redaction.shapes import CARD_DATA, Redaction
from domain.review import leave_readable, version_with
from domain.transcripts import Turn
from resources.redaction.finding import Recognisers, find
from resources.store import media, reviews, work
from resources.store import redactions as results
from resources.store import transcripts as versions
from resources.store.work import Claim


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
        recognisers = services.recognisers
        with services.engine.begin() as connection:
            transcript_id = media.load(connection, claimed.recording_id).current_transcript_id
            if transcript_id is None:
                return Done.WAITING
            spared = reviews.overturned_redactions(connection, transcript_id)
            version = version_with(recognisers.version, spared)
            if before := results.made(connection, transcript_id, version):
                work.hold(connection, claimed.recording_id, context.run_id)
                results.make_current(connection, claimed.recording_id, transcript_id, before)
                return Done.PROCESSED
            spoken = versions.spoken(connection, transcript_id)
        found = leave_readable(_all_of(spoken, recognisers), spared)
        left = [one for one in find(redacted(spoken, found), recognisers) if one.kind in CARD_DATA]
        with services.engine.begin() as connection:
            reviews.hold(connection, claimed.consultation_id)
            if reviews.overturned_redactions(connection, transcript_id) != spared:
                return Done.WAITING  # somebody has decided meanwhile: the next run looks again
            redaction_id = results.save(
                connection,
                claimed.recording_id,
                context.run_id,
                transcript_id=transcript_id,
                version=version,
                spoken=spoken,
                found=found,
                card_data_left=len(left),
            )
            reviews.ask_about_redactions(connection, redaction_id, LOW_CONFIDENCE)
        report.counters["values"] += len({(one.kind, one.entity) for one in found})
        return Done.PROCESSED

    report = work_through(context, services, selection, "redactions", hide, again=True)
    return result(context, services, "redactions", report, [card_data_result(context, services)])


def _all_of(spoken: Sequence[Turn], recognisers: Recognisers) -> tuple[Redaction, ...]:
    """What an earlier look took out, and what this one finds."""
    before = known_again(spoken)
    taken = {(one.position, place) for one in before for place in range(one.first_word, one.last_word + 1)}
    found = find(spoken, recognisers)
    return (
        *before,
        *(one for one in found if not taken.intersection((one.position, place) for place in range(one.first_word, one.last_word + 1))),
    )
