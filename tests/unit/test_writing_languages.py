import string

import pytest

from showrunner.errors import InvalidInput
from showrunner.writing.languages import SUPPORTED, language_of
from showrunner.writing.phrasing import Phrasing, in_words
from showrunner.writing.terms import names_in, terms_of
from showrunner.writing.wishes import wishes_of


def blanks(phrases):
    return {name for phrase in phrases for _, name, _, _ in string.Formatter().parse(phrase) if name}


@pytest.mark.parametrize("code", SUPPORTED)
def test_each_language_has_the_same_kinds_of_phrases_with_the_same_blanks(code):
    english = language_of("en").phrases

    phrases = language_of(code).phrases

    assert phrases.keys() == english.keys()
    assert all(blanks(phrases[kind]) <= blanks(english[kind]) for kind in english)
    assert all(len(set(variants)) == len(variants) for variants in phrases.values())


@pytest.mark.parametrize("code", SUPPORTED)
def test_what_is_often_said_has_many_forms(code):
    phrases = language_of(code).phrases

    assert all(len(phrases[kind]) >= 5 for kind in ("section", "reaction", "new_point", "question_new", "onward"))


@pytest.mark.parametrize("tag", ["en", "en-GB", "EN_us", "en-Latn-GB"])
def test_a_language_is_found_by_its_tag(tag):
    assert language_of(tag).code == "en"


@pytest.mark.parametrize("tag", ["nl", "ja-JP", "", "../en"])
def test_another_language_is_refused_with_those_that_are_known(tag):
    with pytest.raises(InvalidInput, match="writes de, en, es, fr, it, pt"):
        language_of(tag)


def test_a_phrase_comes_again_only_after_all_others():
    english = language_of("en")
    phrasing = Phrasing(english, "seed")
    count = len(english.phrases["reaction"])

    said = [phrasing.say("reaction", other="Ben") for _ in range(2 * count)]

    assert len(set(said[:count])) == count
    assert said[:count] == said[count:]


def test_what_was_said_before_is_not_the_first_choice():
    english = language_of("en")
    fresh = Phrasing(english, "seed").say("sign_off", show="Deep Water")

    phrase = Phrasing(english, "seed", said=[f"Well. {fresh} Bye."]).say("sign_off", show="Deep Water")

    assert phrase != fresh


def test_a_phrase_with_a_blank_that_is_empty_is_not_chosen():
    phrasing = Phrasing(language_of("en"), "seed")

    said = [phrasing.say("question_onward", other="") for _ in range(4)]

    assert set(said) == {"How does it go on?", "What is the next step in the story?"}


@pytest.mark.parametrize(
    ("items", "words"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c", "a"], "a, b and c")]
)
def test_items_are_joined_as_in_speech(items, words):
    assert in_words(items, language_of("en")) == words


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The ship left Bristol, and sailed on.", []),
        ("The ship sailed from Bristol, and sank.", ["Bristol"]),
        ("Fish swim in the Gulf of Mexico all year.", ["the Gulf of Mexico"]),
        ("Arthur Doodson ran the sums.", ["Arthur Doodson"]),
        ("In 1944 the Allied planners met.", []),
        ("The Moon pulls. It is in French hands.", []),
    ],
)
def test_names_are_found_with_their_article(text, names):
    assert names_in(text, "en") == names


def test_singular_and_plural_are_one_term():
    assert set(terms_of("lighthouses tides", "en")) == set(terms_of("lighthouse tide", "en"))


@pytest.mark.parametrize(
    ("memory", "tag", "sentence"),
    [
        ("Never mention prices.", "en", "The price of oil rose."),
        ("Don't talk about football or cricket", "en", "Cricket was played here."),
        ("Avoid discussing the royal family", "en", "The royal family came."),
        ("Erwähne nie Fußball", "de", "Der Fußball war rund."),
        ("Niemals über Preise sprechen", "de", "Der Preis stieg."),
        ("Ne parle jamais de politique", "fr", "La politique change."),
        ("No hables de fútbol", "es", "El fútbol gana."),
        ("Non parlare di calcio", "it", "Il calcio vince."),
        ("Nunca mencione futebol", "pt", "O futebol ganha."),
    ],
)
def test_subjects_to_avoid_are_understood(memory, tag, sentence):
    wishes = wishes_of([memory], tag)

    assert not wishes.allow(sentence, tag)
    assert wishes.allow("Lux lux lux.", tag)
    assert wishes.others == ()


@pytest.mark.parametrize(
    ("memory", "tag", "field", "words"),
    [
        ("Call listeners 'friends'.", "en", "audience", "friends"),
        ("Call our audience “night owls”", "en", "audience", "night owls"),
        ("Nenne die Hörer „Freunde“.", "de", "audience", "Freunde"),
        ("Appelle les auditeurs « amis »", "fr", "audience", "amis"),
        ("Llama a los oyentes «amigos»", "es", "audience", "amigos"),
        ("Chiama gli ascoltatori 'amici'", "it", "audience", "amici"),
        ("Chame os ouvintes de 'amigos'", "pt", "audience", "amigos"),
        ("Always start with 'Ahoy!'", "en", "opening", "Ahoy!"),
        ("End every episode with “Stay curious.”", "en", "ending", "Stay curious."),
        ("Schließe jede Folge mit „Ahoi!“", "de", "ending", "Ahoi!"),
    ],
)
def test_names_for_listeners_and_words_to_open_and_end_with_are_understood(memory, tag, field, words):
    assert getattr(wishes_of([memory], tag), field) == words


def test_any_other_memory_is_a_liking():
    assert wishes_of(["We love lighthouses"], "en").others == ("We love lighthouses",)
