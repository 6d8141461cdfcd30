"""Assets over HTTP: rows of the caller's organizations, each with an address that opens it for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.rigs.rows import insert


@pytest.fixture
def asset(owner, show):
    return insert(
        owner,
        "assets",
        {
            "organization_id": show.organization,
            "kind": "episode_audio",
            "key": f"organizations/{show.organization}/episode_audio/{'ab' * 32}.mp3",
            "content_type": "audio/mpeg",
            "bytes": 1234,
            "sha256": "ab" * 32,
            "duration_seconds": 61.5,
        },
    )


def test_an_asset_comes_with_an_address_that_lives_shortly(api, show, asset):
    answer = api.call("GET", f"/assets/{asset}", show.user)

    url, query = urlsplit(answer.json["url"]), parse_qs(urlsplit(answer.json["url"]).query)
    left = datetime.fromisoformat(answer.json["url_expires_at"]) - datetime.now(UTC)
    assert url.path.endswith(f"{'ab' * 32}.mp3")
    assert query["X-Amz-Expires"] == ["900"]
    assert query["response-content-disposition"] == ['inline; filename="episode_audio.mp3"']
    assert timedelta(0) < left <= timedelta(minutes=15)
    assert (answer.json["bytes"], answer.json["duration_seconds"]) == (1234, 61.5)


def test_an_asset_may_be_saved_rather_than_shown(api, show, asset):
    url = api.call("GET", f"/assets/{asset}?disposition=attachment", show.user).json["url"]

    assert parse_qs(urlsplit(url).query)["response-content-disposition"] == ['attachment; filename="episode_audio.mp3"']


def test_assets_are_listed_with_their_addresses(api, show, asset):
    listed = api.call("GET", "/assets?kind=episode_audio", show.user).json

    assert [row["id"] for row in listed["assets"]] == [str(asset)]
    assert listed["assets"][0]["url"].startswith("https://")
    assert "key" not in listed["assets"][0]
    assert api.call("GET", "/assets?kind=speech", show.user).json["assets"] == []


def test_another_organizations_asset_has_no_address(api, stranger, asset):
    assert api.call("GET", f"/assets/{asset}", stranger.user).status == 404
    assert api.call("GET", "/assets", stranger.user).json["assets"] == []


def test_a_former_members_token_opens_nothing(api, owner, show, asset, sign_up, add_member):
    member = sign_up("ben")
    add_member(show.organization, member, "viewer")
    before = api.call("GET", f"/assets/{asset}", member).status
    owner.execute(
        "delete from public.organization_members where user_id = %s and organization_id = %s",
        [member, show.organization],
    )

    assert (before, api.call("GET", f"/assets/{asset}", member).status) == (200, 404)
