"""Looks back at a finished episode: proposes highlights, and notes what the show should remember."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from psycopg.types.json import Jsonb

from remembering import memory_statements, worth_remembering
from showrunner.conversation import (
    FinishedEpisode,
    HeardLine,
    ProposedHighlight,
    Review,
    ReviewMaterial,
    read_spoken_lines,
)
from showrunner.database import Statement
from showrunner.drafts import Drafts
from showrunner.errors import BadOutput
from showrunner.prompts import CAUTION, as_list, as_words, render
from showrunner.providers.text import WritingTask, open_text
from showrunner.services import Services
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler

PROMPTS = Path(__file__).parent / "prompts"
_MOST_CALL_SECONDS = 200.0
# About 60,000 tokens: two hours of speech.
_MOST_TRANSCRIPT_CHARACTERS = 240_000
_HIGHLIGHT_SECONDS = (2.0, 120.0)
_MOST_HIGHLIGHTS = 8
_MOST_QUOTE_CHARACTERS = 4_000
_MOST_NOTE_CHARACTERS = 200

# A proposal that nobody touched makes way for those of a newer review; one that was dismissed is not made again.
FORGET_PROPOSALS = """
delete from public.highlights
where episode_id = %(episode)s
  and organization_id = %(organization)s
  and user_id is null
  and deleted_at is null
  and updated_at = created_at
"""
PROPOSE = """
insert into public.highlights (organization_id, episode_id, block_id, user_id, quote, note, start_seconds, end_seconds)
select
    episodes.organization_id,
    episodes.id,
    (select blocks.id from public.blocks where blocks.id = proposed.block_id and blocks.episode_id = episodes.id),
    null,
    proposed.quote,
    proposed.note,
    proposed.start_seconds,
    proposed.end_seconds
from public.episodes
cross join jsonb_to_recordset(%(highlights)s) as proposed (
    block_id uuid, quote text, note text, start_seconds numeric, end_seconds numeric
)
where episodes.id = %(episode)s
  and episodes.organization_id = %(organization)s
  and not exists (
      select
      from public.highlights as known
      where known.episode_id = episodes.id
        and known.user_id is null
        and known.quote = proposed.quote
  )
"""


class ReviewEpisodeInput(JobInput):
    prompt: str
    writer: str
    language: str
    show: str
    project_id: UUID
    episode: FinishedEpisode
    remembered: list[str]


class ReviewEpisodeOutput(JobOutput):
    highlights: int
    memories: int


def run(job: Job[ReviewEpisodeInput], services: Services) -> Outcome:
    asked = job.input
    lines = read_spoken_lines(services.database, job.organization_id, asked.episode.id)
    material = ReviewMaterial(language=asked.language, episode=asked.episode, lines=lines, remembered=asked.remembered)
    review = _review(job, services, material)
    highlights = _usable(review.highlights, lines)
    memories = worth_remembering(review.memories, asked.remembered, asked.language)
    ids = {"episode": asked.episode.id, "organization": job.organization_id}
    statements = [
        Statement(FORGET_PROPOSALS, ids),
        Statement(PROPOSE, {**ids, "highlights": Jsonb([_row(one, lines) for one in highlights])}),
        *memory_statements({**ids, "project": asked.project_id}, memories),
    ]
    return Outcome(ReviewEpisodeOutput(highlights=len(highlights), memories=len(memories)), statements)


def _review(job: Job[ReviewEpisodeInput], services: Services, material: ReviewMaterial) -> Review:
    """Return the kept reply of an earlier attempt, or ask the writer."""
    is_paid = not job.input.writer.startswith("offline/")
    drafts = Drafts(services.media_store, job.organization_id, job.input_hash)
    if is_paid and (kept := drafts.read("review", Review)):
        return kept
    writer = open_text(job.input.writer, services.settings)
    task = WritingTask("review", _prompt(job, material), material)
    written = writer.write(task, Review, min(job.remaining_seconds(), _MOST_CALL_SECONDS))
    job.record(written.call, immediately=is_paid)
    if written.reply.highlights and not _usable(written.reply.highlights, material.lines):
        raise BadOutput("None of the proposed highlights is a passage of the episode.")
    if is_paid:
        drafts.keep("review", written.reply)
    return written.reply


def _prompt(job: Job[ReviewEpisodeInput], material: ReviewMaterial) -> str:
    left = _MOST_TRANSCRIPT_CHARACTERS
    lines = []
    for number, line in enumerate(material.lines, start=1):
        spoken = f"{number}. {as_words(line.speaker)}: {as_words(line.text)}"
        left -= len(spoken)
        if left < 0:
            break
        lines.append(spoken)
    return render(
        PROMPTS,
        job.input.prompt,
        {
            "show": as_words(job.input.show),
            "title": as_words(material.episode.title),
            "language": material.language,
            "transcript": "\n".join(lines),
            "remembered": as_list([as_words(known) for known in material.remembered]),
            "highlights": str(min(6, 2 + round(material.lines[-1].end_seconds / 300))),
            "caution": CAUTION if job.state.get("rewrite") else "",
        },
    )


def _usable(proposed: Sequence[ProposedHighlight], lines: Sequence[HeardLine]) -> list[ProposedHighlight]:
    """Return the proposals that are passages of the episode, of a length to share, and do not overlap."""
    usable: list[ProposedHighlight] = []
    last = 0
    for one in sorted(proposed, key=lambda one: one.first_line):
        if not last < one.first_line <= one.last_line <= len(lines):
            continue
        seconds = lines[one.last_line - 1].end_seconds - lines[one.first_line - 1].start_seconds
        if _HIGHLIGHT_SECONDS[0] <= seconds <= _HIGHLIGHT_SECONDS[1]:
            usable.append(one)
            last = one.last_line
    return usable[:_MOST_HIGHLIGHTS]


def _row(one: ProposedHighlight, lines: Sequence[HeardLine]) -> dict[str, object]:
    passage = lines[one.first_line - 1 : one.last_line]
    return {
        "block_id": str(passage[0].block_id),
        "quote": " ".join(line.text for line in passage)[:_MOST_QUOTE_CHARACTERS],
        "note": " ".join(one.note.split())[:_MOST_NOTE_CHARACTERS],
        "start_seconds": passage[0].start_seconds,
        "end_seconds": passage[-1].end_seconds,
    }


lambda_handler = stage_handler("review_episode", ReviewEpisodeInput, run)
