"""PostgreSQL against the meaning of a query as domain.search has it: any query, over anything that is said."""

from datetime import date
from uuid import UUID

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
    tokens,
    words_of,
)
from resources.search import Document
from resources.search.postgres import CONFIGURATION, PostgresIndex
from resources.tables import publication_versions
from tests.integration.spoken_calls import CALLS, call_id

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
