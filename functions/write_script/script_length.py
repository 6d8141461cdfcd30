"""How long a script takes, and how to bring it to the length that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from showrunner.pacing import USUAL_CHARACTERS_PER_SECOND, Timed, script_seconds
from showrunner.script import ScriptLine, Show, VoiceRate
from showrunner.speech_text import speakable

# Beyond this, lines are taken out rather than heard.
_TOLERANCE = 0.015


def rates_by_speaker(show: Show, rates: Sequence[VoiceRate]) -> dict[str, float]:
    """Return characters per second by speaker name: of the voice in this language, else of the voice, else usual."""
    exact = {(rate.voice, rate.language.lower()): rate.characters_per_second for rate in rates}
    primary = {(rate.voice, _primary(rate.language)): rate.characters_per_second for rate in rates}
    by_voice = {rate.voice: rate.characters_per_second for rate in rates}
    return {
        speaker.name: exact.get((speaker.voice, show.language.lower()))
        or primary.get((speaker.voice, _primary(show.language)))
        or by_voice.get(speaker.voice, USUAL_CHARACTERS_PER_SECOND)
        for speaker in show.speakers
    }


def estimated_seconds(lines: Sequence[ScriptLine], rates: Mapping[str, float]) -> float:
    """Return the seconds of the lines with the pauses between them."""
    timed = [Timed(line.section, line.speaker, len(speakable(line.text))) for line in lines]
    return script_seconds(timed, rates)


def trimmed(lines: list[ScriptLine], target_seconds: float, rates: Mapping[str, float]) -> list[ScriptLine]:
    """Take out whole lines until the script is not longer than the target, as near to it as lines allow.

    The first and the last line of a section stay, and so do a question and its answer.
    """
    lines = list(lines)
    excess = estimated_seconds(lines, rates) - target_seconds
    while excess > _TOLERANCE * target_seconds:
        removable = [i for i in range(1, len(lines) - 1) if _can_go(lines, i)]
        options = [(abs(excess - _saved(lines, i, rates)), i) for i in removable]
        better = [option for option in options if option[0] < excess]
        if not better:
            break
        del lines[min(better)[1]]
        excess = estimated_seconds(lines, rates) - target_seconds
    return lines


def _can_go(lines: Sequence[ScriptLine], i: int) -> bool:
    before, line, after = lines[i - 1 : i + 2]
    inside = before.section == line.section == after.section
    return inside and not before.text.rstrip().endswith("?") and not line.text.rstrip().endswith("?")


def _saved(lines: Sequence[ScriptLine], i: int, rates: Mapping[str, float]) -> float:
    around = lines[i - 1 : i + 2]
    return estimated_seconds(around, rates) - estimated_seconds([around[0], around[2]], rates)


def _primary(language: str) -> str:
    return language.lower().split("-")[0]
