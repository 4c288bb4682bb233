"""Several devices: each takes its part of every batch."""

import contextlib

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import keras_regopt as kr


def all_devices(devices=None):
    """A scope in which a model trains on all devices, or on those named."""
    if keras.backend.backend() == "jax":
        return keras.distribution.DataParallel(devices=devices).scope()
    if keras.backend.backend() == "tensorflow":
        return tf.distribute.MirroredStrategy(devices).scope()
    return contextlib.nullcontext()  # Keras' `fit` on torch has one device.


def main(epochs=20, batch_size=64, devices=None):
    digits = load_digits()
    parts = kr.diagnosis.split(digits.data / 16, digits.target)
    # Batches that are not full could not be divided among the devices.
    full = {"batch_size": batch_size, "drop_remainder": True}
    train, dev, test = (
        tf.data.Dataset.from_tensor_slices(part).batch(**full) for part in parts
    )
    # Of whole batches, whatever the number of devices.
    steps = kr.schedules.total_steps(len(parts[0][0]), epochs=epochs, **full)
    rate = kr.schedules.CosineDecay(0.01, steps)
    with all_devices(devices):
        drop, last = kr.layers.Dropout(0.1), keras.layers.Dense(10, "softmax")
        model = keras.Sequential([keras.Input((64,)), drop, last])
        loss = "sparse_categorical_crossentropy"
        model.compile(kr.optimizers.AdamW(rate), loss, metrics=["accuracy"])
        model.fit(train, validation_data=dev, epochs=epochs, verbose=0)
        return model.evaluate(test, verbose=0)[1]
