"""What the image adapters send, what they make of the answers, and every kind of error that they can meet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

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
from showrunner.providers import download as downloads
from showrunner.providers.image import ImageResult, Pending, Wish, leonardo, number_of, open_images
from tests.provider_replies import openai_error
from tests.provider_server import Answer, ProviderServer
from tests.unit.image_adapters import (
    KEY,
    REFERENCES,
    file_answer,
    gemini_reply,
    good_answer,
    leonardo_found,
    leonardo_started,
    openai_reply,
    picture,
    poll,
    settings_for,
    stability_reply,
    start,
)

Row = tuple[str, Answer, type[StageError], str]

AT_ONCE = ("gemini", "openai", "stability")
OVER_HTTP = ("gemini", "openai", "leonardo")
KEY_SETTINGS = {"gemini": "GEMINI_API_KEY", "openai": "OPENAI_API_KEY", "leonardo": "LEONARDO_API_KEY"}
PNG = picture(640, 360)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "picture"


@pytest.mark.parametrize("adapter", AT_ONCE)
def test_the_answer_carries_the_picture_and_what_it_cost(
    provider_server: ProviderServer, adapter: str, out: Path
) -> None:
    provider_server.will(good_answer(adapter))

    result = start(adapter, settings_for(provider_server.url), out)

    assert isinstance(result, ImageResult)
    assert out.read_bytes() == picture()
    assert result.call is not None
    assert (result.call.provider, result.call.images, result.call.measured) == (adapter, 1, True)
    # OpenAI's tokens have a price, which is in the picture's.
    tokens = {"gemini": (12, 1290), "openai": (0, 0), "stability": (0, 0)}[adapter]
    assert (result.call.input_tokens, result.call.output_tokens) == tokens


def test_gemini_is_asked_for_a_picture_of_16_to_9(provider_server: ProviderServer, out: Path) -> None:
    provider_server.will(good_answer("gemini"))

    start("gemini", settings_for(provider_server.url), out)

    [request] = provider_server.requests
    assert request.path == "/v1/models/gemini-2.5-flash-image:generateContent"
    assert request.headers["x-goog-api-key"] == KEY
    assert request.body == {
        "contents": [{"role": "user", "parts": [{"text": "A harbour at dawn\nMood: calm, Seaside."}]}],
        "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "16:9"}},
    }


def test_openai_is_asked_for_one_picture_of_the_configured_size(provider_server: ProviderServer, out: Path) -> None:
    provider_server.will(good_answer("openai"))

    start("openai", settings_for(provider_server.url), out)

    [request] = provider_server.requests
    assert request.path == "/v1/images/generations"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    prompt = "A harbour at dawn\nMood: calm, Seaside."
    assert request.body == {"model": "gpt-image-2", "prompt": prompt, "n": 1, "size": "1920x1088"}


def test_a_compatible_server_may_answer_with_an_address(provider_server: ProviderServer, out: Path) -> None:
    address = f"{provider_server.url}/files/1.png?signature=short-lived"
    provider_server.will(Answer(body=openai_reply(b"", data=[{"url": address}])), file_answer(PNG))

    start("openai", settings_for(provider_server.url), out)

    assert out.read_bytes() == PNG
    assert provider_server.requests[1].path == "/files/1.png?signature=short-lived"
    assert "authorization" not in provider_server.requests[1].headers


def test_stability_is_asked_in_16_to_9_with_a_seed(provider_server: ProviderServer, out: Path) -> None:
    provider_server.will(good_answer("stability"))

    start("stability", settings_for(provider_server.url), out)

    [request] = provider_server.requests
    assert request.path == "/model/stability.stable-image-core-v1:1/invoke"
    assert "/us-west-2/bedrock/" in request.headers["authorization"]
    assert (request.body["aspect_ratio"], request.body["output_format"]) == ("16:9", "png")
    assert request.body["seed"] == number_of("1", 4_294_967_294)


def test_leonardo_is_asked_and_then_looked_at_until_it_is_done(provider_server: ProviderServer, out: Path) -> None:
    settings = settings_for(provider_server.url)
    provider_server.will(Answer(body=leonardo_started("gen-1")), Answer(body=leonardo_found("PENDING")))
    provider_server.will(Answer(body=leonardo_found(url=f"{provider_server.url}/cdn/1.png")), file_answer(PNG))

    asked = start("leonardo", settings, out)
    waiting = poll(settings, out)
    done = poll(settings, out)

    assert isinstance(asked, Pending) and isinstance(waiting, Pending) and isinstance(done, ImageResult)
    assert asked.state == waiting.state == {"generation": "gen-1"}
    assert asked.call is not None and asked.call.images == 1
    assert (waiting.call, done.call, done.image_id) == (None, None, "image-1")
    assert out.read_bytes() == PNG
    posted, *looked, fetched = provider_server.requests
    assert (posted.body["width"], posted.body["height"], posted.body["public"]) == (1472, 832, False)
    assert posted.body["modelId"] == REFERENCES["leonardo"].partition("/")[2]
    assert [request.path for request in looked] == ["/rest/generations/gen-1"] * 2
    assert "authorization" not in fetched.headers, "the key is not for the host of the files"


def test_a_prompt_is_cut_to_what_the_provider_takes(provider_server: ProviderServer, out: Path) -> None:
    provider_server.will(Answer(body=leonardo_started()))
    images, _ = open_images(REFERENCES["leonardo"], settings_for(provider_server.url))

    images.start(Wish("sea " * 1_000, "calm", "1"), out, lambda: 10.0)

    assert len(provider_server.requests[0].body["prompt"]) <= leonardo.PROMPT_CHARACTERS


def test_a_mood_that_the_prompt_states_is_not_said_twice() -> None:
    assert Wish("A calm sea", "calm", "1").in_words(99) == "A calm sea"


@pytest.mark.parametrize("reference", ["midjourney/v9", "gemini", "dummy/photographer"])
def test_an_unknown_provider_names_the_field(reference: str) -> None:
    with pytest.raises(InvalidInput, match=r"^provider: "):
        open_images(reference, settings_for("http://127.0.0.1:9"))


# -- errors -----------------------------------------------------------------------------------------------------------


def everywhere() -> Iterator[Row]:
    for adapter in REFERENCES:
        for status in (500, 503, 408, 409):
            yield adapter, Answer(status, b"oops"), Transient, "failed for the moment"
        yield adapter, Answer(402, b""), Quota, "account"
        yield adapter, Answer(429, b""), RateLimited, "slow down"
        yield adapter, Answer(422, b""), InvalidInput, "rejected"
        yield adapter, Answer(fault="reset"), Transient, "could not be reached or broke off"
        yield (
            adapter,
            Answer(body=b'{"images": 7, "data": 7, "candidates": 7, "sdGenerationJob": 7}'),
            BadOutput,
            "form",
        )
        yield adapter, Answer(body=b"<html>"), BadOutput, "not documented"
    for adapter in OVER_HTTP:
        yield adapter, Answer(401, b""), Auth, KEY_SETTINGS[adapter]
        gone = openai_error("The model is not here any more", "invalid_request_error", "model_not_found")
        yield adapter, Answer(404, gone), Sunset, "is not served"
        refused = openai_error("Rejected by the safety system", "invalid_request_error", "moderation_blocked")
        yield adapter, Answer(400, refused), ContentRefused, "declined"


def of_gemini() -> Iterator[Row]:
    wrong_key = {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}
    yield "gemini", Answer(400, wrong_key), Auth, "GEMINI_API_KEY"
    exhausted = {"error": {"code": 429, "message": "Resource exhausted", "status": "RESOURCE_EXHAUSTED"}}
    yield "gemini", Answer(429, exhausted), RateLimited, "slow down"
    missing = {"error": {"code": 404, "message": "models/x is not found for API version v1", "status": "NOT_FOUND"}}
    yield "gemini", Answer(404, missing), Sunset, "is not served"
    blocked = gemini_reply(b"", candidates=[], promptFeedback={"blockReason": "PROHIBITED_CONTENT"})
    yield "gemini", Answer(body=blocked), ContentRefused, "PROHIBITED_CONTENT"
    for reason in ("SAFETY", "IMAGE_SAFETY", "RECITATION"):
        filtered = gemini_reply(b"", candidates=[{"content": {}, "finishReason": reason}])
        yield "gemini", Answer(body=filtered), ContentRefused, reason
    nothing = gemini_reply(b"", candidates=[{"content": {"parts": [{"text": "Sure!"}]}, "finishReason": "OTHER"}])
    yield "gemini", Answer(body=nothing), Transient, "without a picture"
    broken = gemini_reply(b"")
    broken["candidates"][0]["content"]["parts"][1]["inlineData"]["data"] = "not*base64"
    yield "gemini", Answer(body=broken), BadOutput, "base64"


def of_openai() -> Iterator[Row]:
    spent = openai_error("You exceeded your current quota", "insufficient_quota", "insufficient_quota")
    yield "openai", Answer(429, spent), Quota, "credit"
    yield "openai", Answer(body=openai_reply(b"", data=[])), Transient, "without a picture"
    yield "openai", Answer(body=openai_reply(b"")), Transient, "without a picture"
    private = openai_reply(b"", data=[{"url": "http://169.254.169.254/latest/meta-data"}])
    yield "openai", Answer(body=private), BadOutput, "may not be fetched"
    local = openai_reply(b"", data=[{"url": "file:///etc/passwd"}])
    yield "openai", Answer(body=local), BadOutput, "may not be fetched"


def of_leonardo() -> Iterator[Row]:
    denied = json.dumps({"error": "Invalid token", "path": "$", "code": "access-denied"}).encode()
    yield "leonardo", Answer(403, denied), Auth, "LEONARDO_API_KEY"
    yield "leonardo", Answer(body={"sdGenerationJob": None}), Transient, "started nothing"


def of_stability() -> Iterator[Row]:
    def error(status: int, code: str, message: str) -> Answer:
        return Answer(status, {"message": message}, {"x-amzn-ErrorType": code})

    yield "stability", error(403, "AccessDeniedException", "No."), Auth, "bedrock:InvokeModel"
    yield "stability", error(429, "ThrottlingException", "Too fast."), RateLimited, "slow down"
    yield "stability", error(404, "ResourceNotFoundException", "End of life."), Sunset, "stable-image-core"
    yield "stability", error(400, "ValidationException", "Malformed."), InvalidInput, "Malformed"
    flagged = "Your request was flagged by our content filters."
    yield "stability", error(400, "ValidationException", flagged), ContentRefused, "declined"
    yield "stability", Answer(body=stability_reply(b"", "Filter reason: prompt")), ContentRefused, "prompt"
    yield "stability", Answer(body=stability_reply(b"", "Inference error")), Transient, "Inference error"
    yield "stability", Answer(body={"images": [], "finish_reasons": []}), Transient, "without a picture"


ROWS = [*everywhere(), *of_gemini(), *of_openai(), *of_leonardo(), *of_stability()]
EVERY_KIND = {Auth, BadOutput, ContentRefused, InvalidInput, Quota, RateLimited, Sunset, Transient}


@pytest.mark.parametrize("adapter", REFERENCES)
def test_the_table_below_has_every_kind_of_error(adapter: str) -> None:
    assert {error for name, _, error, _ in ROWS if name == adapter} == EVERY_KIND


@pytest.mark.parametrize(("adapter", "answer", "error", "phrase"), ROWS)
def test_a_failing_provider_gives_the_error_kind_that_fits(
    provider_server: ProviderServer, out: Path, adapter: str, answer: Answer, error: type[StageError], phrase: str
) -> None:
    provider_server.will(answer)

    with pytest.raises(StageError) as raised:
        start(adapter, settings_for(provider_server.url), out)

    assert type(raised.value) is error
    assert phrase in raised.value.message
    assert KEY not in raised.value.message
    assert raised.value.message.endswith((".", ".)"))


POLLED: list[tuple[Answer, type[StageError], str]] = [
    (Answer(body=leonardo_found("FAILED")), BadOutput, "could not paint"),
    (Answer(body=leonardo_found("COMPLETE")), BadOutput, "without a picture"),
    (Answer(body={"generations_by_pk": None}), BadOutput, "any more"),
    (Answer(404, b"not found"), BadOutput, "any more"),
    (Answer(body=leonardo_found(url="https://example.org/1.png", nsfw=True)), ContentRefused, "marked"),
    (Answer(body=leonardo_found(url="http://10.0.0.1/1.png")), BadOutput, "may not be fetched"),
    (Answer(500, b""), Transient, "for the moment"),
    (Answer(401, b""), Auth, "LEONARDO_API_KEY"),
]


@pytest.mark.parametrize(("answer", "error", "phrase"), POLLED)
def test_a_generation_that_fails_says_how(
    provider_server: ProviderServer, out: Path, answer: Answer, error: type[StageError], phrase: str
) -> None:
    provider_server.will(answer)

    with pytest.raises(error, match=phrase):
        poll(settings_for(provider_server.url), out)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_address_that_has_expired_is_asked_for_again(
    provider_server: ProviderServer, out: Path, status: int
) -> None:
    settings = settings_for(provider_server.url)
    complete = Answer(body=leonardo_found(url=f"{provider_server.url}/cdn/1.png"))
    provider_server.will(complete, Answer(status, b"Request has expired"), complete, file_answer(PNG))

    with pytest.raises(Transient, match="expired"):
        poll(settings, out)
    poll(settings, out)

    assert out.read_bytes() == PNG


def test_a_huge_file_is_not_taken(provider_server: ProviderServer, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leonardo, "MOST_BYTES", 3 * 2**20)
    complete = Answer(body=leonardo_found(url=f"{provider_server.url}/cdn/1.png"))
    provider_server.will(complete, file_answer(bytes(5 * 2**20)))

    with pytest.raises(BadOutput, match="more than 3 MiB"):
        poll(settings_for(provider_server.url), out)


def test_a_file_that_never_ends_is_given_up_in_time(provider_server: ProviderServer, out: Path) -> None:
    complete = Answer(body=leonardo_found(url=f"{provider_server.url}/cdn/1.png"))
    provider_server.will(complete, Answer(fault="drip"))

    with pytest.raises(Transient, match="in time"):
        poll(settings_for(provider_server.url), out, timeout=1.0)


def test_a_redirect_to_a_private_host_is_not_followed(provider_server: ProviderServer, out: Path) -> None:
    complete = Answer(body=leonardo_found(url=f"{provider_server.url}/cdn/1.png"))
    provider_server.will(complete, Answer(302, b"", {"location": "http://192.168.0.1/1.png"}))

    with pytest.raises(BadOutput, match="may not be fetched"):
        poll(settings_for(provider_server.url), out)


def test_what_was_paid_for_an_unusable_answer_is_counted(provider_server: ProviderServer, out: Path) -> None:
    filtered = gemini_reply(b"", candidates=[{"content": {}, "finishReason": "IMAGE_SAFETY"}])
    provider_server.will(Answer(body=filtered))

    with pytest.raises(ContentRefused) as raised:
        start("gemini", settings_for(provider_server.url), out)

    assert [call.output_tokens for call in raised.value.calls] == [1290]


@pytest.mark.parametrize("adapter", REFERENCES)
def test_a_server_that_hangs_is_given_up_within_the_timeout(
    provider_server: ProviderServer, adapter: str, out: Path
) -> None:
    provider_server.will(Answer(fault="hang"))

    with pytest.raises(Transient):
        start(adapter, settings_for(provider_server.url), out, timeout=0.3)


def test_the_address_of_a_file_may_lead_elsewhere_a_few_times_only(
    provider_server: ProviderServer, tmp_path: Path
) -> None:
    provider_server.will(*[Answer(302, b"", {"location": "/again"}) for _ in range(9)])
    url = provider_server.url

    with pytest.raises(BadOutput, match="circles"):
        downloads.download(f"{url}/1.png", tmp_path / "out", base_url=url, most_bytes=99, timeout=5)
