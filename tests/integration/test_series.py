"""Episode after episode: a feed gives each what is new, a cadence makes them by itself."""

from datetime import UTC, datetime

import pytest
from feedgen.feed import FeedGenerator

from tests.rigs.line import function
from tests.rigs.rows import insert
from tests.rigs.shows import add_episode, make_show
from tests.web_server import WebServer

TOPICS = ("lighthouse", "harbour", "tide gauge", "foghorn", "breakwater")
STORY = (
    "The {topic} was rebuilt this year after a long argument in the town council. "
    "Engineers say that the {topic} will stand for another century. "
    "Visitors may see the {topic} on the first Sunday of each month. "
    "The work on the {topic} cost less than the council had feared, "
    "and the builders finished the {topic} three weeks early. "
)


@pytest.fixture
def server():
    with WebServer() as server:
        yield server


def publish(server, count):
    """Serve a feed of the first `count` topics, the newest first."""
    feed = FeedGenerator()
    feed.title("Harbour news")
    feed.link(href=server.url("/"))
    feed.description("What happens at the harbour")
    for number, topic in enumerate(TOPICS[:count], start=1):
        entry = feed.add_entry()
        entry.id(f"story-{number}")
        entry.title(f"The {topic} is new")
        entry.link(href=server.url(f"/{number}"))
        entry.content(f"<p>{STORY.format(topic=topic) * 2}</p>", type="CDATA")
        entry.published(datetime(2026, 11, number, tzinfo=UTC))
    server.pages["/feed"] = ("application/rss+xml", feed.rss_str())


@pytest.fixture
def show(owner, sign_up, server):
    show = make_show(owner, sign_up("ada"), "A text that is replaced by the feed.")
    owner.execute("delete from public.sources")
    insert(owner, "sources", {
        "organization_id": show.organization, "project_id": show.project, "kind": "feed", "url": server.url("/feed"),
    })  # fmt: skip
    return show


def make(line, as_user, show, episode):
    as_user(show.user).execute("select public.request_production('episode', %s, %s)", [episode, str(episode)])
    function("sweep_jobs").sweep(line.services)
    line.run()


def used(owner):
    """guid → the number of the episode that used it"""
    return dict(owner.execute(
        "select guid, number from public.source_items join public.episodes on episodes.id = used_in_episode_id "
        "order by guid"
    ).fetchall())  # fmt: skip


def test_the_next_episode_is_made_of_what_is_new_in_the_feed(owner, make_line, as_user, server, show):
    line = make_line(ingest_allowed_hosts=server.place)
    publish(server, 3)
    make(line, as_user, show, show.episode)
    publish(server, 5)
    second = add_episode(owner, show.organization, show.project, 2, 1)
    make(line, as_user, show, second)

    assert owner.execute("select generation_status::text, generation_error from public.episodes").fetchall() == [
        ("completed", None),
        ("completed", None),
    ]
    assert used(owner) == {"story-1": 1, "story-2": 1, "story-3": 1, "story-4": 2, "story-5": 2}
    script = " ".join(
        row[0] for row in owner.execute("select markdown from public.blocks where episode_id = %s", [second]).fetchall()
    )
    assert "foghorn" in script
    assert "lighthouse" not in script


def test_a_feed_with_nothing_new_fails_the_episode_in_a_sentence(owner, make_line, as_user, server, show):
    line = make_line(ingest_allowed_hosts=server.place)
    publish(server, 2)
    make(line, as_user, show, show.episode)
    second = add_episode(owner, show.organization, show.project, 2, 1)
    make(line, as_user, show, second)

    status, error = owner.execute(
        "select generation_status::text, generation_error from public.episodes where id = %s", [second]
    ).fetchone()
    assert status == "failed"
    assert error.startswith("write_outline: sources: ")


def test_an_episode_that_failed_uses_nothing_up(owner, make_line, as_user, server, show):
    line = make_line(ingest_allowed_hosts=server.place)
    publish(server, 1)
    owner.execute("update public.voices set is_active = true")
    owner.execute("alter table public.projects disable trigger user")
    owner.execute("""update public.projects set speakers = '[{"name": "A", "voice": "espeak/nobody"}]'""")

    make(line, as_user, show, show.episode)

    assert owner.execute("select generation_status::text from public.episodes").fetchone() == ("failed",)
    assert used(owner) == {}


def test_a_due_slot_becomes_an_episode_once(owner, make_line, server, show):
    line = make_line(ingest_allowed_hosts=server.place)
    publish(server, 3)
    owner.execute("delete from public.episodes")
    cadence = '{"days": ["mon"], "time": "07:30", "time_zone": "Europe/London", "catch_up": "latest"}'
    owner.execute("update public.projects set cadence_config = %s", [cadence])
    owner.execute("delete from public.episode_schedule_queue")
    owner.execute(
        "insert into public.episode_schedule_queue (organization_id, project_id, scheduled_for) "
        "values (%s, %s, now() - interval '1 minute')",
        [show.organization, show.project],
    )

    first = function("schedule_episodes").schedule(line.services)
    line.run()
    again = function("schedule_episodes").schedule(line.services)

    assert (first["ready"], again["ready"]) == (1, 0)
    assert owner.execute(
        "select generation_status::text, status::text, scheduled_for is not null from public.episodes"
    ).fetchall() == [("completed", "published", True)]
    assert owner.execute(
        "select status::text from public.episode_schedule_queue where scheduled_for < now()"
    ).fetchall() == [("completed",)]
