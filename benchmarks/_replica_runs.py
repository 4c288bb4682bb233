"""One training on one device, and on several, and how far they are apart."""

import contextlib
import re
import warnings
from dataclasses import dataclass, replace

import keras
import numpy as np
from _replica_case import BATCH

from keras_regopt.testing._backend import backend, to_numpy


@dataclass
class Outcome:
    """What a training ended with.

    Args:
        history: Dict of lists of numbers.
        weights: Dict of arrays, by the paths of the weights.
        drew: Whether random numbers were drawn.
        disagreement: How far the copies of a trained weight or of a variable
            of the optimizer are apart, at most.
        trained: The paths of the trainable ones.
        statistics_differ: Whether the copies of another weight are apart, as
            the moving averages of a batch normalization that is not
            synchronized.
    """

    history: dict
    weights: dict
    drew: bool
    disagreement: float
    trained: list
    statistics_differ: bool

    @property
    def is_finite(self):
        values = [*self.weights.values(), self.history["loss"]]
        return all(np.all(np.isfinite(v)) for v in values)


class Comparison:
    """A case on one device, and on several.

    Args:
        case: The case.
        devices: The most devices that there will be.
    """

    def __init__(self, case, devices):
        self._case = case
        self._devices = devices
        self._on_one = {}

    def verdict(self, kind, count, jit):
        """What came of a way of distribution, in a few words."""
        expected, outcome = self._pair(kind, count, jit, shards=1)
        result = _result(expected, outcome)
        if result != "apart":
            return result
        if expected.drew and outcome.statistics_differ:
            return "draws; finite, weights agree, statistics per replica"
        if expected.drew:
            return "draws; finite, replicas agree"
        far = _distance(expected, outcome) or "statistics differ"
        # What is computed from the statistics of a batch sees its own part.
        pair = self._pair(kind, count, jit, shards=self._devices)
        if _result(*pair) == "same":
            return f"same where the replicas see like examples, else {far}"
        if not _distance(*map(_trained_alone, pair)):
            return "trained weights same where the replicas see like examples"
        return f"FAULT: apart by {far}"

    def _pair(self, kind, count, jit, shards):
        if shards not in self._on_one:
            keras.backend.clear_session()
            self._on_one[shards] = _run(self._case, False, shards)
        expected = self._on_one[shards]
        # Names are counted again, so that those of layouts are the same.
        keras.backend.clear_session()
        with _distribution(kind, count, expected.weights):
            return expected, _run(self._case, jit, shards)


def _trained_alone(outcome):
    """Without statistics, which may move once for each part of a batch."""
    trained = {path: outcome.weights[path] for path in outcome.trained}
    return replace(outcome, weights=trained)


def _result(expected, outcome):
    if not expected.is_finite:
        return "FAULT: not finite on one device"
    if not outcome.is_finite:
        return "FAULT: not finite"
    if outcome.disagreement > 0:
        return f"FAULT: replicas differ by {outcome.disagreement:.1g}"
    apart = _distance(expected, outcome) or outcome.statistics_differ
    return "apart" if apart else "same"


def _run(case, jit, shards):
    keras.utils.set_random_seed(0)
    model = case.make()
    model.compile(case.optimizer(), "mse", jit_compile=jit)
    x, y = case.data(shards)
    before = [to_numpy(v) for v in _seeds(model)]
    arguments = {} if y is None else {"y": y, "batch_size": BATCH}
    if case.callbacks is not list:
        arguments["validation_data"] = (x, y)
    history = model.fit(
        x,
        shuffle=False,
        epochs=case.epochs,
        callbacks=case.callbacks(),
        verbose=0,
        **arguments,
    )
    after = [to_numpy(v) for v in _seeds(model)]
    drew = len(before) != len(after) or any(
        np.any(a != b) for a, b in zip(before, after, strict=True)
    )
    # TensorFlow maps each replica's part of a batch by itself.
    drew = drew or case.draws
    statistics = model.non_trainable_weights
    trained = [*model.trainable_weights, *model.optimizer.variables]
    return Outcome(
        {
            name: values
            for name, values in history.history.items()
            if np.all([np.isscalar(v) for v in values])
        },
        {w.path: to_numpy(w) for w in model.weights},
        drew,
        max(map(_disagreement, trained)),
        [w.path for w in model.trainable_weights],
        any(_disagreement(s) > 0 for s in statistics),
    )


def _seeds(model):
    weights = {id(w) for w in model.weights}
    return [
        v for v in model.variables if id(v) not in weights and "seed" in v.path
    ]


def _disagreement(variable):
    """How far the copies of a variable are apart on its devices."""
    value = variable.value
    if backend() == "tensorflow":
        copies = [v.numpy() for v in getattr(value, "values", [value])]
    elif value.sharding.is_fully_replicated:
        copies = [np.asarray(s.data) for s in value.addressable_shards]
    else:
        return 0.0
    if not copies[0].size:
        return 0.0
    first = copies[0].astype("float64")
    return max(float(np.abs(first - c).max()) for c in copies)


def _distance(expected, outcome):
    """How far two trainings are apart, or `""` if only rounding tells them."""
    worst = ""
    most = 1.0
    for name, values in [
        *((path, w) for path, w in expected.weights.items()),
        *expected.history.items(),
    ]:
        other = outcome.weights.get(name, outcome.history.get(name))
        if other is None or np.shape(other) != np.shape(values):
            return f"another shape of {name}"
        if not np.size(values) or "seconds" in name:
            continue
        away = np.abs(np.asarray(values, "float64") - other).max()
        allowed = 1e-5 + 1e-4 * np.abs(values).max()
        if away / allowed > most:
            most, worst = away / allowed, f"{away:.1g} ({name})"
    return worst


@contextlib.contextmanager
def _distribution(kind, count, weights):
    if kind == "Mirrored":
        import tensorflow as tf

        devices = [d.name for d in tf.config.list_logical_devices("CPU")]
        strategy = tf.distribute.MirroredStrategy(
            devices[:count],
            cross_device_ops=tf.distribute.ReductionToOneDevice(),
        )
        with strategy.scope():
            yield
        return
    devices = keras.distribution.list_devices()[:count]
    if kind == "DataParallel":
        distribution = keras.distribution.DataParallel(devices=devices)
    else:
        distribution = _model_parallel(devices, weights)
    keras.distribution.set_distribution(distribution)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        keras.distribution.set_distribution(None)


def _model_parallel(devices, weights):
    """Two parts of a batch, and two of each weight that can be halved."""
    shape = (len(devices) // 2, 2)
    mesh = keras.distribution.DeviceMesh(shape, ("batch", "model"), devices)
    layout = keras.distribution.LayoutMap(mesh)
    for path, weight in weights.items():
        if weight.ndim and weight.shape[-1] % 2 == 0:
            axes = (*[None] * (weight.ndim - 1), "model")
            layout[f"^{re.escape(path)}$"] = axes
    return keras.distribution.ModelParallel(
        layout_map=layout, batch_dim_name="batch"
    )
