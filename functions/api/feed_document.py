"""From a published show to its RSS document."""

from __future__ import annotations

from published_show import PublishedShow


def render(show: PublishedShow, base_url: str, token: str) -> str:
    """Return the RSS document; every address in it goes through this API."""
    from showrunner.podcast_feed import render_feed

    return render_feed(show, base_url, token)
