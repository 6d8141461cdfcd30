"""Asking about an episode: who may, how often, what it costs; and who may write the answer."""

import json

import psycopg
import pytest

from answer_question import WRITE_ANSWER
from showrunner.database import Statement
from tests.provider_replies import chat_chunks
from tests.provider_server import Answer, ProviderServer
from tests.rigs.finished_episode import Listener, finish_episode
from tests.rigs.line import function
from tests.rigs.refusals import LIMIT_REACHED, NOT_FOUND, NOT_NOW, refused_with
from tests.rigs.shows import make_show
from tests.texts import ARTICLE


@pytest.fixture
def show(owner, sign_up):
    made = make_show(owner, sign_up(), ARTICLE)
    finish_episode(owner, made, ARTICLE)
    return made


@pytest.fixture
def listener(connect, show):
    return Listener(connect(), show.user, show)


@pytest.fixture
def online(owner, show):
    """The show's answers are written by a model at a local server."""
    owner.execute("update public.projects set writer = 'openai/a-model' where id = %s", [show.project])
    with ProviderServer() as server:
        yield server


@pytest.fixture
def online_line(make_line, online):
    return make_line(openai_base_url=f"{online.url}/v1", openai_api_key="sk-test")


def work(line):
    function("sweep_jobs").sweep(line.services)
    line.run()


def production_of(owner, answer):
    return owner.execute(
        "select id, status::text, error from public.productions where subject_id = %s", [answer]
    ).fetchone()


def test_a_question_is_answered_in_its_conversation(listener, line, owner, show):
    answer = listener.ask("What is a spring tide?")
    before = listener.answer(answer)
    work(line)

    status, content, citations, error = listener.answer(answer)
    assert before == ("queued", "", [], None)
    assert (status, error) == ("completed", None)
    assert "spring tide" in content
    for number, citation in enumerate(citations, start=1):
        text, start, end = owner.execute(
            "select text, start_seconds::float8, end_seconds::float8 from public.spoken_lines "
            "where block_id = %s and episode_id = %s",
            [citation["block_id"], show.episode],
        ).fetchone()
        assert citation["quote"] in text
        assert (citation["start_seconds"], citation["end_seconds"]) == (start, end)
        assert f"[{number}]" in content
    said = listener.connection.execute("select role::text from public.chat_messages order by created_at").fetchall()
    assert said == [("user",), ("assistant",)]


def test_an_answer_costs_few_round_trips(listener, line):
    listener.ask()
    work(line)

    # Two of the sweep, claim, the lines, at most two steps, finish.
    assert line.database.round_trips <= 7


def test_nothing_of_a_conversation_is_seen_by_other_members(listener, line, as_user, sign_up, add_member, show):
    colleague = sign_up("ben")
    add_member(show.organization, colleague, "admin")
    listener.ask("Is the harbourmaster's secret told?")
    work(line)

    admin = as_user(colleague)
    seen = [
        json.dumps(admin.execute(query).fetchall(), default=str)
        for query in (
            "select * from public.chat_messages",
            "select * from public.productions",
            "select output, error, key from public.jobs",
            "select * from public.user_events",
        )
    ]
    assert seen[0] == "[]"
    assert "answer" in seen[1]
    assert not any("harbourmaster" in rows for rows in seen)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        admin.execute("select input from public.jobs")


def test_a_viewer_may_ask_and_stop_the_answer(connect, sign_up, add_member, show, line, owner):
    viewer = sign_up("vera")
    add_member(show.organization, viewer, "viewer")
    listener = Listener(connect(), viewer, show)
    answer = listener.ask()

    stopped = listener.connection.execute("select public.cancel_answer(%s)", [answer]).fetchone()
    work(line)

    assert stopped == (True,)
    assert listener.answer(answer) == ("cancelled", "", [], "Cancelled.")
    again = listener.connection.execute("select public.cancel_answer(%s)", [answer]).fetchone()
    noted = owner.execute(
        "select event_type from public.user_events where user_id = %s order by created_at", [viewer]
    ).fetchall()
    assert (again, noted) == ((False,), [("question_asked",), ("answer_cancelled",)])


@pytest.mark.parametrize("call", ["public.ask_question(%s, 'Why?', 'k')", "public.cancel_answer(%s)"])
def test_anothers_conversation_does_not_exist(listener, as_user, sign_up, add_member, show, call):
    colleague, stranger = sign_up("ben"), sign_up("eve")
    add_member(show.organization, colleague, "owner")
    theirs = listener.ask() if "cancel" in call else listener.session

    for person in (colleague, stranger):
        with refused_with(NOT_FOUND, match="does not exist"):
            as_user(person).execute(f"select {call}".encode(), [theirs])


def test_a_removed_member_may_ask_no_more(connect, sign_up, add_member, show, owner):
    viewer = sign_up("vera")
    add_member(show.organization, viewer, "viewer")
    listener = Listener(connect(), viewer, show)
    owner.execute(
        "delete from public.organization_members where organization_id = %s and user_id = %s",
        [show.organization, viewer],
    )

    with refused_with(NOT_FOUND):
        listener.ask()


