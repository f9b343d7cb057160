"""What a search finds, in what order, page by page, and what it shows of it."""

import base64
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from domain.consultations import ConsultationType
from domain.parties import Party
from domain.search import (
    And,
    DateRange,
    Node,
    Not,
    Or,
    Phrase,
    Speaker,
    Spoken,
    Type,
    Word,
    matched,
    normalised,
    parse,
    tokens,
    words_of,
)
from resources.search import Document, WrongCursor
from resources.search.postgres import CONFIGURATION, PostgresIndex
from resources.tables import publication_versions

CALLS = {
    1: ("quote", datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC)),
    2: ("claims", datetime(2025, 2, 1, 0, 0, 0, tzinfo=UTC)),
    3: ("support", datetime(2025, 3, 15, 12, 0, 0, tzinfo=UTC)),
    4: ("training", datetime(2026, 3, 15, 12, 0, 0, tzinfo=UTC)),
}
SAID = {
    11: (1, Party.AGENT, "This call may be recorded, is that okay?"),
    12: (1, Party.CUSTOMER, "Yes, I consent to being recorded."),
    13: (1, Party.ASSISTANT, "The premium is 120 dollars, twelve a month."),
    21: (2, Party.CUSTOMER, "No, I do not consent to that recording."),
    22: (2, Party.AGENT, "Don’t worry, we won't record. Tell me about the accidents."),
    23: (2, Party.CUSTOMER, "I don't know. My e-mail is follow-up@example.com & the photo's there"),
    31: (3, Party.CUSTOMER, "Not now: do consent forms exist? NOT yet and OR neither."),
    32: (3, Party.UNKNOWN, "refunds refunded refunding"),
    41: (4, Party.PARTNER, "<script>alert('consent')</script> é naïve Ünder_score 50% 4111-1111"),
}
CASES = {
    "consent": {12, 21, 31, 41},
    "CONSENTING": {12, 21, 31, 41},
    '"do not consent"': {21},
    '"i consent"': {12},
    '"not consent"': {21},
    '"consent to"': {12, 21},
    '"to being recorded"': {12},
    "recorded": {11, 12, 21, 22},
    "consent NOT recorded": {31, 41},
    "consent NOT (recording OR forms)": {41},
    "speaker:customer consent": {12, 21, 31},
    "speaker:(agent OR assistant)": {11, 13, 22},
    "speaker:unknown": {32},
    "speaker:admin": set(),
    "type:claims": {21, 22, 23},
    "type:(claims OR quote) consent": {12, 21},
    "date:2025-01": {11, 12, 13},
    "date:2025-02-01": {21, 22, 23},
    "date:2025": {11, 12, 13, 21, 22, 23, 31, 32},
    "date:2025-02..": {21, 22, 23, 31, 32, 41},
    "date:..2025-01-31": {11, 12, 13},
    "date:2025-02-01..2025-03-15 consent": {21, 31},
    "refund": {32},
    "accident": {22},
    "accident OR refund": {22, 32},
    "accident refund": set(),
    "dont": {22, 23},
    "don't": {22, 23},
    "don’t": {22, 23},
    '"don\'t worry"': {22},
    "wont": {22},
    "120": {13},
    "12": set(),
    "email": set(),
    '"e mail"': {23},
    "e-mail": {23},
    "follow-up@example.com": {23},
    '"follow up example com"': {23},
    "photos": {23},
    "naïve": {41},
    "under_score": set(),
    "Ünder": {41},
    '"4111 1111"': {41},
    "1111": {41},
    "script": {41},
    "the": {13, 22, 23},
    "not": {21, 31},
    '"or neither"': {31},
    "(accident OR premium) (agent OR dollars)": {13},
    "nothing NOT something": set(),
    "a'; DROP TABLE search_documents; --x": set(),
    "a\x00b": set(),
    "date:9999": set(),
    "date:0001..9999 accident": {22},
    "NOT (NOT accident OR refund)": {22},
    "accident NOT (speaker:customer OR type:quote)": {22},
}


def call_id(number: int) -> UUID:
    return UUID(int=number)


def documents(call: int, turns: Sequence[int] | None = None) -> list[Document]:
    kind, began = CALLS[call]
    return [
        Document(n, call_id(call), UUID(int=100 + call), UUID(int=200 + call), kind, speaker, began, n * 1000, n * 1000 + 500, text)
        for n, (whose, speaker, text) in SAID.items()
        if whose == call and (turns is None or n in turns)
    ]


