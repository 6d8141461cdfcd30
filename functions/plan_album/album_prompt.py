"""The text that a language model gets to plan an album."""

from __future__ import annotations

from pathlib import Path

from showrunner.album_plan import AlbumMaterial
from showrunner.prompts import CAUTION, as_words, render


def album_prompt(folder: Path, name: str, material: AlbumMaterial, *, cautious: bool) -> str:
    """Return the rendered prompt; `cautious` after a refusal."""
    return render(
        folder,
        name,
        {
            "channel": as_words(material.channel),
            "brand_niche": as_words(material.brand_niche),
            "niche": as_words(material.niche),
            "moods": as_words(", ".join(material.moods)),
            "minutes": str(material.minutes),
            "tracks": str(material.tracks),
            "caution": CAUTION if cautious else "",
        },
    )
