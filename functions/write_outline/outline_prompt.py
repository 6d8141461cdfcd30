"""The text that a language model gets to plan an episode."""

from __future__ import annotations

from pathlib import Path

from showrunner.prompts import CAUTION, as_list, as_material, form_of, render
from showrunner.script import OutlineMaterial

# About 60,000 tokens of material: within every model's window, and a known price.
_MOST_MATERIAL_CHARACTERS = 240_000


def outline_prompt(folder: Path, name: str, material: OutlineMaterial, *, cautious: bool) -> str:
    """Return the rendered prompt; `cautious` after a refusal: it says so and shows less of the material."""
    minutes = material.target_seconds / 60
    return render(
        folder,
        name,
        {
            "show": material.show.name,
            "description": material.show.description or "no description",
            "form": form_of(material.show),
            "language": material.show.language,
            "minutes": f"{minutes:g}",
            "sections": str(min(16, max(3, round(2.2 * minutes**0.5) + 2))),
            "memories": as_list(material.wishes),
            "topics": as_list(material.memories("topic")),
            "facts": as_list(material.memories("fact")),
            "phrases": as_list(material.memories("phrase")),
            "promises": as_list(material.memories("promise")),
            "notes": as_list([note.note for note in material.planning_notes]),
            "previous_titles": as_list(material.previous_titles),
            "sources": as_material(material.sources, _MOST_MATERIAL_CHARACTERS // (2 if cautious else 1)),
            "caution": CAUTION if cautious else "",
        },
    )
