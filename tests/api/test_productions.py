"""Productions over HTTP: as the caller, sent at once, and nothing of another organization."""

from __future__ import annotations

import uuid

import pytest


def ask(api, show, key="k", user=None):
    body = {"kind": "episode", "subject_id": str(show.episode), "idempotency_key": key}
    return api.call("POST", "/productions", user or show.user, body)


def jobs(owner, production):
    return owner.execute(
        "select id::text, dispatches, due_at > clock_timestamp() from public.jobs where production_id = %s",
        [production],
    ).fetchall()


def swept_productions(api, owner):
    sent = [job.id for job in api.services.engine.sweep(100)]
    rows = owner.execute("select production_id::text from public.jobs where id = any (%s)", [sent]).fetchall()
    return {production for (production,) in rows}


def finish(owner, production, status="failed"):
    owner.execute(
        "update public.productions set status = %s, error = 'x', finished_at = now() where id = %s",
        [status, production],
    )


def test_a_request_is_accepted_and_its_first_jobs_are_sent_at_once(api, owner, show):
    answer = ask(api, show)

    production = answer.json["id"]
    assert answer.status == 202
    assert answer.headers["location"] == f"/productions/{production}"
    assert (answer.json["status"], answer.json["subject_id"]) == ("queued", str(show.episode))
    [(job, dispatches, later)] = jobs(owner, production)
    assert [str(sent.id) for sent in api.services.queue.ready] == [job]
    assert (dispatches, later) == (1, True)


def test_what_was_sent_is_not_sent_again_by_the_next_sweep(api, owner, show):
    production = ask(api, show).json["id"]

    assert production not in swept_productions(api, owner)


def test_a_request_that_cannot_be_sent_is_accepted_and_left_to_the_sweeper(api, owner, show, monkeypatch):
    def broken(jobs):
        raise OSError("no route to SQS")

    monkeypatch.setattr(api.services.queue, "send", broken)

    answer = ask(api, show)

    assert answer.status == 202
    owner.execute("update public.jobs set due_at = now() where production_id = %s", [answer.json["id"]])
    assert answer.json["id"] in swept_productions(api, owner)


def test_the_same_key_gives_the_same_production_and_sends_nothing_twice(api, show):
    first, second = ask(api, show), ask(api, show)

    assert (second.status, second.json["id"]) == (202, first.json["id"])
    assert len(api.services.queue.ready) == 1


def test_a_second_request_while_it_runs_is_a_conflict_that_says_what_to_do(api, show):
    ask(api, show)

    answer = ask(api, show, "another")

    assert answer.status == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json["code"], answer.json["hint"]) == ("23505", "Wait for it, or cancel it first.")
    assert answer.json["errors"][0]["field"] == "subject"


def test_a_quota_that_is_used_up_is_told_with_its_field(api, owner, show):
    owner.execute("update public.organizations set tier = 'free' where id = %s", [show.organization])
    owner.execute("update public.episodes set target_minutes = 120.0 where id = %s", [show.episode])
    owner.execute("update public.tier_limits set processing_minutes_monthly = 119 where tier = 'free'")

    answer = ask(api, show)

    assert (answer.status, answer.json["code"]) == (429, "PT429")
    assert answer.json["errors"][0]["field"] == "target_minutes"
    assert answer.json["hint"]


def test_a_viewer_may_not_ask(api, show, sign_up, add_member, owner):
    viewer = sign_up("viewer")
    add_member(show.organization, viewer, "viewer")

    answer = ask(api, show, user=viewer)

    assert (answer.status, answer.json["code"]) == (403, "42501")
    query = "select count(*) from public.productions where subject_id = %s"
    assert owner.execute(query, [show.episode]).fetchone() == (0,)


def test_another_organizations_episode_is_answered_like_one_that_does_not_exist(api, show, stranger):
    theirs = ask(api, show, user=stranger.user)
    body = {"kind": "episode", "subject_id": str(uuid.uuid4()), "idempotency_key": "k"}
    nothing = api.call("POST", "/productions", stranger.user, body)

    assert (theirs.status, nothing.status) == (404, 404)
    assert theirs.json["detail"].replace(str(show.episode), "") == nothing.json["detail"].replace(
        body["subject_id"], ""
    )


ACTIONS = ["retry", "rebuild", "approve", "cancel"]
READS = ["", "/preview", "/explanation"]


