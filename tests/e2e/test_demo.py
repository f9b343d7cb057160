"""``verbatim demo`` as a person runs it: a process of its own, in an empty folder, twice; and how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from domain.object_keys import RESERVED
from resources.embedded_postgres import running, stop
from resources.store.database import engine_for

pytestmark = pytest.mark.timeout(1200)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Demo:
    """The command in a folder of its own. Its environment is a bare one: no setting of ours leaks in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = (free_port(), free_port())
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.home = folder.parent / f"{folder.name}-home"
        self.home.mkdir()
        self.environment = {**kept, "HOME": str(self.home), "COLUMNS": "200"}
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        ports = ("--port", str(self.ports[0]), "--dagster-port", str(self.ports[1]))
        command = [sys.executable, "-c", "from cli.main import main; main()", "demo", *ports, *arguments]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def left_behind(self) -> list[str]:
        """Processes that were started by it and are still there."""
        found = []
        for process in psutil.process_iter():
            try:
                if str(self.folder) in " ".join(process.cmdline()) or process.environ().get("VERBATIM_DATA_DIR", "").startswith(
                    str(self.folder)
                ):
                    found.append(" ".join(process.cmdline())[:120])
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        return found

    def counts(self) -> list[tuple[object, ...]]:
        with running(self.folder / ".verbatim" / "postgres") as server:
            engine = engine_for(server.url("verbatim"))
            with engine.connect() as connection:
                rows = connection.exec_driver_sql(
                    "SELECT (SELECT count(*) FROM video_consultations), (SELECT count(*) FROM recordings), (SELECT count(*) FROM transcripts),"
                    " (SELECT count(*) FROM turns), (SELECT count(*) FROM search_documents), (SELECT count(*) FROM webhook_events)"
                ).all()
            engine.dispose()
        return [tuple(row) for row in rows]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """Whatever becomes of the test, nothing that it started stays."""
    made = Demo(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)


def files(folder: Path) -> list[str]:
    """What lies in an object folder, without the store's own bookkeeping."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if path.parts[0] != RESERVED)


def test_once_and_once_more(demo: Demo, tmp_path: Path) -> None:
    first = demo.start("--once")
    told, _ = first.communicate(timeout=900)
    assert first.returncode == 0, told
    assert "The demo calls" in told
    assert len(re.findall(r"verbatim search '", told)) == 4
    assert told.count("no hit") == 1 and "no hit: the call in which it is said is in quarantine" in told
    assert "egress_failed" in told and "quarantined" in told and "in part" in told and "[security_code]" in told
    assert [path.name for path in tmp_path.iterdir()] == [".verbatim"]
    assert list(demo.home.iterdir()) == []
    assert demo.left_behind() == []
    data = tmp_path / ".verbatim"
    assert files(data / "intake") == []
    kept, counted = files(data / "archive"), demo.counts()
    logs = "".join(path.read_text(errors="replace") for path in (data / "logs").iterdir())
    assert "do not consent" not in logs.lower()
    assert (data / "demo-livekit-secret").read_text() not in logs

    second = demo.start("--once")
    told, _ = second.communicate(timeout=600)
    assert second.returncode == 0, told
    assert demo.counts() == counted
    assert files(data / "archive") == kept
    assert files(data / "intake") == []
    assert demo.left_behind() == []


def find_and_read(page: Page, url: str, token: str) -> None:
    """With the keyboard alone, as somebody would who has never seen the page: sign in, ask, be told of a mistake, mend it, open a hit."""
    page.goto(url)
    page.keyboard.insert_text(token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type('speaker:customer "i')
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("^")
    page.get_by_role("searchbox").press("End")
    page.keyboard.type(' consent"')
    page.keyboard.press("Enter")
    hit = page.get_by_role("listitem").filter(has=page.locator("mark")).first
    expect(hit).to_contain_text("customer")
    expect(hit.locator("mark")).to_have_text("I consent", ignore_case=True)
    said = hit.locator("p").inner_text()
    hit.get_by_role("link").press("Enter")
    turn = page.locator("li:target")
    expect(turn.locator("p")).to_have_text(said)
    expect(turn).to_be_in_viewport(ratio=0.9)
    expect(page.get_by_role("heading", level=1)).to_contain_text("consultation")
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def look_at_dagster(page: Page, url: str) -> None:
    page.goto(f"{url}asset-groups")
    for asset in ("recordings", "transcripts", "archive", "search_documents"):
        expect(page.get_by_text(asset, exact=True).first).to_be_visible()
    page.goto(f"{url}runs")
    expect(page.get_by_text("Success").first).to_be_visible()
    expect(page.get_by_text("Failure", exact=True)).to_have_count(0)


def test_a_person_can_use_what_stays_up_until_ctrl_c(demo: Demo, page: Page) -> None:
    process = demo.start()
    assert process.stdout is not None
    token = ""
    for line in process.stdout:
        token = line.strip() if line.startswith("eyJ") else token
        if "Ctrl-C stops everything" in line:
            break
    assert process.poll() is None
    assert len(demo.left_behind()) >= 3
    find_and_read(page, f"http://127.0.0.1:{demo.ports[0]}/", token)
    look_at_dagster(page, f"http://127.0.0.1:{demo.ports[1]}/")
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    assert demo.left_behind() == []


def test_it_ends_when_its_database_does(demo: Demo) -> None:
    process = demo.start()
    assert process.stdout is not None
    for line in process.stdout:
        if "Ctrl-C stops everything" in line:
            break
    stop(demo.folder / ".verbatim" / "postgres")
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "PostgreSQL ended" in told
    assert demo.left_behind() == []


def test_busy_ports_are_named(demo: Demo) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", demo.ports[0]))
        taken.listen()
        process = demo.start("--once")
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"port {demo.ports[0]} is taken" in told
    assert "--port" in told
    assert demo.left_behind() == []


def test_kill_9_leaves_nothing_running_for_long_and_the_next_run_goes_on(demo: Demo) -> None:
    process = demo.start("--once")
    assert process.stdout is not None
    for line in process.stdout:
        if "signed webhooks" in line:
            break
    process.kill()
    process.wait()
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and any("postgres" not in command for command in demo.left_behind()):
        time.sleep(1)
    assert [command for command in demo.left_behind() if "postgres" not in command] == []
    again = demo.start("--once")
    told, _ = again.communicate(timeout=900)
    assert again.returncode == 0, told
    assert demo.left_behind() == []
