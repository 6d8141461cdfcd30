"""Turns what was typed into a request, or says in a sentence which option is wrong and what is allowed."""

from __future__ import annotations

import re
from pathlib import Path

from local.studio import Request
from showrunner.errors import InvalidInput
from showrunner.providers import split_reference
from showrunner.providers.speech import PROVIDERS
from showrunner.providers.speech.espeak import VOICES
from showrunner.source_text import MOST_FILE_BYTES, check_text, decode_text

LEAST_MINUTES, MOST_MINUTES = 1.0, 120.0
KINDS = {".md": "markdown", ".markdown": "markdown", ".txt": "text", ".text": "text", "": "text", ".pdf": "pdf"}
FORMATS = ("dialogue", "bulletin")
HOSTS = ("Ada", "Ben", "Cora", "Dev", "Eve", "Finn", "Gus", "Hana")


def minutes_of(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        raise InvalidInput(f"minutes: {text!r} is not a number; allowed: {_range()}.") from None
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise InvalidInput(f"minutes: {text} is out of range; allowed: {_range()}.")
    return minutes


def _range() -> str:
    return f"{LEAST_MINUTES:g} to {MOST_MINUTES:g}"


def speakers_of(voices: str, language: str, form: str) -> tuple[str, list[dict[str, str]]]:
    """Return the format and the speakers. Without `voices`, espeak's for the language; one voice makes a bulletin."""
    if form and form not in FORMATS:
        raise InvalidInput(f"format: {form!r} is unknown; allowed: {', '.join(FORMATS)}.")
    given = [voice.strip() for voice in voices.split(",") if voice.strip()] or _default_voices(language)
    for voice in given:
        _check_voice(voice, language)
    if form == "dialogue" and len(given) < 2:
        raise InvalidInput(f"voices: a dialogue needs two voices, and {', '.join(given)} is one.")
    chosen = form or ("dialogue" if len(given) > 1 else "bulletin")
    if chosen == "bulletin":
        given = given[:1]
    if len(given) > len(HOSTS):
        raise InvalidInput(f"voices: {len(given)} are given; at most {len(HOSTS)} are allowed.")
    return chosen, [{"name": _host(voice, number), "voice": voice} for number, voice in enumerate(given)]


def _default_voices(language: str) -> list[str]:
    speaking = [f"espeak/{name}" for name, voice in VOICES.items() if voice.language == language.split("-")[0].lower()]
    if not speaking:
        allowed = ", ".join(sorted({voice.language for voice in VOICES.values()}))
        raise InvalidInput(f"language: the offline voices do not speak {language!r}; allowed: {allowed}.")
    return speaking[:2]


def _check_voice(voice: str, language: str) -> None:
    provider, name = split_reference("voices", voice)
    if provider not in PROVIDERS:
        raise InvalidInput(f"voices: provider {provider!r} is unknown; allowed: {', '.join(PROVIDERS)}.")
    if provider != "espeak":
        return
    speaking = [known for known, one in VOICES.items() if one.language == language.split("-")[0].lower()]
    if name not in speaking:
        allowed = ", ".join(f"espeak/{known}" for known in speaking)
        raise InvalidInput(f"voices: {voice!r} is unknown or does not speak {language}; allowed: {allowed}.")


def _host(voice: str, number: int) -> str:
    name = voice.partition("/")[2]
    return name.capitalize() if voice.startswith("espeak/") else HOSTS[number]


def request_of(text: str, minutes: str, language: str, form: str, voices: str, writer: str) -> Request:
    """Check everything that can be checked before anything is started. Raises `InvalidInput` naming the option."""
    length = minutes_of(minutes)
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", language):
        raise InvalidInput(f"language: {language!r} is not a language tag such as en-GB or de.")
    chosen, speakers = speakers_of(voices, language, form)
    if text.startswith(("http://", "https://")):
        return Request(_show_name(text), "web_page", length, language, chosen, speakers, writer, url=text)
    path = Path(text)
    kind = _kind(path)
    body = _read(path)
    if kind == "pdf":
        return Request(_name(path), kind, length, language, chosen, speakers, writer, upload=body)
    content = decode_text("text", body)
    check_text("text", content, language)
    title = _heading(content) or _name(path)
    return Request(title[:200], kind, length, language, chosen, speakers, writer, title=title[:500], content=content)


def _kind(path: Path) -> str:
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        allowed = ", ".join(sorted(suffix for suffix in KINDS if suffix))
        raise InvalidInput(f"text: {path.suffix} files are not supported; allowed: {allowed}, or a web address.")
    return kind


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise InvalidInput(f"text: {path} is not a file.")
    size = path.stat().st_size
    if size > MOST_FILE_BYTES:
        raise InvalidInput(f"text: {path} has {size:,} bytes; at most {MOST_FILE_BYTES:,} are allowed.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"text: {path} cannot be read: {error.strerror}.") from error


def _name(path: Path) -> str:
    words = path.stem.replace("-", " ").replace("_", " ").strip() or "My show"
    return words[:1].upper() + words[1:200]


def _heading(content: str) -> str:
    match = re.search(r"^#\s+(.+?)\s*#*$", content, re.MULTILINE)
    return match[1] if match else ""


def _show_name(address: str) -> str:
    return re.sub(r"^https?://(www\.)?", "", address).split("/")[0][:200]


def output_folder(out: str) -> Path:
    """Make the folder; raise `InvalidInput` when it cannot be written to."""
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InvalidInput(f"out: {out} cannot be written to: {error.strerror}.") from error
    return folder
