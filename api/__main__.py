"""Serve the API: ``python -m api``. Refuses to listen anywhere but on loopback for as long as callers have no roles."""

import sys

import uvicorn
from pydantic import ValidationError

from api.app import LOOPBACK, create_app
from resources.settings import SettingMissing, Settings


def main() -> int:
    try:
        settings = Settings()
        if settings.api_host not in LOOPBACK:
            raise SettingMissing(
                f"VERBATIM_API_HOST={settings.api_host} is not a loopback address: callers have no roles yet, "
                "so the API listens on 127.0.0.1, ::1 or localhost only."
            )
        app = create_app(settings)
    except (SettingMissing, ValidationError) as error:
        print(error, file=sys.stderr)
        return 2
    uvicorn.run(app, host=settings.api_host, port=settings.api_port, log_level="info", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
