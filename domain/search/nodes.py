"""The meaning of a query, as a tree. All conditions hold for one turn; dates are UTC days of the call's start, both ends included."""

from dataclasses import dataclass
from datetime import date

from domain.consultations import ConsultationType
from domain.parties import Party


@dataclass(frozen=True, slots=True)
class Word:
    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    text: str


@dataclass(frozen=True, slots=True)
class Speaker:
    parties: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class Type:
    types: tuple[ConsultationType, ...]


@dataclass(frozen=True, slots=True)
class DateRange:
    """None: open on that side."""

    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Node", ...]


Node = Word | Phrase | Speaker | Type | DateRange | Not | And | Or


def render(node: Node) -> str:
    """A query that parses to this tree again: the canonical way to write it."""
    match node:
        case Word(text):
            return text
        case Phrase(text):
            return f'"{text}"'
        case Speaker(parties):
            return f"speaker:{_one_or_list([party.value for party in parties])}"
        case Type(types):
            return f"type:{_one_or_list([kind.value for kind in types])}"
        case DateRange(first, last):
            return f"date:{first.isoformat() if first else ''}..{last.isoformat() if last else ''}"
        case Not(part):
            return f"NOT {_grouped(part)}"
        case And(parts):
            return " AND ".join(_grouped(part) for part in parts)
        case Or(parts):
            return " OR ".join(_grouped(part) for part in parts)


def _grouped(node: Node) -> str:
    return f"({render(node)})" if isinstance(node, And | Or) else render(node)


def _one_or_list(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"({' OR '.join(values)})"