@pytest.fixture
def index(engine: Engine) -> PostgresIndex:
    index = PostgresIndex(engine)
    with engine.begin() as connection:
        for number in CALLS:
            index.publish(connection, call_id(number), documents(number), version=1)
    return index


def found(index: PostgresIndex, query: str) -> list[int]:
    return [hit.document.turn_id for hit in index.search(parse(query), limit=100).hits]


def test_every_query_finds_what_it_should(index: PostgresIndex) -> None:
    wrong = {query: (got, expected) for query, expected in CASES.items() if (got := set(found(index, query))) != expected}
    assert wrong == {}


def test_newest_call_first_then_as_it_was_said(index: PostgresIndex) -> None:
    assert found(index, "consent OR recorded") == [41, 31, 21, 22, 11, 12]


def test_pages_are_stable_while_calls_arrive(index: PostgresIndex, engine: Engine) -> None:
    query = parse("consent OR recorded")
    whole, seen, cursor = found(index, "consent OR recorded"), [], None
    for page_number in range(4):
        page = index.search(query, limit=2, cursor=cursor)
        seen += [hit.document.turn_id for hit in page.hits]
        cursor = page.next_cursor
        if cursor is None:
            break
        new = UUID(int=50 + page_number)
        late = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=page_number)
        with engine.begin() as connection:
            index.publish(connection, new, [Document(900 + page_number, new, new, new, "quote", Party.AGENT, late, 0, 1, "consent")], 2)
    assert seen == whole
    assert cursor is None


def test_a_cursor_belongs_to_its_query(index: PostgresIndex) -> None:
    cursor = index.search(parse("consent"), limit=1).next_cursor
    assert cursor is not None
    with pytest.raises(WrongCursor, match="another query"):
        index.search(parse("recorded"), limit=1, cursor=cursor)
    mark = json.loads(base64.urlsafe_b64decode(cursor + "=="))[0]
    numbers = (("1", f"{10**30}"), (f"-{10**30}", "1"), ("null", "1"), ("Infinity", "1"))
    forged = [cursor_of(f'["{mark}", "2025-01-01T00:00:00+00:00", "{UUID(int=1)}", {ms}, {turn}]') for ms, turn in numbers]
    forged.append(cursor_of("[" * 100_000))
    for damaged in ("", "x", "ü", cursor[:-4], "bnVsbA", "W10", *forged):
        with pytest.raises(WrongCursor):
            index.search(parse("consent"), limit=1, cursor=damaged)


def cursor_of(content: str) -> str:
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def shown(index: PostgresIndex, query: str, turn: int) -> str:
    (hit,) = [hit for hit in index.search(parse(query), limit=100).hits if hit.document.turn_id == turn]
    return "".join(f"[{f.text}]" if f.highlighted else f.text for f in hit.snippet)


def test_what_matched_is_what_is_highlighted(index: PostgresIndex) -> None:
    assert shown(index, '"do not consent"', 21) == "No, I [do not consent] to that recording."
    assert shown(index, "don't speaker:agent", 22) == "[Don’t] worry, we won't record. Tell me about the accidents."
    assert shown(index, "accident NOT refund", 22) == "Don’t worry, we won't record. Tell me about the [accidents]."
    assert shown(index, "refund", 32) == "[refunds refunded refunding]"
    assert shown(index, "speaker:unknown", 32) == "refunds refunded refunding"
    assert shown(index, "consent", 41).startswith("<script>alert('[consent]')</script>")
    # Only what makes this turn a hit, not what another branch of the query asks of another turn.
    assert shown(index, "accident OR (worry speaker:customer)", 22) == "Don’t worry, we won't record. Tell me about the [accidents]."
    assert shown(index, "photos NOT (know NOT speaker:customer)", 23).startswith("I don't know.")


def publish_one(index: PostgresIndex, engine: Engine, text: str) -> None:
    """A call of one turn, both with the number 1."""
    one = UUID(int=1)
    with engine.begin() as connection:
        index.publish(connection, one, [Document(1, one, one, one, "quote", Party.AGENT, CALLS[1][1], 0, 1, text)], 1)


def test_words_that_postgresql_takes_apart_shift_no_highlight(engine: Engine) -> None:
    index = PostgresIndex(engine)
    text = "policy 3e7k ½ 1e5x² then " + "the " * 300 + "refund of x"
    publish_one(index, engine, text)
    assert shown(index, "then", 1).startswith("policy 3e7k ½ 1e5x² [then] the")
    assert shown(index, '"policy 3e7k"', 1).startswith("[policy 3e7k] ½ 1e5x² then")
    assert "the [refund] of x" in shown(index, "refund", 1)