def test_without_signing_in_nothing_can_be_asked(as_anon, listener):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_anon.execute("select public.ask_question(%s, 'Why?', 'k')", [listener.session])


@pytest.mark.parametrize(
    ("question", "key", "error", "field"),
    [
        ("", "k", psycopg.errors.InvalidParameterValue, "question"),
        (" \n ", "k", psycopg.errors.InvalidParameterValue, "question"),
        ("x" * 2001, "k", psycopg.errors.InvalidParameterValue, "question"),
        (None, "k", psycopg.errors.InvalidParameterValue, "question"),
        ("Why?", "", psycopg.errors.InvalidParameterValue, "idempotency_key"),
        ("Why?", None, psycopg.errors.InvalidParameterValue, "idempotency_key"),
    ],
)
def test_a_wrong_question_names_its_field_and_leaves_nothing(listener, owner, question, key, error, field):
    with pytest.raises(error, match=f"^{field}: "):
        listener.ask(question, key)

    assert owner.execute("select count(*) from public.chat_messages").fetchone() == (0,)


def test_repeating_a_question_gives_the_same_answer(listener, line, owner):
    first = listener.ask("Why?", "once")
    again = listener.ask("Why?", "once")
    work(line)

    assert first == again == listener.ask("Why?", "once")
    assert owner.execute("select count(*) from public.chat_messages").fetchone() == (2,)
    with pytest.raises(psycopg.errors.UniqueViolation, match="idempotency_key"):
        listener.ask("Why not?", "once")


def test_one_question_at_a_time(listener, line):
    listener.ask("Why?", "1")
    with refused_with(NOT_NOW, match="still being answered"):
        listener.ask("And why?", "2")

    work(line)

    assert listener.ask("And why?", "2")


def test_an_episode_that_is_not_made_has_nothing_to_ask_about(listener, owner, show):
    owner.execute("delete from public.spoken_lines")

    with refused_with(NOT_NOW, match="nothing to ask about"):
        listener.ask()


def test_a_deleted_episode_is_not_talked_about(listener, owner, show):
    owner.execute("update public.projects set deleted_at = now() where id = %s", [show.project])

    with refused_with(NOT_FOUND, match="deleted"):
        listener.ask()


def test_the_days_questions_come_to_an_end(listener, line, owner):
    owner.execute("update public.tier_limits set questions_daily = 2")
    for number in range(2):
        listener.ask("Why?", str(number))
        work(line)

    with refused_with(LIMIT_REACHED, match="all 2 questions"):
        listener.ask("Why?", "3")

    assert listener.ask("Why?", "1")
    owner.execute("update public.productions set created_at = now() - interval '1 day 1 minute'")
    assert listener.ask("Why?", "3")


def test_what_was_said_before_goes_with_the_question_but_not_without_end(listener, line, owner):
    for number in range(9):
        listener.ask(f"What is tide number {number}?", str(number))
        work(line)

    answer = listener.ask("And then?", "last")

    [[given]] = owner.execute(
        "select input from public.jobs join public.productions on productions.id = production_id "
        "where subject_id = %s", [answer]
    ).fetchall()  # fmt: skip
    assert [remark["role"] for remark in given["earlier"]] == ["user", "assistant"] * 6
    assert given["earlier"][-2]["text"] == "What is tide number 8?"


def test_a_model_writes_into_the_row_step_by_step_and_its_usage_is_counted(
    listener, online, online_line, owner, monkeypatch
):
    online.will(Answer(body=chat_chunks(*(f"word{number:03d} " for number in range(120)), "[L1].")))
    owner.execute("create table public.seen (content text)")
    owner.execute(
        "create function public.look() returns trigger language plpgsql security definer as "
        "'begin insert into public.seen values (new.content); return null; end'"
    )
    owner.execute(
        "create trigger look after update of content on public.chat_messages "
        "for each row execute function public.look()"
    )

    answer = listener.ask()
    work(online_line)

    seen = [content for (content,) in owner.execute("select content from public.seen").fetchall()]
    status, content, citations, _ = listener.answer(answer)
    assert status == "completed"
    assert len(citations) == 1
    assert 3 <= len(seen) <= 12
    assert seen[-1] == content
    assert all(content.startswith(step.rstrip()) for step in seen)
    assert owner.execute(
        "select provider, model, input_tokens, output_tokens, measured from public.usage_events"
    ).fetchall() == [("openai", "a-model", 190, 100, True)]


