"""What the writing stages pass on: the show, its sources, the outline, the lines of the script."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from showrunner.assets import AssetReference

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Value(BaseModel):
    """A frozen value whose fields are all known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Speaker(Value):
    """A host and the voice reference that speaks for it, such as `espeak/ada`."""

    name: Words
    voice: Words


class Show(Value):
    """What the writer knows of the show. `language` is BCP 47; `memories` are the show's standing wishes."""

    name: Words
    description: str | None = None
    format: Literal["dialogue", "bulletin"]
    language: Words
    speakers: Annotated[list[Speaker], Field(min_length=1)]
    memories: list[str] = []

    @property
    def hosts(self) -> list[str]:
        """The names of those who speak: two in a dialogue (one when the show has no second), one in a bulletin."""
        return [speaker.name for speaker in self.speakers[: 2 if self.format == "dialogue" else 1]]


class SourceReference(Value):
    """An ingested source. `asset` is its plain text or Markdown; none when it had nothing (new)."""

    source_id: UUID
    title: str
    url: str | None = None
    words: int
    characters: int
    asset: AssetReference | None = None


class SourceText(Value):
    """A source with its text, as a writer gets it."""

    id: UUID
    title: str
    url: str | None = None
    text: str


class PlanningNote(Value):
    """A person's wish for the next episode."""

    id: UUID
    note: Words


class Memory(Value):
    """What the show remembers, learned from an episode or told by people."""

    kind: Literal["fact", "preference", "style", "feedback", "topic", "phrase", "promise"]
    content: Words


class VoiceRate(Value):
    """How fast a voice speaks a language, measured: characters of speakable text per second."""

    voice: str
    language: str
    characters_per_second: Annotated[float, Field(gt=0)]


class OutlineSection(Value):
    """A chapter to be. `share` is its length relative to the other sections; no `source_ids`: it needs no facts."""

    title: Words
    points: list[Words]
    source_ids: list[UUID] = []
    share: Annotated[float, Field(gt=0)]


class Outline(Value):
    title: Words
    summary: str
    sections: Annotated[list[OutlineSection], Field(min_length=1)]


class SpokenLine(Value):
    """One turn of one speaker; `text` is Markdown that is read aloud."""

    speaker: Words
    text: Words


class SectionScript(Value):
    """A writer's reply for one section."""

    lines: Annotated[list[SpokenLine], Field(min_length=1)]


class ScriptLine(Value):
    """A line in its place: what becomes a row of `blocks`."""

    section: Words
    speaker: Words
    text: Words


class OutlineMaterial(Value):
    """All that an outline is made from."""

    show: Show
    target_seconds: float
    sources: list[SourceText]
    planning_notes: list[PlanningNote] = []
    previous_titles: list[str] = []
    remembered: list[Memory] = []

    def memories(self, *kinds: str) -> list[str]:
        """Return what is remembered of these kinds."""
        return [memory.content for memory in self.remembered if memory.kind in kinds]

    @property
    def wishes(self) -> list[str]:
        """The show's standing wishes, and what people said about how it should be."""
        return [*self.show.memories, *self.memories("preference", "style", "feedback")]


class SectionMaterial(Value):
    """All that one section's lines are made from.

    `before` and `after` are the lines already written on either side; `seconds` is what this section should take,
    the pause before it included; `rates` are characters per second by speaker name.
    """

    show: Show
    outline: Outline
    section: Annotated[int, Field(ge=0)]
    seconds: float
    rates: dict[str, float]
    sources: list[SourceText]
    before: list[ScriptLine] = []
    after: list[ScriptLine] = []
