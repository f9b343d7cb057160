"""Asset ``search_documents``: what was archived becomes searchable as far as consent goes, one consultation at a time."""

import dagster as dg

from assets.archive import archive
from assets.batches import Done, Report, Selection, work_through
from assets.partitions import partitions
from assets.reporting import given_up_check, result
from assets.services import Services
from domain.rules.shapes import Publication
from resources.store import publishing, work
from resources.store.work import Claim


@dg.asset(
    partitions_def=partitions,
    deps=[archive],
    group_name="consultations",
    kinds={"postgres"},
    check_specs=given_up_check("search_documents"),
)
def search_documents(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], selection: Selection) -> dg.MaterializeResult:
    """The day's turns, redacted, in the search index: of calls that may be recorded by consent and law, and nothing of the others.

    A new version of a transcript, or a verdict that has changed, replaces what was there in one step.
    """

    def publish(claimed: Claim, report: Report) -> Done:
        with services.engine.begin() as connection:
            version = publishing.lock(connection, claimed.consultation_id)
            work.hold(connection, claimed.recording_id, context.run_id)
            what = publishing.allowed(connection, claimed.consultation_id)
            if what is None or claimed.recording_id not in dict(what.sources):
                return Done.WAITING
            if what.publication is Publication.QUARANTINED:
                services.index.unpublish(connection, claimed.consultation_id, version)
            else:
                services.index.publish(connection, claimed.consultation_id, what.documents, version)
            publishing.save_published(connection, claimed.consultation_id, what)
        report.counters["turns"] += len(what.documents)
        report.counters[what.publication.value] += 1
        return Done.PROCESSED

    report = work_through(context, services, selection, "search_documents", publish)
    return result(context, services, "search_documents", report)
