"""Shows that a layer compiles once for each shape that it meets."""

import time

import numpy as np
import tensorflow as tf

from keras_regopt.augmentation import RandomAffine

SIZES = (224, 160, 224, 160, 192, 192)


def rows():
    """The head and the rows of a table: seconds and traces, call by call."""
    eager, data = Counting(), Counting()
    steps = {
        "eager": (eager, lambda images: eager(images, training=True)),
        "tf.data": (data, Mapped(data)),
    }
    head = ["call", "size"]
    lines = [[str(i + 1), str(size)] for i, size in enumerate(SIZES)]
    for mode, (layer, step) in steps.items():
        head += [f"{mode}, seconds", f"{mode}, traces"]
        for line, size in zip(lines, SIZES, strict=True):
            images = np.zeros((64, size, size, 3), "uint8")
            before = time.process_time()
            step(images)
            taken = time.process_time() - before
            line += [f"{taken:.2f}", str(layer.traces)]
    return head, lines


class Counting(RandomAffine):
    """Counts how often it is traced; what is compiled does not come by."""

    traces = 0

    def apply(self, inputs, parameters):
        self.traces += 1
        return super().apply(inputs, parameters)


class Mapped:
    """A dataset a shape, which one makes once and keeps."""

    def __init__(self, layer):
        self._layer = layer
        self._datasets = {}

    def __call__(self, images):
        if images.shape not in self._datasets:
            dataset = tf.data.Dataset.from_tensors(images).repeat()
            self._datasets[images.shape] = iter(dataset.map(self._layer))
        next(self._datasets[images.shape])
