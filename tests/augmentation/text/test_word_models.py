"""Layers of words in models: reloaded, served, and trained with."""

import importlib

import keras
import pytest
import tensorflow as tf

from keras_regopt.augmentation import (
    EasyDataAugmentation,
    Thesaurus,
    WordSynonyms,
)

_thesaurus = importlib.import_module(Thesaurus.__module__)

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="Only TensorFlow has models of strings.",
)

# Too many for a configuration.
MANY = {f"w{number}": [f"new{number}"] for number in range(1100)}
X = tf.constant(["w1 w2, w3", "", "w5"])


def model_of(*layers):
    return keras.Sequential([keras.Input((), dtype="string"), *layers])


def test_a_model_reloads_where_the_file_of_its_thesaurus_is_gone(
    tmp_path, monkeypatch
):
    source = tmp_path / "words.tsv"
    Thesaurus(MANY).save(source)
    thesaurus = Thesaurus.from_tab_separated(source)
    model = model_of(WordSynonyms(thesaurus, 1.0, seed=0))
    assert "w7" not in str(model.get_config())
    model.save(tmp_path / "model.keras")
    source.unlink()
    # As in another process.
    monkeypatch.setattr(_thesaurus, "_known", {})
    again = keras.saving.load_model(tmp_path / "model.keras").layers[0]
    assert again.thesaurus is not thesaurus
    assert again.thesaurus.get_config() == thesaurus.get_config()
    assert again(["w7 w8"]).numpy().tolist() == [b"new7 new8"]


def test_a_copy_of_a_layer_shares_its_thesaurus():
    layer = EasyDataAugmentation(Thesaurus({**MANY, "a": ["b"]}), seed=0)
    copy = EasyDataAugmentation.from_config(layer.get_config())
    assert copy.thesaurus is layer.thesaurus
    model = keras.models.clone_model(model_of(layer))
    assert model.layers[0].thesaurus is layer.thesaurus


def test_a_served_model_changes_nothing_unless_it_is_told_to(tmp_path):
    model = model_of(WordSynonyms(Thesaurus(MANY), 1.0, seed=0))
    archive = keras.export.ExportArchive()
    archive.track(model)
    signature = [tf.TensorSpec((None,), "string")]
    archive.add_endpoint("serve", lambda x: model(x), signature)
    archive.add_endpoint("grow", lambda x: model(x, training=True), signature)
    archive.write_out(str(tmp_path / "saved"), verbose=False)
    served = tf.saved_model.load(str(tmp_path / "saved"))
    assert served.serve(X).numpy().tolist() == X.numpy().tolist()
    assert served.grow(X).numpy().tolist() == [b"new1 new2, new3", b"", b"new5"]


def test_a_model_with_words_trains_on_strings():
    vectorize = keras.layers.TextVectorization(20, output_mode="multi_hot")
    vectorize.adapt(X)
    model = model_of(
        EasyDataAugmentation(Thesaurus(MANY), seed=0),
        vectorize,
        keras.layers.Dense(1),
    )
    model.compile("sgd", "mse")
    model.fit(X, tf.constant([1.0, 0.0, 1.0]), verbose=0)
    assert model.predict(X, verbose=0).shape == (3, 1)
