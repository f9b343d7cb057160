"""Servers of bench.handlers in processes of their own, so that what they use can be told from what everybody else does."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil

READY_S = 60.0


@contextmanager
def serving(name: str, environment: Mapping[str, str]) -> Iterator[tuple[psutil.Process, int]]:
    """The handler ``name`` and the port of 127.0.0.1 that it answers on; ``environment`` goes on top of our own. Raises RuntimeError."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-m", "bench.handlers", name, str(port)], env={**os.environ, **environment})
    try:
        deadline = time.monotonic() + READY_S
        while not _ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the bench's server {name} did not start")
            time.sleep(0.1)
        yield psutil.Process(process.pid), port
    finally:
        process.terminate()
        process.wait()


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
