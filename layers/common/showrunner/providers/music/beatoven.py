"""Music from Beatoven: a task is started, then looked up until it is composed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from showrunner.errors import BadOutput, InvalidInput
from showrunner.providers import paid
from showrunner.providers.http import HttpProvider, post_json
from showrunner.providers.music import MusicResult, Pending, Remaining, Wish, check_length
from showrunner.providers.music.replies import Reply, copy_track, look_up, read
from showrunner.secrets import provider_key
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

NAMES = ("track",)
SHORTEST, LONGEST = 15.0, 1_500.0
FAILED = {"failed", "failure", "error"}


class _Started(Reply):
    task_id: str


class _Meta(Reply):
    track_url: str | None = None
    license_url: str | None = None
    track_id: str | None = None


class _Task(Reply):
    status: str
    meta: _Meta | None = None


class BeatovenMusic:
    """`beatoven/track`: asks `POST /tracks/compose`, then `GET /tasks/{id}`. The length is a word of the prompt."""

    def __init__(self, name: str, settings: Settings) -> None:
        if name not in NAMES:
            raise InvalidInput(
                f"provider: 'beatoven/{name}' is unknown; allowed: beatoven/{', beatoven/'.join(NAMES)}."
            )
        self._settings = settings

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> MusicResult | Pending:
        """Ask for the track."""
        check_length("Beatoven", wish.seconds, SHORTEST, LONGEST)
        server = self._server()
        text = f"{round(wish.seconds)} seconds, instrumental: {wish.prompt}"
        request = {"prompt": {"text": text}, "format": "wav", "looping": False}
        reply = post_json(server, "/tracks/compose", request, remaining())
        call = ProviderCall("beatoven", "track", seconds=round(wish.seconds), measured=False)
        with paid(call):
            return Pending({"task": read(reply, _Started, server.host).task_id}, call=call)

    def poll(self, state: dict[str, Any], out: Path, remaining: Remaining) -> MusicResult | Pending:
        """Copy the track once it is composed."""
        server = self._server()
        task = look_up(server, "/tasks", state["task"], _Task, remaining())
        if task.status.lower() in FAILED:
            raise BadOutput("Beatoven could not compose the track.")
        if task.status.lower() != "composed":
            return Pending(state)
        if task.meta is None or not task.meta.track_url:
            raise BadOutput("Beatoven says that the track is composed and gives no address of it.")
        licence = copy_track(server, task.meta.track_url, task.meta.license_url, out, remaining)
        return MusicResult(task.meta.track_id or state["task"], licence)

    def _server(self) -> HttpProvider:
        return HttpProvider(
            base_url=self._settings.beatoven_base_url,
            base_url_setting="BEATOVEN_BASE_URL",
            key_setting="BEATOVEN_API_KEY",
            key=provider_key(self._settings, "beatoven_api_key"),
            model="track",
            key_scheme=f"{self._settings.beatoven_auth_scheme} ",
        )
