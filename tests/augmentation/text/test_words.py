"""Layers of words: what changes, how much of it, and what never does."""

import collections
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation import (
    CharacterTypos,
    EasyDataAugmentation,
    PunctuationInsertion,
    RandomCase,
    RandomWordDeletion,
    RandomWordInsertion,
    RandomWordSwap,
    SentenceShuffle,
    WordSynonyms,
)
from keras_regopt.augmentation.text.functional import _words

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="Only TensorFlow has strings; test_words_in_tf_data tries others.",
)

WORDS = [f"w{number}" for number in range(20)]
LONG = " ".join(WORDS)
ENGLISH = {"quick": ["fast"], "fox": ["vixen"], "dog": ["hound", "cur"]}
LAYERS = {
    "swap": lambda **k: RandomWordSwap(0.5, **k),
    "deletion": lambda **k: RandomWordDeletion(0.5, **k),
    "insertion": lambda **k: RandomWordInsertion(0.5, **k),
    "synonyms": lambda **k: WordSynonyms(ENGLISH, 1.0, **k),
    "punctuation": lambda **k: PunctuationInsertion(0.5, **k),
    "typos": lambda **k: CharacterTypos(0.5, **k),
    "case": lambda **k: RandomCase(0.5, **k),
    "eda": lambda **k: EasyDataAugmentation(ENGLISH, **k),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=list(LAYERS))
# Of odd characters, of white space of all kinds, and of next to nothing.
ODD = [
    "",
    " ",
    "?!",
    "a",
    "\tTwo  words\n",
    "«Größe», naïve: 東京 é😀!",
    "Don't stop-gap the 2nd_time…",
    "nul\x00byte \ufdd0 non-character \U0010ffff",
    "नमस्ते दुनिया, привет мир",
]


def changed(layer, texts):
    """Texts as a layer changes them, as a list of strings."""
    texts = layer(tf.constant(texts), training=True)
    return [text.decode() for text in texts.numpy()]


def test_what_is_split_is_joined_again_byte_for_byte():
    for protected in (None, _words.whole(["the", "é"]), _words.as_written(".")):
        words = _words.split(tf.constant(ODD), protected=protected)
        joined = _words.join(words).numpy()
        assert [text.decode() for text in joined] == ODD


def test_words_are_found_in_every_script():
    words = _words.split(tf.constant(ODD))
    found = [word.decode() for word in words.words.numpy()]
    assert found == [
        *["a", "Two", "words", "Größe", "naïve", "東京", "é"],
        *["Don't", "stop-gap", "the", "2nd_time"],
        *["nul", "byte", "non-character"],
        *["नमस्ते", "दुनिया", "привет", "мир"],
    ]
    assert words.counts.numpy().tolist() == [0, 0, 0, 1, 2, 4, 4, 3, 4]


@every_layer
def test_odd_texts_come_out_as_valid_text(make):
    for text, result in zip(ODD, changed(make(seed=0), ODD), strict=True):
        if not re.search(r"\w", text):
            assert result == text
        assert bool(result) == bool(text)


@pytest.mark.parametrize("name", ["swap", "synonyms", "typos", "case"])
def test_bytes_between_words_stay(name):
    text = "  The quick -- brown\tfox?\n\njumps (over)  the lazy «dog»…  "
    between = re.split(r"\w+", text)
    for seed in range(5):
        (result,) = changed(LAYERS[name](seed=seed), [text])
        assert result != text
        assert re.split(r"\w+", result) == between


def test_a_swap_keeps_all_words_and_moves_the_share_in_pairs():
    results = changed(RandomWordSwap(0.4, seed=0), [LONG] * 50)
    for result in results:
        assert sorted(result.split()) == sorted(WORDS)
        moved = [
            word
            for word, other in zip(result.split(), WORDS, strict=True)
            if word != other
        ]
        assert len(moved) == 8
    # 1,000 places and 400 moves; the standard deviation is 2.2 percent.
    assert len({result for result in results}) > 45


def test_shares_hold_on_average_where_they_are_no_whole_number():
    # 0.125 of 20 words is 2.5: half of the texts lose 2, half 3.
    results = changed(RandomWordDeletion(0.125, seed=0), [LONG] * 400)
    lost = collections.Counter(20 - len(text.split()) for text in results)
    assert set(lost) == {2, 3}
    # The standard deviation of the count is 10.
    assert abs(lost[2] - 200) < 40


def test_every_word_is_as_likely_to_go():
    results = changed(RandomWordDeletion(0.25, seed=1), [LONG] * 800)
    kept = collections.Counter(w for text in results for w in text.split())
    # 600 each, with a standard deviation of 12.2.
    assert all(abs(kept[word] - 600) < 50 for word in WORDS)


def test_a_word_takes_one_space_along():
    layer = RandomWordDeletion(1.0, protected=["keep", "this"], seed=0)
    assert changed(
        layer,
        [
            "a keep, b c this.",
            "(a b keep)",
            "keep (a b) this",
            "keep\na this",
            "keep\ta  this",
            "a-b keep b",
        ],
    ) == [
        "keep, this.",
        "(keep)",
        "keep () this",
        "keep\nthis",
        "keep  this",
        "keep",
    ]