def test_a_long_turn_is_shown_around_its_hit(engine: Engine) -> None:
    index = PostgresIndex(engine)
    text = " ".join(f"word{n}" for n in range(300)) + " needle " + " ".join(f"more{n}" for n in range(300))
    publish_one(index, engine, text)
    line = shown(index, "needle", 1)
    assert line.startswith("…word292")
    assert line.endswith("…")
    assert "[needle]" in line
    assert len(line) < 400


def test_a_late_older_version_changes_nothing(index: PostgresIndex, engine: Engine) -> None:
    with engine.begin() as connection:
        assert index.publish(connection, call_id(2), documents(2, [21]), version=7)
        assert not index.publish(connection, call_id(2), documents(2), version=6)
    assert found(index, "type:claims") == [21]
    with engine.begin() as connection:
        assert index.unpublish(connection, call_id(2), version=8)
        assert not index.publish(connection, call_id(2), documents(2), version=7)
    assert found(index, "type:claims") == []


def test_of_publications_at_the_same_time_the_newest_stays(engine: Engine) -> None:
    index = PostgresIndex(engine)

    def publish(version: int) -> None:
        kept = [21, 22, 23][: version % 3 + 1]
        with engine.begin() as connection:
            index.publish(connection, call_id(2), documents(2, kept), version)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(publish, [5, 3, 19, 11, 16, 7, 20, 2, 13, 1, 18, 4]))
    assert found(index, "type:claims") == [21, 22, 23]


VOCABULARY = ("consent", "consents", "not", "do", "don't", "recorded", "call", "refund", "3e7k", "co-pay", "the")
said = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=6).map(" ".join)
spoken_turns = st.lists(st.tuples(st.sampled_from(sorted(CALLS)), st.sampled_from(list(Party)), said), min_size=1, max_size=8)
asked_words = st.sampled_from(VOCABULARY).map(Word)
asked_phrases = st.lists(st.sampled_from(VOCABULARY), min_size=2, max_size=3).map(lambda words: Phrase(" ".join(words)))
asked_days = st.sampled_from([date(2025, 1, 31), date(2025, 2, 1), date(2026, 3, 15)])
conditions: st.SearchStrategy[Node] = st.one_of(
    asked_words,
    asked_phrases,
    st.sampled_from(list(Party)).map(lambda party: Speaker((party,))),
    st.sampled_from(list(ConsultationType)).map(lambda kind: Type((kind,))),
    asked_days.map(lambda day: DateRange(day, None)) | asked_days.map(lambda day: DateRange(None, day)),
)
questions = st.recursive(
    conditions,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoken_turns, st.lists(questions, min_size=1, max_size=5))
def test_postgresql_finds_what_the_meaning_says(engine: Engine, turns: list[tuple[int, Party, str]], queries: list[Node]) -> None:
    """The stems are the test's own: in this vocabulary, forms differ by s and ed alone."""
    index = PostgresIndex(engine)
    corpus = [
        Document(call * 100 + n, call_id(call), UUID(int=1), UUID(int=2), CALLS[call][0], speaker, CALLS[call][1], n, n, text)
        for n, (call, speaker, text) in enumerate(turns)
    ]
    with engine.begin() as connection:
        for call in CALLS:
            version = connection.execute(select(func.nextval(publication_versions.name))).scalar_one()
            index.publish(connection, call_id(call), [one for one in corpus if one.consultation_id == call_id(call)], version)
    for query in queries:
        expected = {one.turn_id for one in corpus if is_hit(query, one)}
        assert {hit.document.turn_id for hit in index.search(query, limit=100).hits} == expected


def is_hit(query: Node, document: Document) -> bool:
    stems = [stem(token.text) for token in tokens(document.text)]
    spoken = Spoken(stems, document.speaker, document.consultation_type, document.call_started_at)
    return matched(query, spoken, {word: [stem(word)] for word in words_of(query)}) is not None


def stem(word: str) -> str:
    return word.removesuffix("s").removesuffix("ed")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(max_codepoint=0x24F, exclude_characters="ªº") | st.sampled_from("’“”–—…€"), max_size=60))
def test_postgresql_sees_the_words_that_we_see(engine: Engine, text: str) -> None:
    """Highlights rely on it: one position per token, in order."""
    words = normalised(text)
    with engine.connect() as connection:
        vector = func.to_tsvector(CONFIGURATION, words)
        unnested = func.unnest(vector).table_valued("lexeme", "positions", "weights")
        positions = sorted(n for row in connection.execute(select(unnested.c.positions)) for n in row.positions)
    assert positions == list(range(1, len(words.split()) + 1))
