"""Answers a question about an episode from what it says and from its sources, into the answer's row as it is written.

The output says how the answer came out and none of its words: a conversation is its person's alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field

from answer_prompt import answer_prompt
from citing import CitedText
from finding import material_for
from showrunner.conversation import AnswerMaterial, FinishedEpisode, Remark, read_spoken_lines
from showrunner.database import Statement
from showrunner.drafts import Drafts
from showrunner.errors import BadOutput
from showrunner.providers.text import WritingTask, open_text
from showrunner.script import SourceReference, Words
from showrunner.services import Services
from showrunner.sources import read_sources
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler

PROMPTS = Path(__file__).parent / "prompts"
MOST_ANSWER_CHARACTERS = 8_000
_MOST_CALL_SECONDS = 120.0
# A step of the row costs a round trip: so many seconds or characters after the last one, whichever is first.
STEP_SECONDS = 0.3
STEP_CHARACTERS = 200

WRITE_ANSWER = """
update public.chat_messages
set content = %(content)s, citations = %(citations)s
where id = %(answer)s
"""


class AnswerQuestionInput(JobInput):
    prompt: str
    writer: str
    language: str
    show: str
    episode: FinishedEpisode
    sources: list[SourceReference]
    question: Words
    earlier: Annotated[list[Remark], Field(max_length=12)]


class AnswerQuestionOutput(JobOutput):
    """`is_told`: the episode or its sources have an answer."""

    is_told: bool
    citations: int
    characters: int


class WrittenAnswer(BaseModel):
    """A paid answer with its marks, as the provider wrote it."""

    text: str


def run(job: Job[AnswerQuestionInput], services: Services, clock: Callable[[], float] = time.monotonic) -> Outcome:
    asked = job.input
    lines = read_spoken_lines(services.database, job.organization_id, asked.episode.id)
    sources = read_sources(services.media_store, asked.sources)
    material = material_for(asked.question, asked.earlier, asked.language, lines, sources)
    answer = _kept(job, services, material) or _written(job, services, material, clock)
    _check(answer)
    output = AnswerQuestionOutput(
        is_told=bool(answer.citations), citations=len(answer.citations), characters=len(answer.text)
    )
    return Outcome(output, [_row(job, answer)])


def _kept(job: Job[AnswerQuestionInput], services: Services, material: AnswerMaterial) -> CitedText | None:
    """Return the answer of an earlier attempt that was paid for and is whole."""
    drafts = Drafts(services.media_store, job.organization_id, job.input_hash)
    kept = drafts.read("answer", WrittenAnswer) if _is_paid(job) else None
    if kept is None:
        return None
    answer = CitedText(material.lines, material.excerpts, material.language)
    answer.add(kept.text)
    answer.end()
    return answer


def _written(
    job: Job[AnswerQuestionInput], services: Services, material: AnswerMaterial, clock: Callable[[], float]
) -> CitedText:
    asked = job.input
    cautious = bool(job.state.get("rewrite"))
    prompt = answer_prompt(PROMPTS, asked.prompt, asked.show, asked.episode, material, cautious=cautious)
    writer = open_text(asked.writer, services.settings)
    stream = writer.stream(WritingTask("answer", prompt, material), min(job.remaining_seconds(), _MOST_CALL_SECONDS))
    answer = CitedText(material.lines, material.excerpts, material.language)
    raw = ""
    shown, at = 0, clock()
    try:
        for piece in stream:
            job.raise_if_cancelled()
            raw += piece
            answer.add(piece)
            if len(raw) > MOST_ANSWER_CHARACTERS:
                raise BadOutput(f"The answer is longer than {MOST_ANSWER_CHARACTERS} characters.")
            if len(answer.text) > shown and (
                len(answer.text) - shown >= STEP_CHARACTERS or clock() - at >= STEP_SECONDS
            ):
                job.write([_row(job, answer)])
                shown, at = len(answer.text), clock()
    finally:
        # However it ended, what was used is counted; of a whole answer that was paid for, before it is kept.
        if stream.call is not None:
            job.record(stream.call, immediately=_is_paid(job))
    answer.end()
    _check(answer)
    if _is_paid(job):
        Drafts(services.media_store, job.organization_id, job.input_hash).keep("answer", WrittenAnswer(text=raw))
    return answer


def _check(answer: CitedText) -> None:
    """Raise `BadOutput` for an answer that neither rests on anything nor says that there is nothing."""
    if not answer.text:
        raise BadOutput("The answer is empty.")
    if not answer.citations and not answer.says_none:
        raise BadOutput("The answer cites nothing that the episode or its sources say.")


def _is_paid(job: Job[AnswerQuestionInput]) -> bool:
    return not job.input.writer.startswith("offline/")


def _row(job: Job[AnswerQuestionInput], answer: CitedText) -> Statement:
    citations = [citation.model_dump(mode="json") for citation in answer.citations]
    return Statement(WRITE_ANSWER, {"content": answer.text, "citations": Jsonb(citations), "answer": job.subject_id})


lambda_handler = stage_handler("answer_question", AnswerQuestionInput, run)
