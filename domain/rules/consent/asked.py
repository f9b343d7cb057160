"""Who in a call had to consent, by the law of the places: the customers, whose voices are heard as one, and everybody else who is asked.

What they answered is weighed in combined and others, who must consent in domain.consent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.consent import ConsentTable, Present, gate
from domain.parties import Party


@dataclass(frozen=True, slots=True)
class Asked:
    """``customers``: all who were there as one, whether they had to be asked or not; empty where nobody knows who it was.

    ``required``: whether the customers had to consent. ``others``: everybody else who had to; ``not_asked``: everybody else who need not have.
    """

    required: bool
    customers: tuple[str, ...]
    others: tuple[str, ...]
    not_asked: tuple[str, ...]


def asked(table: ConsentTable, people: Sequence[Present], at: datetime) -> Asked:
    """Of everybody who ever was in the call. Where nobody is known to be the customer, whoever has no role is taken for one; somebody of whom
    nothing is known but that they were called has the party ""."""
    required = set(gate(table, people, (), at).required)
    unknown = {one.party for one in people if one.role is Party.UNKNOWN}
    customers = {one.party for one in people if one.role is Party.CUSTOMER} or unknown
    others = required - customers
    not_asked = {one.party for one in people} - customers - others
    known = (customers - {""}, others, not_asked)
    return Asked(bool(customers & required), *(tuple(sorted(some)) for some in known))
