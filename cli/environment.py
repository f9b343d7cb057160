"""The settings as a command finds them."""

import os

import click

from resources.settings import Settings, misspelt


def settings_now(port: int | None = None, dagster_port: int | None = None) -> Settings:
    """From the environment; what is misspelt there is said. Raises ValidationError."""
    settings = Settings()
    for line in misspelt(os.environ):
        click.echo(f"verbatim: {line}", err=True)
    changes = {"api_port": port, "dagster_port": dagster_port}
    return settings.model_copy(update={name: value for name, value in changes.items() if value is not None})
