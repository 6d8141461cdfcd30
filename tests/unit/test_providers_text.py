"""What the text adapters send and how they read a good reply."""

from __future__ import annotations

import json

import pytest

from showrunner.errors import BadOutput, InvalidInput
from showrunner.providers.text import open_text
from showrunner.providers.text.bedrock import BedrockText
from showrunner.providers.text.openai import OpenAIText
from showrunner.providers.text.structured import parse_reply, strict_schema
from showrunner.usage import ProviderCall
from tests.provider_replies import chat_completion, converse, openai_error
from tests.provider_server import Answer, ProviderServer
from tests.unit.provider_adapters import GOOD, KEY, TASK, Outline, settings_for


@pytest.mark.parametrize("writer", ["bedrock/amazon.nova-pro-v1:0", "openai/a-model"])
def test_a_writer_returns_a_reply_that_fits_the_model(provider_server: ProviderServer, writer: str) -> None:
    text = open_text(writer, settings_for(provider_server.url))

    written = text.write(TASK, Outline, 10.0)

    assert isinstance(written.reply, Outline)
    assert written.reply.sections


def test_bedrock_makes_the_model_call_a_tool_whose_input_is_the_reply(provider_server: ProviderServer) -> None:
    text = BedrockText("amazon.nova-pro-v1:0", settings_for(provider_server.url))

    written = text.write(TASK, Outline, 10.0)

    [request] = provider_server.requests
    [tool] = request.body["toolConfig"]["tools"]
    assert request.path == "/model/amazon.nova-pro-v1:0/converse"
    assert request.body["messages"] == [{"role": "user", "content": [{"text": TASK.prompt}]}]
    assert request.body["toolConfig"]["toolChoice"] == {"tool": {"name": tool["toolSpec"]["name"]}}
    assert tool["toolSpec"]["inputSchema"]["json"] == strict_schema(Outline)
    assert written.call == ProviderCall("bedrock", "amazon.nova-pro-v1:0", 180, 90)


def test_bedrock_counts_cached_tokens_as_input(provider_server: ProviderServer) -> None:
    reply = converse([{"text": json.dumps(GOOD)}], "end_turn")
    reply["usage"] |= {"cacheReadInputTokens": 1000, "cacheWriteInputTokens": 20}
    provider_server.will(Answer(body=reply))

    written = BedrockText("m", settings_for(provider_server.url)).write(TASK, Outline, 10.0)

    assert written.call.input_tokens == 1200


def test_a_bedrock_model_without_tools_is_asked_once_more_in_words(provider_server: ProviderServer) -> None:
    refusal = {"message": "This model doesn't support tool use."}
    in_text = converse([{"text": f"Sure:\n```json\n{json.dumps(GOOD)}\n```"}], "end_turn")
    provider_server.will(
        Answer(400, refusal, {"x-amzn-ErrorType": "ValidationException"}),
        Answer(body=in_text),
    )

    written = BedrockText("m", settings_for(provider_server.url)).write(TASK, Outline, 10.0)

    second = provider_server.requests[1].body
    assert written.reply == Outline.model_validate(GOOD)
    assert "toolConfig" not in second
    assert "JSON schema" in second["messages"][0]["content"][0]["text"]


def test_openai_is_given_the_schema_in_strict_mode_and_the_key(provider_server: ProviderServer) -> None:
    text = OpenAIText("a-model", settings_for(provider_server.url))

    written = text.write(TASK, Outline, 10.0)

    [request] = provider_server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "a-model",
        "messages": [{"role": "user", "content": TASK.prompt}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "outline", "strict": True, "schema": strict_schema(Outline)},
        },
    }
    assert written.call == ProviderCall("openai", "a-model", 190, 100)


def test_a_local_server_needs_no_key(provider_server: ProviderServer) -> None:
    OpenAIText("a-model", settings_for(provider_server.url, key=None)).write(TASK, Outline, 10.0)

    assert "authorization" not in provider_server.requests[0].headers


def test_a_server_without_schemas_is_asked_once_more_for_a_json_object(provider_server: ProviderServer) -> None:
    unknown = openai_error("Unsupported response_format type: json_schema", "invalid_request_error")
    provider_server.will(Answer(400, unknown), Answer(body=chat_completion(json.dumps(GOOD))))

    written = OpenAIText("a-model", settings_for(provider_server.url)).write(TASK, Outline, 10.0)

    second = provider_server.requests[1].body
    assert written.reply == Outline.model_validate(GOOD)
    assert second["response_format"] == {"type": "json_object"}
    assert json.dumps(strict_schema(Outline)) in second["messages"][0]["content"]


def test_a_server_that_refuses_both_forms_is_not_asked_a_third_time(provider_server: ProviderServer) -> None:
    unknown = openai_error("response_format is not supported", "invalid_request_error")
    provider_server.will(Answer(400, unknown), Answer(400, unknown))

    with pytest.raises(InvalidInput):
        OpenAIText("a-model", settings_for(provider_server.url)).write(TASK, Outline, 10.0)

    assert len(provider_server.requests) == 2


def test_tokens_are_estimated_where_the_server_reports_none(provider_server: ProviderServer) -> None:
    silent = chat_completion(json.dumps(GOOD))
    del silent["usage"]
    provider_server.will(Answer(body=silent))

    call = OpenAIText("a-model", settings_for(provider_server.url)).write(TASK, Outline, 10.0).call

    assert not call.measured
    assert call.input_tokens == -(-len(TASK.prompt) // 4)


def test_a_strict_schema_closes_every_object_and_requires_every_property() -> None:
    schema = strict_schema(Outline)

    section = schema["$defs"]["Section"]
    assert section["additionalProperties"] is False
    assert section["required"] == ["title", "points", "share"]
    assert section["properties"]["title"] == {"type": "string"}
    assert section["properties"]["share"] == {"exclusiveMinimum": 0, "maximum": 1, "type": "number"}
    assert schema["required"] == ["title", "sections"]


def test_a_reply_after_a_passage_of_thinking_is_found() -> None:
    text = f"<think>{{ perhaps }}</think>\n{json.dumps(GOOD)}"

    reply = parse_reply(text, Outline, "The model")

    assert reply == Outline.model_validate(GOOD)


def test_a_reply_that_does_not_fit_is_named_by_its_place_and_not_quoted() -> None:
    wrong = GOOD | {"sections": [{"title": "secret words", "points": "not a list"}]}

    with pytest.raises(BadOutput) as raised:
        parse_reply(json.dumps(wrong), Outline, "The model")

    assert "sections.0.points" in raised.value.message
    assert "secret words" not in raised.value.message
