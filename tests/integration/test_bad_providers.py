"""A provider that misbehaves: what becomes of the job, what a person reads, and that a mended provider is enough."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from showrunner.script import ScriptLine
from showrunner.stage import Outcome, stage_handler
from tests import provider_replies as replies
from tests.provider_server import Answer, ProviderServer
from tests.rigs.line import function
from tests.rigs.shows import make_show
from tests.texts import ARTICLE

LINES = [
    "The lamp was lit for the first time on a night of heavy rain, and nobody at sea had been told about it.",
    "By the end of that winter forty ships had asked for the same light on their own coast.",
    "What they got instead was a committee, which met for nine years and published three reports.",
    "In the tenth year the keeper's daughter wrote down how the lens was ground, and sent it to a newspaper.",
]
SILENCE = Answer(body=replies.wav(bytes(2 * 24_000 * 5)), headers={"content-type": "audio/wav"})
CLICK = Answer(body=replies.wav(replies.tone("", 24_000)), headers={"content-type": "audio/wav"})
NO_BYTES = Answer(headers={"content-type": "audio/wav"})
EMPTY_WAV = Answer(body=replies.wav(b""), headers={"content-type": "audio/wav"})
JSON = Answer(body={"status": "ok"})
NOISE = Answer(body=b"\xff\xfb" * 4000, headers={"content-type": "audio/wav"})
OUT_OF_CREDIT = Answer(402, replies.openai_error("Payment required", "billing"))
OVER_QUOTA = Answer(429, replies.openai_error("You exceeded your current quota", "insufficient_quota"))
WRONG_KEY = Answer(401, replies.openai_error("Incorrect API key provided: sk-secret-key", "invalid_request_error"))
NO_MODEL = Answer(404, replies.openai_error("The model `voicebox` does not exist", "x", "model_not_found"))
REFUSED = Answer(400, replies.openai_error("Rejected by the safety system", "x", "content_policy_violation"))


class Trial:
    """One production of a show; what is due is worked off, and what waits is made due by `pass_time`."""

    def __init__(self, owner, line, user, show):
        self.owner, self.line, self.user, self.show = owner, line, user, show
        self.later = []
        self.production = user.execute(
            "select public.request_production('episode', %s, 'first')", [show.episode]
        ).fetchone()[0]
        self.sweep()

    def sweep(self):
        function("sweep_jobs").sweep(self.line.services)

    def work(self, until=None):
        """Handle what is due, but nothing of the stage `until`."""
        ready, self.later = self.line.dispatcher.ready, []
        while ready:
            job = ready.popleft()
            if job.delay > 0 or job.stage == until:
                self.later.append(job)
            else:
                self.line.handle(job)

    def pass_time(self):
        self.owner.execute("update public.jobs set not_before = clock_timestamp() where not_before is not null")
        self.owner.execute("update engine.provider_limits set not_before = null, next_try_at = null")
        self.line.dispatcher.send(job.model_copy(update={"delay": 0.0}) for job in self.later)

    def retry(self):
        self.user.execute("select public.retry_production(%s)", [self.production])
        self.sweep()

    def rows(self, query):
        return self.owner.execute(query.encode()).fetchall()

    def status(self):
        return self.rows("select status::text, error_code::text, error from public.productions")[0]

    def explanation(self):
        return self.user.execute("select public.explain_production(%s)", [self.production]).fetchone()[0]

    def jobs(self, stage):
        """status, hold, attempt, fails of the stage's jobs"""
        return self.rows(
            "select status::text, hold::text, attempt, fails from public.jobs "
            f"where stage = '{stage}' order by attempt, id"
        )

    def accepted(self):
        """job → (attempt, asset) of each line that is spoken"""
        spoken = "select id, attempt, output -> 'asset' ->> 'id' from public.jobs where stage = 'speak_line'"
        return {job: rest for job, *rest in self.rows(f"{spoken} and status = 'succeeded'")}


