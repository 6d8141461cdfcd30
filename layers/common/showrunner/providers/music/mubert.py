"""Music from Mubert's API, version 3: a track is asked for, then looked up until it has an address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from showrunner.errors import Auth, BadOutput, InvalidInput
from showrunner.providers import paid
from showrunner.providers.http import HttpProvider, post_json
from showrunner.providers.music import MusicResult, Pending, Remaining, Wish, check_length
from showrunner.providers.music.replies import Reply, copy_track, look_up, read
from showrunner.secrets import provider_key
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

INTENSITIES = ("low", "medium", "high")
PROMPT_CHARACTERS = 200
SHORTEST, LONGEST = 15.0, 1_500.0
DONE = {"done", "ready", "completed"}
FAILED = {"failed", "error", "rejected"}


class _Generation(Reply):
    status: str = ""
    url: str | None = None
    license_url: str | None = None


class _Track(Reply):
    id: str
    generations: tuple[_Generation, ...] = ()


class _Envelope(Reply):
    data: _Track


class MubertMusic:
    """`mubert/<intensity>`: asks `POST /public/tracks`, then `GET /public/tracks/{id}`."""

    def __init__(self, intensity: str, settings: Settings) -> None:
        if intensity not in INTENSITIES:
            raise InvalidInput(
                f"provider: 'mubert/{intensity}' is unknown; allowed: mubert/{', mubert/'.join(INTENSITIES)}."
            )
        self._intensity = intensity
        self._settings = settings

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> MusicResult | Pending:
        """Ask for the track."""
        check_length("Mubert", wish.seconds, SHORTEST, LONGEST)
        server = self._server()
        request = {
            "prompt": _short(wish.prompt),
            "duration": round(wish.seconds),
            "bitrate": 320,
            "format": "mp3",
            "intensity": self._intensity,
            "mode": "track",
        }
        reply = post_json(server, "/public/tracks", request, remaining())
        call = ProviderCall("mubert", self._intensity, seconds=round(wish.seconds), measured=False)
        with paid(call):
            return Pending({"task": read(reply, _Envelope, server.host).data.id}, call=call)

    def poll(self, state: dict[str, Any], out: Path, remaining: Remaining) -> MusicResult | Pending:
        """Copy the track once it has an address; addresses expire."""
        server = self._server()
        track = look_up(server, "/public/tracks", state["task"], _Envelope, remaining()).data
        for generation in track.generations:
            if generation.status.lower() in FAILED:
                raise BadOutput("Mubert could not compose the track.")
            if generation.url and generation.status.lower() in DONE:
                licence = copy_track(server, generation.url, generation.license_url, out, remaining)
                return MusicResult(track.id, licence)
        return Pending(state)

    def _server(self) -> HttpProvider:
        if not self._settings.mubert_customer_id:
            raise Auth("Mubert wants a customer; set MUBERT_CUSTOMER_ID and MUBERT_ACCESS_TOKEN.")
        return HttpProvider(
            base_url=self._settings.mubert_base_url,
            base_url_setting="MUBERT_BASE_URL",
            key_setting="MUBERT_ACCESS_TOKEN",
            key=provider_key(self._settings, "mubert_access_token"),
            model=self._intensity,
            key_header="access-token",
            key_scheme="",
            headers={"customer-id": self._settings.mubert_customer_id},
        )


def _short(prompt: str) -> str:
    """The prompt's beginning, whole words, as much as Mubert takes."""
    text = " ".join(prompt.split())
    return text if len(text) <= PROMPT_CHARACTERS else text[: PROMPT_CHARACTERS + 1].rpartition(" ")[0] or text[:200]
