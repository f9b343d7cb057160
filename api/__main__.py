"""Serve the API: ``python -m api``. Refuses to listen anywhere but on loopback while development tokens count, and in production to work
with tables of another version, or as a login that could change the audit trail.
"""

import sys

import uvicorn
from pydantic import ValidationError

from api.app import create_app
from resources.settings import SettingMissing, Settings, explain
from resources.store.database import database
from resources.store.readiness import NotReady, require_ready

GOODBYE_S = 10


def main() -> int:
    try:
        settings = Settings()
        settings.require_loopback()
        app = create_app(settings)
        if settings.database_url:  # the application asks too; here it ends in a line and not in a traceback
            with database(settings) as engine:
                require_ready(engine, settings)
    except ValidationError as error:
        print(explain(error), file=sys.stderr)
        return 2
    except (SettingMissing, NotReady) as error:
        print(error, file=sys.stderr)
        return 2
    # A dashboard that takes nothing any more must not keep the process from ending.
    uvicorn.run(
        app, host=settings.api_host, port=settings.api_port, log_level="info", access_log=False, timeout_graceful_shutdown=GOODBYE_S
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
