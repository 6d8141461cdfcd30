"""Structured replies: the JSON schema that a model is given, and reading what it answers."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from showrunner.errors import BadOutput

Reply = TypeVar("Reply", bound=BaseModel)

# What strict mode does not accept (OpenAI's structured outputs guide); Pydantic checks it all the same.
_UNSUPPORTED = {"default", "title", "examples", "minLength", "maxLength", "uniqueItems", "discriminator"}
_UNSUPPORTED |= {"minProperties", "maxProperties"}


def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the model's JSON schema in the strict subset: closed objects whose every property is required."""
    strict: dict[str, Any] = _strict(model.model_json_schema())
    return strict


def instruction(model: type[BaseModel]) -> str:
    """Return the sentence that asks for the reply in words, for servers that cannot enforce a schema."""
    schema = json.dumps(strict_schema(model))
    return f"Answer with one JSON object and nothing else. It must fit this JSON schema:\n{schema}"


def parse_reply(text: str, model: type[Reply], writer: str) -> Reply:
    """Return the validated reply; raise `BadOutput` that says where it does not fit, without quoting it.

    Accepts the object inside a code fence, after a line of chat or after a `<think>` passage.
    """
    body = text.rpartition("</think>")[2]
    start, end = body.find("{"), body.rfind("}")
    if start < 0 or end < start:
        raise BadOutput(f"{writer} did not answer with JSON.")
    try:
        return model.model_validate_json(body[start : end + 1])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadOutput(
            f"{writer} answered with JSON that does not fit: {where or 'reply'}: {first['msg']}."
        ) from error


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    strict = {
        _KEYWORDS.get(key, key): _strict_value(key, value) for key, value in node.items() if key not in _UNSUPPORTED
    }
    if "properties" in strict:
        strict["additionalProperties"] = False
        strict["required"] = list(strict["properties"])
    return strict


_KEYWORDS = {"oneOf": "anyOf"}


def _strict_value(key: str, value: Any) -> Any:
    # The keys of these two are names that the model chose, not keywords.
    if key in ("properties", "$defs"):
        return {name: _strict(schema) for name, schema in value.items()}
    return value if key in ("enum", "const", "required") else _strict(value)