def test_a_stream_that_is_cut_is_tried_again_and_begins_anew(listener, online, online_line, owner):
    many = [f"word{number:03d} " for number in range(100)]
    online.will(Answer(body=chat_chunks(*many), fault="truncate"), Answer(body=chat_chunks("It opened in 1822 [L1].")))

    answer = listener.ask()
    function("sweep_jobs").sweep(online_line.services)
    online_line.handle(online_line.dispatcher.ready.popleft())
    half = listener.answer(answer)
    owner.execute("update public.jobs set not_before = null, due_at = now() where status = 'queued'")
    work(online_line)

    assert (half[0], half[1][:7], half[3]) == ("running", "word000", None)
    assert listener.answer(answer)[:2] == ("completed", "It opened in 1822 [1].")
    counted = owner.execute("select measured, input_tokens > 0 from public.usage_events order by attempt").fetchall()
    assert counted == [(False, True), (True, True)]


def test_a_question_that_fails_says_why_on_its_row_and_can_be_retried(listener, online, online_line, owner):
    online.will(Answer(401, b""))
    answer = listener.ask()
    work(online_line)
    failed = listener.answer(answer)

    production = production_of(owner, answer)[0]
    listener.connection.execute("select public.retry_production(%s)", [production])
    work(online_line)

    assert failed[0] == "failed"
    assert "OPENAI_API_KEY" in failed[3]
    assert listener.answer(answer)[0] == "completed"


def test_a_spent_day_parks_the_question_and_says_so(listener, online, online_line, owner, show):
    owner.execute(
        "insert into public.provider_prices (provider, model, unit, gbp, checked_on, source) "
        "values ('openai', 'a-model', 'output_token', 0.01, current_date, 'a test')"
    )
    owner.execute("update engine.organization_limits set daily_budget_gbp = 0.5 where organization_id = %s",
                  [show.organization])  # fmt: skip

    answer = listener.ask()
    work(online_line)

    production = production_of(owner, answer)[0]
    sentence = owner.execute("select engine.explain_production(%s)", [production]).fetchone()[0]
    assert online.requests == []
    assert "budget" in sentence


def test_a_zombie_cannot_write_into_the_row(listener, line, owner):
    """A worker that was paused past its lease goes on with its stream after another one has begun."""
    answer = listener.ask()
    job, engine = owner.execute("select id from public.jobs").fetchone()[0], line.services.engine
    step = lambda words: [  # noqa: E731
        Statement(WRITE_ANSWER, {"content": words, "citations": psycopg.types.json.Jsonb([]), "answer": answer})
    ]
    paused = engine.claim(job, "paused", 30)
    owner.execute("update public.jobs set lease_until = now() - interval '1 second' where id = %s", [job])
    function("sweep_jobs").sweep(line.services)
    owner.execute("update public.jobs set not_before = null where id = %s", [job])
    other = engine.claim(job, "other", 30)

    by_other = engine.write(job, other.attempt, step("The new words"))
    by_paused = engine.write(job, paused.attempt, step("The old words"))

    assert (paused.outcome, other.outcome) == ("granted", "granted")
    assert (by_other, by_paused) == (True, False)
    assert listener.answer(answer)[1] == "The new words"


def test_a_cancelled_answer_takes_no_further_step(listener, line, owner):
    answer = listener.ask()
    job, engine = owner.execute("select id from public.jobs").fetchone()[0], line.services.engine
    claim = engine.claim(job, "worker", 30)
    listener.connection.execute("select public.cancel_answer(%s)", [answer])

    words = {"content": "Too late", "citations": psycopg.types.json.Jsonb([]), "answer": answer}
    written = engine.write(job, claim.attempt, [Statement(WRITE_ANSWER, words)])

    assert not written
    assert listener.answer(answer) == ("cancelled", "", [], "Cancelled.")


def test_an_answer_is_kept_from_people_and_whole_when_it_is_completed(listener, line, owner):
    answer = listener.ask()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        listener.connection.execute("update public.chat_messages set content = 'Mine' where id = %s", [answer])
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("update public.chat_messages set status = 'completed' where id = %s", [answer])
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(
            "insert into public.chat_messages (organization_id, session_id, content) "
            "select organization_id, session_id, ' ' from public.chat_messages limit 1"
        )


def test_a_deleted_conversation_takes_its_productions_along(listener, line, owner):
    listener.ask()
    work(line)

    owner.execute("delete from public.chat_sessions")

    assert owner.execute("select count(*) from public.productions where kind = 'answer'").fetchone() == (0,)


def test_each_step_is_broadcast_to_the_conversation(listener, line, owner):
    owner.execute("create schema realtime")
    owner.execute("create table public.sent (payload jsonb, event text, topic text, private boolean)")
    owner.execute(
        "create function realtime.send(payload jsonb, event text, topic text, private boolean) returns void "
        "language sql as 'insert into public.sent values (payload, event, topic, private)'"
    )

    listener.ask()
    work(line)

    of_answer = owner.execute(
        "select event, topic, private, payload ->> 'status' from public.sent where event = 'answer_changed'"
    ).fetchall()
    assert {row[:3] for row in of_answer} == {("answer_changed", f"conversation:{listener.session}", True)}
    statuses = [status for *_, status in of_answer]
    assert (statuses[0], statuses[-1]) == ("queued", "completed")
