"""The text that a language model gets to write one section of the script."""

from __future__ import annotations

from pathlib import Path

from showrunner.pacing import USUAL_CHARACTERS_PER_SECOND
from showrunner.prompts import CAUTION, as_list, as_material, form_of, render
from showrunner.script import ScriptLine, SectionMaterial

# About 15,000 tokens of material a section.
_MOST_MATERIAL_CHARACTERS = 60_000
_LINES_BEFORE = 6
# A word and the space after it, in the six languages between 5.6 and 6.6 characters.
_CHARACTERS_OF_A_WORD = 6.0


def script_prompt(
    folder: Path, name: str, material: SectionMaterial, *, cautious: bool, earlier: list[ScriptLine]
) -> str:
    """Return the rendered prompt. `earlier` is a version of the wrong length; `cautious` after a refusal."""
    section = material.outline.sections[material.section]
    own = [source for source in material.sources if source.id in section.source_ids]
    about = " ".join([section.title, *section.points])
    return render(
        folder,
        name,
        {
            "show": material.show.name,
            "description": material.show.description or "no description",
            "form": form_of(material.show),
            "speakers": ", ".join(material.show.hosts),
            "language": material.show.language,
            "memories": as_list(material.show.memories),
            "outline": "\n".join(
                f"{number}. {one.title}" for number, one in enumerate(material.outline.sections, start=1)
            ),
            "section": f"{material.section + 1}. {section.title}",
            "points": as_list(section.points),
            "place": _place(material),
            "before": _spoken(material.before[-_LINES_BEFORE:]) or "(none: this is the beginning)",
            "sources": as_material(own, _MOST_MATERIAL_CHARACTERS // (2 if cautious else 1), about) or "(none)",
            "caution": CAUTION if cautious else "",
            "words": str(words_in(material.seconds, material)),
            "revision": _revision(earlier),
        },
    )


def words_in(seconds: float, material: SectionMaterial) -> int:
    """Return how many words fill `seconds` at the hosts' mean rate."""
    rates = [material.rates.get(host, USUAL_CHARACTERS_PER_SECOND) for host in material.show.hosts]
    return max(15, round(seconds * 0.97 * sum(rates) / len(rates) / _CHARACTERS_OF_A_WORD))


def _place(material: SectionMaterial) -> str:
    if material.section == 0:
        return f"It opens the episode {material.outline.title!r}: greet the listeners and name the show and its hosts."
    if material.section == len(material.outline.sections) - 1:
        return "It ends the episode: look back in a sentence or two, thank the listeners, say goodbye."
    return "It is in the middle of the episode: no greeting and no goodbye. Lead over from the lines before."


def _revision(earlier: list[ScriptLine]) -> str:
    if not earlier:
        return ""
    words = sum(len(line.text.split()) for line in earlier)
    lines = f"<lines>\n{_spoken(earlier)}\n</lines>"
    return f"An earlier version had {words} words, the wrong length. Write it anew at the length asked for:\n\n{lines}"


def _spoken(lines: list[ScriptLine]) -> str:
    return "\n".join(f"{line.speaker}: {line.text}" for line in lines)
