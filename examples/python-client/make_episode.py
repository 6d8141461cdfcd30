"""Makes one episode of a text and prints where it can be heard.

    PYTHONPATH=clients/python python examples/python-client/make_episode.py article.md

Needs the package `supabase`, and SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY and SHOWRUNNER_URL in the environment; an
account's EMAIL and PASSWORD too.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from pathlib import Path

from supabase import Client, create_client

from database_types import PublicEpisodes, PublicFeeds, PublicProductions, PublicProjects


def sign_in(supabase: Client) -> str:
    """The user's id, which is that of the personal organization too."""
    reply = supabase.auth.sign_in_with_password({"email": os.environ["EMAIL"], "password": os.environ["PASSWORD"]})
    assert reply.user is not None
    return reply.user.id


def request(supabase: Client, organization_id: str, text: str) -> tuple[PublicEpisodes, str]:
    """A new episode, and the id of the production that makes it."""
    show = {"organization_id": organization_id, "name": "My show", "target_minutes": 1}
    project = PublicProjects.model_validate(supabase.table("projects").insert(show).execute().data[0])
    of_show = {"organization_id": organization_id, "project_id": str(project.id)}
    supabase.table("sources").insert({**of_show, "kind": "markdown", "content": text}).execute()
    episode = PublicEpisodes.model_validate(supabase.table("episodes").insert(of_show).execute().data[0])
    asked = {"kind": "episode", "subject_id": str(episode.id), "idempotency_key": str(uuid.uuid4())}
    return episode, str(supabase.rpc("request_production", asked).execute().data)


def finished(supabase: Client, production_id: str) -> PublicProductions:
    while True:
        row = supabase.table("productions").select("*").eq("id", production_id).single().execute().data
        production = PublicProductions.model_validate(row)
        print(production.status, production.current_stage or "", production.progress, "%", file=sys.stderr)
        if production.status in ("completed", "failed", "cancelled", "waiting"):
            return production
        time.sleep(1)


def address(supabase: Client, episode: PublicEpisodes) -> str:
    row = supabase.table("episodes").select("*").eq("id", str(episode.id)).single().execute().data
    published = PublicEpisodes.model_validate(row)
    of_show = supabase.table("feeds").select("*").eq("project_id", str(published.project_id)).single().execute().data
    feed = PublicFeeds.model_validate(of_show)
    return f"{os.environ['SHOWRUNNER_URL']}/media/{feed.token}/{published.audio_asset_id}.mp3"


def main() -> None:
    supabase = create_client(os.environ["SUPABASE_URL"], os.environ["SUPABASE_PUBLISHABLE_KEY"])
    organization_id = sign_in(supabase)
    episode, production_id = request(supabase, organization_id, Path(sys.argv[1]).read_text())
    made = finished(supabase, production_id)
    if made.status != "completed":
        sys.exit(f"{made.status}: {made.error}")
    print(address(supabase, episode))


if __name__ == "__main__":
    main()
