"""espeak-ng, the embedded speech provider: no network, no account, hundreds of times faster than real time.

The library comes from the `espeakng-loader` wheel. Its state is global to the process, so one lock guards it.
"""

from __future__ import annotations

import ctypes
import threading
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from showrunner.clips import Clip
from showrunner.errors import InvalidInput, Transient
from showrunner.providers.speech import Spoken
from showrunner.usage import ProviderCall

# From speak_lib.h.
_OUTPUT_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_END_PAUSE = 0x1000  # without it the last sound is cut off
_RATE, _VOLUME, _PITCH, _RANGE, _WORD_GAP = 1, 2, 3, 4, 7
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """`variant` is an espeak voice with a variant; `pitch` and `range` 0..100, `rate` in words a minute."""

    language: str
    variant: str
    pitch: int = 50
    range: int = 55
    rate: int = 165


# Of each kind f2 and f5, m1 and m2 were understood best by speech recognition. The rates make some 165 real words a
# minute in each language: espeak's own count assumes English words of average length.
VOICES: Mapping[str, EspeakVoice] = {
    "ada": EspeakVoice("en", "en+f2", rate=152),
    "ben": EspeakVoice("en", "en+m1", rate=152),
    "cora": EspeakVoice("en", "en-us+f5", rate=152),
    "dev": EspeakVoice("en", "en-us+m2", rate=152),
    "emil": EspeakVoice("de", "de+m1"),
    "frida": EspeakVoice("de", "de+f2"),
    "gael": EspeakVoice("fr", "fr+m2", rate=132),
    "helene": EspeakVoice("fr", "fr+f5", rate=132),
    "ines": EspeakVoice("es", "es+f2", rate=160),
    "juan": EspeakVoice("es", "es+m2", rate=160),
    "lia": EspeakVoice("it", "it+f5", rate=170),
    "nuno": EspeakVoice("pt", "pt+m1"),
}


def _primary(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()


class EspeakSpeech:
    """Speaks with the voices of `VOICES`.

    The library's flutter and breath noise run on from call to call: the same text sounds the same and is equally long
    to within 20 ms, but not the same sample by sample. The stage that stores the clip makes a line repeatable.
    """

    def speak(self, text: str, voice: str, language: str, timeout: float) -> Spoken:
        """Return the clip.

        Raises `InvalidInput` for a voice that does not exist or does not speak `language`, and for text without
        anything that a voice of the Latin script can say; `Transient` when `timeout` seconds pass.
        """
        chosen = _voice_for(voice, language)
        _check_speakable(text, voice)
        clip = _engine().synthesise(text, chosen, time.monotonic() + timeout)
        return Spoken(clip, ProviderCall("espeak", voice, characters=len(text), seconds=round(clip.seconds, 3)))


def _voice_for(name: str, language: str) -> EspeakVoice:
    speaking = [f"espeak/{known}" for known, voice in VOICES.items() if voice.language == _primary(language)]
    if not speaking:
        languages = ", ".join(sorted({voice.language for voice in VOICES.values()}))
        raise InvalidInput(f"language: espeak has no voice that speaks {language!r}; languages: {languages}.")
    if name not in VOICES:
        raise InvalidInput(f"voice: espeak has no voice {name!r}; for {language!r} allowed: {', '.join(speaking)}.")
    if VOICES[name].language != _primary(language):
        raise InvalidInput(f"voice: espeak/{name} does not speak {language!r}; allowed: {', '.join(speaking)}.")
    return VOICES[name]


def _check_speakable(text: str, voice: str) -> None:
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum("LATIN" in unicodedata.name(letter, "") for letter in letters)
    if not letters and not any(letter.isdigit() for letter in text):
        raise InvalidInput(f"text: there is nothing to speak in {text[:40]!r}; allowed: words or numbers.")
    if latin * 2 < len(letters):
        raise InvalidInput(f"text: espeak/{voice} reads the Latin alphabet and cannot speak {text[:40]!r}.")


class _Espeak:
    """The loaded library. Synthesis calls back with blocks of samples; a callback that returns 1 stops it."""

    def __init__(self) -> None:
        import espeakng_loader  # type: ignore[import-untyped]

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.sample_rate: int = self._library.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0
        )
        if self.sample_rate <= 0:
            raise RuntimeError("espeak-ng could not read its data files.")
        self._lock = threading.Lock()
        self._pcm = bytearray()
        self._deadline = 0.0
        self._callback = _CALLBACK(self._receive)  # kept: the library holds only the pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, block: ctypes._Pointer[ctypes.c_short] | None, count: int, _events: int | None) -> int:
        if block and count > 0:
            self._pcm += ctypes.string_at(block, count * 2)
        return 1 if time.monotonic() > self._deadline else 0

    def synthesise(self, text: str, voice: EspeakVoice, deadline: float) -> Clip:
        # A control character is the library's command prefix.
        encoded = "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text).encode()
        with self._lock:
            self._pcm.clear()
            self._deadline = deadline
            if self._library.espeak_SetVoiceByName(voice.variant.encode()) != 0:
                raise RuntimeError(f"espeak-ng has no voice {voice.variant}.")
            settings = ((_RATE, voice.rate), (_VOLUME, 90), (_PITCH, voice.pitch), (_RANGE, voice.range))
            for parameter, value in (*settings, (_WORD_GAP, 0)):
                self._library.espeak_SetParameter(parameter, value, 0)
            self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _CHARS_UTF8 | _END_PAUSE, None, None)
            clip = Clip(bytes(self._pcm), self.sample_rate)
            if time.monotonic() > deadline:
                raise Transient(f"espeak-ng was stopped after {clip.seconds:.1f} s of speech; it will be tried again.")
            return clip


@cache
def _engine() -> _Espeak:
    return _Espeak()
