"""What can be typed, what it means, and how a mistake is explained."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.consultations import ConsultationType
from domain.parties import Party
from domain.search import And, DateRange, Node, Not, Or, Phrase, QuerySyntaxError, Speaker, Type, Word, normalised, parse, render, tokens
from domain.search.grammar import LONGEST_QUERY, MOST_TERMS

MEANINGS: dict[str, Node] = {
    "accident": Word("accident"),
    "accident photos": And((Word("accident"), Word("photos"))),
    "accident AND photos": And((Word("accident"), Word("photos"))),
    "a OR b c": Or((Word("a"), And((Word("b"), Word("c"))))),
    "(a OR b) c": And((Or((Word("a"), Word("b"))), Word("c"))),
    "a NOT b": And((Word("a"), Not(Word("b")))),
    "a NOT (b OR c)": And((Word("a"), Not(Or((Word("b"), Word("c")))))),
    "a NOT NOT b": And((Word("a"), Word("b"))),
    "a NOT NOT NOT b": And((Word("a"), Not(Word("b")))),
    "NOT (NOT a OR b)": Not(Or((Not(Word("a")), Word("b")))),
    "a " + "NOT " * 490 + "b": And((Word("a"), Word("b"))),
    "“do not consent” „yes“": And((Phrase("do not consent"), Phrase("yes"))),
    "NOT b a OR c": Or((And((Not(Word("b")), Word("a"))), Word("c"))),
    '"do not consent"': Phrase("do not consent"),
    '"AND OR NOT ( :"': Phrase("AND OR NOT ( :"),
    "ANDROID ORDER NOTHING and or not": And(tuple(map(Word, ["ANDROID", "ORDER", "NOTHING", "and", "or", "not"]))),
    "10:30": Word("10:30"),
    "don't": Word("don't"),
    "speaker:customer": Speaker((Party.CUSTOMER,)),
    "SPEAKER:Customer": Speaker((Party.CUSTOMER,)),
    "speaker:(agent OR assistant OR agent)": Speaker((Party.AGENT, Party.ASSISTANT)),
    "type:claims refund": And((Type((ConsultationType.CLAIMS,)), Word("refund"))),
    "date:2024-02": DateRange(date(2024, 2, 1), date(2024, 2, 29)),
    "date:2025": DateRange(date(2025, 1, 1), date(2025, 12, 31)),
    "date:2025-03-31": DateRange(date(2025, 3, 31), date(2025, 3, 31)),
    "date:2025-01..2025-03": DateRange(date(2025, 1, 1), date(2025, 3, 31)),
    "date:..2025-03-01": DateRange(None, date(2025, 3, 1)),
    "date:2025-03-01..": DateRange(date(2025, 3, 1), None),
}


@pytest.mark.parametrize("query", MEANINGS)
def test_meaning(query: str) -> None:
    assert parse(query) == MEANINGS[query]


MISTAKES = {
    "": (0, "Type what to look for"),
    "   ": (0, "Type what to look for"),
    'say "hello': (4, "not closed"),
    "(a b": (0, "not closed"),
    "a) b": (1, "never opened"),
    "a ()": (3, "nothing in these parentheses"),
    "a AND": (5, "missing at the end"),
    "a OR OR b": (5, "OR stands between"),
    "AND a": (0, "AND stands between"),
    "speaker:bob": (8, "customer, agent, assistant"),
    "speaker:": (8, "missing at the end"),
    'speaker:"agent"': (8, "after the colon"),
    "colour:red": (0, "no such field"),
    "type:gossip": (5, "quote, claims, support, training"),
    "date:2025-02-30": (5, "Write a date as"),
    "date:03/31/2025": (5, "Write a date as"),
    "date:2025-03..2025-01": (5, "ends before it begins"),
    "date:..": (5, "on one side"),
    "date:٢٠٢٥": (5, "Write a date as"),
    "date:0000": (5, "Write a date as"),
    "NOT a": (0, "NOT alone"),
    "NOT (a b)": (0, "NOT alone"),
    "NOT (NOT a b)": (0, "NOT alone"),
    "NOT speaker:agent": (0, "NOT alone"),
    "(a NOT)": (6, "missing before this parenthesis"),
    "claim -refund": (6, "write NOT in front"),
    "refund*": (0, "Leave the * out"),
    '"a b"~5': (5, "There is no ~"),
    '"' + "a " * (MOST_TERMS + 1) + '"': (0, "at most 64 terms"),
    "a " + "NOT (" * 21 + "b" + ")" * 21: (106, "at most 20 deep"),
    "a OR NOT b": (0, "NOT alone"),
    "a --": (2, "no letter or digit"),
    'a "..."': (2, "no letter or digit"),
    "a " * 1001: (LONGEST_QUERY, "at most 2000"),
    "a " * (MOST_TERMS + 1): (2 * MOST_TERMS, "at most 64 terms"),
    "(" * 21 + "a" + ")" * 21: (20, "at most 20 deep"),
}


@pytest.mark.parametrize("query", MISTAKES)
def test_a_mistake_is_explained_at_its_place(query: str) -> None:
    position, message = MISTAKES[query]
    with pytest.raises(QuerySyntaxError) as caught:
        parse(query)
    assert message in caught.value.message
    assert caught.value.position == position
    if query.strip():
        assert caught.value.caret.startswith(" " * position + "^")


words = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True).map(Word)
phrases = st.lists(st.from_regex(r"[a-zA-Z0-9']{0,3}[a-z0-9]", fullmatch=True), min_size=1, max_size=3).map(lambda w: Phrase(" ".join(w)))
days = st.dates(date(2015, 1, 1), date(2030, 1, 1))
ranges = st.tuples(days, days).map(lambda pair: DateRange(min(pair), max(pair))) | days.map(lambda d: DateRange(d, None))
speakers = st.lists(st.sampled_from(list(Party)), min_size=1, max_size=3, unique=True).map(lambda p: Speaker(tuple(p)))
types = st.lists(st.sampled_from(list(ConsultationType)), min_size=1, max_size=2, unique=True).map(lambda t: Type(tuple(t)))
leaves: st.SearchStrategy[Node] = st.one_of(words, phrases, ranges, speakers, types)


def flat(kind: type[And] | type[Or], parts: list[Node]) -> Node:
    result: list[Node] = []
    for part in parts:
        result.extend(part.parts if isinstance(part, kind) else [part])
    return kind(tuple(result))


nodes = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: flat(And, parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: flat(Or, parts)),
        st.tuples(leaves, inner).map(lambda pair: flat(And, [pair[0], Not(pair[1])])),
    ),
    max_leaves=12,
)


@given(nodes)
def test_what_is_written_out_means_the_same(node: Node) -> None:
    assert parse(render(node)) == node


@given(st.text() | st.text(alphabet='ab"(): ANDORNOT.-2025\n\x00’'))
def test_anything_typed_is_understood_or_explained(query: str) -> None:
    try:
        node = parse(query)
    except QuerySyntaxError as error:
        mistake = error
    else:
        assert parse(render(node)) == node
        return
    assert mistake.message
    assert 0 <= mistake.position <= mistake.position + mistake.length <= len(query) + 1


@given(st.text())
@example("İstanbul")
def test_tokens_are_where_they_say(text: str) -> None:
    found = tokens(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(0 <= token.start < token.end <= len(text) and token.text for token in found)
    assert normalised(normalised(text)) == normalised(text)


def test_apostrophes_vanish_whatever_they_look_like() -> None:
    assert normalised("Don't, don’t — I'm 50-50 sure!") == "dont dont im 50 50 sure"
