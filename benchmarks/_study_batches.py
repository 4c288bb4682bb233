"""Batches and learning rates of bench_study.py, step by step."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import tensorflow as tf
from _study_task import BATCH, scaled


@functools.lru_cache(maxsize=8)
def curve(schedule, steps):
    """The rate of each step, never zero, so that it can be multiplied."""
    rates = jax.vmap(schedule(steps))(jnp.arange(steps))
    return np.maximum(np.asarray(rates, "float32"), np.float32(1e-6))


def augmented(task, setup, seed):
    """Batches of scaled images and labels."""
    augment = setup.augment and traced(setup.augment)
    for x, y in task.batches(seed):
        if augment is not None:
            x, y = (values.numpy() for values in augment(x, y))
        yield scaled(x), np.asarray(y, "float32")


@functools.lru_cache(maxsize=8)
def traced(augment):
    """An augmentation as a TensorFlow graph, which `tf.data` makes of it."""

    @tf.function(
        input_signature=[
            tf.TensorSpec((BATCH, 28, 28, 1), "uint8"),
            tf.TensorSpec((BATCH, 10), "float32"),
        ]
    )
    def mapped(images, labels):
        data = augment({"images": images, "labels": labels}, training=True)
        return data["images"], data["labels"]

    return mapped
