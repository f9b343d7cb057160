"""``verbatim search``: the same search as the API's, in the terminal."""

import json
import os
import sys
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from domain.audit import Deed
from domain.search import QuerySyntaxError, parse
from resources.search import Hit, SearchTooSlow, WrongCursor
from resources.search.postgres import PostgresIndex
from resources.settings import Settings
from resources.store import audit
from resources.store.database import database


def run(settings: Settings, query: str, *, limit: int, cursor: str | None, as_json: bool) -> int:
    """The exit status as grep has it: 0 with a hit, 1 without, 2 if the query cannot be read."""
    try:
        node = parse(query)
        with database(settings) as engine:
            page = PostgresIndex(engine).search(node, limit=limit, cursor=cursor)
            details = (("query", query), ("hits", len(page.hits)), ("continued", cursor is not None))
            with engine.begin() as connection:
                audit.append(connection, Deed(f"os:{os.getuid()}", "operator", "search", details=details))
    except (QuerySyntaxError, WrongCursor, SearchTooSlow) as error:
        print(f"verbatim search: {error}", file=sys.stderr)
        return 2
    console = Console()
    for hit in page.hits:
        if as_json:
            print(_json(hit))
        else:
            console.print(_line(hit), soft_wrap=not console.is_terminal)
    if page.next_cursor:
        print(f"There is more: --cursor {page.next_cursor}", file=sys.stderr)
    if not page.hits and not as_json:
        console.print("Nobody said that.")
    return 0 if page.hits else 1


def _line(hit: Hit) -> Text:
    minutes, seconds = divmod(hit.document.start_ms // 1000, 60)
    began = f"{hit.document.call_started_at:%Y-%m-%d %H:%M}"
    line = Text(f"{began}  {minutes:02d}:{seconds:02d}  {hit.document.speaker.value:<10}")
    for fragment in hit.snippet:
        line.append(fragment.text, style="bold yellow" if fragment.highlighted else "")
    line.append(f"  {hit.document.consultation_id}", style="dim")
    return line


def _json(hit: Hit) -> str:
    document = hit.document
    return json.dumps(
        {
            "consultation_id": str(document.consultation_id),
            "recording_id": str(document.recording_id),
            "turn_id": document.turn_id,
            "type": document.consultation_type,
            "speaker": document.speaker.value,
            "call_started_at": document.call_started_at.isoformat().replace("+00:00", "Z"),
            "start_ms": document.start_ms,
            "end_ms": document.end_ms,
            "text": document.text,
            "snippet": [asdict(fragment) for fragment in hit.snippet],
        }
    )
