"""Every hour: forget what nobody needs. Rows go first, in the database; their files follow an hour later."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from showrunner.services import Services
from showrunner.settings import Settings

logger = Logger()
services = Services(Settings.from_environment())

LIMIT = 500


def maintain(services: Services, limit: int = LIMIT) -> dict[str, int]:
    """Return how many of each were removed: soft-deleted rows, unused audio, old history, uploads, files."""
    settings = services.settings
    counts = {
        "deleted": _until_done(services, "engine.purge_deleted", settings.deleted_data_days, limit)
        + _until_done(services, "engine.purge_deleted_videos", settings.deleted_data_days, limit)
        + _until_done(services, "engine.purge_deleted_voice_clones", settings.deleted_data_days, limit),
        "audio": _until_done(services, "engine.evict_audio", settings.audio_cache_days, limit),
        "history": _until_done(services, "engine.prune_history", settings.history_days, limit),
        "uploads": _expire_uploads(services, limit),
        "files": 0,
    }
    while keys := _files_to_delete(services, settings.file_grace_seconds, limit):
        services.media_store.delete(keys)
        services.database.call("select engine.forget_files(%s)", (keys,))
        counts["files"] += len(keys)
    return counts


def _until_done(services: Services, function: str, days: int, limit: int) -> int:
    total = 0
    while True:
        row = services.database.call(f"select {function}(make_interval(days => %s), %s) as removed", (days, limit))[0]
        removed = int(row["removed"])
        total += removed
        if removed < limit:
            return total


def _expire_uploads(services: Services, limit: int) -> int:
    total = 0
    while removed := int(services.database.call("select engine.expire_uploads(%s) as removed", (limit,))[0]["removed"]):
        total += removed
    return total


def _files_to_delete(services: Services, grace_seconds: float, limit: int) -> list[str]:
    rows = services.database.call(
        "select key from engine.files_to_delete(make_interval(secs => %s), %s) as key", (grace_seconds, limit)
    )
    return [row["key"] for row in rows]


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    counts = maintain(services)
    logger.info("Maintained", extra={"counts": counts})
    return counts
