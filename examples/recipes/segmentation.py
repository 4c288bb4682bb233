"""Segmentation: images and masks that move together."""

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import keras_regopt as kr


def main(epochs=40):
    images = load_digits().images[..., None].astype("float32") / 16
    masks = (images > 0.5).astype("int32")
    noisy = images + np.random.default_rng(0).normal(0, 0.3, images.shape)
    train, dev, test = kr.diagnosis.split(noisy.astype("float32"), masks)
    augmentation = kr.augmentation.RandomAffine(
        flip=None, rotation=0.05, translation=0.1
    )

    both = {"images": train[0], "segmentation_masks": train[1]}
    pairs = tf.data.Dataset.from_tensor_slices(both).shuffle(2000).batch(32)
    pairs = kr.augmentation.map_dataset(pairs, augmentation)
    pairs = pairs.map(lambda both: (both["images"], both["segmentation_masks"]))
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            kr.layers.DropBlock2D(0.1, block_size=3),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(1, 1, activation="sigmoid"),
        ]
    )
    optimizer = kr.optimizers.AdamW(0.003)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    model.fit(pairs, validation_data=dev, epochs=epochs, verbose=0)
    return model.evaluate(*test, verbose=0)[1]
