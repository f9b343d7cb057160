"""Object servers that are down, slow, silent or cut off, and addresses that are none."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from resources.objects import (
    ObjectStore,
    S3Connection,
    StorageError,
    StorageUnavailable,
    open_store,
)
from tests.integration.object_places import put


def impatient(port: int) -> ObjectStore:
    connection = S3Connection(f"http://127.0.0.1:{port}", access_key="k", secret_key="s", attempts=1, connect_timeout_s=2, read_timeout_s=1)
    return open_store("s3://bucket/prefix", connection)


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """A server that reads a request and sends these bytes, whatever was asked; None never answers."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            if answer is None:
                over.wait(30)
            else:
                connection.sendall(answer)

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)


def test_a_server_that_is_down_is_unavailable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    store = impatient(port)  # opening it connects to nothing
    calls: list[Callable[[], object]] = [
        store.check,
        lambda: store.stat("a"),
        lambda: store.digest("a"),
        lambda: list(store.list()),
        lambda: put(store, tmp_path, "a", b"x"),
        lambda: store.delete("a"),
    ]
    for call in calls:
        with pytest.raises(StorageUnavailable, match="VERBATIM_S3_ENDPOINT"):
            call()


SLOW_DOWN = b"<Error><Code>SlowDown</Code></Error>"
ANSWERS = {
    "slow-down": b"HTTP/1.1 503 Slow Down\r\nContent-Length: %d\r\n\r\n%s" % (len(SLOW_DOWN), SLOW_DOWN),
    "gateway": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "cut-short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    "hangs-up": b"",
    "silent": None,
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_server_that_fails_is_unavailable_and_no_half_file_appears(tmp_path: Path, answer: bytes | None) -> None:
    with answering(answer) as port:
        store = impatient(port)
        calls: list[Callable[[], object]] = [lambda: store.download("a", tmp_path / "copy"), lambda: store.digest("a")]
        for call in calls:
            with pytest.raises(StorageUnavailable):
                call()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["s3://", "http://bucket/x", "file://host/x", "gs://bucket"])
def test_an_address_of_no_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        open_store(url)


@pytest.mark.parametrize("endpoint", ["not a url", "http://"])
def test_an_endpoint_that_is_none_names_its_setting(endpoint: str) -> None:
    with pytest.raises(StorageError, match="VERBATIM_S3_ENDPOINT"):
        open_store("s3://bucket", S3Connection(endpoint, access_key="k", secret_key="s", attempts=1)).check()
