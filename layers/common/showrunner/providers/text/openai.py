"""Text from any server that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, LM Studio and others."""

from __future__ import annotations

import re
from time import monotonic
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from showrunner.errors import BadOutput, ContentRefused, InvalidInput, Transient
from showrunner.providers import paid
from showrunner.providers.http import post_json
from showrunner.providers.openai_server import openai_server
from showrunner.providers.text import Reply, WritingTask, Written
from showrunner.providers.text.structured import instruction, parse_reply, strict_schema
from showrunner.settings import Settings
from showrunner.usage import ProviderCall, estimated_tokens


class _Lenient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(_Lenient):
    content: str | None = None
    refusal: str | None = None


class Choice(_Lenient):
    message: Message
    finish_reason: str | None = None


class Usage(_Lenient):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Completion(_Lenient):
    """The part of a chat completion object that we read."""

    choices: list[Choice] = []
    usage: Usage | None = None


class OpenAIText:
    """Writes through `POST {base}/chat/completions`, with the reply's JSON schema enforced where the server can."""

    def __init__(self, model: str, settings: Settings) -> None:
        self._model = model
        self._settings = settings

    def write(self, task: WritingTask, reply: type[Reply], timeout: float) -> Written[Reply]:
        """Return the validated reply. `timeout` in seconds; raises a `StageError`."""
        deadline = monotonic() + timeout
        server = openai_server(self._settings, self._model)
        try:
            body = post_json(server, "/chat/completions", self._with_schema(task, reply), timeout).body
        except InvalidInput as error:
            if not _rejects_schema(error):
                raise
            body = post_json(server, "/chat/completions", self._in_words(task, reply), deadline - monotonic()).body
        completion = _parse(body, server.host)
        call = self._call(task, completion)
        with paid(call):
            return Written(parse_reply(_content(completion, server.host), reply, f"Model {self._model!r}"), call)

    def _with_schema(self, task: WritingTask, reply: type[BaseModel]) -> dict[str, Any]:
        schema = {"name": _schema_name(task.name), "strict": True, "schema": strict_schema(reply)}
        return self._request(task.prompt, {"type": "json_schema", "json_schema": schema})

    def _in_words(self, task: WritingTask, reply: type[BaseModel]) -> dict[str, Any]:
        return self._request(f"{task.prompt}\n\n{instruction(reply)}", {"type": "json_object"})

    def _request(self, prompt: str, response_format: dict[str, Any]) -> dict[str, Any]:
        return {
            "model": self._model,
            "messages": [{"role": "user", "content": prompt}],
            "response_format": response_format,
        }

    def _call(self, task: WritingTask, completion: Completion) -> ProviderCall:
        if completion.usage is not None:
            spent = completion.usage
            return ProviderCall("openai", self._model, spent.prompt_tokens, spent.completion_tokens)
        written = "".join(choice.message.content or "" for choice in completion.choices)
        tokens = estimated_tokens(task.prompt), estimated_tokens(written)
        return ProviderCall("openai", self._model, *tokens, measured=False)


def _parse(body: bytes, host: str) -> Completion:
    if not body.strip():
        raise Transient(f"{host} answered without content.")
    try:
        return Completion.model_validate_json(body)
    except ValidationError as error:
        raise BadOutput(f"{host} answered something that is not a chat completion.") from error


def _content(completion: Completion, host: str) -> str:
    if not completion.choices:
        raise Transient(f"{host} answered without a choice.")
    choice = completion.choices[0]
    if choice.finish_reason == "content_filter" or choice.message.refusal:
        raise ContentRefused(f"The model at {host} declined to write this text.")
    if choice.finish_reason == "length":
        raise BadOutput(f"The model at {host} stopped at its length limit before the reply was whole.")
    if not (choice.message.content or "").strip():
        raise Transient(f"{host} answered without content.")
    return choice.message.content or ""


def _rejects_schema(error: InvalidInput) -> bool:
    return re.search(r"response_format|json_schema|schema", error.message, re.IGNORECASE) is not None


def _schema_name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "reply"
