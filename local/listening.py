"""What a listener does with a finished episode: ask about it, look at its highlights, take one as a clip."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

from local.studio import Row, Studio

POLL_SECONDS = 0.1
OPEN = frozenset({"queued", "running"})


class Listening(Studio):
    """The studio's user as a listener."""

    def conversation(self, production: uuid.UUID) -> uuid.UUID:
        """Return the user's latest conversation about the production's episode; begin one where there is none."""
        rows = self._rows(
            "select episodes.organization_id, episodes.project_id, episodes.id from public.episodes "
            "join public.productions on productions.subject_id = episodes.id where productions.id = %s",
            production,
        )
        if not rows:
            raise LookupError(f"production {production} does not exist, or makes no episode")
        episode = rows[0]
        known = self._rows(
            "select id from public.chat_sessions where episode_id = %s and deleted_at is null "
            "order by created_at desc limit 1",
            episode["id"],
        ) or self._rows(
            "insert into public.chat_sessions (organization_id, project_id, episode_id) values (%s, %s, %s) "
            "returning id",
            episode["organization_id"], episode["project_id"], episode["id"],
        )  # fmt: skip
        return uuid.UUID(str(known[0]["id"]))

    def ask(self, session: uuid.UUID, question: str, idempotency_key: str) -> uuid.UUID:
        """Return the message that the answer is written into."""
        return uuid.UUID(str(self._value("select public.ask_question(%s, %s, %s)", session, question, idempotency_key)))

    def answer(self, message: uuid.UUID) -> Iterator[Row]:
        """Give the answer's row as often as it changes, until it rests: status, content, citations, error."""
        last: Row = {}
        while last.get("status", "queued") in OPEN:
            rows = self._rows(
                "select status::text, content, citations, error from public.chat_messages where id = %s", message
            )
            if rows[0] != last:
                last = rows[0]
                yield last
            else:
                time.sleep(POLL_SECONDS)

    def source_titles(self) -> dict[str, str]:
        return {str(row["id"]): row["title"] for row in self._rows("select id, title from public.sources")}

    def review_status(self, production: uuid.UUID) -> str | None:
        """Return where the latest review of the production's episode is."""
        rows = self._rows(
            "select review.status::text from public.episode_reviews as review "
            "join public.productions on productions.subject_id = review.episode_id "
            "where productions.id = %s order by review.created_at desc limit 1",
            production,
        )
        return rows[0]["status"] if rows else None

    def highlights(self, production: uuid.UUID) -> list[Row]:
        return self._rows(
            "select highlights.id, highlights.user_id is null as is_proposed, quote, start_seconds, end_seconds "
            "from public.highlights join public.productions on productions.subject_id = highlights.episode_id "
            "where productions.id = %s and highlights.deleted_at is null order by start_seconds nulls last",
            production,
        )

    def export(self, highlight: uuid.UUID, idempotency_key: str) -> uuid.UUID:
        """Ask for a highlight's clip; return its production."""
        return uuid.UUID(str(self._value("select public.export_highlight(%s, %s)", highlight, idempotency_key)))

    def clip(self, highlight: uuid.UUID) -> Row:
        """Return key, seconds, LUFS and text of a highlight's clip."""
        return self._rows(
            "select assets.key, assets.duration_seconds, assets.integrated_lufs, highlights.clip_text "
            "from public.highlights join public.assets on assets.id = highlights.clip_asset_id "
            "where highlights.id = %s",
            highlight,
        )[0]
