"""Music from ElevenLabs: one request that answers with the track."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from showrunner.errors import BadOutput, Transient
from showrunner.providers import paid
from showrunner.providers.http import HttpProvider, post_json
from showrunner.providers.music import MusicResult, Remaining, Wish, check_length
from showrunner.secrets import provider_key
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

SHORTEST, LONGEST = 3.0, 600.0
FORMAT = "mp3_44100_192"


class ElevenLabsMusic:
    """`elevenlabs/<model>`: `POST /v1/music`, without voices."""

    def __init__(self, model: str, settings: Settings) -> None:
        self._model = model
        self._settings = settings

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> MusicResult:
        """Compose and write the track; its length is measured by whoever reads it."""
        check_length("ElevenLabs", wish.seconds, SHORTEST, LONGEST)
        server = HttpProvider(
            base_url=self._settings.elevenlabs_base_url,
            base_url_setting="ELEVENLABS_BASE_URL",
            key_setting="ELEVENLABS_API_KEY",
            key=provider_key(self._settings, "elevenlabs_api_key"),
            model=self._model,
            key_header="xi-api-key",
            key_scheme="",
        )
        request = {
            "prompt": wish.prompt,
            "music_length_ms": round(wish.seconds * 1000),
            "model_id": self._model,
            "force_instrumental": True,
        }
        reply = post_json(server, f"/v1/music?output_format={FORMAT}", request, remaining())
        call = ProviderCall("elevenlabs", self._model, seconds=round(wish.seconds, 3), measured=False)
        with paid(call):
            if not reply.body or reply.headers.get("content-type", "").startswith(("application/json", "text/")):
                raise Transient(f"{server.host} answered without audio.")
        out.write_bytes(reply.body)
        return MusicResult(reply.headers.get("song-id"), call=call)

    def poll(self, state: dict[str, Any], out: Path, remaining: Remaining) -> MusicResult:
        """Nothing is ever pending here: a track comes with its answer."""
        raise BadOutput("ElevenLabs has nothing under way; the track has to be composed again.")
