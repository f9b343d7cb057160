"""Search as its users meet it: over HTTP, and as pages."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import urljoin
from uuid import UUID, uuid4

import httpx2 as httpx
import pytest
from sqlalchemy import Engine, insert, update

from api.app import create_app
from domain.parties import Party
from domain.roles import Role
from resources.compliance_tables import redaction_runs
from resources.search import Document
from resources.search.postgres import PostgresIndex
from resources.store.database import engine_for
from resources.tables import consultations, recordings, transcripts, turns
from tests.api.client import Issuer, client_of, settings

CALL, RECORDING, TRANSCRIPT = UUID(int=1), UUID(int=2), UUID(int=3)
BEGAN = datetime(2025, 3, 3, 15, 0, tzinfo=UTC)
SAID = [
    ("agent", 0, "This call is recorded."),
    ("customer", 61_000, "I do not consent <b>to</b> that, it's recorded & kept."),
    ("unknown", 3_661_000, "Recorded anyway."),
]


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    issuer = Issuer()
    with client_of(create_app(settings(), engine, issuer.identities)) as opened:
        opened.headers.update(issuer.headers(Role.COMPLIANCE))
        yield opened


@pytest.fixture
def call(engine: Engine) -> list[int]:
    """One published call; the ids of its turns."""
    with engine.begin() as connection:
        connection.execute(
            insert(consultations).values(
                id=CALL, room_name="room", consultation_type="claims", started_at=BEGAN, ended_at=BEGAN.replace(hour=17)
            )
        )
        recording = {"id": RECORDING, "consultation_id": CALL, "egress_id": "EG_1", "egress_status": "EGRESS_COMPLETE", "started_at": BEGAN}
        connection.execute(insert(recordings).values(**recording, flags=["unattributed_mono"]))
        counts = {"speech_ms": 1, "word_count": 9, "turn_count": 3, "dropped_words": 0}
        made = {"id": TRANSCRIPT, "recording_id": RECORDING, "fingerprint": "f", "model": "m", "media_sha256": "0"}
        connection.execute(insert(transcripts).values(**made, **counts))
        ids = [
            connection.execute(
                insert(turns)
                .values(
                    transcript_id=TRANSCRIPT, position=position, role=role, start_ms=ms, end_ms=ms + 900, text=text, words=[], confidence=1,
                    attribution="unknown" if role == "unknown" else "channel", attribution_confidence=1,
                )
                .returning(turns.c.id)
            ).scalar_one()
            for position, (role, ms, text) in enumerate(SAID)
        ]  # fmt: skip
        redacted = {
            "id": uuid4(),
            "recording_id": RECORDING,
            "transcript_id": TRANSCRIPT,
            "version": "1",
            "counts": {},
            "card_data_left": 0,
        }
        connection.execute(insert(redaction_runs).values(**redacted))
        connection.execute(update(recordings).values(searchable_transcript_id=TRANSCRIPT))
        found = [
            Document(turn_id, CALL, RECORDING, TRANSCRIPT, "claims", Party(role), BEGAN, ms, ms + 900, text)
            for turn_id, (role, ms, text) in zip(ids, SAID, strict=True)
        ]
        PostgresIndex(engine).publish(connection, CALL, found, 1)
    return ids


def test_a_hit_says_who_when_and_where(client: httpx.Client, call: list[int]) -> None:
    answer = client.get("/api/search", params={"q": 'speaker:customer "do not consent"'})
    assert answer.status_code == 200
    assert answer.json() == {
        "query": 'speaker:customer "do not consent"',
        "hits": [
            {
                "consultation_id": str(CALL),
                "recording_id": str(RECORDING),
                "turn_id": call[1],
                "type": "claims",
                "speaker": "customer",
                "call_started_at": "2025-03-03T15:00:00Z",
                "start_ms": 61_000,
                "end_ms": 61_900,
                "snippet": [
                    {"text": "I ", "highlighted": False},
                    {"text": "do not consent", "highlighted": True},
                    {"text": " <b>to</b> that, it's recorded & kept.", "highlighted": False},
                ],
                "url": f"/consultations/{CALL}#turn-{call[1]}",
            }
        ],
        "next_cursor": None,
    }


def test_pages_follow_each_other(client: httpx.Client, call: list[int]) -> None:
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/api/search", params={"q": "recorded", "limit": "1", **cursor}).json()
        seen += [hit["turn_id"] for hit in page["hits"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == call


def test_a_mistake_is_pointed_at(client: httpx.Client) -> None:
    answer = client.get("/api/search", params={"q": "refund speaker:bob"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["position"], problem["length"]) == (400, 15, 3)
    assert "customer, agent, assistant, partner, admin, unknown" in problem["detail"]
    assert problem["shown"] == ["refund speaker:bob", "               ^^^"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"q": "a", "limit": "0"},
        {"q": "a", "limit": "101"},
        {"q": "a", "limit": "x"},
        {"q": "a", "cursor": "x"},
        {"q": "NOT a"},
        {"q": ""},
    ],
)
def test_what_cannot_be_answered_is_a_problem_document(client: httpx.Client, params: dict[str, str]) -> None:
    answer = client.get("/api/search", params=params)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]


def test_a_cursor_of_another_query_is_refused(client: httpx.Client, call: list[int]) -> None:
    cursor = client.get("/api/search", params={"q": "recorded", "limit": 1}).json()["next_cursor"]
    answer = client.get("/api/search", params={"q": "consent", "cursor": cursor})
    assert answer.status_code == 400
    assert "another query" in answer.json()["detail"]


def test_without_its_database_search_says_so() -> None:
    nowhere = engine_for("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    issuer = Issuer()
    with client_of(create_app(settings(), nowhere, issuer.identities)) as client:
        client.headers.update(issuer.headers(Role.ADMIN))
        answer = client.get("/api/search", params={"q": "a"})
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        for page in ("/?q=a", f"/consultations/{CALL}"):
            answer = client.get(page)
            assert answer.status_code == 503
            assert "database cannot be reached" in answer.text


class Seen(HTMLParser):
    """What of a page its reader meets: the links, what is marked, the ids and the elements' names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.marked: list[str] = []
        self.ids: list[str] = []
        self.names: list[str] = []
        self.fields: dict[str, str] = {}
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.names.append(tag)
        if tag == "a":
            self.links.append(values["href"])
        if tag == "input":
            self.fields[values["name"]] = values.get("value", "")
        if "id" in values:
            self.ids.append(values["id"])

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.names[-1:] == ["mark"] and data.strip() and self.get_starttag_text() == "<mark>":
            self.marked.append(data)
            self.names.append("")


