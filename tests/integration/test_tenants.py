"""Two organizations beside each other: ids, keys, files and messages of one give the other nothing."""

from __future__ import annotations

import psycopg
import pytest

from showrunner.messages import JobToSend
from tests.rigs.line import function
from tests.rigs.shows import make_show
from tests.texts import ARTICLE

BULLETIN = {"format": "bulletin", "speakers": [{"name": "Ada", "voice": "espeak/ada"}]}


@pytest.fixture
def ada(owner, sign_up):
    return make_show(owner, sign_up("ada"), ARTICLE, 1, **BULLETIN)


@pytest.fixture
def eve(owner, sign_up):
    return make_show(owner, sign_up("eve"), ARTICLE, 1, **BULLETIN)


def request(connection, show, key="first"):
    row = connection.execute("select public.request_production('episode', %s, %s)", [show.episode, key]).fetchone()
    return row[0]


def sweep_and_run(line, until=()):
    function("sweep_jobs").sweep(line.services)
    while line.dispatcher.ready and line.dispatcher.ready[0].stage not in until:
        line.handle(line.dispatcher.ready.popleft())


def rows(owner, query, *values):
    return owner.execute(query.encode(), values).fetchall()


@pytest.mark.parametrize(
    "key",
    [
        "organizations/{eve}/uploads/plan.pdf",
        "organizations/{ada}/../{eve}/uploads/plan.pdf",
        "organizations/{ada}/./../{eve}/uploads/plan.pdf",
        "work/{eve}/uploads/plan.pdf",
        "organizations/{ada}/",
        "organizations/{ada}",
    ],
)
def test_a_source_cannot_name_a_file_of_another_organization(as_user, ada, eve, key):
    key = key.format(ada=ada.organization, eve=eve.organization)

    with pytest.raises(psycopg.errors.CheckViolation, match="upload_key_is_the_organizations_own"):
        as_user(ada.user).execute(
            "insert into public.sources (organization_id, project_id, kind, upload_key) values (%s, %s, 'pdf', %s)",
            [ada.organization, ada.project, key],
        )


def test_a_job_that_names_another_organizations_file_is_refused_before_the_file_is_read(owner, line, as_user, ada, eve):
    stolen = f"organizations/{eve.organization}/uploads/plan.txt"
    line.services.media_store.put(stolen, b"Eve's secret plan. " * 40, "text/plain")
    production = request(as_user(ada.user), ada)
    owner.execute(
        "update public.jobs set input = input || jsonb_build_object('content', null, 'upload_key', %s::text)", [stolen]
    )

    sweep_and_run(line)

    assert rows(owner, "select status::text, error_code::text, error from public.productions") == [
        ("failed", "invalid_input", "ingest_sources: upload_key: is not a file of this organization.")
    ]
    assert rows(owner, "select count(*) from public.assets where production_id = %s", production) == [(0,)]


def test_the_same_idempotency_key_of_two_organizations_means_two_productions(owner, as_user, ada, eve):
    first, second = (request(as_user(show.user), show, "the same") for show in (ada, eve))

    assert first != second
    owners = "select organization_id, requested_by from public.productions where id = %s"
    assert rows(owner, owners, first) == [(ada.organization, ada.user)]
    assert rows(owner, owners, second) == [(eve.organization, eve.user)]


def test_the_same_words_of_two_organizations_are_two_files_each_its_own(owner, line, as_user, ada, eve):
    for show in (ada, eve):
        request(as_user(show.user), show)
    sweep_and_run(line, until=("master_episode",))

    files = rows(owner, "select organization_id, key, production_id from public.assets")
    owners = dict(rows(owner, "select id, organization_id from public.productions"))
    assert {organization for organization, *_ in files} == {ada.organization, eve.organization}
    assert all(key.startswith(f"organizations/{organization}/") for organization, key, _ in files)
    assert all(owners[production] == organization for organization, _, production in files)


def test_a_message_sent_in_anothers_name_does_the_jobs_own_work_for_its_own_organization(
    owner, line, as_user, ada, eve
):
    request(as_user(ada.user), ada)
    [(job,)] = rows(owner, "select id from public.jobs")

    line.handle(JobToSend(id=job, stage="ingest_sources", organization_id=eve.organization))

    assert rows(owner, "select status::text, organization_id from public.jobs where id = %s", job) == [
        ("succeeded", ada.organization)
    ]
    assert {row[0] for row in rows(owner, "select organization_id from public.assets")} == {ada.organization}


def test_whoever_left_an_organization_can_ask_nothing_of_it_any_more(owner, as_user, sign_up, add_member, ada):
    ben = sign_up("ben")
    add_member(ada.organization, ben, "editor")
    production = request(as_user(ben), ada)
    owner.execute(
        "delete from public.organization_members where user_id = %s and organization_id = %s", [ben, ada.user]
    )

    for call in ("explain_production(%s)", "cancel_production(%s)", "retry_production(%s)"):
        with pytest.raises(psycopg.Error, match=f"production: {production} does not exist"):
            as_user(ben).execute(f"select public.{call}".encode(), [production])


@pytest.mark.parametrize(
    "call",
    [
        "engine.claim({job}, 'me', 60)",
        "engine.heartbeat({job}, 1, 60, 1)",
        "engine.complete({job}, 1, '{{}}', 'h')",
        "engine.fail({job}, 1, 'invalid_input', 'Mine now.')",
        "engine.defer({job}, 1, 60, '{{}}')",
        "engine.record_usage({job}, 1, '[]')",
        "engine.sweep(10)",
        "engine.submit('{organization}', 'episode', {job}, 'k', null)",
    ],
)
def test_members_cannot_drive_the_engine_past_the_front_door(owner, as_user, ada, call):
    request(as_user(ada.user), ada)
    [(job,)] = rows(owner, "select id from public.jobs")
    statement = call.format(job=f"'{job}'", organization=ada.organization)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_user(ada.user).execute(f"select {statement}".encode())

    assert rows(owner, "select status::text, attempt from public.jobs") == [("queued", 0)]


@pytest.mark.parametrize("subject", ["project", "source", "user"])
def test_only_an_episodes_id_can_be_requested(as_user, ada, subject):
    with pytest.raises(psycopg.Error, match=r"subject_id: .* does not exist"):
        as_user(ada.user).execute("select public.request_production('episode', %s, 'k')", [getattr(ada, subject)])
