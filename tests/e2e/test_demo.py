"""``verbatim demo`` as a person runs it: a process of its own, in an empty folder, twice; and how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from domain.object_keys import RESERVED
from resources.embedded_postgres import running
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
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {**kept, "COLUMNS": "200"}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        ports = ("--port", str(self.ports[0]), "--dagster-port", str(self.ports[1]))
        command = [sys.executable, "-c", "from cli.main import main; main()", "demo", *ports, *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

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


def files(folder: Path) -> list[str]:
    """What lies in an object folder, without the store's own bookkeeping."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if path.parts[0] != RESERVED)


def test_once_and_once_more(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    first = demo.start("--once")
    told, _ = first.communicate(timeout=900)
    assert first.returncode == 0, told
    assert "The demo calls" in told
    assert len(re.findall(r"verbatim search '", told)) == 3
    assert "no hit" not in told
    assert "egress_failed" in told
    assert [path.name for path in tmp_path.iterdir()] == [".verbatim"]
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


def test_it_stays_up_until_ctrl_c_which_ends_everything(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    process = demo.start()
    assert process.stdout is not None
    for line in process.stdout:
        if "Ctrl-C stops everything" in line:
            break
    assert process.poll() is None
    assert len(demo.left_behind()) >= 3
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    assert demo.left_behind() == []


def test_busy_ports_are_named(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", demo.ports[0]))
        taken.listen()
        process = demo.start("--once")
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"port {demo.ports[0]} is taken" in told
    assert "--port" in told
    assert demo.left_behind() == []


def test_kill_9_leaves_nothing_running_for_long_and_the_next_run_goes_on(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
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
