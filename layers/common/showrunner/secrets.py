"""Secrets: the value itself from the environment, or the entry of Secrets Manager that a setting names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import SecretStr

from showrunner.errors import Auth, StageError
from showrunner.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

CACHE_SECONDS = 300


def database_url(settings: Settings) -> str:
    """Return the connection string. Raises as `read_secret` does, and `ValueError` where neither setting is given."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    if settings.database_secret is None:
        raise ValueError("Neither DATABASE_URL nor DATABASE_SECRET is set.")
    return read_secret(settings.database_secret, "DATABASE_SECRET")


def openai_api_key(settings: Settings) -> str | None:
    """Return the key of the OpenAI-compatible server, or None where none is configured (local servers need none)."""
    if settings.openai_api_key is not None:
        return _header_safe(settings.openai_api_key.get_secret_value().strip(), "OPENAI_API_KEY")
    if settings.openai_api_key_secret is None:
        return None
    key = read_secret(settings.openai_api_key_secret, "OPENAI_API_KEY_SECRET")
    return _header_safe(key, "OPENAI_API_KEY_SECRET")


def jwt_key(settings: Settings) -> str | None:
    """Return the key that older projects sign tokens with (HS256), or None. Raises as `read_secret` does."""
    return _optional(settings.jwt_key, settings.jwt_key_secret, "JWT_KEY_SECRET")


def operator_key(settings: Settings) -> str | None:
    """Return what an operator's request carries, or None. Raises as `read_secret` does."""
    return _optional(settings.operator_key, settings.operator_key_secret, "OPERATOR_KEY_SECRET")


def provider_key(settings: Settings, field: str) -> str | None:
    """Return what the setting `field` holds or the secret that `field` + `_secret` names; None where neither is set."""
    value, name = getattr(settings, field), getattr(settings, f"{field}_secret")
    if value is not None:
        return _header_safe(value.get_secret_value().strip(), field.upper())
    return None if name is None else _header_safe(read_secret(name, f"{field}_secret".upper()), field.upper())


def read_secret(name: str, setting: str) -> str:
    """Return the text of a Secrets Manager entry, kept for five minutes.

    Raises `Auth` naming `setting` when the entry cannot be read and `Transient` when the service does not answer.
    """
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    try:
        value = _provider().get(name, max_age=CACHE_SECONDS)
    except GetParameterError as error:
        raise _reason(error, name, setting) from error
    text = value.decode() if isinstance(value, bytes) else str(value)
    if not text.strip():
        raise Auth(f"{setting}: the secret {name!r} is empty.")
    return text.strip()


def _optional(value: SecretStr | None, name: str | None, setting: str) -> str | None:
    if value is not None:
        return value.get_secret_value()
    return read_secret(name, setting) if name else None


def _header_safe(key: str, setting: str) -> str:
    # The HTTP library would refuse such a key with a message that quotes it.
    if not (key.isascii() and key.isprintable()):
        raise Auth(f"{setting}: holds characters that a key cannot have.")
    return key


def _reason(error: Exception, name: str, setting: str) -> StageError:
    from botocore.exceptions import BotoCoreError, ClientError

    from showrunner.providers.aws import stage_errors

    cause = error.__context__
    missing = isinstance(cause, ClientError) and cause.response["Error"]["Code"] == "ResourceNotFoundException"
    if missing or not isinstance(cause, (ClientError, BotoCoreError)):
        return Auth(f"{setting}: there is no readable secret {name!r}.")
    try:
        with stage_errors("Secrets Manager", "secretsmanager:GetSecretValue", f"the secret that {setting} names"):
            raise cause
    except StageError as reason:
        return reason


@lru_cache(maxsize=1)
def _provider() -> SecretsProvider:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider
    from botocore.config import Config

    return SecretsProvider(boto_config=Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 2}))
