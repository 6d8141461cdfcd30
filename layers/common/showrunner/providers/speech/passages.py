"""Long texts, spoken passage by passage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from showrunner.clips import join_clips
from showrunner.errors import InvalidInput, StageError
from showrunner.providers.speech import Spoken
from showrunner.speech_text import chunks


def speak_passages(text: str, limit: int, timeout: float, speak: Callable[[str, float], Spoken]) -> Spoken:
    """Speak the text in passages of at most `limit` characters and join them; `timeout` in seconds covers all.

    A failure carries the calls of the passages that were already spoken.
    """
    deadline = monotonic() + timeout
    spoken: list[Spoken] = []
    try:
        for passage in chunks(text, limit):
            spoken.append(speak(passage, deadline - monotonic()))
        if not spoken:
            raise InvalidInput("text: is empty; there is nothing to speak.")
        clip = join_clips([each.clip for each in spoken], pause_seconds=0.0)
    except StageError as error:
        error.calls = (*(each.call for each in spoken), *error.calls)
        raise
    characters = sum(each.call.characters for each in spoken)
    return Spoken(clip, replace(spoken[0].call, characters=characters, seconds=clip.seconds))
