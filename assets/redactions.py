"""Asset ``redactions``: which words of the day's transcripts are personal or card data, and how the turns read without them.

Silencing the sound belongs to the asset ``archive``, which writes it; what counts as personal to domain.redaction and resources.redaction.
"""

import dagster as dg
from domain.redaction.placeholders import placeholders_in
from resources.redaction import find

from assets.batches import Done, Report, Selection, work_through
from assets.checks import card_data_check, card_data_result
from assets.partitions import partitions
from assets.reporting import given_up_check, result
from assets.services import Services
from assets.transcripts import transcripts
from resources.store import media, work
from resources.store import redactions as redacted
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
            if before := redacted.made(connection, transcript_id, recognisers.version):
                work.hold(connection, claimed.recording_id, context.run_id)
                redacted.make_current(connection, claimed.recording_id, transcript_id, before)
                return Done.PROCESSED
            spoken = versions.spoken(connection, transcript_id)
        found = (*placeholders_in(spoken), *find(spoken, recognisers))
        with services.engine.begin() as connection:
            redacted.save(
                connection,
                claimed.recording_id,
                context.run_id,
                transcript_id=transcript_id,
                version=recognisers.version,
                spoken=spoken,
                found=found,
            )
        report.counters["values"] += len({(one.kind, one.entity) for one in found})
        return Done.PROCESSED

    report = work_through(context, services, selection, "redactions", hide, again=True)
    return result(context, services, "redactions", report, [card_data_result(context, services)])
