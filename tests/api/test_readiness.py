"""What the API makes of a database that is not as it should be: a refusal to start in production, a warning elsewhere; and what /readyz tells."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from pydantic import SecretStr
from sqlalchemy import Engine, text

from api.app import create_app
from resources import migrations
from resources.embedded_postgres import EmbeddedPostgres
from resources.settings import SettingMissing, Settings
from resources.store.database import engine_for
from resources.store.readiness import NotReady
from tests.api.client import Issuer, client_of, settings
from tests.services import S3Service

SECRET = "a-secret-that-is-long-enough-for-hs256"
PRODUCTION = settings(environment="production", oidc_issuer="https://issuer.example", invite_secret=SECRET)
OWNERS_LOGIN = "VERBATIM_MIGRATION_DATABASE_URL"


def start(engine: Engine, **more: object) -> dict[str, object]:
    """What /readyz says after a start in production, or as ``more`` has it."""
    with client_of(create_app(PRODUCTION.model_copy(update=more), engine, Issuer().identities)) as client:
        return dict(client.get("/readyz").json())


@pytest.fixture
def login(postgres: EmbeddedPostgres, owner: Engine) -> Iterator[tuple[str, Engine]]:
    """A login that may do nothing yet, and an engine that uses it."""
    name, password = f"login_{uuid4().hex}", uuid4().hex
    with owner.begin() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'"))
    engine = engine_for(f"postgresql+psycopg://{name}:{password}@127.0.0.1:{postgres.port}/{owner.url.database}")
    yield name, engine
    engine.dispose()
    with owner.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{owner.url.database}" OWNER TO verbatim'))
        connection.execute(text(f"DROP OWNED BY {name}; DROP ROLE {name}"))


def test_the_applications_login_and_tables_of_this_version_are_ready(engine: Engine) -> None:
    assert start(engine) == {"status": "ready", "down": [], "warnings": []}


def test_production_does_not_start_as_the_owner(owner: Engine) -> None:
    with pytest.raises(NotReady, match=f"login verbatim .*audit trail.*verbatim_app.*{OWNERS_LOGIN}"):
        start(owner)


def test_development_starts_as_the_owner_with_a_warning(owner: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "verbatim.readiness"):
        assert start(owner, environment="development", oidc_issuer=None)["warnings"] == ["audit_trail_can_be_changed"]
    assert OWNERS_LOGIN in caplog.text


@pytest.mark.parametrize(
    "granted",
    [
        "GRANT UPDATE ON audit_entries TO {login}",
        "GRANT UPDATE (reason) ON audit_entries TO {login}",
        "GRANT DELETE ON audit_entries TO {login}",
        "GRANT TRUNCATE ON audit_entries TO {login}",
        "GRANT TRIGGER ON audit_entries TO {login}",
        "GRANT verbatim TO {login} WITH INHERIT FALSE",
        "GRANT pg_write_all_data TO {login}",
        'ALTER DATABASE "{database}" OWNER TO {login}',
        "ALTER ROLE {login} SUPERUSER",
    ],
)
def test_every_way_to_change_the_trail_is_found(owner: Engine, login: tuple[str, Engine], granted: str) -> None:
    name, engine = login
    with owner.begin() as connection:
        connection.execute(text(f"GRANT verbatim_app TO {name}"))
    assert start(engine)["warnings"] == []
    with owner.begin() as connection:
        connection.execute(text(granted.format(login=name, database=owner.url.database)))
    with pytest.raises(NotReady, match=f"{name} .*could change"):
        start(engine)


def test_a_login_without_the_role_is_told_what_to_grant(login: tuple[str, Engine]) -> None:
    name, engine = login
    with pytest.raises(NotReady, match=f"GRANT verbatim_app TO {name}"):
        start(engine)
    told = start(engine, environment="development")
    assert (told["status"], told["down"]) == (503, ["tables_closed"])


@pytest.mark.parametrize(("back_to", "down"), [("-1", "tables_older"), ("0001", "tables_older"), ("base", "tables_missing")])
def test_tables_of_an_older_version_are_told_with_what_to_run(engine: Engine, owner: Engine, back_to: str, down: str) -> None:
    with owner.connect() as connection:
        command.downgrade(migrations.config_for(connection), back_to)
        connection.commit()
    with pytest.raises(NotReady, match=f"{migrations.head() if back_to != 'base' else 'no tables'}.*verbatim migrate.*{OWNERS_LOGIN}"):
        start(owner, environment="production")
    told = start(owner, environment="development")
    assert (told["status"], told["down"]) == (503, [down])


def test_a_newer_version_stops_a_start_and_not_what_runs(engine: Engine, owner: Engine) -> None:
    with client_of(create_app(PRODUCTION, engine, Issuer().identities)) as client:
        with owner.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
        assert client.get("/readyz").json() == {"status": "ready", "down": [], "warnings": ["tables_newer"]}
    with pytest.raises(NotReady, match="revision later, which this version"):
        start(engine)


def test_production_does_not_start_where_nobody_can_tell() -> None:
    nowhere = engine_for("postgresql+psycopg://nobody:hidden@127.0.0.1:9/nothing")
    with pytest.raises(NotReady, match="VERBATIM_DATABASE_URL") as refused:
        start(nowhere)
    assert "hidden" not in str(refused.value)
    assert start(nowhere, environment="development")["down"] == ["postgresql"]


def test_the_program_ends_with_a_line_that_says_what_to_do(owner: Engine, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "VERBATIM_ENVIRONMENT": "production",
        "VERBATIM_OIDC_ISSUER": "https://issuer.example",
        "VERBATIM_OIDC_JWKS": "https://issuer.example/jwks",
        "VERBATIM_OIDC_AUDIENCE": "verbatim",
        "VERBATIM_DATABASE_URL": owner.url.render_as_string(hide_password=False),
        "VERBATIM_DATA_DIR": str(tmp_path),
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": SECRET,
        "VERBATIM_INVITE_SECRET": SECRET,
    }
    ended = subprocess.run([sys.executable, "-m", "api"], env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert OWNERS_LOGIN in line and str(owner.url.password) not in line


LIVEKIT = {"livekit_url": "http://127.0.0.1:9", "livekit_api_key": "key", "livekit_api_secret": SecretStr(SECRET)}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"invite_secret": None}, "VERBATIM_INVITE_SECRET is"),
        ({"livekit_api_secret": None, "livekit_webhook_secret": SecretStr(SECRET)}, "LIVEKIT_API_SECRET is"),
        ({"livekit_api_secret": SecretStr(""), "livekit_webhook_secret": SecretStr(SECRET)}, "LIVEKIT_API_SECRET is"),
        ({"livekit_api_secret": None, "livekit_old_keys": {"key": SecretStr(SECRET)}}, "LIVEKIT_API_SECRET is"),
        (
            {"livekit_api_key": None, "livekit_api_secret": None, "livekit_old_keys": {"key": SecretStr(SECRET)}},
            "LIVEKIT_API_KEY and LIVEKIT_API_SECRET are",
        ),
    ],
)
def test_a_missing_secret_stops_the_start_with_its_name(engine: Engine, changed: dict[str, Any], named: str) -> None:
    found = PRODUCTION.model_copy(update=LIVEKIT)
    create_app(found, engine, Issuer().identities)
    with pytest.raises(SettingMissing, match=f"{named} not set") as refused:
        create_app(found.model_copy(update=changed), engine, Issuer().identities)
    assert SECRET not in str(refused.value)


def test_development_makes_a_secret_for_invitations_of_its_own(engine: Engine) -> None:
    create_app(PRODUCTION.model_copy(update={"environment": "development", "invite_secret": None}), engine, Issuer().identities)


def test_variables_that_are_empty_are_not_set(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    for name, value in {"URL": "", "API_KEY": "key", "API_SECRET": "", "WEBHOOK_SECRET": SECRET}.items():
        monkeypatch.setenv(f"LIVEKIT_{name}", value)
    assert Settings(_env_file=None).livekit_url is None
    create_app(Settings(_env_file=None), engine, Issuer().identities)
    monkeypatch.setenv("LIVEKIT_URL", "http://127.0.0.1:9")
    with pytest.raises(SettingMissing, match="LIVEKIT_API_SECRET is not set"):
        create_app(Settings(_env_file=None), engine, Issuer().identities)


def test_readyz_names_a_folder_that_is_not_there(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.health.ASK_AGAIN_S", 0.0)
    intake, archive = tmp_path / "intake", tmp_path / "archive"
    intake.mkdir()
    found = settings(intake_url=str(intake), archive_url=archive.as_uri())
    with client_of(create_app(found, engine, Issuer().identities)) as client:
        assert client.get("/readyz").json() == {"status": "degraded", "down": ["archive"], "warnings": []}
        assert not archive.exists(), "looking makes nothing: a folder that is not mounted must not be filled"
        archive.mkdir()
        assert client.get("/readyz").json()["status"] == "ready"
        intake.rmdir()
        assert client.get("/readyz").json()["down"] == ["intake"]


def s3_settings(s3: S3Service, **more: object) -> Settings:
    keys = {"s3_access_key": SecretStr(s3.connection.access_key or ""), "s3_secret_key": SecretStr(s3.connection.secret_key or "")}
    return settings(**{"intake_url": f"s3://{s3.intake_bucket}/calls", "s3_endpoint": s3.connection.endpoint, **keys, **more})


def test_readyz_asks_the_buckets_that_the_settings_name(engine: Engine, s3: S3Service) -> None:
    for archive, down in ((s3.archive_bucket, []), ("no-such-bucket", ["archive"])):
        with client_of(create_app(s3_settings(s3, archive_url=f"s3://{archive}"), engine, Issuer().identities)) as client:
            assert client.get("/readyz").json()["down"] == down


def test_readyz_waits_for_no_object_storage_that_hangs(engine: Engine, s3: S3Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = s3_settings(s3, s3_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}", archive_url=f"s3://{s3.archive_bucket}")
        with client_of(create_app(found, engine, Issuer().identities)) as client:
            for _ in range(3):
                answer = client.get("/readyz")
                assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "down": ["intake", "archive"], "warnings": []})
