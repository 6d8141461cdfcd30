"""The music services behind their port: what they are asked, what comes, and every way in which they fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from showrunner.errors import (
    Auth,
    BadOutput,
    ContentRefused,
    InvalidInput,
    Quota,
    RateLimited,
    StageError,
    Sunset,
    Transient,
)
from showrunner.providers.download import download
from showrunner.providers.music import MusicResult, Pending, Wish, open_music
from showrunner.settings import Settings
from tests import music_replies
from tests.provider_server import Answer, ProviderServer

KEY = "key-0123456789abcdef"
REFERENCES = {"mubert": "mubert/low", "beatoven": "beatoven/track", "elevenlabs": "elevenlabs/music_v2"}
TASKS = {"mubert": {"task": "0193c1f2"}, "beatoven": {"task": "task-7"}}
KEY_SETTINGS = {"mubert": "MUBERT_ACCESS_TOKEN", "beatoven": "BEATOVEN_API_KEY", "elevenlabs": "ELEVENLABS_API_KEY"}
PROMPT = "Calm harp by a river"
ENOUGH_SECONDS = 20.0


def settings_for(url: str, key: str | None = KEY) -> Settings:
    secret = SecretStr(key) if key else None
    return Settings(
        mubert_base_url=url,
        mubert_customer_id="customer-1",
        mubert_access_token=secret,
        beatoven_base_url=url,
        beatoven_api_key=secret,
        elevenlabs_base_url=url,
        elevenlabs_api_key=secret,
    )


def wish(seconds: float = 20.0, prompt: str = PROMPT) -> Wish:
    return Wish(prompt, "calm", seconds, "seed")


def left() -> float:
    return ENOUGH_SECONDS


def ask(adapter: str, url: str, out, *, step: str = "start", key: str | None = KEY, remaining=left, seconds=20.0):
    music, _ = open_music(REFERENCES[adapter], settings_for(url, key))
    if step == "poll":
        return music.poll(TASKS[adapter], out, remaining)
    return music.start(wish(seconds), out, remaining)


def of_every_service() -> Iterator[tuple[Answer, type[StageError], str]]:
    yield Answer(500, b"oops"), Transient, "failed for the moment"
    yield Answer(503, b"", {"retry-after": "7"}), Transient, "failed for the moment"
    yield Answer(408, b""), Transient, "failed for the moment"
    yield Answer(402, b""), Quota, "no credit left"
    yield Answer(429, b"", {"retry-after": "3"}), RateLimited, "slow down"
    yield Answer(401, b""), Auth, "refused the key"
    yield Answer(403, b""), Auth, "refused the key"
    yield Answer(400, b'{"error": "prompt is empty"}'), InvalidInput, "prompt is empty"
    yield Answer(422, b'{"message": "The duration field is too large.", "errors": {}}'), InvalidInput, "too large"
    yield Answer(410, b""), Sunset, "is not served"
    yield Answer(fault="reset"), Transient, "could not be reached or broke off"
    yield Answer(200, b""), Transient, "without"
    yield Answer(200, b"{}"), Transient, "without"
    yield Answer(200, b"<html>Welcome</html>", {"content-type": "text/html"}), Transient, "without"


@pytest.mark.parametrize("adapter", REFERENCES)
@pytest.mark.parametrize(("answer", "error", "phrase"), [*of_every_service()])
def test_a_failing_request_says_what_it_means(provider_server, tmp_path, adapter, answer, error, phrase):
    provider_server.will(answer)

    with pytest.raises(error, match=phrase) as raised:
        ask(adapter, provider_server.url, tmp_path / "track")

    assert type(raised.value) is error
    assert KEY not in raised.value.message
    assert len(provider_server.requests) == 1


@pytest.mark.parametrize("adapter", TASKS)
@pytest.mark.parametrize(
    ("answer", "error", "phrase"),
    [
        (Answer(500, b""), Transient, "failed for the moment"),
        (Answer(401, b""), Auth, "refused the key"),
        (Answer(429, b"", {"retry-after": "3"}), RateLimited, "slow down"),
        (Answer(404, b'{"message": "Not found"}'), BadOutput, "does not know the track any more"),
        (Answer(200, b"{}"), Transient, "without"),
        (Answer(fault="reset"), Transient, "could not be reached or broke off"),
    ],
)
def test_a_failing_look_says_what_it_means(provider_server, tmp_path, adapter, answer, error, phrase):
    provider_server.will(answer)

    with pytest.raises(error, match=phrase):
        ask(adapter, provider_server.url, tmp_path / "track", step="poll")


@pytest.mark.parametrize(
    ("adapter", "status", "body", "error"),
    [
        ("mubert", 401, {"message": "Unauthenticated.", "code": "Unauthenticated"}, Auth),
        ("mubert", 403, {"message": "No.", "code": "LicenseForbiddenTracksLimit"}, Quota),
        ("elevenlabs", 401, {"detail": {"status": "quota_exceeded", "message": "0 credits remaining"}}, Quota),
        ("elevenlabs", 401, {"detail": {"status": "invalid_api_key", "message": "Invalid API key"}}, Auth),
        ("elevenlabs", 429, {"detail": {"status": "too_many_concurrent_requests", "message": "m"}}, RateLimited),
        ("elevenlabs", 429, {"detail": {"status": "system_busy", "message": "m"}}, RateLimited),
        ("elevenlabs", 400, {"detail": {"status": "bad_prompt", "message": "A name of an artist"}}, ContentRefused),
        ("elevenlabs", 400, {"detail": {"status": "model_not_found", "message": "m"}}, Sunset),
    ],
)
def test_the_services_own_codes_are_understood(provider_server, tmp_path, adapter, status, body, error):
    provider_server.will(Answer(status, body))

    with pytest.raises(error):
        ask(adapter, provider_server.url, tmp_path / "track")


@pytest.mark.parametrize("adapter", REFERENCES)
def test_a_service_without_a_key_says_which_setting_holds_it(provider_server, tmp_path, adapter):
    provider_server.will(Answer(401, b""))

    with pytest.raises(Auth, match=f"set {KEY_SETTINGS[adapter]}"):
        ask(adapter, provider_server.url, tmp_path / "track", key=None)


def test_mubert_without_a_customer_asks_nobody(tmp_path):
    music, _ = open_music("mubert/low", Settings())

    with pytest.raises(Auth, match="MUBERT_CUSTOMER_ID"):
        music.start(wish(), tmp_path / "track", left)


@pytest.mark.parametrize(
    ("adapter", "headers"),
    [
        ("mubert", {"access-token": KEY, "customer-id": "customer-1"}),
        ("beatoven", {"authorization": f"Bearer {KEY}"}),
        ("elevenlabs", {"xi-api-key": KEY}),
    ],
)
def test_the_key_goes_where_the_service_wants_it(provider_server, tmp_path, adapter, headers):
    ask(adapter, provider_server.url, tmp_path / "track")

    [request] = provider_server.requests
    assert headers.items() <= request.headers.items()


def test_each_service_is_asked_for_the_length_in_its_own_way(provider_server, tmp_path):
    for adapter in REFERENCES:
        ask(adapter, provider_server.url, tmp_path / "track", seconds=181.4)

    mubert, beatoven, elevenlabs = (request.body for request in provider_server.requests)
    assert mubert == {
        "prompt": PROMPT, "duration": 181, "bitrate": 320, "format": "mp3", "intensity": "low", "mode": "track",
    }  # fmt: skip
    assert beatoven["prompt"]["text"] == f"181 seconds, instrumental: {PROMPT}"
    assert (elevenlabs["music_length_ms"], elevenlabs["model_id"]) == (181_400, "music_v2")
    assert elevenlabs["force_instrumental"] is True


def test_a_long_prompt_is_cut_between_words_for_mubert(provider_server, tmp_path):
    music, _ = open_music("mubert/high", settings_for(provider_server.url))

    music.start(wish(prompt="quiet water " * 60), tmp_path / "track", left)

    prompt = provider_server.requests[0].body["prompt"]
    assert 190 < len(prompt) <= 200
    assert set(prompt.split()) == {"quiet", "water"}


@pytest.mark.parametrize("adapter", TASKS)
def test_a_track_is_asked_for_then_looked_up_and_copied(provider_server, tmp_path, adapter):
    out = tmp_path / "track"

    pending = ask(adapter, provider_server.url, out)
    result = ask(adapter, provider_server.url, out, step="poll")

    assert isinstance(pending, Pending)
    assert pending.state == TASKS[adapter]
    assert (pending.call.provider, pending.call.seconds, pending.call.measured) == (adapter, 20, False)
    assert isinstance(result, MusicResult)
    assert result.track_id in ("0193c1f2", "track-7")
    assert result.call is None, "it was counted when it was asked for"
    assert out.read_bytes() == music_replies.track()


def test_elevenlabs_answers_with_the_track(provider_server, tmp_path):
    answer = Answer(body=music_replies.track(), headers={"content-type": "audio/mpeg", "song-id": "song-1"})
    provider_server.will(answer)

    result = ask("elevenlabs", provider_server.url, tmp_path / "track")

    assert (result.track_id, result.call.seconds) == ("song-1", 20.0)
    assert (tmp_path / "track").read_bytes() == music_replies.track()


@pytest.mark.parametrize("adapter", TASKS)
def test_what_is_not_ready_is_looked_up_again(provider_server, tmp_path, adapter):
    reply = getattr(music_replies, adapter)(provider_server.url.removeprefix("http://"), "composing")
    provider_server.will(Answer(body=reply))

    pending = ask(adapter, provider_server.url, tmp_path / "track", step="poll")

    assert isinstance(pending, Pending)
    assert pending.state == TASKS[adapter]
    assert pending.call is None


@pytest.mark.parametrize(
    ("adapter", "body"),
    [
        ("mubert", music_replies.mubert("x", "failed")),
        ("beatoven", {"status": "failed"}),
        ("beatoven", {"status": "composed", "meta": {}}),
    ],
)
def test_a_track_that_failed_there_is_bad_output(provider_server, tmp_path, adapter, body):
    provider_server.will(Answer(body=body))

    with pytest.raises(BadOutput):
        ask(adapter, provider_server.url, tmp_path / "track", step="poll")


@pytest.mark.parametrize("adapter", TASKS)
def test_a_licence_is_copied_with_its_track(provider_server, tmp_path, adapter):
    host = provider_server.url.removeprefix("http://")
    address = f"http://{host}/files/licence.pdf"
    provider_server.will(Answer(body=getattr(music_replies, adapter)(host, license_url=address)))

    licence = ask(adapter, provider_server.url, tmp_path / "track", step="poll").licence

    assert (licence.url, licence.content_type) == (address, "application/pdf")
    assert licence.path.read_bytes() == music_replies.LICENCE


@pytest.mark.parametrize("adapter", REFERENCES)
def test_what_answers_nobody_is_counted_all_the_same(provider_server, tmp_path, adapter):
    provider_server.will(Answer(200, b"{}"))

    with pytest.raises(Transient) as raised:
        ask(adapter, provider_server.url, tmp_path / "track")

    assert [call.seconds for call in raised.value.calls] == [20]


@pytest.mark.parametrize("adapter", REFERENCES)
@pytest.mark.parametrize("seconds", [2.0, 2_000.0])
def test_a_length_that_is_not_made_there_asks_nobody(provider_server, tmp_path, adapter, seconds):
    with pytest.raises(InvalidInput, match=r"^seconds: "):
        ask(adapter, provider_server.url, tmp_path / "track", seconds=seconds)

    assert provider_server.requests == []


@pytest.mark.parametrize("adapter", REFERENCES)
@pytest.mark.parametrize("fault", ["hang", "hang_in_body", "drip"])
def test_a_server_that_does_not_finish_ends_with_the_time_that_was_given(provider_server, tmp_path, adapter, fault):
    provider_server.will(Answer(body=b"x" * 100, fault=fault))

    with pytest.raises(Transient):
        ask(adapter, provider_server.url, tmp_path / "track", remaining=lambda: 0.3)


@pytest.mark.parametrize("reference", ["mubert/loud", "beatoven/song", "dummy/jazz", "acme/music", "mubert"])
def test_an_unknown_reference_names_what_is_allowed(reference):
    with pytest.raises(InvalidInput, match=r"^provider: "):
        open_music(reference, Settings())


def fetch(server: ProviderServer, out, path: str = "/files/track.wav", **options):
    given = {"base_url": server.url, "most_bytes": 10_000_000, "timeout": ENOUGH_SECONDS} | options
    return download(server.url + path, out, **given)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_address_that_has_expired_is_asked_for_again(provider_server, tmp_path, status):
    provider_server.will(Answer(status, b"<Error>Request has expired</Error>"))

    with pytest.raises(Transient, match="has expired"):
        fetch(provider_server, tmp_path / "file")


def test_a_huge_file_is_not_taken(provider_server, tmp_path):
    provider_server.will(Answer(body=bytes(3_000_000)))

    with pytest.raises(BadOutput, match="more than 1 MiB"):
        fetch(provider_server, tmp_path / "file", most_bytes=2**20)

    assert (tmp_path / "file").stat().st_size <= 2**20


@pytest.mark.parametrize("fault", ["hang", "hang_in_body", "drip", "truncate", "reset"])
def test_a_copy_that_does_not_come_whole_is_transient(provider_server, tmp_path, fault):
    provider_server.will(Answer(body=bytes(500_000), fault=fault))

    with pytest.raises(Transient):
        fetch(provider_server, tmp_path / "file", timeout=1.0)


def test_a_moved_file_is_followed_and_circles_are_not(provider_server, tmp_path):
    provider_server.will(Answer(302, b"", {"location": "/files/licence.pdf"}))
    assert fetch(provider_server, tmp_path / "file").content_type == "application/pdf"

    provider_server.will(*[Answer(302, b"", {"location": "/files/track.wav"})] * 5)
    with pytest.raises(BadOutput, match="circles"):
        fetch(provider_server, tmp_path / "file")


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/x", "file:///etc/passwd", "gopher://x", "x"]
)
def test_only_public_hosts_and_the_providers_own_are_asked(provider_server, tmp_path, url):
    with pytest.raises(BadOutput, match="may not be fetched"):
        download(url, tmp_path / "file", base_url=provider_server.url, most_bytes=100, timeout=5.0)

    provider_server.will(Answer(302, b"", {"location": url}))
    if "://" in url:
        with pytest.raises(BadOutput, match="may not be fetched"):
            fetch(provider_server, tmp_path / "file")
