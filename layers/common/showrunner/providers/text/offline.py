"""The offline writer: extractive, so every fact it writes is a sentence of the sources. Free, and always the same."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from showrunner.errors import BadOutput, InvalidInput
from showrunner.providers.text import WritingTask, Written
from showrunner.script import OutlineMaterial, SectionMaterial
from showrunner.usage import ProviderCall

Reply = TypeVar("Reply", bound=BaseModel)

MODELS = ("extractive",)


class OfflineText:
    """Writes outlines and script sections from the task's material; the prompt is for language models."""

    def __init__(self, model: str) -> None:
        if model not in MODELS:
            raise InvalidInput(f"writer: offline/{model} is unknown; allowed: offline/{', offline/'.join(MODELS)}.")
        self._model = model

    def write(self, task: WritingTask, reply: type[Reply], timeout: float) -> Written[Reply]:
        """Return the reply to a task whose material is an `OutlineMaterial` or a `SectionMaterial`."""
        if isinstance(task.material, OutlineMaterial):
            from showrunner.writing.outline import write_outline

            written: BaseModel = write_outline(task.material)
        elif isinstance(task.material, SectionMaterial):
            from showrunner.writing.section import write_section

            written = write_section(task.material)
        else:
            raise InvalidInput(f"writer: the offline writer has no way to write {task.name!r}; choose another writer.")
        try:
            value = reply.model_validate(written.model_dump())
        except ValidationError as error:
            raise BadOutput(f"The offline writer's {task.name} does not fit {reply.__name__}.") from error
        return Written(value, ProviderCall(provider="offline", model=self._model))
