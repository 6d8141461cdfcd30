"""The offline writer: extractive, so every fact it writes is a sentence of the sources. Free, and always the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from showrunner.album_plan import AlbumMaterial
from showrunner.conversation import AnswerMaterial, ReviewMaterial
from showrunner.errors import BadOutput, InvalidInput
from showrunner.providers.text import TextStream, WritingTask, Written
from showrunner.script import OutlineMaterial, SectionMaterial
from showrunner.usage import ProviderCall

Reply = TypeVar("Reply", bound=BaseModel)

MODELS = ("extractive",)


class OfflineText:
    """Writes from the task's material; the prompt is for language models."""

    def __init__(self, model: str) -> None:
        if model not in MODELS:
            raise InvalidInput(f"writer: offline/{model} is unknown; allowed: offline/{', offline/'.join(MODELS)}.")
        self._model = model

    def write(self, task: WritingTask, reply: type[Reply], timeout: float) -> Written[Reply]:
        """Return the reply to a task whose material is that of an outline, a section, a review or an album."""
        if isinstance(task.material, OutlineMaterial):
            from showrunner.writing.outline import write_outline

            written: BaseModel = write_outline(task.material)
        elif isinstance(task.material, SectionMaterial):
            from showrunner.writing.section import write_section

            written = write_section(task.material)
        elif isinstance(task.material, ReviewMaterial):
            from showrunner.writing.review import write_review

            written = write_review(task.material)
        elif isinstance(task.material, AlbumMaterial):
            from showrunner.writing.album import write_album

            written = write_album(task.material)
        else:
            raise _no_way(task)
        try:
            value = reply.model_validate(written.model_dump())
        except ValidationError as error:
            raise BadOutput(f"The offline writer's {task.name} does not fit {reply.__name__}.") from error
        return Written(value, ProviderCall(provider="offline", model=self._model))

    def stream(self, task: WritingTask, timeout: float) -> TextStream:
        """Return the answer to iterate over, sentence by sentence."""
        if not isinstance(task.material, AnswerMaterial):
            raise _no_way(task)
        return _OfflineStream(self._model, task.material)


class _OfflineStream(TextStream):
    def __init__(self, model: str, material: AnswerMaterial) -> None:
        super().__init__("offline", model, "")
        self._material = material

    def _pieces(self) -> Iterator[str]:
        from showrunner.writing.answer import write_answer

        self._measured = ProviderCall(provider="offline", model=self._model)
        yield from write_answer(self._material)


def _no_way(task: WritingTask) -> InvalidInput:
    return InvalidInput(f"writer: the offline writer has no way to write {task.name!r}; choose another writer.")
