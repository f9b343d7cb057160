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
