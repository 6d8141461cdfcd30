"""What the tests of the adapters share: the four adapters, pointed at the local provider server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from showrunner.providers.speech.openai import OpenAISpeech
from showrunner.providers.speech.polly import PollySpeech
from showrunner.providers.text import WritingTask
from showrunner.providers.text.bedrock import BedrockText
from showrunner.providers.text.openai import OpenAIText
from showrunner.settings import Settings

KEY = "sk-proj-0123456789abcdef"
LINE = "The harbour opened in 1822."


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1)]
    points: list[str]
    share: Annotated[float, Field(gt=0, le=1)] = 0.5


class Outline(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1)]
    sections: Annotated[list[Section], Field(min_length=1)]


GOOD: dict[str, Any] = {"title": "The harbour", "sections": [{"title": "1822", "points": ["It opened."], "share": 1.0}]}
TASK = WritingTask(
    name="outline", prompt="Write the outline of a talk about the harbour.", material=Outline.model_validate(GOOD)
)


def settings_for(url: str, key: str | None = KEY) -> Settings:
    return Settings(
        bedrock_base_url=url,
        polly_base_url=url,
        openai_base_url=f"{url}/v1",
        openai_api_key=SecretStr(key) if key else None,
        openai_speech_model="tts-local",
    )


def _polly(settings: Settings, timeout: float) -> object:
    return PollySpeech(settings).speak(LINE, "Amy", "en-GB", timeout)


def _openai_speech(settings: Settings, timeout: float) -> object:
    return OpenAISpeech(settings).speak(LINE, "alloy", "en-GB", timeout)


def _bedrock(settings: Settings, timeout: float) -> object:
    return BedrockText("amazon.nova-pro-v1:0", settings).write(TASK, Outline, timeout)


def _openai_text(settings: Settings, timeout: float) -> object:
    return OpenAIText("a-model", settings).write(TASK, Outline, timeout)


ADAPTERS: dict[str, Callable[[Settings, float], object]] = {
    "bedrock": _bedrock,
    "polly": _polly,
    "openai text": _openai_text,
    "openai speech": _openai_speech,
}
