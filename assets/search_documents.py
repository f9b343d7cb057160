"""Asset ``search_documents``: what was archived becomes searchable, one consultation at a time."""

import dagster as dg

from assets.archive import archive
from assets.batches import Done, Report, Selection, work_through
from assets.partitions import partitions
from assets.reporting import given_up_check, result
from assets.services import Services
from resources.store import media, publishing, work
from resources.store.work import Claim


@dg.asset(
    partitions_def=partitions,
    deps=[archive],
    group_name="consultations",
    kinds={"postgres"},
    check_specs=given_up_check("search_documents"),
)
def search_documents(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], selection: Selection) -> dg.MaterializeResult:
    """The day's turns in the search index. A new version of a transcript replaces the one before in one step."""

    def publish(claimed: Claim, report: Report) -> Done:
        with services.engine.begin() as connection:
            work.hold(connection, claimed.recording_id, context.run_id)
            version = publishing.lock(connection, claimed.consultation_id)
            documents, sources = publishing.documents(connection, claimed.consultation_id)
            services.index.publish(connection, claimed.consultation_id, documents, version)
            for recording_id, transcript_id in sources:
                media.save_searchable(connection, recording_id, transcript_id)
        report.counters["turns"] += len(documents)
        return Done.PROCESSED

    report = work_through(context, services, selection, "search_documents", publish)
    return result(context, services, "search_documents", report)
