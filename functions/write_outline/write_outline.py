"""Plans an episode: title, summary and sections, from the show's sources, notes and earlier titles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import Field

from outline_prompt import outline_prompt
from showrunner.database import Statement
from showrunner.drafts import Drafts
from showrunner.errors import BadOutput, InvalidInput
from showrunner.providers.text import WritingTask, open_text
from showrunner.script import Memory, Outline, OutlineMaterial, OutlineSection, PlanningNote, Show, SourceReference
from showrunner.services import Services
from showrunner.source_text import FEWEST_WORDS
from showrunner.sources import read_sources
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler

PROMPTS = Path(__file__).parent / "prompts"
_MOST_CALL_SECONDS = 240.0

_UPDATE_EPISODE = """
update public.episodes
set title = %(title)s, summary = %(summary)s, outline = %(outline)s
where id = %(episode_id)s
"""
_CONSUME_NOTES = """
update public.planning_notes
set status = 'consumed', consumed_in_episode_id = %(episode_id)s, consumed_at = now()
where id = any(%(ids)s::uuid[]) and status = 'pending'
"""
# In the order of their ids, so that two outlines of one show cannot deadlock.
_NOTE_USE_OF_MEMORIES = """
update public.agent_memories
set last_used_at = now()
where id in (
    select used.id
    from public.agent_memories as used
    where used.id = any(%(ids)s::uuid[])
    order by used.id
    for no key update
)
"""


class RememberedMemory(Memory):
    id: UUID


class WriteOutlineInput(JobInput):
    prompt: str
    writer: str
    show: Show
    target_minutes: Annotated[float, Field(gt=0, le=120)]
    sources: list[SourceReference]
    planning_notes: list[PlanningNote] = Field(default_factory=list)
    remembered: list[RememberedMemory] = Field(default_factory=list)
    previous_titles: list[str] = Field(default_factory=list)


class WriteOutlineOutput(JobOutput):
    title: str
    summary: str
    sections: list[OutlineSection]


def run(job: Job[WriteOutlineInput], services: Services) -> Outcome:
    asked = job.input
    words = sum(source.words for source in asked.sources)
    if words < FEWEST_WORDS:
        raise InvalidInput(
            f"sources: all sources together have {words} words of new text; at least {FEWEST_WORDS} are needed to make "
            "an episode. Add a source, or wait for news in its feeds."
        )
    material = OutlineMaterial(
        show=asked.show,
        target_seconds=asked.target_minutes * 60,
        sources=read_sources(services.media_store, asked.sources),
        planning_notes=asked.planning_notes,
        previous_titles=asked.previous_titles,
        remembered=[Memory(kind=memory.kind, content=memory.content) for memory in asked.remembered],
    )
    outline = _checked(_outline(job, services, material), material)
    return Outcome(
        WriteOutlineOutput(title=outline.title, summary=outline.summary, sections=outline.sections),
        _statements(job, outline),
    )


def _outline(job: Job[WriteOutlineInput], services: Services, material: OutlineMaterial) -> Outline:
    """Return the kept reply of an earlier attempt, or ask the writer."""
    writer = open_text(job.input.writer, services.settings)
    drafts = Drafts(services.media_store, job.organization_id, job.input_hash)
    is_paid = not job.input.writer.startswith("offline/")
    if is_paid and (kept := drafts.read("outline", Outline)):
        return kept
    prompt = outline_prompt(PROMPTS, job.input.prompt, material, cautious=bool(job.state.get("rewrite")))
    task = WritingTask("outline", prompt, material)
    written = writer.write(task, Outline, min(job.remaining_seconds(), _MOST_CALL_SECONDS))
    job.record(written.call, immediately=is_paid)
    if is_paid:
        drafts.keep("outline", _checked(written.reply, material))
    return written.reply


def _checked(outline: Outline, material: OutlineMaterial) -> Outline:
    """Return the outline with shares that add up to 1 and a title of its own; raise `BadOutput` for unknown sources."""
    known = {source.id for source in material.sources}
    for section in outline.sections:
        if not known.issuperset(section.source_ids):
            raise BadOutput(f"The outline's section {section.title!r} names a source that does not exist.")
    if not any(section.source_ids for section in outline.sections):
        raise BadOutput("The outline uses none of the sources.")
    whole = sum(section.share for section in outline.sections)
    sections = [
        section.model_copy(update={"share": max(round(section.share / whole, 4), 0.0001)})
        for section in outline.sections
    ]
    title = outline.title
    earlier = {title.casefold() for title in material.previous_titles}
    if title.casefold() in earlier:
        title = next(
            (f"{title}: {section.title}" for section in sections if section.source_ids), f"{title} ({len(earlier) + 1})"
        )
    return Outline(title=title, summary=outline.summary, sections=sections)


def _statements(job: Job[WriteOutlineInput], outline: Outline) -> list[Statement]:
    episode = {
        "episode_id": job.subject_id,
        "title": outline.title,
        "summary": outline.summary,
        "outline": Jsonb(outline.model_dump(mode="json")),
    }
    notes = [note.id for note in job.input.planning_notes]
    statements = [Statement(_UPDATE_EPISODE, episode)]
    if notes:
        statements.append(Statement(_CONSUME_NOTES, {"episode_id": job.subject_id, "ids": notes}))
    if job.input.remembered:
        ids = [memory.id for memory in job.input.remembered]
        statements.append(Statement(_NOTE_USE_OF_MEMORIES, {"ids": ids}))
    return statements


lambda_handler = stage_handler("write_outline", WriteOutlineInput, run)
