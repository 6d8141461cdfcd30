"""What is left of a finished episode: proposed highlights, and what the show remembers when it plans the next."""

import psycopg
import pytest

from showrunner.conversation import LearnedMemory
from showrunner.database import Database
from tests.rigs.finished_episode import finish_episode
from tests.rigs.line import function
from tests.rigs.shows import add_episode, make_show
from tests.texts import ARTICLE


@pytest.fixture
def show(owner, sign_up):
    made = make_show(owner, sign_up(), ARTICLE)
    finish_episode(owner, made, ARTICLE)
    return made


@pytest.fixture
def complete(owner, show, line):
    """complete(): the episode's build ends well, and what that starts is worked off."""

    def work(build=1):
        if build == 1:
            owner.execute(
                "insert into public.productions (organization_id, kind, subject_id, status, started_at) "
                "values (%s, 'episode', %s, 'running', now())",
                [show.organization, show.episode],
            )
        else:
            owner.execute("update public.productions set status = 'running', finished_at = null, build = %s "
                          "where kind = 'episode'", [build])  # fmt: skip
        owner.execute("update public.productions set status = 'completed', finished_at = now() where kind = 'episode'")
        function("sweep_jobs").sweep(line.services)
        line.run()

    return work


def highlights(owner):
    return owner.execute(
        "select quote, start_seconds::float8, end_seconds::float8, block_id from public.highlights "
        "where user_id is null and deleted_at is null order by start_seconds"
    ).fetchall()


def memories(owner, kind="topic"):
    return [
        content
        for (content,) in owner.execute(
            "select content from public.agent_memories where kind = %s and deleted_at is null order by content", [kind]
        ).fetchall()
    ]


def test_a_finished_episode_is_reviewed_once(complete, owner):
    complete()
    complete(build=2)

    assert owner.execute("select status::text, error from public.episode_reviews").fetchall() == [("completed", None)]


def test_a_build_that_changed_what_is_heard_is_reviewed_again_and_nothing_is_doubled(complete, owner):
    complete()
    before = highlights(owner), memories(owner)
    owner.execute("update public.assets set sha256 = %s where kind = 'transcript'", ["b" * 64])

    complete(build=2)

    assert owner.execute("select count(*) from public.episode_reviews").fetchone() == (2,)
    assert (highlights(owner), memories(owner)) == before


def test_highlights_are_proposed_where_they_are_heard(complete, owner, show):
    complete()

    found = highlights(owner)
    assert found
    for quote, start, end, block in found:
        assert owner.execute(
            "select text, start_seconds::float8, end_seconds::float8 from public.spoken_lines where block_id = %s",
            [block],
        ).fetchall() == [(quote, start, end)]


def test_a_proposal_that_was_dismissed_is_not_made_again_and_one_that_was_noted_stays(complete, owner, as_user, show):
    complete()
    first, second = (
        row[0] for row in owner.execute("select id from public.highlights order by start_seconds limit 2").fetchall()
    )
    editor = as_user(show.user)
    editor.execute("update public.highlights set deleted_at = now() where id = %s", [first])
    editor.execute("update public.highlights set note = 'Good' where id = %s", [second])
    quotes = {quote for quote, *_ in highlights(owner)}
    owner.execute("update public.assets set sha256 = %s where kind = 'transcript'", ["b" * 64])

    complete(build=2)

    assert {quote for quote, *_ in highlights(owner)} == quotes
    kept = owner.execute("select note from public.highlights where id = %s", [second]).fetchall()
    assert kept == [("Good",)]


def test_viewers_and_strangers_change_no_proposal(complete, owner, as_user, sign_up, add_member, show):
    complete()
    viewer, stranger = sign_up("vera"), sign_up("eve")
    add_member(show.organization, viewer, "viewer")

    changed = [
        as_user(person).execute("update public.highlights set deleted_at = now()").rowcount
        for person in (viewer, stranger)
    ]

    assert changed == [0, 0]
    assert as_user(viewer).execute("select count(*) > 0 from public.highlights").fetchone() == (True,)
    assert as_user(stranger).execute("select count(*) from public.highlights").fetchone() == (0,)


def test_a_failed_review_leaves_the_episode_published(complete, owner, show):
    owner.execute("update public.projects set writer = 'offline/nobody' where id = %s", [show.project])

    complete()

    [(status, error)] = owner.execute("select status::text, error from public.episode_reviews").fetchall()
    assert status == "failed"
    assert "offline/nobody" in error
    assert owner.execute("select generation_status::text, generation_error from public.episodes").fetchall() == [
        ("completed", None)
    ]


