"""Layers of words work in `tf.data` on every backend, and draw the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation import (
    Choice,
    Compose,
    EasyDataAugmentation,
    RandomCase,
    RandomWordDeletion,
    RandomWordSwap,
    WordSynonyms,
    augment_dataset,
    map_dataset,
)

OTHERS = [b"", b"jumps", b"a \xff b", b"one two"]
TEXTS = [b"The quick brown fox, so lazy!", *OTHERS]
SYNONYMS = {"quick": ["fast"], "fox": ["vixen"]}
# The draws of two epochs.
DRAWN = [
    [b"The quick, lazy!", *OTHERS],
    [b"vixen The vixen quick brown fox, so fast lazy!", *OTHERS],
]


def dataset():
    return tf.data.Dataset.from_tensor_slices(TEXTS).batch(3)


def read(data):
    return [text for batch in data.as_numpy_iterator() for text in batch]


@pytest.mark.filterwarnings("ignore:.*no valid UTF-8")
def test_a_seed_gives_the_same_texts_on_every_backend():
    layer = EasyDataAugmentation(SYNONYMS, 0.5, 0.5, 0.5, 0.5, seed=2)
    mapped = map_dataset(dataset(), layer)
    assert [read(mapped), read(mapped)] == DRAWN
    assert read(map_dataset(dataset(), layer)) == DRAWN[0]


def test_invalid_text_is_counted_in_a_warning():
    layer = RandomWordSwap(1.0, seed=0)
    mapped = dataset().map(layer)
    with pytest.warns(UserWarning, match="leaves 1 of 2 texts as they are"):
        results = read(mapped)
    assert results[3] == TEXTS[3]
    assert results[4] == b"two one"
    read(mapped)


def test_containers_and_dicts():
    chain = Compose(
        [
            WordSynonyms(SYNONYMS, 1.0),
            Choice([RandomCase(1.0, ["upper"]), RandomCase(1.0, ["lower"])]),
        ],
        seed=0,
    )
    data = tf.data.Dataset.from_tensors(
        {"texts": ["The quick Fox"] * 20, "labels": np.arange(20)}
    )
    (result,) = map_dataset(data, chain).as_numpy_iterator()
    assert set(result["texts"]) == {b"THE FAST VIXEN", b"the fast vixen"}
    assert result["labels"].tolist() == list(range(20))
    pairs = tf.data.Dataset.from_tensors((["so good", "bad"], [1, 0]))
    ((texts, labels),) = map_dataset(
        pairs, RandomWordSwap(1.0)
    ).as_numpy_iterator()
    assert texts.tolist() == [b"good so", b"bad"]
    assert labels.tolist() == [1, 0]


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="It has strings."
)
def test_an_eager_call_says_that_only_tensorflow_has_strings():
    with pytest.raises(ValueError, match=r"Map the layer over a `tf.data"):
        RandomWordSwap()(["a b"])


def test_a_dataset_grows_by_n_texts_for_each():
    texts = [f"{word} b c d e f" for word in "uvwxyz"]
    labels = [0, 1, 1, 2, 2, 2]
    layer = RandomWordDeletion(0.5, protected=list("uvwxyz"), seed=0)
    grown, targets = augment_dataset(texts, labels, 3, layer)
    assert grown[:6].tolist() == texts
    assert targets.tolist() == labels * 4
    assert [text[0] for text in grown] == list("uvwxyz") * 4
    assert len(set(grown[6:])) > 12
    again, _ = augment_dataset(texts, labels, 3, layer)
    assert again.tolist() == grown.tolist()
    new, targets = augment_dataset(texts, labels, 1, layer, keep_original=False)
    assert new.tolist() == grown[6:12].tolist()
    assert targets.tolist() == labels
    empty, targets = augment_dataset([], [], 2, layer)
    assert len(empty) == len(targets) == 0


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texts": "a b"}, "`texts` of augment_dataset must be a sequence"),
        ({"texts": ["a", b"b"]}, "`texts` of augment_dataset must be"),
        ({"labels": [1]}, "as many labels as there are texts, 2"),
        ({"n": 0}, "`n` of augment_dataset must be an integer >= 1"),
        ({"layer": str}, "`layer` of augment_dataset must be an augment"),
        ({"keep_original": 2}, "`keep_original` of augment_dataset"),
    ],
)
def test_what_cannot_grow_is_refused(arguments, message):
    usual = {"texts": ["a", "b"], "labels": [0, 1], "n": 1}
    usual["layer"] = RandomWordSwap()
    with pytest.raises(ValueError, match=message):
        augment_dataset(**{**usual, **arguments})
