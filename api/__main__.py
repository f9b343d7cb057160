"""Serve the API: ``python -m api``. Refuses to listen anywhere but on loopback while development tokens count."""

import sys

import uvicorn
from pydantic import ValidationError

from api.app import create_app
from resources.settings import SettingMissing, Settings, explain


def main() -> int:
    try:
        settings = Settings()
        settings.require_loopback()
        app = create_app(settings)
    except ValidationError as error:
        print(explain(error), file=sys.stderr)
        return 2
    except SettingMissing as error:
        print(error, file=sys.stderr)
        return 2
    uvicorn.run(app, host=settings.api_host, port=settings.api_port, log_level="info", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