def assert_one_sentence(text: str, stage: str) -> None:
    assert text.startswith(f"{stage}: ")
    assert re.fullmatch(r"[^\n{}\\]{20,300}\.", text), text
    assert not re.search(r"Traceback|Error\b\(|None|sk-", text), text


@pytest.fixture
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def line(make_line, provider):
    return make_line(
        openai_base_url=f"{provider.url}/v1", openai_api_key="sk-secret-key", openai_speech_model="voicebox"
    )


@pytest.fixture
def speaking(owner, line, sign_up, as_user):
    """A production whose four lines are to be spoken by the provider now."""
    show = make_show(
        owner, sign_up("ada"), ARTICLE, 1, format="bulletin", speakers=[{"name": "Ada", "voice": "openai/alloy"}]
    )
    script = function("write_script")

    def write(job, services):
        lines = [ScriptLine(section="The lamp", speaker="Ada", text=text) for text in LINES]
        output = script.WriteScriptOutput(blocks=len(lines), words=80, estimated_seconds=60.0, sha256="0" * 64)
        return Outcome(output, script._statements(job.organization_id, job.subject_id, lines))

    line._handlers["write_script"] = stage_handler("write_script", script.WriteScriptInput, write, line.services)
    trial = Trial(owner, line, as_user(show.user), show)
    trial.work(until="speak_line")
    trial.pass_time()
    return trial


@pytest.fixture
def writing(owner, line, sign_up, as_user):
    """A production whose outline is to be written by the provider now."""
    show = make_show(owner, sign_up("ada"), ARTICLE, 1, writer="openai/gpt-test")
    trial = Trial(owner, line, as_user(show.user), show)
    trial.work(until="write_outline")
    trial.pass_time()
    return trial


# --- speech ---------------------------------------------------------------------------------------------------------


def test_a_line_waits_as_long_as_the_provider_says_and_counts_no_failure(provider, speaking):
    provider.will(Answer(429, headers={"retry-after": "30"}))

    speaking.work(until="master_episode")

    # It asked everybody: the next line comes when the time is over, and the others after it.
    assert sorted(speaking.jobs("speak_line"), key=str) == [
        *[("parked", "provider", 0, 0)] * 2, ("queued", None, 0, 0), ("queued", None, 1, 0)
    ]  # fmt: skip
    waits = (
        "select not_before between started_at + interval '30 s' and clock_timestamp() + interval '36 s' "
        "from public.jobs where status = 'queued' and attempt = 1"
    )
    assert speaking.rows(waits) == [(True,)]
    assert len(provider.requests) == 1
    assert re.search(
        r"^speak_line: 0 of 4 done\. It waits for provider openai, which asked to be left alone until .* UTC\.$",
        speaking.explanation(),
    )


def test_a_line_that_had_to_wait_is_spoken_when_its_time_comes(provider, speaking):
    provider.will(Answer(429, headers={"retry-after": "30"}))
    speaking.work(until="master_episode")

    speaking.pass_time()
    speaking.work(until="master_episode")

    assert sorted(speaking.jobs("speak_line")) == [*[("succeeded", None, 1, 0)] * 3, ("succeeded", None, 2, 0)]


def test_a_provider_that_fails_once_costs_one_more_try(provider, speaking):
    provider.will(Answer(500))
    speaking.work(until="master_episode")

    speaking.pass_time()
    speaking.work(until="master_episode")

    assert sorted(speaking.jobs("speak_line")) == [*[("succeeded", None, 1, 0)] * 3, ("succeeded", None, 2, 1)]


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        pytest.param(Answer(503), "transient", "failed for the moment (503)", id="503"),
        pytest.param(NO_BYTES, "transient", "answered without audio", id="200 and no bytes"),
        pytest.param(JSON, "transient", "answered without audio", id="200 and JSON"),
        pytest.param(EMPTY_WAV, "transient", "answered without audio", id="200 and a WAV without samples"),
        pytest.param(Answer(fault="reset"), "transient", "could not be reached or broke off", id="connection reset"),
        pytest.param(SILENCE, "bad_output", "s of silence", id="silence"),
        pytest.param(CLICK, "bad_output", "are plausible", id="a click"),
        pytest.param(NOISE, "bad_output", "", id="not a WAV file"),
    ],
)
def test_a_line_that_fails_to_the_end_fails_the_episode_in_a_sentence_and_a_retry_speaks_that_line_alone(
    provider, speaking, answer, kind, sentence
):
    tries = speaking.rows("select max_fails from public.jobs where stage = 'speak_line' limit 1")[0][0]
    for _ in range(tries):
        provider.will(answer)
        speaking.work()
        speaking.pass_time()
    status, code, error = speaking.status()
    good = speaking.accepted()
    asked = len(provider.requests)

    speaking.retry()
    speaking.work(until="master_episode")

    assert (status, code, len(good)) == ("failed", kind, 3)
    assert_one_sentence(error, "speak_line")
    assert error.startswith("speak_line: 1 of 4 failed; the first: ")
    assert sentence in error
    assert len(provider.requests) == asked + 1
    assert len(speaking.accepted()) == 4
    assert {job: speaking.accepted()[job] for job in good} == good


