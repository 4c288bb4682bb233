"""Small tasks with images, and how bench_image_gain.py trains on them."""

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits, load_sample_images
from sklearn.model_selection import train_test_split

BATCH = 32
PEAK = 3e-3
PATCH = 32
TILE = 40


class Task:
    """Images of bytes with one-hot labels, and the network for them.

    Args:
        train: Images and integer labels to train with.
        test: Images and integer labels to test with.
        filters: Filters of each convolution; all but the first halve height
            and width.
        epochs: How often training takes all images.
    """

    def __init__(self, train, test, filters, epochs):
        self.classes = int(train[1].max()) + 1
        self.train, self.test = (
            (x, np.eye(self.classes, dtype="float32")[y])
            for x, y in (train, test)
        )
        self.filters = filters
        self.epochs = epochs

    @property
    def steps_per_epoch(self):
        return len(self.train[0]) // BATCH

    def network(self, seed):
        keras.utils.set_random_seed(seed)
        layers = [
            keras.Input(self.train[0].shape[1:]),
            keras.layers.Rescaling(1 / 255),
        ]
        for number, filters in enumerate(self.filters):
            layers.append(
                keras.layers.Conv2D(
                    filters,
                    3,
                    strides=2 if number else 1,
                    padding="same",
                    activation="relu",
                )
            )
        layers += [
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(self.classes),
        ]
        return keras.Sequential(layers)

    def batches(self, seed, augment):
        """The images of an epoch in an order that is new in each epoch."""
        x, y = self.train
        dataset = tf.data.Dataset.from_tensor_slices({"images": x, "labels": y})
        dataset = dataset.shuffle(len(x), seed=seed)
        dataset = dataset.batch(BATCH, drop_remainder=True)
        if augment is not None:
            dataset = dataset.map(augment)
        return dataset.map(lambda data: (data["images"], data["labels"]))


class Trainer:
    """Trains the network of a task again and again, compiled once."""

    def __init__(self, task):
        self.task = task
        self.model = task.network(0)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            task.epochs * task.steps_per_epoch,
            warmup_target=PEAK,
            warmup_steps=30,
        )
        self.model.compile(
            keras.optimizers.Adam(rate),
            keras.losses.CategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self._fresh = [np.array(v) for v in self.model.optimizer.variables]

    def run(self, seed, augment):
        """Trains from a seed; returns loss and accuracy on the test images."""
        self.model.set_weights(self.task.network(seed).get_weights())
        for variable, value in zip(
            self.model.optimizer.variables, self._fresh, strict=True
        ):
            variable.assign(value)
        self.model.fit(
            self.task.batches(seed, augment),
            epochs=self.task.epochs,
            shuffle=False,
            verbose=0,
        )
        return self.model.evaluate(*self.task.test, batch_size=256, verbose=0)


def digits():
    """300 digits to train with, all the others to test with."""
    x, y = load_digits(return_X_y=True)
    x = np.round(x.reshape(-1, 8, 8, 1) * (255 / 16)).astype("uint8")
    x, x_test, y, y_test = train_test_split(
        x, y, train_size=300, stratify=y, random_state=0
    )
    return Task((x, y), (x_test, y_test), filters=(32, 64, 64), epochs=40)


def photographs():
    """Patches of two photographs, upright and turned by half a turn.

    The classes say which photograph it is, and which way up. The photographs,
    at half their size, are cut into tiles like a chessboard; patches to train
    with are from the white ones, those to test with from the black ones.
    """
    random = np.random.default_rng(0)
    train, test = (
        _patches(random, color, n) for color, n in ((0, 75), (1, 250))
    )
    return Task(train, test, filters=(16, 32, 64, 64), epochs=30)


def _patches(random, color, count):
    """`count` patches for each class."""
    images, labels = [], []
    for number, photograph in enumerate(load_sample_images().images):
        photograph = _halved(photograph)
        rows, columns = (n // TILE for n in photograph.shape[:2])
        tiles = [
            (TILE * row, TILE * column)
            for row in range(rows)
            for column in range(columns)
            if (row + column) % 2 == color
        ]
        for turned in (False, True):
            for i in range(count):
                top, left = tiles[i % len(tiles)] + random.integers(
                    0, TILE - PATCH + 1, 2
                )
                image = photograph[top : top + PATCH, left : left + PATCH]
                images.append(image[::-1, ::-1] if turned else image)
                labels.append(2 * number + turned)
    return np.stack(images), np.array(labels)


def _halved(photograph):
    height, width = (n // 2 * 2 for n in photograph.shape[:2])
    photograph = photograph[:height, :width].astype("float32")
    photograph = photograph.reshape(height // 2, 2, width // 2, 2, 3)
    return np.round(photograph.mean((1, 3))).astype("uint8")


TASKS = {"Digits": digits, "Photographs": photographs}
