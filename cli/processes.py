"""The processes behind ``verbatim up``: API, Dagster's webserver and daemon, each with a log in the data folder.

Each runs in a session of its own, so that a Ctrl-C reaches only us, who then end them in order with everything they started.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import psutil

READY_TIMEOUT_S = 120
STOP_TIMEOUT_S = 15
PR_SET_PDEATHSIG = 1


class PortBusy(Exception):
    """A port that is needed is taken. ``str()`` names it and the option that moves it."""


class DidNotStart(Exception):
    """A process ended or did not answer. ``str()`` names it and its log."""


@dataclass
class Group:
    """The running processes, by name."""

    logs: Path
    environment: Mapping[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *arguments: str) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        with open(self.logs / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    def wait_for(self, name: str, url: str) -> None:
        """Until ``url`` answers 200. Raises DidNotStart."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            self.check()
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise DidNotStart(f"{name} did not answer within {READY_TIMEOUT_S} s: see {self.logs / name}.log")

    def check(self) -> None:
        """Raises DidNotStart if one of them has ended by itself."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise DidNotStart(f"{name} ended with status {process.returncode}: see {self.logs / name}.log")

    def stop(self) -> None:
        """End all of them and whatever they started; what does not end in time is killed."""
        members: list[psutil.Process] = []
        for process in self.running.values():
            try:
                members += [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
            except psutil.NoSuchProcess:
                continue
        for process in self.running.values():
            _signal_session(process.pid, signal.SIGTERM)
        _, alive = psutil.wait_procs(members, timeout=STOP_TIMEOUT_S)
        for member in alive:
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
        for process in self.running.values():
            process.wait()
        self.running.clear()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _signal_session(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def _end_with_parent() -> None:
    """Linux ends the child when we die without having stopped it (kill -9); elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def require_free(ports: Mapping[str, int]) -> None:
    """``ports`` maps the option that moves a port to its number. Raises PortBusy, naming all that are taken."""
    taken = []
    if len(set(ports.values())) < len(ports):
        raise PortBusy(f"{' and '.join(ports)} must not be the same port")
    for option, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken.append(f"port {port} is taken by another program; choose another with {option}")
    if taken:
        raise PortBusy("; ".join(taken))


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end us as Ctrl-C does. From before the first process is started until the last has ended."""
    before = {number: signal.signal(number, _interrupt) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stopping(group: Group) -> Iterator[Group]:
    """The processes are stopped however the block is left."""
    try:
        yield group
    finally:
        before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}  # a second Ctrl-C must not leave processes behind
        try:
            group.stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
