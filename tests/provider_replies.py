"""Replies as the providers' documentation shows them, made to fit the request."""

from __future__ import annotations

import json
import math
import struct
import zlib
from array import array
from collections.abc import Mapping
from typing import Any

SAMPLE_RATE_OF_OPENAI = 24_000
CHARACTERS_PER_SECOND = 15


def tone(text: str, sample_rate: int) -> bytes:
    """Return mono 16-bit PCM, as long as a person would need for the text."""
    count = max(sample_rate // 10, len(text) * sample_rate // CHARACTERS_PER_SECOND)
    period = sample_rate // 200
    wave = array("h", (round(8000 * math.sin(2 * math.pi * step / period)) for step in range(period)))
    return (wave * (count // period + 1))[:count].tobytes()


def wav(
    pcm: bytes,
    sample_rate: int = SAMPLE_RATE_OF_OPENAI,
    *,
    channels: int = 1,
    bits: int = 16,
    kind: int = 1,
    data_size: int | None = None,
) -> bytes:
    """Return a RIFF/WAVE file; `data_size` is what its header claims, where that differs from the truth."""
    size = len(pcm) if data_size is None else data_size
    frame = channels * bits // 8
    layout = struct.pack("<HHIIHH", kind, channels, sample_rate, sample_rate * frame, frame, bits)
    riff_size = min(36 + size, 0xFFFFFFFF)
    return b"".join(
        (
            b"RIFF",
            struct.pack("<I", riff_size),
            b"WAVE",
            b"fmt \x10\0\0\0",
            layout,
            b"data",
            struct.pack("<I", size),
            pcm,
        )
    )


def chat_completion(content: str | None, **choice: Any) -> dict[str, Any]:
    """Return OpenAI's chat completion object; `choice` overrides fields of its one choice."""
    message = {"role": "assistant", "content": content, "refusal": choice.pop("refusal", None), "annotations": []}
    return {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion",
        "created": 1741569952,
        "model": "a-model-2026-01-01",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"} | choice],
        "usage": {"prompt_tokens": 190, "completion_tokens": 100, "total_tokens": 290},
        "service_tier": "default",
    }


def converse(content: list[dict[str, Any]], stop_reason: str = "tool_use") -> dict[str, Any]:
    """Return the body of Bedrock's ConverseResponse."""
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop_reason,
        "usage": {"inputTokens": 180, "outputTokens": 90, "totalTokens": 270},
        "metrics": {"latencyMs": 1275},
    }


def chat_chunks(*pieces: str, finish_reason: str | None = "stop", usage: bool = True) -> tuple[bytes, ...]:
    """Return OpenAI's server-sent events: a role, the pieces, how it ended, what it used, `[DONE]`."""
    choices: list[list[dict[str, Any]]] = [
        [{"index": 0, "delta": {"role": "assistant", "content": "", "refusal": None}, "finish_reason": None}],
        *([{"index": 0, "delta": {"content": piece}, "finish_reason": None}] for piece in pieces),
    ]
    if finish_reason:
        choices.append([{"index": 0, "delta": {}, "finish_reason": finish_reason}])
    values: list[dict[str, Any]] = [{"choices": choice, "usage": None} for choice in choices]
    if usage:
        values.append({"choices": [], "usage": {"prompt_tokens": 190, "completion_tokens": 100, "total_tokens": 290}})
    common = {"id": "chatcmpl-123", "object": "chat.completion.chunk", "created": 1741569952, "model": "a-model"}
    done = [b"data: [DONE]\n\n"] if finish_reason else []
    return *(sent_event(common | value) for value in values), *done


def sent_event(value: object) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def converse_events(*pieces: str, stop_reason: str | None = "end_turn", usage: bool = True) -> tuple[bytes, ...]:
    """Return the events of Bedrock's ConverseStreamOutput."""
    events = [stream_event("messageStart", {"role": "assistant"})]
    events += [
        stream_event("contentBlockDelta", {"delta": {"text": piece}, "contentBlockIndex": 0}) for piece in pieces
    ]
    events.append(stream_event("contentBlockStop", {"contentBlockIndex": 0}))
    if stop_reason:
        events.append(stream_event("messageStop", {"stopReason": stop_reason}))
    if usage:
        tokens = {"inputTokens": 180, "outputTokens": 90, "totalTokens": 270}
        events.append(stream_event("metadata", {"usage": tokens, "metrics": {"latencyMs": 1275}}))
    return tuple(events)


def stream_event(name: str, value: object, *, exception: bool = False) -> bytes:
    """Return one message of AWS's event stream encoding (application/vnd.amazon.eventstream)."""
    kind = "exception" if exception else "event"
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    packed = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(text)) + text.encode()
        for key, text in headers.items()
    )
    payload = json.dumps(value).encode()
    prelude = struct.pack("!II", 12 + len(packed) + len(payload) + 4, len(packed))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack("!I", zlib.crc32(message))


def tool_use(value: object, name: str = "deliver") -> dict[str, Any]:
    return {"toolUse": {"toolUseId": "tooluse_hbTgdi0CSLq_hM4P8csZJA", "name": name, "input": value}}


def openai_error(message: str, kind: str, code: str | None = None, param: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}}).encode()


def example_of(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """Return a small value that fits a JSON schema, as a language model in strict mode would."""
    root = root or schema
    if "$ref" in schema:
        return example_of(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], root)
    if schema.get("format") == "uuid":
        return "3f2b8c1e-7a54-4c1d-9e0a-5b6c7d8e9f01"
    kind = schema.get("type")
    if kind == "object":
        return {name: example_of(value, root) for name, value in schema.get("properties", {}).items()}
    if kind == "array":
        return [example_of(schema["items"], root) for _ in range(max(1, schema.get("minItems", 0)))]
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return {"boolean": True, "null": None}.get(str(kind), "The harbour opened in 1822.")
