"""Settings: what is wrong is said at the start, by the variable's name and without what was in it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import ValidationError

from cli.main import cli
from resources.settings import Settings, explain, misspelt

WRONG = {
    "VERBATIM_INTAKE_URL": "s3:/bucket",
    "VERBATIM_ARCHIVE_URL": "ftp://elsewhere/x",
    "VERBATIM_VOCABULARY_FILE": "/no/such/file",
    "VERBATIM_REDACT_TERMS_FILE": "/no/such/file",
    "VERBATIM_LIVEKIT_OLD_KEYS": "key-without-secret-8d1c",
    "VERBATIM_LEASE_SECONDS": "abc",
    "VERBATIM_DATABASE_URL": "mysql://user:pass-8d1c@host/x",
    "VERBATIM_SPEECH_DEVICE": "tpu",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, WRONG[name])
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=None)
    said = explain(caught.value)
    assert said.startswith(f"{name}: ")
    assert "8d1c" not in said
    told: Result = CliRunner().invoke(cli, ["status"])
    assert isinstance(told.exception, ValidationError)


@pytest.mark.parametrize("written", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"])
def test_the_common_ways_to_write_a_database_url_do(written: str) -> None:
    settings = Settings.model_validate({"database_url": written, "dagster_database_url": "postgres://u:p@h/e"})
    assert settings.database_url is not None and settings.dagster_database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql+psycopg://u:p@h/d"
    assert settings.dagster_database_url.get_secret_value() == "postgresql+psycopg2://u:p@h/e"


@pytest.mark.parametrize("place", ["s3://bucket", "s3://bucket/prefix", "file:///folder", "/folder", "folder", None, ""])
def test_places(place: str | None) -> None:
    assert Settings.model_validate({"intake_url": place}).intake.endswith(place or "/intake")


def test_a_misspelt_setting_is_noticed(tmp_path: Path) -> None:
    assert misspelt(["VERBATIM_LEASE_SECOND", "VERBATIM_LEASE_SECONDS", "VERBATIM_LIVEKIT_API_KEY", "VERBATIM_CEPH_PORT", "PATH"]) == [
        "VERBATIM_LEASE_SECOND is no setting: did you mean VERBATIM_LEASE_SECONDS?"
    ]
    assert misspelt(["VERBATIM_XYZ"]) == ["VERBATIM_XYZ is no setting"]
    told = CliRunner().invoke(cli, ["token", "--role", "admin"], env={"VERBATIM_OIDC_ISUER": "x", "VERBATIM_DATA_DIR": str(tmp_path)})
    assert "did you mean VERBATIM_OIDC_ISSUER?" in told.stderr


SHORT = "8d1c" * 7 + "8d1"
SECRETS = {
    "LIVEKIT_API_SECRET": SHORT,
    "VERBATIM_LIVEKIT_API_SECRET": SHORT,
    "LIVEKIT_WEBHOOK_SECRET": SHORT,
    "VERBATIM_LIVEKIT_OLD_KEYS": f"old:{SHORT}8,older:{SHORT}",
}


@pytest.mark.parametrize("name", SECRETS)
def test_production_takes_no_secret_of_livekit_that_can_be_guessed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One that LiveKit's own server would not take either: 31 characters."""
    monkeypatch.setenv(name, SECRETS[name])
    Settings(_env_file=None)
    monkeypatch.setenv("VERBATIM_ENVIRONMENT", "production")
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=None)
    said = explain(caught.value)
    assert (
        said
        == f"{name.replace('VERBATIM_LIVEKIT_API', 'LIVEKIT_API')}: LiveKit takes no secret of fewer than 32 characters, and neither does production"
    )
    assert "8d1c" not in said
    monkeypatch.setenv(name, SECRETS[name] + "8")
    Settings(_env_file=None)


def test_a_secret_that_is_too_short_is_named_where_it_comes_from_elsewhere() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"environment": "production", "livekit_api_secret": "s"})
    assert "LIVEKIT_API_SECRET: " in explain(caught.value)
