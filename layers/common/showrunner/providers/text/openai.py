"""Text from any server that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, LM Studio and others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import monotonic
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from showrunner.errors import BadOutput, ContentRefused, InvalidInput, Transient
from showrunner.providers import paid
from showrunner.providers.http import HttpProvider, HttpReply, error_of, post_for_lines, post_json, read_refusal
from showrunner.providers.openai_server import openai_server
from showrunner.providers.text import Reply, TextStream, WritingTask, Written
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


class Delta(_Lenient):
    content: str | None = None
    refusal: str | None = None


class ChunkChoice(_Lenient):
    delta: Delta = Delta()
    finish_reason: str | None = None


class Chunk(_Lenient):
    """The part of a chat completion chunk that we read. `error` is what servers send when they fail half-way."""

    choices: list[ChunkChoice] = []
    usage: Usage | None = None
    error: Any = None


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

    def stream(self, task: WritingTask, timeout: float) -> TextStream:
        """Return the text to iterate over. `timeout` in seconds, for the whole text."""
        return _OpenAIStream(self._model, self._settings, task.prompt, timeout)

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


class _OpenAIStream(TextStream):
    """Server-sent events of `POST {base}/chat/completions`: chunks, then usage, then `[DONE]`."""

    def __init__(self, model: str, settings: Settings, prompt: str, timeout: float) -> None:
        super().__init__("openai", model, prompt)
        self._settings = settings
        self._timeout = timeout

    def _pieces(self) -> Iterator[str]:
        server = openai_server(self._settings, self._model)
        request = {
            "model": self._model,
            "messages": [{"role": "user", "content": self._prompt}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        finished = ""
        wrote = False
        for line in post_for_lines(server, "/chat/completions", request, self._timeout):
            self._begun = True
            field, _, value = line.partition(b":")
            if field != b"data" or value.strip() == b"[DONE]":
                continue
            chunk = self._read(value, server)
            for choice in chunk.choices[:1]:
                finished = choice.finish_reason or finished
                if choice.delta.refusal:
                    finished = "content_filter"
                if choice.delta.content:
                    wrote = True
                    yield choice.delta.content
        _check_end(finished, wrote, server.host)

    def _read(self, value: bytes, server: HttpProvider) -> Chunk:
        try:
            chunk = Chunk.model_validate_json(value)
        except ValidationError as error:
            raise BadOutput(f"{server.host} sent something that is not a piece of a chat completion.") from error
        if chunk.error is not None:
            # A failure after the first piece has no status of its own; what it says is read like any other's.
            busy = read_refusal(value).code.startswith("rate_limit")
            raise error_of(server, HttpReply(429 if busy else 500, {}, value))
        if chunk.usage is not None:
            self._measured = ProviderCall(
                "openai", self._model, chunk.usage.prompt_tokens, chunk.usage.completion_tokens
            )
        return chunk


def _check_end(finished: str, wrote: bool, host: str) -> None:
    if finished == "content_filter":
        raise ContentRefused(f"The model at {host} declined to write this text.")
    if finished == "length":
        raise BadOutput(f"The model at {host} stopped at its length limit before the text was whole.")
    if not finished:
        raise Transient(f"{host} broke off before the text was whole.")
    if not wrote:
        raise Transient(f"{host} answered without content.")


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
