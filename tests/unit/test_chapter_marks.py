import json

from chapter_marks import Chapter, chapters_json, chapters_of


def test_each_section_is_a_chapter_and_the_first_begins_at_zero():
    starts = [("Opening", 0.3), ("Opening", 5.0), ("Middle", 20.0), ("End", 50.0), ("End", 55.0)]

    chapters = chapters_of(starts, 80.0, "Untitled")

    assert chapters == [Chapter(0.0, 20.0, "Opening"), Chapter(20.0, 50.0, "Middle"), Chapter(50.0, 80.0, "End")]


def test_a_section_too_short_joins_the_one_before_it():
    chapters = chapters_of([("Opening", 0.3), ("Aside", 20.0), ("End", 25.0)], 60.0, "Untitled")

    assert chapters == [Chapter(0.0, 25.0, "Opening"), Chapter(25.0, 60.0, "End")]


def test_a_first_section_too_short_gives_its_time_to_the_next():
    chapters = chapters_of([("Jingle", 0.3), ("Opening", 4.0), ("End", 30.0)], 60.0, "Untitled")

    assert chapters == [Chapter(0.0, 30.0, "Opening"), Chapter(30.0, 60.0, "End")]


def test_a_very_short_episode_is_one_chapter():
    assert chapters_of([("A", 0.3), ("B", 3.0), ("C", 6.0)], 9.0, "Untitled") == [Chapter(0.0, 9.0, "C")]


def test_a_section_without_a_title_gets_the_episodes():
    assert chapters_of([(" ", 0.3)], 30.0, "Tides") == [Chapter(0.0, 30.0, "Tides")]


def test_the_json_is_that_of_the_podcast_namespace():
    document = json.loads(chapters_json([Chapter(0.0, 12.34567, "Öl & Wasser")], "Tides", "Small Wonders"))

    assert document == {
        "version": "1.2.0",
        "title": "Tides",
        "podcastName": "Small Wonders",
        "chapters": [{"startTime": 0.0, "endTime": 12.346, "title": "Öl & Wasser"}],
    }
