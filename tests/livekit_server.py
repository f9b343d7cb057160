"""LiveKit servers of a test's own, from the program that ``make services`` built: own ports, own key, own webhook URL, on loopback."""

import json
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

READY_S = 30.0


@dataclass
class LiveKitServer:
    """A running server. ``url`` is its API, ``ws_url`` what clients connect to."""

    program: str
    folder: Path
    webhook_url: str | None = None
    key: str = field(default_factory=lambda: f"API{secrets.token_hex(6)}")
    secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    def __post_init__(self) -> None:
        self._config = self.folder / "livekit.yaml"
        self._process: subprocess.Popen[bytes] | None = None
        for attempt in range(3):  # a free port can be taken by somebody else before the server has it
            self.port = _free_port(socket.SOCK_STREAM)
            self._config.write_text(json.dumps(self._settings(_free_port(socket.SOCK_DGRAM))))
            self._config.chmod(0o600)
            try:
                self.restart()
                return
            except RuntimeError:
                if attempt == 2:
                    raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """SIGKILL: nobody is told, and what it kept in memory, that is everything, is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """SIGSTOP: whoever connects is taken by the kernel, and nobody gets an answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Starts it again on the same ports with the same key. Rooms are not there any more."""
        self.kill()
        log = self.folder / "livekit.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [self.program, "--config", str(self._config)], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"livekit-server did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _settings(self, udp_port: int) -> dict[str, object]:
        """YAML's subset JSON. Without a TCP port for media, because it would listen on every address of the machine."""
        settings: dict[str, object] = {
            "port": self.port,
            "bind_addresses": ["127.0.0.1"],
            "rtc": {
                "tcp_port": 0,
                "udp_port": udp_port,
                "node_ip": "127.0.0.1",
                "use_external_ip": False,
                "enable_loopback_candidate": True,
                "ips": {"includes": ["127.0.0.1/32"]},
            },
            "keys": {self.key: self.secret},
        }
        if self.webhook_url is not None:
            settings["webhook"] = {"api_key": self.key, "urls": [self.webhook_url]}
        return settings


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
