"""Thesauri from every kind of file, and what is refused."""

import numpy as np
import pytest

from keras_regopt.augmentation import (
    CharacterTypos,
    EasyDataAugmentation,
    PunctuationInsertion,
    RandomCase,
    RandomWordInsertion,
    RandomWordSwap,
    Thesaurus,
    WordSynonyms,
)

pytestmark = pytest.mark.any_backend

ENTRIES = {"Film": ["movie", "film", "movie", ""], "dull": {"adj": ["boring"]}}


def test_a_dict_is_taken_without_what_says_nothing():
    thesaurus = Thesaurus(ENTRIES)
    assert len(thesaurus) == 2
    assert "FILM" in thesaurus
    assert "movie" not in thesaurus
    assert thesaurus.synonyms("film") == ["movie"]
    assert thesaurus.synonyms("dull", "adj") == ["boring"]
    assert thesaurus.synonyms("dull", "noun") == []
    assert thesaurus.synonyms("other") == []


def test_coverage_is_a_share_of_words():
    thesaurus = Thesaurus(ENTRIES)
    assert thesaurus.coverage(["A film. Dull!", "What a film"]) == 0.5
    assert thesaurus.coverage([""]) == 0


def test_a_tab_separated_file_is_read_and_written(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("film\tmovie\tpicture\n\ndull\t(adj)\tboring\n#x\ty\n")
    thesaurus = Thesaurus.from_tab_separated(path)
    assert thesaurus.synonyms("film") == ["movie", "picture"]
    assert thesaurus.synonyms("dull", "adj") == ["boring"]
    assert thesaurus.synonyms("#x") == ["y"]
    odd = Thesaurus({"(a": ["(b)", "\x85 é"], "c": {"x y": ["d"]}})
    odd.save(path)
    assert Thesaurus.from_tab_separated(path).get_config() == odd.get_config()
    path.write_text("film\tmovie\ndull\n")
    with pytest.raises(ValueError, match=r"Line 2 of .* a word, a tab and syn"):
        Thesaurus.from_tab_separated(path)


def test_mythes_is_read_without_more_general_and_opposite_terms(tmp_path):
    path = tmp_path / "th.dat"
    path.write_bytes(
        "ISO8859-1\n"
        "größe|2\n"
        "(noun)|ausmaß|dimension (generic term)|zwerg (antonym)\n"
        "-|umfang (similar term)|maß (Technik) (related term)\n"
        "hot|1\n(adj)|cold (antonym)\n".encode("latin-1")
    )
    thesaurus = Thesaurus.from_mythes(path)
    assert thesaurus.synonyms("Größe") == ["ausmaß", "umfang"]
    assert thesaurus.synonyms("größe", "noun") == ["ausmaß"]
    assert len(thesaurus) == 1
    path.write_text("UTF-8\nno number\n")
    with pytest.raises(ValueError, match=r"Line 2 of .* a bar and a number"):
        Thesaurus.from_mythes(path)
    path.write_text("NO-SUCH-CODE\n")
    with pytest.raises(ValueError, match="in the encoding 'NO-SUCH-CODE'"):
        Thesaurus.from_mythes(path)


def test_wordnet_is_read_from_its_files(tmp_path):
    license_line = "  1 This software and database is provided ...\n"
    (tmp_path / "data.noun").write_text(
        license_line
        + "06613686 10 n 03 movie 0 film 0 moving_picture 0 001 @ 0 n 0 | a\n"
        + "00001740 03 n 01 entity 0 000 | that which is\n"
    )
    (tmp_path / "data.adj").write_text(
        license_line
        + "00013887 00 s 02 abundant(p) 0 galore(ip) 0 000 | in great number\n"
    )
    thesaurus = Thesaurus.from_wordnet(tmp_path)
    assert thesaurus.synonyms("film", "noun") == ["movie", "moving picture"]
    assert thesaurus.synonyms("abundant", "adj") == ["galore"]
    assert "entity" not in thesaurus
    alone = Thesaurus.from_wordnet([tmp_path / "data.adj"])
    assert len(alone) == 2
    (tmp_path / "data.adv").write_text("nothing of this kind\n")
    with pytest.raises(ValueError, match=r"Line 1 of .* a synset of WordNet"):
        Thesaurus.from_wordnet(tmp_path)
    with pytest.raises(ValueError, match=r"a folder with the files data.noun"):
        Thesaurus.from_wordnet(tmp_path / "none")


def test_embeddings_give_the_nearest_words():
    matrix = [[1, 0], [2, 0.1], [1, 0.5], [0, 1], [0, 0]]
    words = ["good", "great", "fine", "bad", "void"]
    thesaurus = Thesaurus.from_embeddings(words, matrix, 2, 0.8)
    assert thesaurus.synonyms("good") == ["great", "fine"]
    assert "bad" not in thesaurus
    assert "void" not in thesaurus
    with pytest.raises(ValueError, match=r"a row for each of the 5 words"):
        Thesaurus.from_embeddings(words, matrix[:4])
    with pytest.raises(ValueError, match=r"`count` of Thesaurus.from_embed"):
        Thesaurus.from_embeddings(words, matrix, 0)


def test_many_embeddings_are_compared_in_blocks():
    random = np.random.default_rng(0)
    matrix = random.normal(size=(1500, 8)).astype("float32")
    words = [f"w{number}" for number in range(1500)]
    thesaurus = Thesaurus.from_embeddings(words, matrix, 3, -1)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    for number in (0, 1023, 1024, 1499):
        similarity = unit @ unit[number]
        expected = [words[i] for i in np.argsort(-similarity)[1:4]]
        assert thesaurus.synonyms(words[number]) == expected


@pytest.mark.parametrize(
    "entries",
    [None, ["a"], {}, {"a": "b"}, {"a": [1]}, {"a": ["b\tc"]}, {"a": ["a"]}],
)
def test_what_is_no_thesaurus_is_refused(entries):
    with pytest.raises(ValueError, match="`entries` of Thesaurus must be a"):
        Thesaurus(entries)
    with pytest.raises(ValueError, match="`thesaurus` of WordSynonyms must be"):
        WordSynonyms(entries)


def test_words_that_are_elsewhere_are_asked_for():
    config = {"entries": None, "digest": "of none"}
    thesaurus = Thesaurus.from_config(config)
    assert thesaurus.get_config() == config
    with pytest.raises(ValueError, match=r"Load that with `keras.saving.load"):
        thesaurus.synonyms("film")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomWordSwap(1.5), "`fraction` of RandomWordSwap"),
        (lambda: RandomWordSwap(minimum=-1), "`minimum` of RandomWordSwap"),
        (lambda: RandomWordSwap(protected="("), "in the syntax of RE2"),
        (lambda: RandomWordSwap(protected=["a", ""]), "strings that are not"),
        (lambda: RandomWordSwap(word_pattern=r"\w*"), "not match the empty"),
        (lambda: RandomCase(cases=["small"]), "a sequence of 'lower', 'title'"),
        (lambda: RandomCase(cases=[]), "a sequence of 'lower', 'title'"),
        (lambda: CharacterTypos(kinds=["x"]), "a sequence of 'keyboard'"),
        (lambda: CharacterTypos(keyboard="dvorak"), "one of 'qwerty'"),
        (lambda: CharacterTypos(keyboard={"ab": "c"}), "a dict of characters"),
        (lambda: CharacterTypos(ocr={"a": []}), "`ocr` of CharacterTypos"),
        (lambda: PunctuationInsertion(marks=[]), "`marks` of Punctuation"),
        (lambda: RandomWordInsertion(words=[]), "or None if there is a thes"),
        (
            lambda: RandomWordInsertion(words=["a"], thesaurus=ENTRIES),
            "or None if there is a thesaurus",
        ),
        (lambda: EasyDataAugmentation(), "`thesaurus` of EasyData"),
        (
            lambda: EasyDataAugmentation(None, 0, 0, 0, 0),
            "`alpha_sr` of EasyDataAugmentation must be > 0",
        ),
        (lambda: WordSynonyms(ENTRIES, stop_words="german"), "`stop_words`"),
    ],
)
def test_bad_arguments_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
