"""Configuration, read once from the environment that `template.yaml` declares."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, SecretStr


class Settings(BaseModel):
    """Each field is the environment variable of the same name in upper case.

    Secrets are given by name: `DATABASE_SECRET`, `OPENAI_API_KEY_SECRET` and the other `…_SECRET` name entries of
    Secrets Manager; `DATABASE_URL`, `OPENAI_API_KEY` and so on give the value itself and win, which is what a laptop
    does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: SecretStr | None = None
    database_secret: str | None = None
    database_role: str = "showrunner_worker"
    bucket: str = ""
    queue_url_prefix: str = ""
    public_base_url: str = "http://127.0.0.1:8080"

    # Whose tokens the API accepts: those of Supabase Auth at this address, signed with its published keys, or with the
    # shared key of a project that has not changed to them. The operator's key opens /wake and the statistics.
    supabase_url: str | None = None
    jwt_key: SecretStr | None = None
    jwt_key_secret: str | None = None
    operator_key: SecretStr | None = None
    operator_key_secret: str | None = None

    # A stage that runs longer than this is leased this long at a time and beats three times per lease.
    lease_seconds: float = 75.0

    # What maintain forgets: soft-deleted rows, unused spoken lines and history after days, files after seconds.
    deleted_data_days: int = 30
    audio_cache_days: int = 90
    history_days: int = 400
    file_grace_seconds: float = 3600.0

    bedrock_base_url: str | None = None
    # Bedrock serves Stability's models in few regions.
    stability_region: str = "us-west-2"
    polly_base_url: str | None = None
    polly_engine: str = "neural"
    gemini_base_url: str = "https://generativelanguage.googleapis.com/v1"
    gemini_api_key: SecretStr | None = None
    gemini_api_key_secret: str | None = None
    leonardo_base_url: str = "https://cloud.leonardo.ai/api/rest/v1"
    leonardo_api_key: SecretStr | None = None
    leonardo_api_key_secret: str | None = None
    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: SecretStr | None = None
    openai_api_key_secret: str | None = None
    openai_speech_model: str = "gpt-4o-mini-tts"
    openai_image_size: str = "1920x1088"
    mubert_base_url: str = "https://music-api.mubert.com/api/v3"
    mubert_customer_id: str = ""
    mubert_access_token: SecretStr | None = None
    mubert_access_token_secret: str | None = None
    beatoven_base_url: str = "https://public-api.beatoven.ai/api/v1"
    beatoven_api_key: SecretStr | None = None
    beatoven_api_key_secret: str | None = None
    beatoven_auth_scheme: str = "Bearer"
    elevenlabs_base_url: str = "https://api.elevenlabs.io"
    elevenlabs_api_key: SecretStr | None = None
    elevenlabs_api_key_secret: str | None = None

    # Only tests and laptops set it: hosts that ingest_sources may fetch although they resolve to private addresses.
    ingest_allowed_hosts: str = ""
    # The same for deliver_webhooks, by http too; `localhost:*` allows every port.
    webhook_allowed_hosts: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Return the settings; what is unset or empty keeps its default. Raises `pydantic.ValidationError`."""
        present = {name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper())}
        return cls(**present)  # type: ignore[arg-type]
