import re
from itertools import pairwise

from captions import CUE_CHARACTERS, Caption, timestamp, web_vtt

LONG = (
    "The old harbour was built by fishermen who wanted a safe place for their boats in winter. For many years the "
    "market opened before sunrise, and people came from every village to buy bread, fish and warm clothes. It is gone."
)
CUE = re.compile(r"(\d+)\n([\d:.]+) --> ([\d:.]+)\n<v ([^>]*)>(.*)", re.DOTALL)


def cues(vtt):
    header, *blocks = vtt.strip().split("\n\n")
    assert header == "WEBVTT"
    return [CUE.fullmatch(block).groups() for block in blocks]


def seconds(stamp):
    hours, minutes, rest = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def test_a_short_line_is_one_cue_with_its_speaker():
    vtt = web_vtt([Caption(0.3, 2.5, "Ada", "Good morning.")])

    assert vtt == "WEBVTT\n\n1\n00:00:00.300 --> 00:00:02.500\n<v Ada>Good morning.\n"


def test_a_long_line_becomes_cues_that_fill_exactly_its_time_and_lose_no_word():
    found = cues(web_vtt([Caption(10.0, 24.0, "Ben", LONG)]))

    assert len(found) >= 3
    assert seconds(found[0][1]) == 10.0
    assert seconds(found[-1][2]) == 24.0
    assert all(before[2] == after[1] for before, after in pairwise(found))
    assert " ".join(cue[4] for cue in found).split() == LONG.split()


def test_a_cue_has_at_most_two_lines_that_can_be_read():
    for cue in cues(web_vtt([Caption(0, 14, "Ben", LONG)])):
        lines = cue[4].split("\n")

        assert len(lines) <= 2
        assert sum(map(len, lines)) <= CUE_CHARACTERS
        assert max(map(len, lines)) <= 55


def test_the_time_of_a_cue_follows_its_length():
    short, long = cues(web_vtt([Caption(0, 10, "Ada", f"{'a' * 20}. {'B' * 80}.")]))

    assert 1.5 < seconds(short[2]) < 3.0
    assert seconds(long[2]) == 10.0


def test_markup_in_a_text_or_a_name_is_escaped():
    vtt = web_vtt([Caption(0, 1, "A & <B>\nC", "1 < 2 && 3 --> 4")])

    assert "<v A &amp; &lt;B&gt; C>1 &lt; 2 &amp;&amp; 3 --&gt; 4" in vtt


def test_a_line_without_words_makes_no_cue():
    assert web_vtt([Caption(0, 1, "Ada", "")]) == "WEBVTT\n"


def test_times_beyond_an_hour_and_rounding_are_carried():
    assert timestamp(3599.9996) == "01:00:00.000"
    assert timestamp(3725.0625) == "01:02:05.062"
