"""What members may ask of productions, and what everybody else gets told."""

import uuid

import psycopg
import pytest

from tests.rigs.refusals import NOT_NOW, refused_with
from tests.rigs.shows import make_show

TEXT = "A lighthouse is a promise made of light. " * 20


@pytest.fixture
def show(owner, sign_up):
    return make_show(owner, sign_up("ada"), TEXT)


def request(connection, show, key="first"):
    row = connection.execute("select public.request_production('episode', %s, %s)", [show.episode, key]).fetchone()
    return row[0]


def test_an_editor_requests_a_production_and_the_episode_shows_it(owner, as_user, show):
    production = request(as_user(show.user), show)

    episode = owner.execute(
        "select generation_job_id, generation_status::text, generation_attempts from public.episodes"
    ).fetchone()
    assert episode == (production, "pending", 1)
    event = owner.execute("select event_type, user_id from public.user_events").fetchone()
    assert event == ("production_requested", show.user)


def test_a_request_waits_in_the_queue_for_the_next_sweep(owner, as_user, show):
    request(as_user(show.user), show)

    jobs = owner.execute("select stage, status::text, due_at <= clock_timestamp() from public.jobs").fetchall()
    assert jobs == [("ingest_sources", "queued", True)]


def test_the_same_key_gives_the_same_production(owner, as_user, show):
    connection = as_user(show.user)

    first, second = request(connection, show), request(connection, show)

    assert first == second
    assert owner.execute("select count(*) from public.user_events").fetchone() == (1,)


def test_a_second_production_of_the_same_episode_is_refused_while_one_is_open(as_user, show):
    connection = as_user(show.user)
    request(connection, show)

    with pytest.raises(psycopg.errors.UniqueViolation, match=r"subject: .* is already being made"):
        request(connection, show, key="second")


def test_a_viewer_may_look_but_not_request(as_user, sign_up, add_member, show):
    viewer = sign_up("vera")
    add_member(show.organization, viewer, "viewer")

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="needs the role editor"):
        request(as_user(viewer), show)


def test_a_stranger_is_told_that_the_episode_does_not_exist(as_user, sign_up, show):
    stranger = as_user(sign_up("sam"))

    with pytest.raises(psycopg.Error, match=f"subject_id: {show.episode} does not exist") as refused:
        request(stranger, show)
    with pytest.raises(psycopg.Error) as missing:
        stranger.execute("select public.request_production('episode', %s, 'k')", [uuid.UUID(int=1)])
    assert refused.value.sqlstate == missing.value.sqlstate == "PT404"


@pytest.mark.parametrize(
    "call",
    ["cancel_production(%s)", "retry_production(%s)", "approve_production(%s)", "rebuild_production(%s)",
     "preview_rebuild(%s)", "explain_production(%s)"],
)  # fmt: skip
def test_a_stranger_learns_nothing_about_a_production(as_user, sign_up, show, call):
    production = request(as_user(show.user), show)

    with pytest.raises(psycopg.Error, match=f"production: {production} does not exist"):
        as_user(sign_up("sam")).execute(f"select public.{call}".encode(), [production])


def test_anonymous_callers_may_call_nothing(as_anon, show):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        request(as_anon, show)


def test_an_unknown_kind_names_the_allowed_ones(as_user, show):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="kind: opera") as refused:
        as_user(show.user).execute("select public.request_production('opera', %s, 'k')", [show.episode])

    assert refused.value.diag.message_hint == "Allowed: ambience, episode, highlight_clip"


@pytest.mark.parametrize("key", [None, "", "k" * 201])
def test_an_idempotency_key_has_1_to_200_characters(as_user, show, key):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="idempotency_key"):
        request(as_user(show.user), show, key)


def test_a_show_without_sources_cannot_be_requested(owner, as_user, show):
    owner.execute("update public.sources set is_active = false")

    with pytest.raises(psycopg.errors.InvalidParameterValue, match="sources: the show has no active source"):
        request(as_user(show.user), show)


def test_the_months_minutes_are_a_limit(owner, as_user, show):
    owner.execute("update public.tier_limits set processing_minutes_monthly = 2 where tier = 'pro'")
    owner.execute("update public.episodes set target_minutes = 3")

    with pytest.raises(psycopg.Error, match=r"target_minutes: 3.00 asked, 2.0 of 2 minutes are left") as refused:
        request(as_user(show.user), show)
    assert refused.value.sqlstate == "PT429"


def test_cancelling_shows_on_the_episode(owner, as_user, show):
    connection = as_user(show.user)
    production = request(connection, show)

    cancelled = connection.execute("select public.cancel_production(%s)", [production]).fetchone()
    again = connection.execute("select public.cancel_production(%s)", [production]).fetchone()

    assert (cancelled, again) == ((True,), (False,))
    row = owner.execute("select generation_status::text, generation_error from public.episodes").fetchone()
    assert row == ("failed", "Cancelled.")


def test_explain_says_in_a_sentence_why_nothing_runs(as_user, show):
    connection = as_user(show.user)
    production = request(connection, show)

    sentence = connection.execute("select public.explain_production(%s)", [production]).fetchone()[0]

    assert sentence == "ingest_sources: 0 of 1 done. It is in the queue and is sent again now if nobody picks it up."


def test_members_cannot_write_what_the_engine_writes(as_user, show):
    connection = as_user(show.user)
    production = request(connection, show)

    for statement in (
        "update public.productions set status = 'completed' where id = %s",
        "update public.jobs set status = 'succeeded' where production_id = %s",
        "delete from public.production_stages where production_id = %s",
        "update public.episodes set generation_status = 'completed' where generation_job_id = %s",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode(), [production])


def test_an_editor_approves_what_waits_and_it_is_noted_once(owner, as_user, sign_up, add_member, show):
    viewer = sign_up("vera")
    add_member(show.organization, viewer, "viewer")
    owner.execute("update engine.pipelines set gate = true where kind = 'episode' and stage = 'ingest_sources'")
    production = request(as_user(show.user), show)
    approve = "select public.approve_production(%s)"

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="this needs the role editor or above"):
        as_user(viewer).execute(approve, [production])
    approved = as_user(show.user).execute(approve, [production]).fetchone()
    with refused_with(NOT_NOW, "production: it does not wait for an approval"):
        as_user(show.user).execute(approve, [production])

    assert approved == (True,)
    assert owner.execute("select stage, status::text from public.jobs").fetchall() == [("ingest_sources", "queued")]
    noted = owner.execute("select user_id from public.user_events where event_type = 'production_approved'").fetchall()
    assert noted == [(show.user,)]