@pytest.mark.parametrize("action", ACTIONS)
def test_another_organizations_production_cannot_be_acted_upon(api, owner, show, stranger, action):
    production = ask(api, show).json["id"]
    standing = "select status, build from public.productions where id = %s"
    before = owner.execute(standing, [production]).fetchall()
    sent = len(api.services.queue.ready)

    answer = api.call("POST", f"/productions/{production}/{action}", stranger.user, {} if action == "rebuild" else None)

    assert answer.status == 404
    assert owner.execute(standing, [production]).fetchall() == before
    assert len(api.services.queue.ready) == sent


@pytest.mark.parametrize("what", READS)
def test_another_organizations_production_cannot_be_read(api, show, stranger, what):
    production = ask(api, show).json["id"]

    assert api.call("GET", f"/productions/{production}{what}", stranger.user).status == 404
    assert api.call("GET", f"/productions/{production}{what}", show.user).status == 200


@pytest.mark.parametrize("path", ["/productions", "/assets"])
def test_lists_hold_nothing_of_another_organization(api, show, stranger, path):
    ask(api, show)

    rows = api.call("GET", f"{path}?organization_id={show.organization}", stranger.user).json

    assert rows[path[1:]] == []


def test_a_retry_is_sent_at_once(api, owner, show):
    production = ask(api, show).json["id"]
    owner.execute("update public.jobs set status = 'cancelled' where production_id = %s", [production])
    finish(owner, production)
    api.services.queue.ready.clear()

    answer = api.call("POST", f"/productions/{production}/retry", show.user)

    assert (answer.status, answer.json["build"], answer.json["status"]) == (202, 2, "queued")
    assert len(api.services.queue.ready) == 1


def test_a_rebuild_while_it_runs_is_a_conflict(api, show):
    production = ask(api, show).json["id"]

    answer = api.call("POST", f"/productions/{production}/rebuild", show.user, {})

    assert (answer.status, answer.json["code"]) == (409, "55006")


def test_a_rebuild_names_the_stages_there_are(api, owner, show):
    production = ask(api, show).json["id"]
    finish(owner, production)

    answer = api.call("POST", f"/productions/{production}/rebuild", show.user, {"from_stage": "nonsense"})

    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "from_stage"
    assert "write_script" in answer.json["detail"]


def test_what_waits_for_no_approval_cannot_be_approved(api, show):
    production = ask(api, show).json["id"]

    assert api.call("POST", f"/productions/{production}/approve", show.user).status == 409


def test_cancelling_stops_it(api, show):
    production = ask(api, show).json["id"]

    answer = api.call("POST", f"/productions/{production}/cancel", show.user)

    assert (answer.status, answer.json["status"]) == (202, "cancelled")


def test_one_production_comes_with_its_stages_in_order(api, show):
    production = ask(api, show).json["id"]

    stages = api.call("GET", f"/productions/{production}", show.user).json["stages"]

    assert [stage["stage"] for stage in stages][:3] == ["ingest_sources", "write_outline", "write_script"]
    assert (stages[0]["status"], stages[0]["total"], stages[0]["remaining"]) == ("running", 1, 1)


def test_a_preview_lists_what_would_run_and_an_explanation_is_a_sentence(api, show):
    production = ask(api, show).json["id"]

    preview = api.call("GET", f"/productions/{production}/preview?from_stage=ingest_sources", show.user).json
    explanation = api.call("GET", f"/productions/{production}/explanation", show.user).json

    assert preview["jobs"][0]["stage"] == "ingest_sources"
    assert preview["estimate_gbp"] >= 0
    assert "ingest_sources" in explanation["explanation"]


def test_a_request_and_its_dispatch_are_one_round_trip(api, show):
    api.call("GET", "/health/db")
    before = api.services.database.round_trips

    ask(api, show)

    assert api.services.database.round_trips == before + 1


def test_a_script_comes_line_by_line_in_pages(api, owner, show, stranger):
    for position in range(5):
        owner.execute(
            "insert into public.blocks (organization_id, episode_id, position, speaker, markdown)"
            " values (%s, %s, %s, 'Ada', %s)",
            [show.organization, show.episode, position, f"Line {position}"],
        )

    first = api.call("GET", f"/episodes/{show.episode}/script?limit=3", show.user).json
    second = api.call("GET", f"/episodes/{show.episode}/script?limit=3&after={first['next']}", show.user).json

    assert [block["markdown"] for block in first["blocks"]] == ["Line 0", "Line 1", "Line 2"]
    assert [block["position"] for block in second["blocks"]] == [3, 4]
    assert second["next"] is None
    assert api.call("GET", f"/episodes/{show.episode}/script", stranger.user).status == 404
