"""What a client app asks most often, as the Data API puts it to Postgres. Ids are parameters, by name."""

from __future__ import annotations

# They say whose rows they want, by the organization or by something that is one organization's.
NAMED = {
    "my productions, newest first": """
        select id, kind, subject_id, status, progress, error, created_at
        from public.productions
        where organization_id = %(organization)s
        order by created_at desc
        limit 20
    """,
    "one production with its stages": """
        select productions.*, stages.list
        from public.productions
        left join lateral (
            select json_agg(stage) as list
            from (
                select name.stage, name.status, name.total, name.remaining, name.failed
                from public.production_stages as name
                where name.production_id = productions.id
                order by name.position
            ) as stage
        ) as stages on true
        where productions.id = %(production)s
    """,
    "the jobs of one production": """
        select id, stage, key, status, progress, error
        from public.jobs
        where production_id = %(production)s
        order by stage, key
    """,
    "the episodes of a show": """
        select id, number, title, status, generation_status, generation_progress
        from public.episodes
        where project_id = %(show)s
        order by number desc
        limit 20
    """,
    "an episode with its blocks": """
        select episodes.*, lines.list
        from public.episodes
        left join lateral (
            select json_agg(line) as list
            from (
                select name.id, name.position, name.speaker, name.markdown
                from public.blocks as name
                where name.episode_id = episodes.id
                order by name.position
            ) as line
        ) as lines on true
        where episodes.id = %(episode)s
    """,
    "my unread highlights": """
        select id, episode_id, quote, note, created_at
        from public.highlights
        where organization_id = %(organization)s
          and deleted_at is null
          and created_at > %(seen)s
        order by created_at desc
        limit 20
    """,
    "the files of one production": """
        select id, kind, key, content_type, bytes, duration_seconds
        from public.assets
        where production_id = %(production)s
    """,
}
# They leave it to row-level security, which is where {mine} stands; without it, it has to be said.
UNNAMED = {
    "all productions that I may see": """
        select id, kind, subject_id, status, progress, error, created_at
        from public.productions
        where {mine}
        order by created_at desc
        limit 20
    """,
    "all episodes that I may see": """
        select id, project_id, number, title, generation_status
        from public.episodes
        where {mine}
        order by created_at desc
        limit 20
    """,
    "all shows that I may see": """
        select id, name, language, target_minutes
        from public.projects
        where {mine}
          and deleted_at is null
        order by name
    """,
    "all files that I may see": """
        select id, kind, key, bytes
        from public.assets
        where {mine}
          and kind = 'episode'
        order by created_at desc
        limit 20
    """,
}
# As a member, by the function that is made for it; as the owner, the same rows without it.
CALLS = {
    "the newest of all my organizations": (
        """
        select id, kind, subject_id, status, progress, error, created_at
        from public.my_productions(20)
        """,
        UNNAMED["all productions that I may see"],
    )
}


def for_member(query: str) -> str:
    """As a signed-in person asks it."""
    return query.replace("{mine}", "true")


def for_owner(query: str) -> str:
    """The same rows without row-level security; `mine` holds the organizations' ids."""
    return query.replace("{mine}", "organization_id = any (%(mine)s)")
