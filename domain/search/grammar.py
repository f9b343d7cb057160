"""The query language, read with lark.

    accident photos            both words, in one turn
    "do not consent"           the words in this order, side by side
    refund OR (claim NOT denied)
    speaker:customer type:claims date:2025-03 date:2025-01-01..2025-03-31
    speaker:(agent OR assistant)

NOT binds closer than AND, AND closer than OR; two conditions side by side mean AND. Words match in any of their English forms.
"""

import calendar
import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError

from domain.consultations import ConsultationType
from domain.parties import Party
from domain.prose import storable
from domain.search.errors import QuerySyntaxError
from domain.search.nodes import And, DateRange, Node, Not, Or, Phrase, Speaker, Type, Word
from domain.search.tokens import tokens

LONGEST_QUERY = 2_000
MOST_TERMS = 64
DEEPEST = 20

_GRAMMAR = r"""
start: either
?either: both (_OR both)*
?both: negated (_AND? negated)*
?negated: NOT+ term -> negation
        | term
?term: "(" either ")"
     | FIELD WORD -> field
     | FIELD "(" WORD (_OR WORD)* ")" -> field
     | PHRASE -> phrase
     | WORD -> word
_AND.3: /AND(?=[\s()"]|$)/
_OR.3: /OR(?=[\s()"]|$)/
NOT.3: /NOT(?=[\s()"]|$)/
FIELD.2: /[A-Za-z]+:/
PHRASE: /"[^"]*"/
WORD: /[^\s()"]+/
%ignore /\s+/
"""
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟＂", '"'))  # what phones and word processors type instead, each one character
_OF_OTHER_LANGUAGES = {
    "*": "Leave the * out: words match in any of their English forms",
    "~": "There is no ~: put the words in quotation marks if they stand side by side, side by side without if not",
}


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="basic", maybe_placeholders=False)


def parse(query: str) -> Node:
    """Raises QuerySyntaxError, and nothing else, for whatever cannot be understood or would cost too much."""
    if len(query) > LONGEST_QUERY:
        raise QuerySyntaxError(f"A query has at most {LONGEST_QUERY} characters", query, LONGEST_QUERY)
    if not query.strip():
        raise QuerySyntaxError('Type what to look for, such as: speaker:customer "do not consent"', query, 0)
    for position, character in enumerate(query):
        try:
            storable(character)
        except ValueError as unfit:
            raise QuerySyntaxError(f"A query {unfit}", query, position) from None
    readable = query.translate(_QUOTES)
    _check_balance(readable)
    try:
        tree = _parser().parse(readable)
        node: Node = _Build(query).transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, QuerySyntaxError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise _explained(error, query) from None
    if not _selects(node):
        raise QuerySyntaxError("Something must be looked for: NOT alone would return nearly everything ever said", query, 0, len(query))
    return node


def _check_balance(query: str) -> None:
    if query.count('"') % 2:
        raise QuerySyntaxError("This quotation mark is not closed", query, query.rindex('"'))
    depth, opened = 0, []
    for position, character in enumerate(re.sub(r'"[^"]*"', lambda m: "x" * len(m.group()), query)):
        if character == "(":
            opened.append(position)
            depth += 1
            if depth > DEEPEST:
                raise QuerySyntaxError(f"Parentheses go at most {DEEPEST} deep", query, position)
        elif character == ")":
            if not opened:
                raise QuerySyntaxError("This parenthesis was never opened", query, position)
            opened.pop()
            depth -= 1
    if opened:
        raise QuerySyntaxError("This parenthesis is not closed", query, opened[-1])


def _explained(error: UnexpectedInput, query: str) -> QuerySyntaxError:
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        token = error.token
        empty = query[: token.start_pos].rstrip().endswith("(")
        words = {
            "_AND": "AND stands between two conditions",
            "_OR": "OR stands between two conditions",
            "RPAR": "There is nothing in these parentheses" if empty else "Something is missing before this parenthesis",
        }
        message = words.get(token.type, "This is not expected here: put one word, or several with OR in parentheses, after the colon")
        return QuerySyntaxError(message, query, token.start_pos or 0, len(token))
    if isinstance(error, UnexpectedToken | UnexpectedEOF):
        return QuerySyntaxError("Something is missing at the end", query, len(query.rstrip()))
    position = error.pos_in_stream if isinstance(error, UnexpectedCharacters) else 0
    return QuerySyntaxError("This cannot be read", query, position or 0)


