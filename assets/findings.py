"""Asset ``findings``: what must and must not have been said in the day's calls, judged; and whether a call may be used at all.

Rules are in resources.policies, judging in domain.rules. A call is judged as a whole, all its recordings together.
"""

from datetime import date, timedelta

import dagster as dg

from assets.batches import Done, Report, Selection, work_through
from assets.checks import consent_check, disclosure_check, judged_checks
from assets.partitions import partitions
from assets.redactions import redactions
from assets.reporting import given_up_check, result
from assets.services import Services
from domain.review import apply
from domain.rules.judging import judge
from domain.rules.shapes import Publication
from resources.store import evaluations, heard_calls, publishing, reviews, work
from resources.store.work import Claim

LOOK_AGAIN = timedelta(seconds=30)


@dg.asset(
    partitions_def=partitions,
    deps=[redactions],
    group_name="consultations",
    kinds={"python"},
    check_specs=[*given_up_check("findings"), *disclosure_check("findings"), *consent_check("findings")],
)
def findings(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], selection: Selection) -> dg.MaterializeResult:
    """Verdicts of the compliance rules on the day's calls, with the words that each rests on. Naming recordings judges their calls again."""

    def rule(claimed: Claim, report: Report) -> Done:
        rules, table = services.rules, services.consent_table
        with services.engine.begin() as connection:
            # The call before its recordings, as everywhere: a review that is decided meanwhile waits here, and then has it judged again.
            version = publishing.lock(connection, claimed.consultation_id)
            work.hold(connection, claimed.recording_id, context.run_id)
            if heard_calls.waits(connection, claimed.consultation_id):
                work.wait(connection, claimed.recording_id, services.now() + LOOK_AGAIN)
                return Done.WAITING
            heard = heard_calls.load(connection, claimed.consultation_id, table)
            judgement = apply(judge(heard.call, rules), reviews.decisions(connection, claimed.consultation_id))
            evaluation_id = evaluations.save(connection, heard, judgement, context.run_id)
            reviews.ask(connection, evaluation_id)
            if judgement.consent.publication is not Publication.PUBLISHED or judgement.consent.withheld:
                # At once, and not only when the archive is done with it: search_documents brings back what may be found.
                services.index.unpublish(connection, claimed.consultation_id, version)
                publishing.withdraw(connection, claimed.consultation_id)
        report.counters[f"consent_{judgement.consent.outcome.value}"] += 1
        report.counters[judgement.consent.publication.value] += 1
        return Done.PROCESSED

    report = work_through(context, services, selection, "findings", rule, again=True)
    with services.engine.connect() as connection:
        counts = evaluations.counts_of_day(connection, date.fromisoformat(context.partition_key))
    report.counters.update(counts)
    return result(context, services, "findings", report, judged_checks(context, services))
