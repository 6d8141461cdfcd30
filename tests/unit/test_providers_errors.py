"""Every kind of error that an adapter can meet, raised by a server that fails as the provider documents it."""

from __future__ import annotations

import json
from collections.abc import Iterator

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
from tests.provider_replies import chat_completion, converse, openai_error, tool_use, wav
from tests.provider_server import Answer, Fault, ProviderServer
from tests.unit.provider_adapters import ADAPTERS, GOOD, KEY, settings_for

Row = tuple[str, Answer, type[StageError], str]

AWS = ("bedrock", "polly")
OPENAI = ("openai text", "openai speech")
ENOUGH_SECONDS = 10.0


def aws_error(status: int, code: str, message: str = "", **headers: str) -> Answer:
    return Answer(status, {"message": message}, {"x-amzn-ErrorType": code} | headers)


def everywhere() -> Iterator[Row]:
    for adapter in ADAPTERS:
        yield adapter, Answer(500, b"Internal Server Error"), Transient, "failed for the moment"
        yield adapter, Answer(502, b"<html>Bad Gateway</html>"), Transient, "failed for the moment"
        yield adapter, Answer(503, b"", {"retry-after": "7"}), Transient, "failed for the moment"
        yield adapter, Answer(529, b""), Transient, "failed for the moment"
        yield adapter, Answer(408, b""), Transient, "failed for the moment"
        yield adapter, Answer(409, b""), Transient, "failed for the moment"
        yield adapter, Answer(402, b""), Quota, "account"
        yield adapter, Answer(429, b"", {"retry-after": "3"}), RateLimited, "slow down"
        yield adapter, Answer(422, b""), InvalidInput, "rejected"
        yield adapter, Answer(fault="reset"), Transient, "could not be reached or broke off"
        yield adapter, Answer(200, b""), Transient, "without"


def of_aws() -> Iterator[Row]:
    for adapter, permission in zip(AWS, ("bedrock:InvokeModel", "polly:SynthesizeSpeech"), strict=True):
        for code in ("AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"):
            yield adapter, aws_error(403, code), Auth, permission
        yield adapter, aws_error(400, "ThrottlingException", "Rate exceeded"), RateLimited, "slow down"
        yield adapter, aws_error(400, "ServiceQuotaExceededException"), Quota, "Service Quotas"


