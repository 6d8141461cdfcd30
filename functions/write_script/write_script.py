"""Writes an episode's script, section by section, to the length that was asked for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb
from pydantic import Field

from script_length import estimated_seconds, rates_by_speaker, trimmed
from script_sections import SectionWriter
from showrunner.database import Statement
from showrunner.errors import InvalidInput
from showrunner.pacing import LEAD_IN, LEAD_OUT
from showrunner.script import Outline, ScriptLine, Show, SourceReference, VoiceRate
from showrunner.services import Services
from showrunner.sources import read_sources
from showrunner.speech_text import speakable
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler

PROMPTS = Path(__file__).parent / "prompts"

# A language model's length is corrected once, when it is this far off; the offline writer costs nothing and goes on.
_PAID_REVISIONS, _PAID_TOLERANCE = 1, 0.05
_FREE_REVISIONS, _FREE_TOLERANCE = 16, 0.006
_ASIDE_SECONDS = 1.5

_DELETE_BLOCKS = "delete from public.blocks where episode_id = %(episode_id)s"
_INSERT_BLOCKS = """
insert into public.blocks (id, organization_id, episode_id, position, section, speaker, markdown)
select block.id, %(organization_id)s, %(episode_id)s, block.position, block.section, block.speaker, block.markdown
from jsonb_to_recordset(%(blocks)s) as block (
    id uuid,
    position integer,
    section text,
    speaker text,
    markdown text
)
"""


class WriteScriptInput(JobInput):
    prompt: str
    writer: str
    show: Show
    target_minutes: Annotated[float, Field(gt=0, le=120)]
    outline: Outline
    sources: list[SourceReference]
    rates: list[VoiceRate] = Field(default_factory=list)


class WriteScriptOutput(JobOutput):
    """`estimated_seconds` is of the finished episode, pauses included; `sha256` is of the lines."""

    blocks: int
    words: int
    estimated_seconds: float
    sha256: str


def run(job: Job[WriteScriptInput], services: Services) -> Outcome:
    asked = job.input
    sources = read_sources(services.media_store, asked.sources)
    if not sources:
        raise InvalidInput("sources: none of them has any text; add a source, or rebuild from ingest_sources.")
    rates = rates_by_speaker(asked.show, asked.rates)
    writer = SectionWriter(job, services, PROMPTS, sources, rates)
    target = asked.target_minutes * 60 - LEAD_IN - LEAD_OUT
    sections = _first_version(job, writer, target, rates)
    sections = _revised(job, writer, sections, target, rates)
    lines = trimmed([line for section in sections for line in section], target, rates)
    return Outcome(_output(lines, rates), _statements(job.organization_id, job.subject_id, lines))


def _first_version(
    job: Job[WriteScriptInput], writer: SectionWriter, target: float, rates: dict[str, float]
) -> list[list[ScriptLine]]:
    """Write the sections in order; what one is too short or too long is shared by those that follow."""
    shares = [section.share for section in job.input.outline.sections]
    written: list[list[ScriptLine]] = []
    for index, share in enumerate(shares):
        job.raise_if_cancelled()
        before = [line for section in written for line in section]
        left = target - estimated_seconds(before, rates)
        seconds = max(left * share / sum(shares[index:]), 1.0)
        written.append(writer.write(index, seconds, before, []))
        job.progress((index + 1) / (len(shares) + 1))
    return written


def _revised(
    job: Job[WriteScriptInput],
    writer: SectionWriter,
    sections: list[list[ScriptLine]],
    target: float,
    rates: dict[str, float],
) -> list[list[ScriptLine]]:
    """Write anew the sections that can best make up for what is missing or too much, until the length is right."""
    most, tolerance = (_PAID_REVISIONS, _PAID_TOLERANCE) if writer.is_paid else (_FREE_REVISIONS, _FREE_TOLERANCE)
    order = sorted(range(len(sections)), key=lambda index: -job.input.outline.sections[index].share)
    best = sections
    unchanged = 0
    for revision in range(most):
        missing = target - _whole(sections, rates)
        if abs(missing) <= tolerance * target or unchanged == len(order):
            break
        job.raise_if_cancelled()
        index = order[revision % len(order)]
        # Where every section has given what it can, one takes a step aside for the next one to make up for.
        aside = _ASIDE_SECONDS * (revision // len(order)) * (1 - revision % 2)
        seconds = max(estimated_seconds(sections[index], rates) + missing + aside, 5.0)
        before = [line for section in sections[:index] for line in section]
        after = [line for section in sections[index + 1 :] for line in section]
        anew = writer.write(index, seconds, before, after, earlier=sections[index])
        unchanged = unchanged + 1 if anew == sections[index] else 0
        sections = [*sections[:index], anew, *sections[index + 1 :]]
        best = min(best, sections, key=lambda one: abs(target - _whole(one, rates)))
    return best


def _whole(sections: list[list[ScriptLine]], rates: dict[str, float]) -> float:
    return estimated_seconds([line for section in sections for line in section], rates)


def _output(lines: list[ScriptLine], rates: dict[str, float]) -> WriteScriptOutput:
    text = json.dumps([line.model_dump() for line in lines], ensure_ascii=False, sort_keys=True)
    return WriteScriptOutput(
        blocks=len(lines),
        words=sum(len(speakable(line.text).split()) for line in lines),
        estimated_seconds=round(LEAD_IN + estimated_seconds(lines, rates) + LEAD_OUT, 2),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _statements(organization_id: UUID, episode_id: UUID, lines: list[ScriptLine]) -> list[Statement]:
    """Replace the episode's blocks. A position keeps its id, so a line that stays the same is not spoken again."""
    blocks = [
        {
            "id": str(uuid5(episode_id, f"block/{position}")),
            "position": position,
            "section": line.section,
            "speaker": line.speaker,
            "markdown": line.text,
        }
        for position, line in enumerate(lines, start=1)
    ]
    params = {"organization_id": organization_id, "episode_id": episode_id, "blocks": Jsonb(blocks)}
    return [Statement(_DELETE_BLOCKS, {"episode_id": episode_id}), Statement(_INSERT_BLOCKS, params)]


lambda_handler = stage_handler("write_script", WriteScriptInput, run)