def test_a_failed_episode_has_nothing_half_made_and_explains_itself(provider, speaking):
    for _ in range(5):
        provider.will(Answer(500))
        speaking.work()
        speaking.pass_time()

    assert re.search(r"^It failed: speak_line: 1 of 4 failed; .*\. Mend it and retry;", speaking.explanation())
    assert speaking.rows(
        "select status::text, generation_status::text, audio_asset_id, published_at, generation_error is not null "
        "from public.episodes"
    ) == [("draft", "failed", None, None, True)]
    assert speaking.rows("select from public.jobs where reserved_on is not null") == []
    assert speaking.rows("select count(*) from public.assets where kind = 'speech'") == [(3,)]


@pytest.mark.parametrize("fault", ["hang", "hang_in_body"])
def test_a_provider_that_hangs_is_given_up_before_the_function_runs_out_of_time(provider, speaking, fault):
    speaking.line.milliseconds = 6_500
    provider.will(Answer(body=replies.wav(b"\0" * 4000), headers={"content-type": "audio/wav"}, fault=fault))

    speaking.work(until="master_episode")

    assert sorted(speaking.jobs("speak_line")) == [("queued", None, 1, 1), *[("succeeded", None, 1, 0)] * 3]
    [(kind, error)] = speaking.rows("select error_kind::text, error from public.jobs where status = 'queued'")
    assert kind == "transient"
    assert "in time" in error


def test_a_refused_line_is_said_once_more_in_plainer_words(provider, speaking):
    provider.will(REFUSED)

    speaking.work(until="master_episode")

    assert sorted(speaking.jobs("speak_line")) == [*[("succeeded", None, 1, 0)] * 3, ("succeeded", None, 2, 0)]
    assert len(provider.requests) == 5


def test_a_line_that_is_refused_twice_fails_and_its_siblings_are_kept(provider, speaking):
    ready = speaking.line.dispatcher.ready
    first = ready.popleft()
    provider.will(REFUSED, REFUSED)
    speaking.line.handle(first)
    speaking.line.handle(first)
    speaking.work()

    status, code, error = speaking.status()
    assert (status, code) == ("failed", "content_refused")
    assert_one_sentence(error, "speak_line")
    assert len(speaking.accepted()) == 3


