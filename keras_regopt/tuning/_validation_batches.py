"""Validation data that TensorFlow has in batches once for all trials."""

import keras
import numpy as np

# How many bytes of a fold are kept: to prepare more takes little of the time
# that it takes to train on it.
_MOST = 2**26
# What `Model.fit` takes where it is not told.
_BATCH_SIZE = 32


class ValidationBatches:
    """The batches that each fold is validated on.

    `Model.fit` makes a pipeline of the arrays for every training, which takes
    TensorFlow longer than a small model needs to compute. These are the same
    batches in a dataset that is made once.
    """

    def __init__(self):
        self._made = {}

    def in_place_of(self, fold, keywords, options):
        """The arguments of a fit, with a dataset for the arrays.

        Args:
            fold: The number of the fold.
            keywords: Dict of arguments, with `validation_data`.
            options: Dict of the other arguments of the fit.

        Returns:
            A dict. Without TensorFlow, and for data other than one array of
            inputs, one of targets and a weight for each sample, `keywords`.
        """
        data = keywords.get("validation_data")
        size = options.get("validation_batch_size") or options.get("batch_size")
        if not _can_be_batched(data, options):
            return keywords
        if fold not in self._made:
            self._made[fold] = _batches(data, size or _BATCH_SIZE)
        return {**keywords, "validation_data": self._made[fold]}


def _can_be_batched(data, options):
    return (
        keras.backend.backend() == "tensorflow"
        and isinstance(data, tuple)
        and len(data) > 1
        and all(isinstance(a, np.ndarray) for a in data)
        and all(a.dtype.kind in "biuf" for a in data)
        and all(weight.ndim == 1 for weight in data[2:])
        and sum(a.nbytes for a in data) <= _MOST
        and not options.get("validation_steps")
    )


def _batches(data, size):
    """A dataset of all samples in order, the last batch with the rest."""
    import tensorflow as tf

    data = tuple(
        a.astype(keras.config.floatx()) if a.dtype.kind == "f" else a
        for a in data
    )
    full, rest = divmod(len(data[0]), size)
    whole = tuple(
        a[: full * size].reshape(full, size, *a.shape[1:]) for a in data
    )
    last = tuple(a[full * size :] for a in data)
    dataset = tf.data.Dataset.from_tensor_slices(whole)
    # Also where nothing is left, so that all folds have batches of one form.
    rest = tf.data.Dataset.from_tensors(last).take(1 if rest else 0)
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return dataset.concatenate(rest).with_options(options)