def test_one_word_stays():
    results = changed(RandomWordDeletion(1.0, seed=0), [LONG, "a", "a, b"])
    assert [len(re.findall(r"\w+", text)) for text in results] == [1, 1, 1]


def test_insertions_keep_all_words_in_their_order():
    layer = RandomWordInsertion(0.25, words=["NEW", "WORD"], seed=0)
    for result in changed(layer, [LONG] * 20):
        words = result.split(" ")
        assert [word for word in words if word.islower()] == WORDS
        assert len(words) == 25
    for result in changed(RandomWordInsertion(0.25, seed=0), [LONG] * 20):
        count = collections.Counter(result.split(" "))
        assert set(count) == set(WORDS)
        assert sum(count.values()) == 25


def test_synonyms_of_the_text_are_inserted():
    text = "the quick brown fox and the lazy dog"
    layer = RandomWordInsertion(0.3, thesaurus=ENGLISH, seed=0)
    for result in changed(layer, [text] * 20):
        new = collections.Counter(result.split())
        new.subtract(text.split())
        new = +new
        assert sum(new.values()) in (2, 3)
        assert set(new) <= {"fast", "vixen", "hound", "cur"}
    assert changed(layer, ["nothing is known"]) == ["nothing is known"]


def test_synonyms_take_over_the_case():
    layer = WordSynonyms(
        {"größe": ["maß"], "dog": ["old hound"], "i": ["we"]}, 1.0
    )
    assert changed(
        layer, ["Größe größe GRÖSSE GRÖẞE dog, Dog DOG dOG I i"]
    ) == ["Maß maß GRÖSSE MASS old hound, Old hound OLD HOUND old hound We we"]


def test_synonyms_count_words_and_spare_stop_words():
    words = {word: ["new"] for word in WORDS}
    layer = WordSynonyms(words, 0.25, stop_words=["W0", "w1"], seed=0)
    for result in changed(layer, [LONG] * 20):
        assert result.startswith("w0 w1 ")
        assert result.split().count("new") == 5
    layer = WordSynonyms({"the": ["a"], "dog": ["cur"]}, 1.0, "english")
    assert changed(layer, ["the dog"]) == ["the cur"]


def test_a_word_of_several_parts_of_speech_stays_unless_it_may():
    words = {"dog": {"noun": ["cur"], "verb": ["follow"]}, "fox": ["vixen"]}
    kept = changed(WordSynonyms(words, 1.0), ["dog fox"] * 9)
    assert set(kept) == {"dog vixen"}
    layer = WordSynonyms(words, 1.0, keep_part_of_speech=False, seed=0)
    assert set(changed(layer, ["dog fox"] * 9)) == {
        "cur vixen",
        "follow vixen",
    }


def test_marks_are_inserted_before_words():
    layer = PunctuationInsertion(0.25, marks=["##"], seed=0)
    for result in changed(layer, ["(a b), " + LONG] * 10):
        assert result.replace("## ", "") == "(a b), " + LONG
        assert result.count("## ") in (5, 6)
        assert not result.endswith("## ")
    results = changed(PunctuationInsertion(1.0, seed=0), [LONG] * 5)
    marks = set(re.findall(r"[^\w ]", "".join(results)))
    assert marks == set(".;?:!,")


def test_sentences_change_places_and_white_space_does_not():
    text = " One. Two 3.5 is!  «Three?» he said.\n\nFour "
    results = changed(SentenceShuffle(seed=0), [text] * 40)
    sentences = ["One.", "Two 3.5 is!", "«Three?»", "he said.", "Four"]
    for result in results:
        assert re.fullmatch(r" \S[^\n]*\S \S[^\n]*\n\n\S.* ", result)
        rest = result
        for sentence in sentences:
            assert sentence in rest
            rest = rest.replace(sentence, "", 1)
        assert re.sub(r"\s", "", rest) == ""
    assert len(set(results)) > 20
    assert changed(SentenceShuffle(seed=1), ["Only one.", ""]) == [
        "Only one.",
        "",
    ]
    results = changed(SentenceShuffle(seed=0), ["一。二。三"] * 20)
    assert {"".join(sorted(result)) for result in results} == {"。。一三二"}
    assert len(set(results)) == 6


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("swap", r"(ba|b?a?)"),
        ("drop", r"[ab]"),
        ("double", r"aab|abb"),
        ("keyboard", r"[qwsz]b|a[vghn]"),
        ("ocr", r"a[6h]"),
    ],
)
def test_a_typo_is_of_its_kind(kind, expected):
    layer = CharacterTypos(1.0, kinds=[kind], seed=0)
    results = set(changed(layer, ["ab"] * 40))
    assert all(re.fullmatch(expected, result) for result in results)
    several = {"swap": 1, "drop": 2, "double": 2, "keyboard": 8, "ocr": 2}
    assert len(results) == several[kind]


