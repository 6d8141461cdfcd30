"""What a user of the laptop does, as a client app does it: signed in, under row-level security, by RPC.

The laptop has one user, made on first use by the same trigger that makes every user's personal organization.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

EMAIL = "you@localhost.example"
SHOWS_KEPT = 20

Row = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What the user wants made: `kind`, `content` and `url` are those of a source."""

    show: str
    kind: str
    minutes: float
    language: str
    format: str
    speakers: list[dict[str, str]]
    writer: str
    title: str = ""
    content: str | None = None
    url: str | None = None
    upload: bytes | None = None


class Studio:
    """A connection as the laptop's user. Raises `psycopg.Error` with the message that any client would get."""

    def __init__(self, owner_url: str) -> None:
        self.user_id = _ensure_user(owner_url)
        self._connection: psycopg.Connection[Row] = psycopg.connect(owner_url, autocommit=True, row_factory=dict_row)
        claims = json.dumps({"sub": str(self.user_id), "role": "authenticated"})
        self._connection.execute("select set_config('request.jwt.claims', %s, false)", [claims])
        self._connection.execute("set role authenticated")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def create_episode(self, request: Request, upload_key: str | None = None) -> uuid.UUID:
        """Make a show with one source and one episode, all or nothing; return the episode."""
        self._make_room()
        with self._connection.transaction():
            project = self._value(
                "insert into public.projects "
                "(organization_id, name, author, language, format, speakers, writer, target_minutes, description) "
                "values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning id",
                self.user_id, request.show, "Showrunner", request.language, request.format, Jsonb(request.speakers),
                request.writer, request.minutes, f"Episodes made from {request.title or request.show}.",
            )  # fmt: skip
            self._value(
                "insert into public.sources (organization_id, project_id, kind, title, content, url, upload_key) "
                "values (%s, %s, %s, %s, %s, %s, %s) returning id",
                self.user_id, project, request.kind, request.title, request.content, request.url, upload_key,
            )  # fmt: skip
            return self.add_episode(project)

    def add_episode(self, project: uuid.UUID) -> uuid.UUID:
        """Make the show's next episode, as long as the show's episodes are."""
        return uuid.UUID(str(self._value(
            "insert into public.episodes (organization_id, project_id, target_minutes) "
            "select organization_id, id, target_minutes from public.projects where id = %s returning id",
            project,
        )))  # fmt: skip

    def next_episode(self, production: uuid.UUID) -> uuid.UUID:
        """Make the next episode of the show that a production belongs to."""
        rows = self._rows(
            "select episodes.project_id from public.productions "
            "join public.episodes on episodes.id = productions.subject_id where productions.id = %s",
            production,
        )
        if not rows:
            raise LookupError(f"production {production} does not exist")
        return self.add_episode(rows[0]["project_id"])

    def request(self, episode: uuid.UUID, idempotency_key: str) -> uuid.UUID:
        return uuid.UUID(str(self._value(
            "select public.request_production('episode', %s, %s)", episode, idempotency_key
        )))  # fmt: skip

    def retry(self, production: uuid.UUID) -> int:
        return int(self._value("select public.retry_production(%s)", production))

    def cancel(self, production: uuid.UUID) -> bool:
        return bool(self._value("select public.cancel_production(%s)", production))

    def approve(self, production: uuid.UUID) -> bool:
        return bool(self._value("select public.approve_production(%s)", production))

    def rebuild(self, production: uuid.UUID, from_stage: str | None) -> int:
        return int(self._value("select public.rebuild_production(%s, %s)", production, from_stage))

    def preview(self, production: uuid.UUID, from_stage: str | None) -> list[Row]:
        """Return stage, key, reason and estimate_gbp of each job that a rebuild would run."""
        return self._rows("select * from public.preview_rebuild(%s, %s)", production, from_stage)

    def explain(self, production: uuid.UUID) -> str:
        return str(self._value("select public.explain_production(%s)", production))

    def productions(self, limit: int = 20) -> list[Row]:
        return self._rows(
            "select productions.id, productions.status::text, productions.progress, productions.current_stage, "
            "productions.created_at, coalesce(episodes.title, video_jobs.title) as title, "
            "coalesce(projects.name, channels.name) as show from public.productions "
            "left join public.episodes on episodes.id = productions.subject_id "
            "left join public.projects on projects.id = episodes.project_id "
            "left join public.video_jobs on video_jobs.id = productions.subject_id "
            "left join public.channels on channels.id = video_jobs.channel_id "
            "where productions.kind in ('episode', 'ambience') "
            "order by productions.created_at desc limit %s",
            limit,
        )

    def production(self, production: uuid.UUID) -> Row:
        """Return the row; raise `LookupError` when there is none."""
        rows = self._rows("select *, status::text as status from public.productions where id = %s", production)
        if not rows:
            raise LookupError(f"production {production} does not exist")
        return rows[0]

    def stages(self, production: uuid.UUID) -> list[Row]:
        """Return the stages in order: stage, status, total, remaining, failed, seconds."""
        return self._rows(
            "select stage, status::text, total, remaining, failed, "
            "extract(epoch from coalesce(finished_at, clock_timestamp()) - started_at)::float8 as seconds "
            "from public.production_stages where production_id = %s order by position",
            production,
        )

    def blocks(self, production: uuid.UUID) -> list[Row]:
        return self._rows(
            "select blocks.id, position, section, speaker, markdown from public.blocks "
            "join public.productions on productions.subject_id = blocks.episode_id "
            "where productions.id = %s order by position",
            production,
        )

    def edit_block(self, block: uuid.UUID, text: str) -> uuid.UUID:
        """Change a line's text; return the latest production of its episode."""
        rows = self._rows("update public.blocks set markdown = %s where id = %s returning episode_id", text, block)
        if not rows:
            raise LookupError(f"block {block} does not exist")
        latest = self._rows(
            "select id from public.productions where subject_id = %s order by created_at desc limit 1",
            rows[0]["episode_id"],
        )
        if not latest:
            raise LookupError(f"the episode of block {block} has no production")
        return uuid.UUID(str(latest[0]["id"]))

    def change_voice(self, production: uuid.UUID, speaker: str, voice: str) -> None:
        """Give a speaker of the production's show another voice; raise `LookupError` for an unknown speaker."""
        rows = self._rows(
            "select projects.id, projects.speakers from public.projects "
            "join public.episodes on episodes.project_id = projects.id "
            "join public.productions on productions.subject_id = episodes.id where productions.id = %s",
            production,
        )
        if not rows:
            raise LookupError(f"production {production} does not exist")
        speakers = rows[0]["speakers"]
        names = [one["name"] for one in speakers]
        if speaker not in names:
            raise LookupError(f"speaker {speaker!r} does not exist; the show has {', '.join(names)}")
        changed = [{**one, "voice": voice} if one["name"] == speaker else one for one in speakers]
        self._rows("update public.projects set speakers = %s where id = %s returning id", Jsonb(changed), rows[0]["id"])

    def assets(self, production: uuid.UUID) -> dict[str, Row]:
        """Return the newest asset of each kind that the episode shows, by kind."""
        rows = self._rows(
            "select assets.* from public.assets join public.productions on productions.id = %s "
            "join public.episodes on episodes.id = productions.subject_id "
            "where assets.id in (episodes.audio_asset_id, episodes.transcript_asset_id, episodes.chapters_asset_id) "
            "or assets.id = (select (output -> 'feed' ->> 'id')::uuid from public.jobs "
            "where production_id = productions.id and stage = 'publish_episode' and status = 'succeeded')",
            production,
        )
        return {row["kind"]: row for row in rows}

    def figures(self, production: uuid.UUID) -> Row:
        """Return jobs, attempts and cost of a production."""
        return self._rows(
            "select count(*) as jobs, coalesce(sum(attempt), 0) as attempts, "
            "(select coalesce(sum(cost_gbp), 0) from public.usage_events "
            "where production_id = %s) as measured_cost_gbp "
            "from public.jobs where production_id = %s and status <> 'cancelled'",
            production, production,
        )[0]  # fmt: skip

    def _make_room(self) -> None:
        """Trials would fill the tier's number of shows: the oldest go to the bin, from which they can be restored."""
        self._connection.execute(
            "update public.projects set deleted_at = now() where id in (select id from public.projects "
            "where deleted_at is null order by created_at desc offset %s)",
            [SHOWS_KEPT - 1],
        )

    def _rows(self, query: str, *values: Any) -> list[Row]:
        return self._connection.execute(query.encode(), values).fetchall()

    def _value(self, query: str, *values: Any) -> Any:
        row = self._connection.execute(query.encode(), values).fetchone()
        assert row is not None
        return next(iter(row.values()))


def _ensure_user(owner_url: str) -> uuid.UUID:
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute(
            "insert into auth.users (id, email, raw_user_meta_data) values (gen_random_uuid(), %s, %s) "
            "on conflict do nothing",
            [EMAIL, Jsonb({"display_name": "You"})],
        )
        row = owner.execute("select id from auth.users where email = %s", [EMAIL]).fetchone()
        assert row is not None
        owner.execute(
            "update public.organizations set tier = 'pro', allows_short_videos = true "
            "where id = %s and (tier <> 'pro' or not allows_short_videos)",
            [row[0]],
        )
        return uuid.UUID(str(row[0]))
