"""The part of the engine's rig that sets and reads the limits of providers."""

from __future__ import annotations

from typing import Any

import psycopg


class ProviderRows:
    owner: psycopg.Connection[dict[str, Any]]

    def protect(self, provider: str, **columns: Any) -> None:
        """Set columns of a provider's limits: `max_running=2`."""
        self.owner.execute(
            "insert into engine.provider_limits (provider) values (%s) on conflict do nothing", [provider]
        )
        for column, value in columns.items():
            self.owner.execute(
                f"update engine.provider_limits set {column} = %s where provider = %s".encode(), [value, provider]
            )

    def protection(self, provider: str) -> dict[str, Any]:
        row = self.owner.execute("select * from engine.provider_limits where provider = %s", [provider]).fetchone()
        assert row is not None
        return row