def of_bedrock() -> Iterator[Row]:
    for status, code in (
        (408, "ModelTimeoutException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
        (429, "ModelNotReadyException"),
        (424, "ModelErrorException"),
    ):
        yield "bedrock", aws_error(status, code), Transient, code
    yield "bedrock", aws_error(429, "ThrottlingException"), RateLimited, "slow down"
    yield "bedrock", aws_error(400, "ValidationException", "Input is too long."), InvalidInput, "Input is too long"
    ended = aws_error(404, "ResourceNotFoundException", "This model version has reached the end of its life.")
    yield "bedrock", ended, Sunset, "amazon.nova-pro-v1:0"
    for reason in ("content_filtered", "guardrail_intervened"):
        yield "bedrock", Answer(body=converse([{"text": "Sorry"}], reason)), ContentRefused, reason
    for reason in ("max_tokens", "malformed_model_output", "malformed_tool_use"):
        yield "bedrock", Answer(body=converse([tool_use(GOOD)], reason)), BadOutput, reason
    too_long = Answer(body=converse([], "model_context_window_exceeded"))
    yield "bedrock", too_long, InvalidInput, "fewer sources"
    yield "bedrock", Answer(body=converse([], "end_turn")), Transient, "without content"
    yield "bedrock", Answer(body=converse([tool_use({"title": "x"})])), BadOutput, "sections"
    yield "bedrock", Answer(body=converse([{"text": "Here you are!"}], "end_turn")), BadOutput, "JSON"
    yield "bedrock", Answer(body=b"{not json"), Transient, "without content"


def of_polly() -> Iterator[Row]:
    for code in ("TextLengthExceededException", "InvalidSsmlException", "EngineNotSupportedException"):
        yield "polly", aws_error(400, code, "No."), InvalidInput, code
    yield "polly", aws_error(500, "ServiceFailureException"), Transient, "ServiceFailureException"
    enum = "Value 'Amyy' at 'voiceId' failed to satisfy constraint"
    yield "polly", aws_error(400, "ValidationException", enum), InvalidInput, "voiceId"


def of_openai() -> Iterator[Row]:
    for adapter in OPENAI:
        wrong_key = openai_error(f"Incorrect API key provided: {KEY}.", "invalid_request_error", "invalid_api_key")
        yield adapter, Answer(401, wrong_key), Auth, "OPENAI_API_KEY"
        yield adapter, Answer(403, openai_error("Country not supported", "request_forbidden")), Auth, "OPENAI_API_KEY"
        spent = openai_error("You exceeded your current quota", "insufficient_quota", "insufficient_quota")
        yield adapter, Answer(429, spent), Quota, "credit"
        busy = openai_error("Rate limit reached", "requests", "rate_limit_exceeded")
        yield adapter, Answer(429, busy, {"retry-after-ms": "250", "retry-after": "1"}), RateLimited, "slow down"
        gone = openai_error("The model `x` does not exist", "invalid_request_error", "model_not_found")
        yield adapter, Answer(404, gone), Sunset, "is not served"
        unpulled = json.dumps({"error": 'model "x" not found, try pulling it first'}).encode()
        yield adapter, Answer(404, unpulled), Sunset, "try pulling it first"
        yield adapter, Answer(404, b"404 page not found"), InvalidInput, "OPENAI_BASE_URL"
        yield adapter, Answer(301, b"", {"location": "https://example.org/"}), InvalidInput, "OPENAI_BASE_URL"
        policy = openai_error("Rejected by the safety system", "invalid_request_error", "content_policy_violation")
        yield adapter, Answer(400, policy), ContentRefused, "declined"
        too_long = openai_error(
            f"Maximum context length, key {KEY}", "invalid_request_error", "string_above_max_length"
        )
        yield adapter, Answer(400, too_long), InvalidInput, "Maximum context length"
        yield adapter, Answer(413, b""), InvalidInput, "413"


def of_openai_text() -> Iterator[Row]:
    good = json.dumps(GOOD)
    filtered = chat_completion(None, finish_reason="content_filter")
    yield "openai text", Answer(body=filtered), ContentRefused, "declined"
    refused = chat_completion(None, refusal="I'm sorry, I cannot assist with that request.")
    yield "openai text", Answer(body=refused), ContentRefused, "declined"
    yield "openai text", Answer(body=chat_completion(good, finish_reason="length")), BadOutput, "length limit"
    yield "openai text", Answer(body=chat_completion(None)), Transient, "without content"
    yield "openai text", Answer(body=chat_completion(good) | {"choices": []}), Transient, "without a choice"
    yield "openai text", Answer(body=chat_completion("Here you are!")), BadOutput, "JSON"
    yield "openai text", Answer(body=chat_completion('{"title": "x"}')), BadOutput, "sections"
    yield "openai text", Answer(body=b"{not json"), BadOutput, "not a chat completion"
    yield "openai text", Answer(body=chat_completion(good), fault="truncate"), Transient, "broke off"


def of_openai_speech() -> Iterator[Row]:
    audio = {"content-type": "audio/wav"}
    yield "openai speech", Answer(body={"status": "ok"}), Transient, "without audio"
    yield "openai speech", Answer(body=wav(b""), headers=audio), Transient, "without audio"
    yield "openai speech", Answer(body=wav(b"\1\7\0" * 50, bits=24), headers=audio), BadOutput, "24 bits"
    yield "openai speech", Answer(body=b"ID3\4" + bytes(99), headers=audio), BadOutput, "not a WAV"
    yield "openai speech", Answer(body=wav(b"\1\7" * 9_000), headers=audio, fault="truncate"), Transient, "broke off"
    broken_off = wav(b"\1\7" * 50, data_size=9_000)
    yield "openai speech", Answer(body=broken_off, headers=audio), Transient, "broke off after 100 of 9000"


ROWS = [
    *everywhere(),
    *of_aws(),
    *of_bedrock(),
    *of_polly(),
    *of_openai(),
    *of_openai_text(),
    *of_openai_speech(),
]


EVERY_KIND = {Auth, BadOutput, ContentRefused, InvalidInput, Quota, RateLimited, Sunset, Transient}
# Polly has no safety filter and no models to retire; whether its audio is speech is for the stage to hear.
CANNOT = {"polly": {BadOutput, ContentRefused, Sunset}}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_table_below_has_every_kind_of_error_that_the_adapter_can_meet(adapter: str) -> None:
    kinds = {error for name, _, error, _ in ROWS if name == adapter}

    assert kinds == EVERY_KIND - CANNOT.get(adapter, set())


@pytest.mark.parametrize(("adapter", "answer", "error", "phrase"), ROWS)
def test_a_failing_provider_gives_the_error_kind_that_fits(
    provider_server: ProviderServer, adapter: str, answer: Answer, error: type[StageError], phrase: str
) -> None:
    provider_server.will(answer)

    with pytest.raises(StageError) as raised:
        ADAPTERS[adapter](settings_for(provider_server.url), ENOUGH_SECONDS)

    assert type(raised.value) is error
    assert phrase in raised.value.message
    assert KEY not in raised.value.message
    assert raised.value.message.endswith(".")


HANGS: tuple[Fault, ...] = ("hang", "hang_in_body")


@pytest.mark.parametrize("fault", HANGS)
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_server_that_hangs_is_given_up_within_the_timeout(
    provider_server: ProviderServer, adapter: str, fault: Fault
) -> None:
    provider_server.will(Answer(body=bytes(20_000), fault=fault))

    with pytest.raises(Transient):
        ADAPTERS[adapter](settings_for(provider_server.url), 0.3)


# Bedrock's client reads a whole reply before it looks up: there the function's own timeout is what ends it.
@pytest.mark.parametrize("adapter", ["polly", "openai text", "openai speech"])
def test_a_server_that_never_ends_its_reply_is_given_up_within_the_timeout(
    provider_server: ProviderServer, adapter: str
) -> None:
    provider_server.will(Answer(fault="drip"))

    with pytest.raises(Transient, match=r"did not finish|did not answer in time|broke off"):
        ADAPTERS[adapter](settings_for(provider_server.url), 0.3)


@pytest.mark.parametrize("adapter", OPENAI)
def test_a_server_that_wants_a_key_says_which_setting_holds_it(provider_server: ProviderServer, adapter: str) -> None:
    provider_server.will(Answer(401, b""))

    with pytest.raises(Auth, match="set OPENAI_API_KEY"):
        ADAPTERS[adapter](settings_for(provider_server.url, key=None), ENOUGH_SECONDS)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_failing_request_is_made_once_and_not_again_behind_our_back(
    provider_server: ProviderServer, adapter: str
) -> None:
    provider_server.will(Answer(500, b""))

    with pytest.raises(Transient):
        ADAPTERS[adapter](settings_for(provider_server.url), ENOUGH_SECONDS)

    assert len(provider_server.requests) == 1


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_server_that_is_not_there_is_transient(adapter: str, provider_server: ProviderServer) -> None:
    nobody = settings_for("http://127.0.0.1:9")

    with pytest.raises(Transient):
        ADAPTERS[adapter](nobody, ENOUGH_SECONDS)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_no_time_left_is_transient_and_asks_nobody(provider_server: ProviderServer, adapter: str) -> None:
    settings = settings_for(provider_server.url)

    with pytest.raises(Transient):
        ADAPTERS[adapter](settings, 0.0)

    assert provider_server.requests == []


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_stated_delay_travels_with_the_error(provider_server: ProviderServer, adapter: str) -> None:
    provider_server.will(Answer(429, b"", {"retry-after": "42"}))

    with pytest.raises(RateLimited) as raised:
        ADAPTERS[adapter](settings_for(provider_server.url), ENOUGH_SECONDS)

    assert raised.value.retry_after == 42.0


def test_a_daily_token_limit_of_bedrock_is_tried_again_after_an_hour(provider_server: ProviderServer) -> None:
    provider_server.will(aws_error(429, "ThrottlingException", "Too many tokens per day, please wait."))

    with pytest.raises(RateLimited) as raised:
        ADAPTERS["bedrock"](settings_for(provider_server.url), ENOUGH_SECONDS)

    assert raised.value.retry_after == 3600.0


PAID_BUT_USELESS = {
    "bedrock": Answer(body=converse([tool_use({"title": "x"})])),
    "polly": Answer(body=b"", headers={"x-amzn-RequestCharacters": "27"}),
    "openai text": Answer(body=chat_completion("not JSON")),
    "openai speech": Answer(body=wav(b""), headers={"content-type": "audio/wav"}),
}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_useless_answer_is_counted_all_the_same(provider_server: ProviderServer, adapter: str) -> None:
    provider_server.will(PAID_BUT_USELESS[adapter])

    with pytest.raises(StageError) as raised:
        ADAPTERS[adapter](settings_for(provider_server.url), ENOUGH_SECONDS)

    [call] = raised.value.calls
    assert call.output_tokens + call.characters > 0