def _selects(node: Node, negated: bool = False) -> bool:
    """Whether every turn that is found holds something that was asked for. NOT (a OR b) is NOT a AND NOT b, so it turns them round."""
    match node:
        case Not(part):
            return _selects(part, not negated)
        case And(parts) | Or(parts):
            enough = any if isinstance(node, And) != negated else all
            return enough(_selects(part, negated) for part in parts)
        case _:
            return not negated


class _Build(Transformer[Token, Node]):
    def __init__(self, query: str) -> None:
        super().__init__()
        self._query = query
        self._terms = 0

    def start(self, parts: list[Node]) -> Node:
        return parts[0]

    def either(self, parts: list[Node]) -> Node:
        return Or(tuple(_flat(Or, parts)))

    def both(self, parts: list[Node]) -> Node:
        return And(tuple(_flat(And, parts)))

    def negation(self, parts: list[Token | Node]) -> Node:
        """NOT NOT a is a."""
        *nots, last = parts
        assert not isinstance(last, Token)
        for _ in nots:
            last = last.part if isinstance(last, Not) else Not(last)
        return last

    @v_args(inline=True)
    def word(self, token: Token) -> Node:
        if len(token) > 1 and token[0] == "-" and token[1].isalnum():
            raise self._wrong(token, "To leave something out, write NOT in front of it; put a minus sign that is meant in quotation marks")
        for sign, advice in _OF_OTHER_LANGUAGES.items():
            if sign in token:
                raise self._wrong(token, advice)
        return Word(self._text(token, str(token)))

    @v_args(inline=True)
    def phrase(self, token: Token) -> Node:
        return Phrase(self._text(token, str(token)[1:-1].strip()))

    @v_args(inline=True)
    def field(self, name: Token, *values: Token) -> Node:
        for value in values:
            self._count(value)
        match name[:-1].lower():
            case "speaker":
                return Speaker(tuple(dict.fromkeys(Party(self._one_of(v, [p.value for p in Party])) for v in values)))
            case "type":
                return Type(tuple(dict.fromkeys(ConsultationType(self._one_of(v, [t.value for t in ConsultationType])) for v in values)))
            case "date" if len(values) == 1:
                return self._range(values[0])
            case "date":
                raise self._wrong(values[1], "date: takes one day, month, year or range")
            case _:
                raise self._wrong(name, "There is no such field; there are speaker:, type: and date:")

    def _range(self, value: Token) -> DateRange:
        first, dots, last = value.partition("..")
        if not dots:
            return DateRange(*self._span(value, value))
        begin = self._span(value, first)[0] if first else None
        end = self._span(value, last)[1] if last else None
        if begin is None and end is None:
            raise self._wrong(value, "A range needs a day on one side at least")
        if begin and end and begin > end:
            raise self._wrong(value, "This range ends before it begins")
        return DateRange(begin, end)

    def _span(self, token: Token, text: str) -> tuple[date, date]:
        """The first and the last day of a year, a month or a day."""
        try:
            if not _DATE.fullmatch(text):
                raise ValueError
            year, *rest = map(int, text.split("-"))
            first_month, last_month = (rest[0], rest[0]) if rest else (1, 12)
            first_day, last_day = (rest[1], rest[1]) if len(rest) > 1 else (1, calendar.monthrange(year, last_month)[1])
            return date(year, first_month, first_day), date(year, last_month, last_day)
        except ValueError:
            raise self._wrong(token, "Write a date as 2025, 2025-03 or 2025-03-31, a range as 2025-01-01..2025-03-31") from None

    def _text(self, token: Token, text: str) -> str:
        words = len(tokens(text))
        self._count(token, words)
        if not words:
            raise self._wrong(token, "There is no letter or digit in this, so nothing to look for")
        return text

    def _one_of(self, token: Token, known: list[str]) -> str:
        if token.lower() not in known:
            raise self._wrong(token, f"This is none of {', '.join(known)}")
        return token.lower()

    def _count(self, token: Token, words: int = 1) -> None:
        """Every word counts, also inside a phrase, and so does every value of a field."""
        self._terms += words
        if self._terms > MOST_TERMS:
            raise self._wrong(token, f"A query has at most {MOST_TERMS} terms")

    def _wrong(self, token: Token, message: str) -> QuerySyntaxError:
        return QuerySyntaxError(message, self._query, token.start_pos or 0, len(token))


def _flat(kind: type[And] | type[Or], parts: Iterable[Node]) -> list[Node]:
    """(a AND b) AND c is a AND b AND c."""
    result: list[Node] = []
    for part in parts:
        result.extend(part.parts if isinstance(part, kind) else [part])
    return result
