"""One section at a time from the writer, checked, and kept where it was paid for."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from uuid import UUID

from script_prompt import script_prompt
from showrunner.drafts import Drafts
from showrunner.errors import BadOutput, Transient
from showrunner.providers.text import WritingTask, open_text
from showrunner.script import Outline, ScriptLine, SectionMaterial, SectionScript, Show, SourceText
from showrunner.services import Services
from showrunner.speech_text import speakable
from showrunner.usage import ProviderCall

_MOST_CALL_SECONDS = 180.0
_LEAST_CALL_SECONDS = 10.0
_MOST_LINE_CHARACTERS = 1500


class _Asked(Protocol):
    @property
    def prompt(self) -> str: ...
    @property
    def writer(self) -> str: ...
    @property
    def show(self) -> Show: ...
    @property
    def outline(self) -> Outline: ...


class _WritingJob(Protocol):
    """What of a job is needed to write its sections."""

    organization_id: UUID
    input_hash: str
    state: dict[str, object]

    @property
    def input(self) -> _Asked: ...
    def remaining_seconds(self) -> float: ...
    def record(self, call: ProviderCall, *, immediately: bool = False) -> None: ...


class SectionWriter:
    """Writes sections of one job's script."""

    def __init__(
        self, job: _WritingJob, services: Services, prompts: Path, sources: list[SourceText], rates: dict[str, float]
    ) -> None:
        self._job = job
        self._prompts = prompts
        self._sources = sources
        self._rates = rates
        self._writer = open_text(job.input.writer, services.settings)
        self._drafts = Drafts(services.media_store, job.organization_id, job.input_hash)
        self.is_paid = not job.input.writer.startswith("offline/")

    def write(
        self,
        index: int,
        seconds: float,
        before: list[ScriptLine],
        after: list[ScriptLine],
        earlier: list[ScriptLine] | None = None,
    ) -> list[ScriptLine]:
        """Return the section's lines. `earlier` is a version of the wrong length. Raises a `StageError`."""
        asked = self._job.input
        name = f"section-{index}" if earlier is None else f"section-{index}-revised"
        if self.is_paid and (kept := self._drafts.read(name, SectionScript)):
            return self._checked(kept, index)
        timeout = min(self._job.remaining_seconds(), _MOST_CALL_SECONDS)
        if timeout < _LEAST_CALL_SECONDS:
            raise Transient("The script took longer than this function may run; it goes on with the next section.")
        material = SectionMaterial(
            show=asked.show,
            outline=asked.outline,
            section=index,
            seconds=seconds,
            rates=self._rates,
            sources=self._sources,
            before=before,
            after=after,
        )
        task = WritingTask("script_section", self._prompt(material, earlier or []), material)
        written = self._writer.write(task, SectionScript, timeout)
        self._job.record(written.call, immediately=self.is_paid)
        lines = self._checked(written.reply, index)
        if self.is_paid:
            self._drafts.keep(name, written.reply)
        return lines

    def _prompt(self, material: SectionMaterial, earlier: list[ScriptLine]) -> str:
        cautious = bool(self._job.state.get("rewrite"))
        return script_prompt(self._prompts, self._job.input.prompt, material, cautious=cautious, earlier=earlier)

    def _checked(self, script: SectionScript, index: int) -> list[ScriptLine]:
        """Return the lines in their section; raise `BadOutput` for what could not be spoken."""
        section = self._job.input.outline.sections[index].title
        hosts = {host.casefold(): host for host in self._job.input.show.hosts}
        lines = []
        for line in script.lines:
            speaker = hosts.get(line.speaker.strip().casefold())
            if speaker is None:
                raise BadOutput(
                    f"Section {section!r} of the script lets {line.speaker!r} speak; the show has "
                    f"{' and '.join(hosts.values())}."
                )
            spoken = speakable(line.text)
            if not any(letter.isalnum() for letter in spoken):
                raise BadOutput(f"Section {section!r} of the script has a line without words.")
            if len(spoken) > _MOST_LINE_CHARACTERS:
                raise BadOutput(
                    f"Section {section!r} of the script has a line of {len(spoken)} characters; at most "
                    f"{_MOST_LINE_CHARACTERS} can be spoken as one."
                )
            lines.append(ScriptLine(section=section, speaker=speaker, text=line.text))
        return lines
