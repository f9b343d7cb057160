"""Run as a program by test_objects: a process of its own whose memory can be measured and which can be killed."""

import json
import resource
import sys
from pathlib import Path

from resources.objects import ObjectStore, S3Connection, open_store


def main() -> None:
    """Reads one JSON object: action, url, connection (or null), key, source, sha256, target."""
    order = json.load(sys.stdin)
    connection = S3Connection(**order["connection"]) if order["connection"] else None
    store = open_store(order["url"], connection)
    source = Path(order["source"])
    if order["action"] == "write":
        store.write(order["key"], source, sha256=order["sha256"], content_type="audio/ogg")
    elif order["action"] == "measure":
        measure(store, order["key"], source, order["sha256"], Path(order["target"]))


def measure(store: ObjectStore, key: str, source: Path, sha256: str, target: Path) -> None:
    """Prints by how many MiB the process grew while a big object went out, came back to a file and was read again."""
    store.stat("warm-up")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    store.write(key, source, sha256=sha256, content_type="audio/ogg")
    digests = {store.download(key, target), store.digest(key)}
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    json.dump({"grown_mib": (after - before) // 1024, "digests": sorted(digests)}, sys.stdout)


if __name__ == "__main__":
    main()
