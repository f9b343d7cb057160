"""For developers: ``python -m resources.migrations check`` (on a database of its own) or ``new MESSAGE``."""

import sys
import tempfile
from pathlib import Path

from resources import embedded_postgres, migrations
from resources.store.database import engine_for


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, embedded_postgres.running(Path(folder)) as server:
        engine = engine_for(server.owner_url("verbatim"))
        try:
            migrations.upgrade(engine)
            if sys.argv[1] == "new":
                migrations.new_revision(engine, sys.argv[2])
            else:
                migrations.check(engine)
        finally:
            engine.dispose()


if __name__ == "__main__":
    main()