def test_the_first_page_says_how_to_ask(client: httpx.Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    page = Seen(answer.text)
    assert page.fields == {"q": ""}
    assert "speaker:customer" in page.text
    assert not {"script", "img", "iframe", "link"} & set(page.names)
    assert {"main", "header", "form", "h1"} <= set(page.names)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_search_leads_to_the_second_it_was_said(client: httpx.Client, call: list[int]) -> None:
    page = Seen(client.get("/", params={"q": '"do not consent"'}).text)
    assert page.fields == {"q": '"do not consent"'}
    assert page.marked == ["do not consent"]
    assert "<b>to</b> that" in page.text
    assert "01:01" in page.text
    (link,) = [link for link in page.links if "consultations" in link]
    path, _, anchor = urljoin("/", link).partition("#")
    transcript = Seen(client.get(path).text)
    assert transcript.ids == [f"turn-{turn}" for turn in call]
    assert anchor == f"turn-{call[1]}"
    assert "I do not consent <b>to</b> that, it's recorded & kept." in transcript.text
    assert "61:01" in transcript.text
    assert "speakers not told apart" in transcript.text
    assert "b" not in transcript.names


def test_more_hits_than_a_page_holds(client: httpx.Client, engine: Engine) -> None:
    index = PostgresIndex(engine)
    with engine.begin() as connection:
        said = [Document(n, CALL, CALL, CALL, "quote", Party.AGENT, BEGAN, n, n, f"word {n}") for n in range(45)]
        index.publish(connection, CALL, said, 1)
    sizes, url = [], "/?q=word"
    while True:
        page = Seen(client.get(url).text)
        sizes.append(len(page.marked))
        more = [link for link in page.links if "cursor=" in link]
        if not more:
            break
        url = more[0]
    assert sizes == [20, 20, 5]


@pytest.mark.parametrize("query", ['"><script>alert(1)</script>', "colour:<b>", "'onfocus=alert(1) x='(", "{{ 7 * 7 }}", "\x00(", "‮a("])
def test_what_is_typed_is_shown_and_never_run(client: httpx.Client, query: str) -> None:
    answer = client.get("/", params={"q": query})
    page = Seen(answer.text)
    assert answer.status_code in (200, 400)
    assert "script" not in page.names
    assert "b" not in page.names
    assert page.fields["q"].replace("�", "\x00") == query


def test_a_mistake_is_shown_under_the_query(client: httpx.Client) -> None:
    answer = client.get("/", params={"q": 'say "hello'})
    assert answer.status_code == 400
    assert 'is not closed\nsay "hello\n    ^' in Seen(answer.text).text


@pytest.mark.parametrize("consultation", [UUID(int=99), "not-an-id"])
def test_an_unknown_consultation_is_a_page_too(client: httpx.Client, consultation: object) -> None:
    answer = client.get(f"/consultations/{consultation}")
    assert answer.status_code == 404
    assert "no such consultation" in answer.text


@pytest.mark.parametrize(("query", "position"), [("a\0b", 1), ("\0", 0), ('"not \0 this"', 5)])
def test_what_postgresql_cannot_take_is_shown_at_its_place(client: httpx.Client, query: str, position: int) -> None:
    answer = client.get("/api/search", params={"q": query})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["position"] == position and "NUL" in answer.json()["detail"]
    page = client.get("/", params={"q": query})
    assert page.status_code == 400 and 'role="alert"' in page.text and "NUL" in page.text


def test_a_cursor_that_postgresql_cannot_take_is_none_of_this_query(client: httpx.Client) -> None:
    answer = client.get("/api/search", params={"q": "a", "cursor": "\0"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert client.get("/", params={"q": "a", "cursor": "\0"}).status_code == 400
