"""Images: RandAugment, MixUp and label smoothing."""

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import keras_regopt as kr


def main(epochs=60):
    digits = load_digits()
    x = np.repeat(digits.images[..., None] * 15, 3, axis=-1).astype("uint8")
    train, dev, test = kr.diagnosis.split(x, digits.target, stratify=True)
    augmentation = kr.augmentation.Compose(
        [
            kr.augmentation.RandAugment(num_ops=1, magnitude=5),
            kr.augmentation.MixUp(alpha=0.2, num_classes=10),
        ]
    )
    pairs = tf.data.Dataset.from_tensor_slices(train).shuffle(2000)
    pairs = kr.augmentation.map_dataset(pairs.batch(32), augmentation)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    # Labels that are mixed are vectors.
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(kr.optimizers.AdamW(0.003), loss, metrics=["accuracy"])
    dev, test = ((x, keras.utils.to_categorical(y, 10)) for x, y in (dev, test))
    model.fit(pairs, validation_data=dev, epochs=epochs, verbose=0)
    return model.evaluate(*test, verbose=0)[1]
