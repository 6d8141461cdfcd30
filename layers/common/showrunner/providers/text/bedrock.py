"""Text from Amazon Bedrock's Converse operation, which is the same for every model behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from showrunner.errors import BadOutput, ContentRefused, InvalidInput, Transient
from showrunner.providers import aws, paid
from showrunner.providers.text import Reply, TextStream, WritingTask, Written
from showrunner.providers.text.structured import instruction, parse_reply, strict_schema
from showrunner.settings import Settings
from showrunner.usage import ProviderCall, estimated_tokens

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_bedrock_runtime.type_defs import ConverseResponseTypeDef, TokenUsageTypeDef

TOOL = "deliver"


class BedrockText:
    """Writes through Converse. The reply is the input of a tool that the model is made to call.

    A model that cannot be made to call a tool is asked once more, in words, for the same JSON.
    """

    def __init__(self, model: str, settings: Settings) -> None:
        self._model = model
        self._settings = settings

    def write(self, task: WritingTask, reply: type[Reply], timeout: float) -> Written[Reply]:
        """Return the validated reply. `timeout` in seconds; raises a `StageError`."""
        deadline = monotonic() + timeout
        try:
            response = self._converse(task.prompt, timeout, toolConfig=_tool_config(task.name, reply))
        except InvalidInput as error:
            if not _rejects_tools(error):
                raise
            response = self._converse(f"{task.prompt}\n\n{instruction(reply)}", deadline - monotonic())
        call = self._call(task, response)
        with paid(call):
            return Written(parse_reply(self._content(response), reply, f"Model {self._model!r}"), call)

    def stream(self, task: WritingTask, timeout: float) -> TextStream:
        """Return the text to iterate over. `timeout` in seconds, for the whole text."""
        return _BedrockStream(self._model, self._settings, task.prompt, timeout)

    def _converse(self, prompt: str, timeout: float, **options: Any) -> ConverseResponseTypeDef:
        with aws.stage_errors("Bedrock", "bedrock:InvokeModel", f"model {self._model!r}"):
            client: BedrockRuntimeClient = aws.client("bedrock-runtime", self._settings.bedrock_base_url, timeout)
            return client.converse(
                modelId=self._model, messages=[{"role": "user", "content": [{"text": prompt}]}], **options
            )

    def _content(self, response: ConverseResponseTypeDef) -> str:
        _check_reason(response.get("stopReason", ""), self._model)
        text = _reply_text(response)
        if not text.strip():
            raise Transient(f"Model {self._model!r} answered without content.")
        return text

    def _call(self, task: WritingTask, response: ConverseResponseTypeDef) -> ProviderCall:
        usage = response.get("usage")
        if not usage:
            tokens = estimated_tokens(task.prompt), estimated_tokens(_reply_text(response))
            return ProviderCall("bedrock", self._model, *tokens, measured=False)
        return _measured(self._model, usage)


class _BedrockStream(TextStream):
    """The events of ConverseStream: pieces of text, why it stopped, what it used."""

    def __init__(self, model: str, settings: Settings, prompt: str, timeout: float) -> None:
        super().__init__("bedrock", model, prompt)
        self._settings = settings
        self._timeout = timeout

    def _pieces(self) -> Iterator[str]:
        deadline = monotonic() + self._timeout
        reason = ""
        wrote = False
        with aws.stage_errors("Bedrock", "bedrock:InvokeModelWithResponseStream", f"model {self._model!r}"):
            client: BedrockRuntimeClient = aws.client("bedrock-runtime", self._settings.bedrock_base_url, self._timeout)
            response = client.converse_stream(
                modelId=self._model, messages=[{"role": "user", "content": [{"text": self._prompt}]}]
            )
            self._begun = True
            try:
                for event in aws.events(response["stream"], "Bedrock"):
                    if monotonic() > deadline:
                        raise Transient("Bedrock did not finish its reply in time.")
                    if "messageStop" in event:
                        reason = event["messageStop"]["stopReason"]
                    if usage := event.get("metadata", {}).get("usage"):
                        self._measured = _measured(self._model, usage)
                    if piece := event.get("contentBlockDelta", {}).get("delta", {}).get("text"):
                        wrote = True
                        yield piece
            finally:
                response["stream"].close()
        if not reason:
            raise Transient(f"Model {self._model!r} broke off before the text was whole.")
        _check_reason(reason, self._model)
        if not wrote:
            raise Transient(f"Model {self._model!r} answered without content.")


def _check_reason(reason: str, model: str) -> None:
    if reason in ("content_filtered", "guardrail_intervened"):
        raise ContentRefused(f"Bedrock's safety filter declined the text ({reason}).")
    if reason == "model_context_window_exceeded":
        raise InvalidInput(f"The sources and the reply do not fit into model {model!r}; use fewer sources.")
    if reason in ("max_tokens", "malformed_model_output", "malformed_tool_use"):
        raise BadOutput(f"Model {model!r} did not finish a usable reply ({reason}).")


def _measured(model: str, usage: TokenUsageTypeDef) -> ProviderCall:
    read = usage["inputTokens"] + usage.get("cacheReadInputTokens", 0) + usage.get("cacheWriteInputTokens", 0)
    return ProviderCall("bedrock", model, read, usage["outputTokens"])


def _reply_text(response: ConverseResponseTypeDef) -> str:
    """Return the tool's input as JSON, or else what the model said in text."""
    blocks = response.get("output", {}).get("message", {}).get("content", [])
    for block in blocks:
        if "toolUse" in block:
            return json.dumps(block["toolUse"].get("input"))
    return "".join(block.get("text", "") for block in blocks)


def _tool_config(name: str, reply: type[BaseModel]) -> dict[str, Any]:
    tool = {"name": TOOL, "description": f"Deliver the finished {name}.", "inputSchema": {"json": strict_schema(reply)}}
    return {"tools": [{"toolSpec": tool}], "toolChoice": {"tool": {"name": TOOL}}}


def _rejects_tools(error: InvalidInput) -> bool:
    return re.search(r"tool", error.message, re.IGNORECASE) is not None
