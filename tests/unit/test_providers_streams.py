"""Text that arrives in pieces: what the adapters give, what they count, and every way in which a stream can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
from showrunner.providers.text import TextStream, open_text
from showrunner.settings import Settings
from showrunner.usage import ProviderCall
from tests.provider_replies import chat_chunks, converse_events, openai_error, sent_event, stream_event
from tests.provider_server import EVENT_STREAM, TEXT, Answer, ProviderServer
from tests.unit.provider_adapters import KEY, TASK, settings_for

Row = tuple[str, Answer, type[StageError], str]
Open = Callable[..., TextStream]

WRITERS = {"bedrock": "bedrock/amazon.nova-pro-v1:0", "openai": "openai/a-model"}
ENOUGH_SECONDS = 10.0
every_writer = pytest.mark.parametrize("writer", WRITERS)


def stream(writer: str, settings: Settings, seconds: float = ENOUGH_SECONDS) -> TextStream:
    return open_text(WRITERS[writer], settings).stream(TASK, seconds)


def events(*parts: bytes) -> Answer:
    return Answer(body=parts, headers={"content-type": EVENT_STREAM})


def sent(*parts: bytes) -> Answer:
    return Answer(body=parts, headers={"content-type": "text/event-stream"})


def cut(answer: Answer) -> Answer:
    return Answer(body=answer.body, headers=answer.headers, fault="truncate")


@every_writer
def test_a_text_comes_in_the_pieces_in_which_it_was_written(provider_server: ProviderServer, writer: str) -> None:
    text = stream(writer, settings_for(provider_server.url))

    assert tuple(text) == TEXT


@every_writer
def test_what_the_provider_reports_is_counted(provider_server: ProviderServer, writer: str) -> None:
    text = stream(writer, settings_for(provider_server.url))

    before = text.call
    list(text)

    measured = {"bedrock": (180, 90), "openai": (190, 100)}[writer]
    assert before is None
    assert text.call == ProviderCall(writer, WRITERS[writer].partition("/")[2], *measured)


def test_openai_is_asked_for_events_and_for_the_usage(provider_server: ProviderServer) -> None:
    list(stream("openai", settings_for(provider_server.url)))

    [request] = provider_server.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "a-model",
        "messages": [{"role": "user", "content": TASK.prompt}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_bedrock_is_asked_for_events(provider_server: ProviderServer) -> None:
    list(stream("bedrock", settings_for(provider_server.url)))

    [request] = provider_server.requests
    assert request.path == "/model/amazon.nova-pro-v1:0/converse-stream"
    assert request.body == {"messages": [{"role": "user", "content": [{"text": TASK.prompt}]}]}


@every_writer
def test_tokens_are_estimated_where_the_stream_reports_none(provider_server: ProviderServer, writer: str) -> None:
    provider_server.will(
        events(*converse_events("One.", usage=False))
        if writer == "bedrock"
        else sent(*chat_chunks("One.", usage=False))
    )
    text = stream(writer, settings_for(provider_server.url))

    list(text)

    assert text.call is not None
    assert (text.call.measured, text.call.output_tokens) == (False, 1)


@every_writer
def test_a_stream_cut_in_the_middle_is_transient_and_its_pieces_are_counted(
    provider_server: ProviderServer, writer: str
) -> None:
    many = [f"Piece {number}. " for number in range(20)]
    provider_server.will(cut(events(*converse_events(*many)) if writer == "bedrock" else sent(*chat_chunks(*many))))
    text = stream(writer, settings_for(provider_server.url))
    arrived = []

    with pytest.raises(Transient, match="broke off"):
        for piece in text:
            arrived.append(piece)

    assert 0 < len(arrived) < len(many)
    assert arrived == many[: len(arrived)]
    assert text.call is not None
    assert text.call.output_tokens >= len("".join(arrived)) // 4


@every_writer
def test_pieces_arrive_while_the_rest_is_still_to_come(provider_server: ProviderServer, writer: str) -> None:
    many = [f"Piece {number}. " for number in range(20)]
    body = converse_events(*many) if writer == "bedrock" else chat_chunks(*many)
    provider_server.will(Answer(body=body, fault="hang_in_body"))

    first = next(iter(stream(writer, settings_for(provider_server.url))))

    assert first == many[0]


def of_bedrock() -> Iterator[Row]:
    begun = converse_events("The harbour ")[:2]
    for name, error, phrase in (
        ("throttlingException", RateLimited, "slow down"),
        ("modelStreamErrorException", Transient, "ModelStreamErrorException"),
        ("internalServerException", Transient, "InternalServerException"),
        ("serviceUnavailableException", Transient, "ServiceUnavailableException"),
        ("validationException", InvalidInput, "too long"),
    ):
        yield "bedrock", events(*begun, stream_event(name, {"message": "too long"}, exception=True)), error, phrase
    for reason in ("content_filtered", "guardrail_intervened"):
        yield "bedrock", events(*converse_events("Sorry", stop_reason=reason)), ContentRefused, reason
    yield "bedrock", events(*converse_events("Half", stop_reason="max_tokens")), BadOutput, "max_tokens"
    too_long = events(*converse_events(stop_reason="model_context_window_exceeded"))
    yield "bedrock", too_long, InvalidInput, "fewer sources"
    yield "bedrock", events(*converse_events("Half", stop_reason=None, usage=False)), Transient, "broke off"
    yield "bedrock", events(*converse_events()), Transient, "without content"
    yield "bedrock", events(b"\0\0\0\x20 not an event stream at all, but long enough"), Transient, "broke off"
    denied = Answer(403, {"message": ""}, {"x-amzn-ErrorType": "AccessDeniedException"})
    yield "bedrock", denied, Auth, "bedrock:InvokeModelWithResponseStream"
    spent = Answer(400, {"message": ""}, {"x-amzn-ErrorType": "ServiceQuotaExceededException"})
    yield "bedrock", spent, Quota, "Service Quotas"
    gone = Answer(404, {"message": "End of life."}, {"x-amzn-ErrorType": "ResourceNotFoundException"})
    yield "bedrock", gone, Sunset, "amazon.nova-pro-v1:0"


def of_openai() -> Iterator[Row]:
    begun = chat_chunks("The harbour ")[:2]

    def failing(code: str) -> Answer:
        return sent(*begun, b"data: " + openai_error("It broke.", "server_error", code) + b"\n\n")

    yield "openai", failing("server_error"), Transient, "failed for the moment"
    yield "openai", failing("rate_limit_exceeded"), RateLimited, "slow down"
    yield "openai", failing("insufficient_quota"), Quota, "credit"
    yield "openai", failing("content_filter"), ContentRefused, "declined"
    yield "openai", sent(*chat_chunks("Half", finish_reason="content_filter")), ContentRefused, "declined"
    refusal = sent_event({"choices": [{"delta": {"refusal": "I cannot."}, "finish_reason": "stop"}]})
    yield "openai", sent(refusal), ContentRefused, "declined"
    yield "openai", sent(*chat_chunks("Half", finish_reason="length")), BadOutput, "length limit"
    yield "openai", sent(*chat_chunks("Half", finish_reason=None, usage=False)), Transient, "broke off"
    yield "openai", sent(*chat_chunks()), Transient, "without content"
    yield "openai", sent(*begun, b"data: {not json\n\n"), BadOutput, "not a piece"
    yield "openai", Answer(body=b""), Transient, "broke off"
    wrong_key = openai_error("Incorrect API key.", "invalid_request_error", "invalid_api_key")
    yield "openai", Answer(401, wrong_key), Auth, "OPENAI_API_KEY"
    gone = openai_error("The model `x` does not exist", "invalid_request_error", "model_not_found")
    yield "openai", Answer(404, gone), Sunset, "is not served"
    yield "openai", Answer(400, openai_error("Too long", "invalid_request_error")), InvalidInput, "Too long"


def everywhere() -> Iterator[Row]:
    for writer in WRITERS:
        yield writer, Answer(500, b"Internal Server Error"), Transient, "failed for the moment"
        yield writer, Answer(429, b"", {"retry-after": "3"}), RateLimited, "slow down"
        yield writer, Answer(402, b""), Quota, "account"
        yield writer, Answer(fault="reset"), Transient, "could not be reached or broke off"


ROWS = [*everywhere(), *of_bedrock(), *of_openai()]
EVERY_KIND = {Auth, BadOutput, ContentRefused, InvalidInput, Quota, RateLimited, Sunset, Transient}


@every_writer
def test_the_table_has_every_kind_of_error(writer: str) -> None:
    assert {error for name, _, error, _ in ROWS if name == writer} == EVERY_KIND


@pytest.mark.parametrize(("writer", "answer", "error", "phrase"), ROWS)
def test_a_failing_stream_gives_the_error_kind_that_fits(
    provider_server: ProviderServer, writer: str, answer: Answer, error: type[StageError], phrase: str
) -> None:
    provider_server.will(answer)

    with pytest.raises(StageError) as raised:
        list(stream(writer, settings_for(provider_server.url)))

    assert type(raised.value) is error
    assert phrase in raised.value.message
    assert KEY not in raised.value.message
    assert raised.value.calls == ()  # the stream itself says what was used
    assert len(provider_server.requests) == 1


@every_writer
def test_a_request_that_was_refused_is_not_counted(provider_server: ProviderServer, writer: str) -> None:
    provider_server.will(Answer(429, b""))
    text = stream(writer, settings_for(provider_server.url))

    with pytest.raises(RateLimited):
        list(text)

    assert text.call is None


@every_writer
@pytest.mark.parametrize("fault", ["hang", "hang_in_body"])
def test_a_stream_that_stops_is_given_up_within_the_timeout(
    provider_server: ProviderServer, writer: str, fault: str
) -> None:
    body = converse_events(*TEXT) if writer == "bedrock" else chat_chunks(*TEXT)
    provider_server.will(Answer(body=body, fault=fault))  # type: ignore[arg-type]

    with pytest.raises(Transient):
        list(stream(writer, settings_for(provider_server.url), 0.5))


def test_a_stream_that_never_ends_is_given_up_within_the_timeout(provider_server: ProviderServer) -> None:
    provider_server.will(Answer(fault="drip"))

    with pytest.raises(Transient, match=r"did not finish|did not answer in time"):
        list(stream("openai", settings_for(provider_server.url), 0.3))


@every_writer
def test_no_time_left_asks_nobody(provider_server: ProviderServer, writer: str) -> None:
    with pytest.raises(Transient):
        list(stream(writer, settings_for(provider_server.url), 0.0))

    assert provider_server.requests == []


def test_lines_of_a_stream_may_be_split_anywhere(provider_server: ProviderServer) -> None:
    whole = b": keep-alive\r\n\r\n" + b"".join(chat_chunks("Grüße ", "aus Köln", usage=False)).replace(b"\n", b"\r\n")
    provider_server.will(sent(*(whole[at : at + 7] for at in range(0, len(whole), 7))))

    pieces = list(stream("openai", settings_for(provider_server.url)))

    assert pieces == ["Grüße ", "aus Köln"]
