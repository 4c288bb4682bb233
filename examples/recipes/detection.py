"""Detection: boxes that move with their images."""

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import keras_regopt as kr


def scenes(size=24):
    """Each digit somewhere in a larger image, and the box around it."""
    random, digits = np.random.default_rng(0), load_digits().images / 16
    images = random.uniform(0, 0.2, (len(digits), size, size, 1))
    corners = random.integers(0, size - 8, (len(digits), 2))
    for image, digit, (x, y) in zip(images, digits, corners, strict=True):
        image[y : y + 8, x : x + 8, 0] += digit
    boxes = np.concatenate([corners, corners + 8], axis=1) / size
    return images.astype("float32"), boxes[:, None].astype("float32")


def main(epochs=30):
    (images, boxes), dev, test = kr.diagnosis.split(*scenes())
    # The class of each box; here there is but one.
    sets = {"boxes": boxes, "labels": np.zeros((len(boxes), 1), "int32")}
    both = {"images": images, "bounding_boxes": sets}
    pairs = tf.data.Dataset.from_tensor_slices(both).shuffle(2000).batch(32)
    augmentation = kr.augmentation.RandomAffine(
        "both", fill_mode="nearest", bounding_box_format="rel_xyxy"
    )
    pairs = kr.augmentation.map_dataset(pairs, augmentation)
    pairs = pairs.map(lambda b: (b["images"], b["bounding_boxes"]["boxes"]))
    layers = [keras.Input((24, 24, 1))]
    for filters in (16, 32):
        layers += [keras.layers.Conv2D(filters, 3, 2, activation="relu")]
    layers += [keras.layers.Flatten(), keras.layers.Dense(4, "sigmoid")]
    model = keras.Sequential([*layers, keras.layers.Reshape((1, 4))])
    model.compile(kr.optimizers.AdamW(0.003), "mae")
    model.fit(pairs, validation_data=dev, epochs=epochs, verbose=0)
    return model.evaluate(*test, verbose=0) * 24  # Of an edge, in pixels.