def test_typos_are_of_code_points_and_leave_what_cannot_have_any():
    texts = ["é", "東京", "Ö"]
    assert changed(CharacterTypos(1.0, kinds=["swap"], seed=0), texts) == [
        "é",
        "京東",
        "Ö",
    ]
    layer = CharacterTypos(1.0, kinds=["keyboard"], keyboard={"ö": "ä"}, seed=0)
    assert changed(layer, texts) == ["é", "東京", "Ä"]


def test_cases_change_letters_alone():
    text = "the QUICK bROWN fox, éclair 東京"
    for case, expected in {
        "lower": text.lower(),
        "upper": text.upper(),
        "title": "The Quick Brown Fox, Éclair 東京",
    }.items():
        assert changed(RandomCase(1.0, cases=[case]), [text]) == [expected]


@pytest.mark.any_case
@every_layer
@pytest.mark.parametrize(
    "protected", [["new york", "not"], r"(?i)new york|\bnot\b"]
)
def test_what_is_protected_stays(make, protected):
    text = "Not in New York, nothing of the quick dog is not new (York)"
    layer = make(protected=protected, seed=0)
    for result in changed(layer, [text] * 10):
        assert re.findall("New York|\\b[Nn]ot\\b", result) == [
            "Not",
            "New York",
            "not",
        ]


def test_a_word_pattern_cuts_otherwise():
    layer = RandomWordSwap(1.0, word_pattern=r"\p{Han}", seed=0)
    (result,) = changed(layer, ["東京, abc 大阪"])
    assert sorted(result) == sorted("東京, abc 大阪")
    assert result[2:8] == ", abc "
    assert result != "東京, abc 大阪"


@every_layer
def test_a_text_does_not_hang_on_its_neighbours(make):
    layer = make(seed=0)
    shape, texts = (3,), ["the quick dog is lazy", "a b c", "the fox of it all"]
    parameters = layer.sample(shape, 0)
    together = layer.apply(tf.constant(texts), parameters).numpy().tolist()
    others = [texts[0], "x", "some more words than there were before"]
    assert layer.apply(tf.constant(others), parameters)[0] == together[0]


@every_layer
def test_one_string_no_string_and_dicts(make):
    layer = make(seed=0)
    assert layer("the quick dog").shape == ()
    assert layer(tf.constant([], "string")).shape == (0,)
    ids = np.array([7])
    result = layer({"texts": ["the quick dog"], "ids": ids, "x": "label"})
    assert result["texts"].shape == (1,)
    assert result["ids"] is ids
    assert result["x"] == "label"


def test_rate_spares_texts():
    layer = RandomCase(1.0, cases=["upper"], rate=0.25, seed=0)
    count = changed(layer, ["abc"] * 400).count("ABC")
    # The standard deviation is 8.7.
    assert abs(count - 100) < 35


@every_layer
def test_invalid_text_passes_as_it_is_and_is_counted_once(make):
    layer = make(seed=0)
    texts = [b"the quick \xff dog", b"fine", b"\xed\xa0\x80 a b", b"\xc0\x80 a"]
    with pytest.warns(UserWarning, match="leaves 3 of 4 texts as they are"):
        result = layer(tf.constant(texts)).numpy().tolist()
    assert [result[i] for i in (0, 2, 3)] == [texts[i] for i in (0, 2, 3)]
    # A second warning would be an error.
    layer(tf.constant(texts))


def test_a_thesaurus_of_another_language_is_warned_of():
    layer = WordSynonyms({"w0": ["new"]}, 1.0)
    changed(layer, [LONG])
    texts = [LONG.replace("w0", "w1")] * 10
    with pytest.warns(UserWarning, match="knows 0 of 200 words"):
        changed(layer, texts)
    changed(layer, texts)


def test_nothing_happens_at_a_fraction_of_zero():
    for layer in (RandomWordSwap(0), RandomWordDeletion(0), RandomCase(0)):
        assert changed(layer, [LONG]) == [LONG]


def test_eda_does_one_thing_to_each_text():
    words = {word: ["NEW"] for word in WORDS}
    layer = EasyDataAugmentation(words, 0.2, 0.2, 0.2, 0.2, seed=0)
    kinds = collections.Counter()
    for result in changed(layer, [LONG] * 400):
        new, count = result.split().count("NEW"), len(result.split())
        places = zip(result.split(), WORDS, strict=False)
        moved = sum(word != other for word, other in places)
        if count == 20 and moved:
            kinds["replaced" if new else "swapped"] += 1
            assert moved == (4 if new else 8)
        elif new:
            kinds["inserted"] += 1
            assert (new, count) == (4, 24)
        else:
            kinds["deleted"] += 1
    # 100 each, with a standard deviation of 8.7.
    assert all(abs(count - 100) < 35 for count in kinds.values())
    assert len(kinds) == 4


def test_eda_spares_short_texts_and_needs_no_thesaurus_for_some():
    layer = EasyDataAugmentation(
        alpha_sr=0, alpha_ri=0, alpha_rs=1.0, alpha_rd=0, min_words=3, seed=0
    )
    assert changed(layer, ["a b", "a b c d"])[0] == "a b"
    assert changed(layer, ["a b c d"]) != ["a b c d"]
