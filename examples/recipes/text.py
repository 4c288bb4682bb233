"""Text: new sentences, tokens left out, mixed embeddings."""

import keras
import numpy as np
from sklearn import datasets

import keras_regopt as kr


def sentences():
    """Ten words each of the descriptions of five data sets; which is it?"""
    names = ("breast_cancer", "diabetes", "digits", "iris", "wine")
    found = []
    for label, name in enumerate(names):
        words = getattr(datasets, f"load_{name}")().DESCR.split()
        starts = range(0, len(words), 10)
        found += [(" ".join(words[i : i + 10]), label) for i in starts]
    return [np.array(part) for part in zip(*found, strict=True)]


def main(epochs=30):
    train, dev, test = kr.diagnosis.split(*sentences(), stratify=True)
    # With a `Thesaurus`, it replaces words by synonyms and adds some, too.
    eda = kr.augmentation.EasyDataAugmentation(None, alpha_sr=0, alpha_ri=0)
    train = kr.augmentation.augment_dataset(*train, n=4, layer=eda)
    to_ids = keras.layers.TextVectorization(2000, output_sequence_length=12)
    to_ids.adapt(train[0])
    train, dev, test = ((to_ids(x), y) for x, y in (train, dev, test))
    layers = [
        keras.Input((12,), dtype="int32"),
        kr.augmentation.RandomTokenDeletion(0.1),
        keras.layers.Embedding(2000, 32, mask_zero=True),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(5, "softmax"),
    ]
    model = kr.layers.EmbeddingMixUp(keras.Sequential(layers), alpha=0.2)
    loss = "sparse_categorical_crossentropy"
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(*train, validation_data=dev, epochs=epochs, verbose=0)
    return model.evaluate(*test, verbose=0)[1]
