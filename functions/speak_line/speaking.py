"""Speaking a text of any length in pieces that a provider takes, and plainer words for one that was refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from showrunner.clips import Clip, from_wav, join_clips, to_wav, trim_silence, verify_clip
from showrunner.errors import BadOutput
from showrunner.media_store import MediaStore, ObjectMissing
from showrunner.speech_text import chunks

# The smallest limit among the providers is Polly's 3,000 billed characters; voices drift and cut off in long requests.
PIECE_CHARACTERS = 1_500
PAUSE_BETWEEN_PIECES_SECONDS = 0.3

_ASIDE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_NOT_PLAIN = re.compile(r"[^\w\s.,;:!?'’-]|_")


def speak_in_pieces(
    text: str, say: Callable[[str], Clip], media_store: MediaStore, piece_key: Callable[[str], str]
) -> Clip:
    """Speak `text` with `say`, piece by piece, and return it as one clip without silence at its ends.

    When there is more than one piece, each is stored under `piece_key(name)` as soon as it is spoken, so that a retry
    pays only for what is missing. Raises what `say` raises, and `BadOutput` for a piece that is not speech.
    """
    pieces = chunks(text, PIECE_CHARACTERS)
    if len(pieces) == 1:
        return _checked(say(pieces[0]), pieces[0])
    clips = []
    for piece in pieces:
        key = piece_key(f"{hashlib.sha256(piece.encode()).hexdigest()[:32]}.wav")
        clip = _kept(media_store, key, piece)
        if clip is None:
            clip = _checked(say(piece), piece)
            media_store.put(key, to_wav(clip), "audio/wav")
        clips.append(clip)
    return join_clips(clips, PAUSE_BETWEEN_PIECES_SECONDS)


def _checked(clip: Clip, text: str) -> Clip:
    trimmed = trim_silence(clip)
    verify_clip(trimmed, text)
    return trimmed


def _kept(media_store: MediaStore, key: str, text: str) -> Clip | None:
    try:
        clip = from_wav(media_store.get(key))
        verify_clip(clip, text)
    except (ObjectMissing, BadOutput):
        return None
    return clip


def plainer(text: str) -> str:
    """The text without asides in brackets and without symbols, for a voice that refused to say it as it stands."""
    plain = re.sub(r"\s+", " ", _NOT_PLAIN.sub(" ", _ASIDE.sub("", text))).strip()
    plain = re.sub(r"\s+([.,;:!?])", r"\1", plain)
    return plain or text
