"""Every setting there is, read from the environment (prefix VERBATIM_) and a .env file. What a setting does belongs to who reads it."""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

if TYPE_CHECKING:  # boto3 and faster-whisper take a second to import, and the API needs neither
    from resources.objects import S3Connection
    from resources.speech.settings import SpeechSettings


LOOPBACK = ("127.0.0.1", "::1", "localhost")
SHORTEST_LIVEKIT_SECRET = 32
"""LiveKit's server does not start with a shorter one, unless it runs for development."""


class SettingMissing(Exception):
    """A setting without which this cannot work. ``str()`` names it."""


class Settings(BaseSettings):
    """Paths are taken from the current folder. Secrets never have a default and never show in ``repr``."""

    model_config = SettingsConfigDict(
        env_prefix="VERBATIM_", env_file=".env", extra="ignore", populate_by_name=True, hide_input_in_errors=True
    )

    environment: Literal["development", "production"] = "development"
    data_dir: Path = Path(".verbatim")
    database_url: SecretStr | None = None
    migration_database_url: SecretStr | None = None
    dagster_database_url: SecretStr | None = None

    intake_url: str | None = None
    archive_url: str | None = None
    s3_endpoint: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None
    s3_path_style: bool = True

    livekit_api_key: str | None = Field(None, validation_alias=AliasChoices("VERBATIM_LIVEKIT_API_KEY", "LIVEKIT_API_KEY"))
    livekit_api_secret: SecretStr | None = Field(None, validation_alias=AliasChoices("VERBATIM_LIVEKIT_API_SECRET", "LIVEKIT_API_SECRET"))
    livekit_webhook_secret: SecretStr | None = Field(
        None, validation_alias=AliasChoices("VERBATIM_LIVEKIT_WEBHOOK_SECRET", "LIVEKIT_WEBHOOK_SECRET")
    )
    livekit_old_keys: Annotated[dict[str, SecretStr], NoDecode] = Field(default_factory=dict)

    livekit_url: str | None = Field(None, validation_alias=AliasChoices("VERBATIM_LIVEKIT_URL", "LIVEKIT_URL"))
    livekit_public_url: str | None = None
    assistant_agent_name: str | None = None
    record_calls: bool = True
    egress_s3_endpoint: str | None = None
    room_empty_timeout_seconds: int = Field(300, ge=1)
    room_departure_timeout_seconds: int = Field(20, ge=1)

    public_url: str | None = None
    invite_secret: SecretStr | None = Field(None, min_length=32)

    oidc_issuer: str | None = None
    oidc_jwks: str | None = None
    oidc_audience: str | None = None
    oidc_roles_claim: str = "roles"
    oidc_team_claim: str = "team"

    api_host: str = "127.0.0.1"
    api_port: int = 8000
    dagster_port: int = 3000

    speech_model: str = "small"
    speech_device: Literal["auto", "cpu", "cuda"] = "auto"
    speech_compute_type: str = "default"
    speech_language: str | None = "en"
    speech_beam_size: int = 5
    speech_batch_size: int = 8
    speech_cpu_threads: int = 0
    speech_model_dir: Path | None = None
    vocabulary_file: Path | None = None
    diarization_pipeline: str | None = None

    rules_dir: Path | None = None
    without_consent_file: Path | None = None
    redact_terms_file: Path | None = None

    batch_audio_minutes: int = Field(240, ge=1)
    lease_seconds: int = Field(120, ge=2)
    arrival_deadline_minutes: int = Field(60, ge=0)
    reconciliation_grace_seconds: int = Field(120, ge=0)
    in_progress_deadline_minutes: int = Field(120, ge=1)
    sensor_interval_seconds: int = Field(15, ge=1)

    @field_validator("database_url", "migration_database_url", "dagster_database_url", mode="before")
    @classmethod
    def _with_driver(cls, value: object, info: ValidationInfo) -> object:
        """``postgres://`` and ``postgresql://`` are what everybody writes; the driver is ours to add."""
        if not isinstance(value, str) or not value:
            return value or None
        driver = "psycopg2" if info.field_name == "dagster_database_url" else "psycopg"
        scheme, separator, rest = value.partition("://")
        if scheme in ("postgres", "postgresql") and separator:
            return f"postgresql+{driver}://{rest}"
        if scheme != f"postgresql+{driver}" or not separator:
            raise ValueError(f"must begin with postgresql+{driver}://")
        return value

    @field_validator("intake_url", "archive_url")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        scheme, separator, _ = (value or "").partition(":")
        if (
            separator
            and scheme in ("s3", "file", "http", "https", "ftp", "gs", "az")
            and not re.match(r"(s3://[^/]+|file:///)", value or "")
        ):
            raise ValueError("must be s3://bucket/prefix, file:///folder or a plain path")
        return value or None

    @field_validator("vocabulary_file", "redact_terms_file", "without_consent_file")
    @classmethod
    def _is_there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("there is no such file")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
            raise ValueError("must be the http:// or https:// address of a page, without ? and #")
        return value or None

    @field_validator(
        "oidc_issuer", "oidc_jwks", "oidc_audience", "invite_secret",
        "livekit_url", "livekit_api_key", "livekit_api_secret", "livekit_webhook_secret",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("livekit_old_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        """``key:secret,key:secret`` as LiveKit's own server takes it."""
        if not isinstance(value, str):
            return value
        pairs = [pair.partition(":") for pair in value.split(",") if pair.strip()]
        if not all(key.strip() and secret.strip() for key, _, secret in pairs):
            raise ValueError("must be key:secret,key:secret")
        return {key.strip(): secret.strip() for key, _, secret in pairs}

    @field_validator("livekit_api_secret", "livekit_webhook_secret", "livekit_old_keys")
    @classmethod
    def _cannot_be_guessed(cls, value: Any, info: ValidationInfo) -> Any:
        """Who guesses it can send webhooks and let anybody into any call."""
        secrets = value.values() if isinstance(value, dict) else [value] if value is not None else []
        if info.data.get("environment") == "production" and any(len(one.get_secret_value()) < SHORTEST_LIVEKIT_SECRET for one in secrets):
            raise ValueError(f"LiveKit takes no secret of fewer than {SHORTEST_LIVEKIT_SECRET} characters, and neither does production")
        return value

    @property
    def client_url(self) -> str:
        """Where customers and agents connect: the public address, or else the server's own, as a WebSocket's."""
        return re.sub(r"^http", "ws", self.livekit_public_url or self.livekit_url or "")

    @property
    def public_address(self) -> str:
        """Where links lead that are given to people, without a slash at its end: the application's address, or else the API's own."""
        host = f"[{self.api_host}]" if ":" in self.api_host else self.api_host
        return (self.public_url or f"http://{host}:{self.api_port}").rstrip("/")

    @property
    def intake(self) -> str:
        return self.intake_url or str(self.data_dir.resolve() / "intake")

    @property
    def archive(self) -> str:
        return self.archive_url or str(self.data_dir.resolve() / "archive")

    @property
    def work_dir(self) -> Path:
        return self.data_dir.resolve() / "work"

    def s3(self) -> "S3Connection":
        """How to reach S3. Without keys boto3 looks for credentials in its usual places."""
        from resources.objects import S3Connection

        return S3Connection(
            endpoint=self.s3_endpoint,
            region=self.s3_region,
            access_key=self.s3_access_key.get_secret_value() if self.s3_access_key else None,
            secret_key=self.s3_secret_key.get_secret_value() if self.s3_secret_key else None,
            path_style=self.s3_path_style,
        )

    def webhook_keys(self) -> dict[str, str]:
        """API key -> secret for every key whose webhooks are accepted. Raises SettingMissing where there is none."""
        keys = {key: secret.get_secret_value() for key, secret in self.livekit_old_keys.items()}
        secret = self.livekit_webhook_secret or self.livekit_api_secret
        if self.livekit_api_key and secret:
            keys[self.livekit_api_key] = secret.get_secret_value()
        if not keys:
            raise SettingMissing("LIVEKIT_API_KEY and LIVEKIT_API_SECRET are not set: no webhook could be verified. Set both.")
        return keys

    def require_loopback(self) -> None:
        """Raises SettingMissing where the API would listen elsewhere although anybody with the data folder can issue tokens."""
        if self.oidc_issuer is None and self.api_host not in LOOPBACK:
            raise SettingMissing(
                f"VERBATIM_API_HOST={self.api_host} is not a loopback address, and without VERBATIM_OIDC_ISSUER development tokens count: "
                f"name your issuer, or listen on one of {', '.join(LOOPBACK)}."
            )

    def speech(self) -> "SpeechSettings":
        from resources.speech.settings import SpeechSettings, read_vocabulary

        return SpeechSettings(
            model=self.speech_model,
            device=self.speech_device,
            compute_type=self.speech_compute_type,
            beam_size=self.speech_beam_size,
            language=self.speech_language,
            batch_size=self.speech_batch_size,
            hotwords=read_vocabulary(self.vocabulary_file) if self.vocabulary_file else None,
            diarization_pipeline=self.diarization_pipeline,
            cpu_threads=self.speech_cpu_threads,
            model_dir=self.speech_model_dir,
        )


def explain(error: ValidationError) -> str:
    """What is wrong with which variable, a line each, without what it was set to."""
    return "\n".join(f"{_as_documented(str(one['loc'][0]))}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors())


def misspelt(names: Iterable[str]) -> list[str]:
    """A line for each of the environment's variables that looks like a setting and is none."""
    known = [_variable(name) for name in Settings.model_fields]
    others = ("VERBATIM_TEST_", "VERBATIM_SERVICES_", "VERBATIM_CEPH_", "VERBATIM_LIVEKIT_")
    unknown = sorted(name for name in names if name.startswith("VERBATIM_") and name not in known and not name.startswith(others))
    like = {name: difflib.get_close_matches(name, known, 1, 0.8) for name in unknown}
    return [f"{name} is no setting" + (f": did you mean {like[name][0]}?" if like[name] else "") for name in unknown]


def _as_documented(place: str) -> str:
    """LiveKit's own variables have names without our prefix; pydantic says the one with it, whichever was set."""
    variable = _variable(place)
    aliases = (field.validation_alias for field in Settings.model_fields.values())
    choices = [alias.choices for alias in aliases if isinstance(alias, AliasChoices)]
    return next((str(found[-1]) for found in choices if variable in found), variable)


def _variable(field: str) -> str:
    return field if field.isupper() else f"VERBATIM_{field.upper()}"
