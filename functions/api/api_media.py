"""Media of a feed: `/media/{token}/{asset id}.{ext}` redirects to S3, which serves ranges."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from api_addresses import extension_of, is_token, media_name
from api_problems import Missing
from api_shapes import problems
from showrunner.services import Services

# A player that pauses and seeks goes on asking the address that it was sent to.
LINK_SECONDS = 3600

# What a listener may have: the files of published episodes and the cover of the show, nothing else of the tenant.
_PUBLISHED_ASSET = """
select asset.key
from public.feeds as feed
join public.projects as project
  on project.id = feed.project_id
 and project.deleted_at is null
join public.organizations as organization
  on organization.id = project.organization_id
 and organization.deleted_at is null
join public.assets as asset
  on asset.id = %(asset)s
 and asset.organization_id = feed.organization_id
where feed.token = %(token)s
  and feed.revoked_at is null
  and (
      asset.id = project.cover_asset_id
      or exists (
          select from public.episodes as episode
          where episode.project_id = project.id
            and episode.status = 'published'
            and episode.deleted_at is null
            and asset.id in (
                episode.audio_asset_id, episode.transcript_asset_id,
                episode.chapters_asset_id, episode.cover_asset_id
            )
      )
  )
"""


def add_routes(app: APIGatewayHttpResolver, services: Callable[[], Services]) -> None:
    @app.route(
        "/media/<token>/<name>",
        method=["GET", "HEAD"],
        summary="A published file of the feed: <asset id>.<extension>",
        tags=["feeds"],
        responses={
            302: {"description": "Where the file is for an hour; serves byte ranges", "content": {}},
            **problems(404, 503),
        },
    )
    def media(token: str, name: str) -> Response[str]:
        method = app.current_event.request_context.http.method
        location = signed_address(services(), token, name, head=method == "HEAD")
        return Response(302, headers={"location": location, "cache-control": "no-store"}, body="")


def signed_address(services: Services, token: str, name: str, *, head: bool) -> str:
    """Return a short-lived S3 URL of a published asset, signed for HEAD or GET; raise `Missing` for anything else."""
    asked = media_name(name)
    if asked is None or not is_token(token):
        raise Missing
    key = _published_key(services, token, asked.asset_id)
    if extension_of(key) != f".{asked.extension}":
        raise Missing
    return services.media_store.signed_url(key, LINK_SECONDS, head=head)


def _published_key(services: Services, token: str, asset_id: UUID) -> str:
    rows = services.database.call(_PUBLISHED_ASSET, {"asset": asset_id, "token": token})
    if not rows:
        raise Missing
    return str(rows[0]["key"])