@pytest.mark.parametrize("answer", [pytest.param(OUT_OF_CREDIT, id="402"), pytest.param(OVER_QUOTA, id="quota code")])
def test_an_exhausted_account_parks_everything_until_a_person_has_acted(provider, speaking, answer):
    speaking.line.handle(speaking.line.dispatcher.ready.popleft())
    good = speaking.accepted()
    provider.will(*[answer] * 20)
    speaking.work()
    status, code, error = speaking.status()
    parked = speaking.jobs("speak_line")
    explanation = speaking.explanation()
    asked = len(provider.requests)

    speaking.sweep()
    speaking.work()
    swept = len(provider.requests)
    provider.mend()
    speaking.retry()
    speaking.work()

    assert (status, code) == ("waiting", "quota")
    assert_one_sentence(error, "speak_line")
    assert "has no credit left" in error
    assert explanation == f"It waits for a person: {error} Then retry."
    assert sorted(parked)[:3] == [*[("parked", "attention", 0, 0)] * 2, ("parked", "attention", 1, 0)]
    assert asked == swept == 2
    assert speaking.status() == ("completed", None, None)
    assert {job: speaking.accepted()[job] for job in good} == good


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        pytest.param(WRONG_KEY, "auth", "check OPENAI_API_KEY", id="401"),
        pytest.param(Answer(403), "auth", "check OPENAI_API_KEY", id="403"),
        pytest.param(NO_MODEL, "sunset", "Model 'voicebox' is not served", id="404 model"),
    ],
)
def test_what_no_line_can_survive_fails_at_once_and_parks_the_siblings(provider, speaking, answer, code, words):
    provider.will(*[answer] * 20)
    speaking.work()
    status = speaking.status()
    jobs = sorted(speaking.jobs("speak_line"))
    asked = len(provider.requests)

    provider.mend()
    speaking.retry()
    speaking.work(until="master_episode")

    assert status[:2] == ("failed", code)
    assert_one_sentence(status[2], "speak_line")
    assert words in status[2]
    assert (jobs, asked) == ([("failed", None, 1, 0), *[("parked", "attention", 0, 0)] * 3], 1)
    assert len(speaking.accepted()) == 4


# --- text -----------------------------------------------------------------------------------------------------------


def written(content):
    return Answer(body=replies.chat_completion(content))


def good_outline(writing):
    section = {"title": "The lamp", "points": ["It was lit."], "source_ids": [str(writing.show.source)], "share": 1.0}
    return written(json.dumps({"title": "A Lamp", "summary": "How it was lit.", "sections": [section]}))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(written("I would rather not use JSON."), "did not answer with JSON", id="prose"),
        pytest.param(written('{"title": "A Lamp", "sections": ['), "JSON", id="half a JSON object"),
        pytest.param(written('{"title": "A Lamp"}'), "does not fit", id="JSON without sections"),
        pytest.param(Answer(body=b"<html>502</html>"), "is not a chat completion", id="a web page"),
        pytest.param(None, "names a source that does not exist", id="an invented source"),
    ],
)
def test_a_writer_whose_reply_is_of_no_use_fails_in_a_sentence_and_leaves_no_trace(provider, writing, answer, words):
    for _ in range(5):
        if answer is not None:
            provider.will(answer)
        writing.work(until="write_script")
        writing.pass_time()
    status = writing.status()
    rows = writing.rows("select title, outline, generation_status::text from public.episodes")

    provider.mend()
    provider.will(good_outline(writing))
    writing.retry()
    writing.work(until="write_script")

    assert status[:2] == ("failed", "bad_output")
    assert_one_sentence(status[2], "write_outline")
    assert words in status[2]
    assert rows == [("", None, "failed")]
    assert writing.rows("select title from public.episodes") == [("A Lamp",)]


def test_what_a_useless_reply_cost_is_counted(provider, writing):
    provider.will(written("No."))

    writing.work(until="write_script")

    assert writing.rows("select sum(input_tokens), sum(output_tokens) from public.usage_events") == [(190, 100)]


def test_a_writer_that_declines_is_asked_once_more_and_more_carefully(provider, writing):
    provider.will(Answer(body=replies.chat_completion(None, refusal="I cannot help with that.")), good_outline(writing))

    writing.work(until="write_script")

    first, second = (request.body["messages"][0]["content"] for request in provider.requests)
    assert first != second
    assert writing.jobs("write_outline") == [("succeeded", None, 2, 0)]


def test_a_writer_that_declines_twice_fails_in_a_sentence(provider, writing):
    refusal = Answer(body=replies.chat_completion(None, refusal="I cannot help with that."))
    provider.will(refusal, refusal)

    writing.work()

    status, code, error = writing.status()
    assert (status, code, len(provider.requests)) == ("failed", "content_refused", 2)
    assert_one_sentence(error, "write_outline")