def next_outline(owner, show, number=2):
    """The input that the next episode's outline gets."""
    episode = add_episode(owner, show.organization, show.project, number, 1)
    production = owner.execute(
        "insert into public.productions (organization_id, kind, subject_id) values (%s, 'episode', %s) returning id",
        [show.organization, episode],
    ).fetchone()[0]
    return owner.execute(
        "select input from engine.desired_write_outline where production_id = %s", [production]
    ).fetchone()[0]


def test_the_next_outline_is_told_what_was_learned_and_what_people_said(complete, owner, as_user, show):
    complete()
    as_user(show.user).execute(
        "insert into public.agent_memories (organization_id, project_id, kind, content) "
        "values (%s, %s, 'preference', 'Never mention prices'), (%s, %s, 'fact', 'Forget me')",
        [show.organization, show.project] * 2,
    )
    as_user(show.user).execute("update public.agent_memories set deleted_at = now() where content = 'Forget me'")

    told = next_outline(owner, show)["remembered"]

    assert [memory["content"] for memory in told if memory["kind"] == "topic"] == memories(owner) == ["All"]
    assert [memory["content"] for memory in told if memory["kind"] == "preference"] == ["Never mention prices"]
    assert sorted(memory["content"] for memory in told if memory["kind"] == "fact") == memories(owner, "fact")


def test_an_episodes_own_memories_are_no_news_to_it(complete, owner, show):
    complete()

    [given] = owner.execute(
        "select input -> 'remembered' from engine.desired_write_outline join public.productions "
        "on productions.id = production_id where subject_id = %s", [show.episode]
    ).fetchone()  # fmt: skip

    assert given == []


def test_of_many_memories_peoples_own_come_first_then_the_most_important(owner, show):
    owner.execute(
        "insert into public.agent_memories (organization_id, project_id, content, importance, learned) "
        "select %s, %s, 'learned ' || number, 1 + number %% 5, true from generate_series(1, 90) as number "
        "union all select %s, %s, 'told', 1, false",
        [show.organization, show.project] * 2,
    )

    told = {memory["content"] for memory in next_outline(owner, show)["remembered"]}

    assert len(told) == 60
    assert "told" in told
    assert {f"learned {number}" for number in range(1, 91) if 1 + number % 5 >= 4} <= told


def test_what_a_person_put_right_is_theirs_and_survives_the_next_review(complete, owner, as_user, show):
    complete()
    fact = memories(owner, "fact")[0]
    as_user(show.user).execute("update public.agent_memories set content = 'Put right' where content = %s", [fact])
    as_user(show.user).execute("update public.agent_memories set deleted_at = now() where kind = 'topic'")
    owner.execute("update public.assets set sha256 = %s where kind = 'transcript'", ["b" * 64])

    complete(build=2)

    assert "Put right" in memories(owner, "fact")
    assert memories(owner) == []


def test_only_the_newest_memories_of_a_show_are_kept(database_url, owner, show):
    remembering = function("remembering")
    worker = Database(database_url, "showrunner_worker")
    owner.execute(
        "insert into public.agent_memories (organization_id, project_id, content, learned, created_at) "
        "select %s, %s, 'old ' || number, number > 1, now() - number * interval '1 day' "
        "from generate_series(1, 100) as number",
        [show.organization, show.project],
    )
    ids = {"episode": show.episode, "organization": show.organization, "project": show.project}
    new = [LearnedMemory(kind="fact", content=f"New {number}", importance=3) for number in range(3)]

    worker.run(remembering.memory_statements(ids, new))
    worker.run(remembering.memory_statements(ids, new))
    worker.close()

    kept = {content for (content,) in owner.execute("select content from public.agent_memories").fetchall()}
    assert {"New 0", "New 1", "New 2", "old 1", "old 98"} <= kept
    assert kept.isdisjoint({"old 99", "old 100"})
    assert len(kept) == 101


def test_a_review_of_another_organizations_episode_writes_nothing(database_url, owner, show, sign_up):
    remembering = function("remembering")
    worker = Database(database_url, "showrunner_worker")
    ids = {"episode": show.episode, "organization": sign_up("eve"), "project": show.project}

    worker.run(remembering.memory_statements(ids, [LearnedMemory(kind="fact", content="Mine", importance=5)]))
    worker.close()

    assert owner.execute("select count(*) from public.agent_memories").fetchone() == (0,)


def test_members_see_reviews_and_write_none(complete, as_user, show, sign_up):
    complete()

    assert as_user(show.user).execute("select count(*) from public.episode_reviews").fetchone() == (1,)
    assert as_user(sign_up("eve")).execute("select count(*) from public.episode_reviews").fetchone() == (0,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_user(show.user).execute("delete from public.episode_reviews")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_user(show.user).execute("delete from public.spoken_lines")
