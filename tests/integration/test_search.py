"""What a search finds, in what order, page by page, and what it shows of it. That any search finds what it means: test_search_meaning."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine

from domain.parties import Party
from domain.search import parse
from resources.search import Document, WrongCursor
from resources.search.postgres import PostgresIndex
from tests.integration.spoken_calls import CALLS, call_id, documents

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
    "date:9999": set(),
    "date:0001..9999 accident": {22},
    "NOT (NOT accident OR refund)": {22},
    "accident NOT (speaker:customer OR type:quote)": {22},
}


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
