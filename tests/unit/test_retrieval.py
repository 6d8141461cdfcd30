"""Ranking: what speaks of a question comes first, in each language and for words in other forms."""

import math

import pytest

from showrunner.writing.languages import SUPPORTED
from showrunner.writing.retrieval import Index, language_of_question, search_terms

DOCUMENTS = [
    "The harbour opened in 1822.",
    "Boats came to the harbour, and the harbour grew.",
    "Lighthouses warn boats of rocks.",
    "Eels are sold at the market.",
]


def index():
    return Index([search_terms(text, "en") for text in DOCUMENTS])


def ranked(question):
    scores = index().scores(search_terms(question, "en"))
    return [place for place in sorted(range(len(scores)), key=lambda at: (-scores[at], at)) if scores[place] > 0]


def test_a_word_that_is_rare_counts_more_than_one_that_is_everywhere():
    assert ranked("boats and eels")[0] == 3


def test_a_text_that_says_it_more_often_comes_first():
    assert ranked("Where is the harbour?") == [1, 0]


def test_a_text_without_any_of_the_words_scores_nothing():
    assert ranked("telephones") == []


def test_the_formula_is_okapi_bm25():
    one = Index([["eel", "boat"], ["boat"], ["rope"]])

    rarity = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    size = 1 - 0.75 + 0.75 * 2 / (4 / 3)
    assert one.scores(["eel"]) == pytest.approx([rarity * 2.2 / (1 + 1.2 * size), 0, 0])


@pytest.mark.parametrize(("asked", "written"), [("lighthouse", 2), ("lighthouses", 2), ("warning", 2)])
def test_other_forms_of_a_word_are_found(asked, written):
    assert ranked(asked) == [written]


def test_short_words_are_not_taken_for_the_beginning_of_longer_ones():
    assert Index([["carbon"], ["eel"]]).scores(["car"]) == [0, 0]


def test_coverage_is_the_part_of_the_questions_words_that_a_text_has():
    assert index().coverage(search_terms("harbour boats telephone", "en")) == pytest.approx([1 / 3, 2 / 3, 1 / 3, 0])


def test_nothing_to_look_in_and_nothing_to_look_for_are_no_errors():
    assert Index([]).scores(["eel"]) == []
    assert index().scores([]) == [0, 0, 0, 0]
    assert Index([[], []]).scores(["eel"]) == [0, 0]


QUESTIONS = {
    "de": "Wer hat das gesagt und wann war das?",
    "en": "Who said that and when was it?",
    "es": "¿Quién lo ha dicho y cuándo fue eso?",
    "fr": "Qui est-ce qui a dit cela et quand était-ce ?",
    "it": "Chi lo ha detto e quando è stato?",
    "pt": "Quem foi que disse isso e quando foi?",
}


@pytest.mark.parametrize("code", SUPPORTED)
def test_a_question_shows_its_language(code):
    usual = "en" if code != "en" else "de"

    assert language_of_question(QUESTIONS[code], usual) == code


@pytest.mark.parametrize("question", ["Eddystone?", "1822", "", "海はいつ"])
def test_a_question_that_does_not_show_its_language_has_the_shows(question):
    assert language_of_question(question, "fr-FR") == "fr-FR"
