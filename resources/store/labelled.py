"""Overturned verdicts with the redacted words about them, for the file that tests read. What of them is handed on: domain.review.labels."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from domain.consent import ConsentTable
from domain.review import Decision
from domain.review.labels import case_of
from domain.rules.shapes import Verdict
from resources.compliance_tables import findings, review_items
from resources.store import heard_calls


def cases(connection: Connection, table: ConsentTable) -> tuple[list[dict[str, Any]], int]:
    """(one case for each overturned verdict, in the order of the decisions; how many there are of which no words are kept any more)."""
    rows = connection.execute(
        select(review_items.c.consultation_id, review_items.c.corrected, findings)
        .select_from(review_items.join(findings, findings.c.id == review_items.c.finding_id))
        .where(review_items.c.decision == Decision.OVERTURNED.value)
        .order_by(review_items.c.closed_at, review_items.c.id)
    ).mappings()
    found: list[dict[str, Any]] = []
    lost = 0
    heard: dict[UUID, heard_calls.Heard] = {}
    for row in rows.all():
        call = row["consultation_id"]
        if call not in heard:
            heard = {call: heard_calls.load(connection, call, table)}  # of one call at a time: transcripts are long
        case = case_of(heard[call].call, heard[call].shown, dict(row), Verdict(row["corrected"]))
        if case is None:
            lost += 1
        else:
            found.append(case)
    return found, lost
