"""Training a model on with new data, without forgetting the old."""

from typing import Any

import keras
import numpy as np

from keras_regopt._validate import fail, in_range, instance_of, positive_int
from keras_regopt.diagnosis.service.pull import loss_of, pulled
from keras_regopt.diagnosis.service.update_result import Update

_FRACTIONS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
_ALLOWED = "a pair (x, y) of arrays, or of dicts, tuples and lists of arrays"


def update(
    model: keras.Model,
    new_data: tuple[Any, Any],
    old_data: tuple[Any, Any] | None = None,
    old_dev: tuple[Any, Any] | None = None,
    *,
    rate: float = 0.001,
    replay: float = 0.8,
    tolerance: float = 0.1,
    held_out: float = 0.2,
    epochs: int = 10,
    batch_size: int = 32,
    learning_rate: float | None = None,
    seed: int = 0,
) -> Update:
    """Trains a model on with new data, and guards what it has learned.

    Four things keep it from forgetting: it starts from its weights; the penalty
    `L2SP` pulls each trainable weight `w` towards its start,
    `rate / 2 * sum((w - start) ** 2)`; a part of each epoch's rows is drawn
    from the old data; and the weights that it gets in the end are those of the
    epoch with the lowest loss on held-out new rows among those whose loss on
    `old_dev` is at most `1 + tolerance` times that of before. Where the epoch
    that is best on new rows has forgotten too much, points on the straight line
    to its weights are tried as well. Where nothing is better, the weights stay
    what they were.

    The penalty is there during the update alone, and the optimizer is a fresh
    one of the model's kind. The model's own optimizer keeps its state. The
    losses are without the penalties on weights. Global seeds are set.

    Args:
        model: A compiled model with weights; it is changed.
        new_data: Pair of inputs and targets.
        old_data: Pair of inputs and targets that the model was trained on, for
            the replay. Defaults to `None`, without replay.
        old_dev: Pair of old inputs and targets that the model has not learned
            from, such as the dev set of then: on rows of its training, its loss
            was lower than it can stay. A few hundred or more, as they decide.
            Defaults to `None`, without a check of the old loss.
        rate: Strength of the penalty, at least 0. Defaults to `0.001`.
        replay: Fraction of the rows of an epoch that are old, from 0 to 0.9.
            Defaults to `0.8`: old rows are what helps most.
        tolerance: Fraction by which the loss on `old_dev` may rise, at least
            0. Defaults to `0.1`.
        held_out: Fraction of the new rows that measure the loss on them, above
            0 and below 1. Defaults to `0.2`.
        epochs: Epochs at most, at least 1. Defaults to `10`.
        batch_size: Rows of a step, at least 1. Defaults to `32`.
        learning_rate: The rate of the fresh optimizer, above 0. Defaults to
            `None`, which takes the model's; it must be given if that is a
            schedule, which would begin again.
        seed: Seed of the held-out rows and of the training.

    Returns:
        An `Update` with the losses before and after each epoch.

    Raises:
        ValueError: If an argument is not allowed, or the model is not compiled.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> x = np.random.default_rng(0).normal(size=(50, 2))
        >>> y = x[:, :1]
        >>> old, old_dev = (x[:40], y[:40]), (x[40:], y[40:])
        >>> history = model.fit(*old, epochs=20, verbose=0)
        >>> result = update(model, (x + 1, y), old, old_dev, epochs=2)
        >>> result.forgetting <= 0.1
        True

    References:
        Li et al. 2018, Explicit inductive bias for transfer learning with
        convolutional networks (arXiv 1802.01483).
        Rolnick et al. 2019, Experience replay for continual learning
        (arXiv 1811.11682).
        Wortsman et al. 2022, Robust fine-tuning of zero-shot models
        (arXiv 2109.01903), for the line between the weights.
    """
    _check_model(model)
    in_range(update, "rate", rate, low=0)
    in_range(update, "replay", replay, low=0, high=0.9)
    in_range(update, "tolerance", tolerance, low=0)
    in_range(update, "held_out", held_out, above=0, below=1)
    in_range(update, "learning_rate", learning_rate, above=0, optional=True)
    positive_int(update, "epochs", epochs)
    positive_int(update, "batch_size", batch_size)
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    new, new_dev = _split(_pair("new_data", new_data), held_out, random)
    old = old_data and _pair("old_data", old_data)
    old_dev = old_dev and _pair("old_dev", old_dev)
    optimizer = _fresh_optimizer(model, learning_rate)
    devs = [new_dev] if old_dev is None else [new_dev, old_dev]
    course = _Course(model, devs, batch_size, tolerance)
    with pulled(model, rate, optimizer):
        for _ in range(epochs):
            x, y = _with_replay(new, old, replay, random)
            model.fit(x, y, batch_size=batch_size, verbose=0)
            course.epoch_ends()
    return course.result()


class _Course:
    """The losses of an update, and the weights that it ends with."""

    def __init__(self, model, devs, batch_size, tolerance):
        self._model, self._devs = model, devs
        self._batch_size, self._tolerance = batch_size, tolerance
        self._start = self._last = self._kept = model.get_weights()
        self._losses = [self._measured()]
        # Of the lowest loss on new rows, whatever was forgotten.
        self._lowest = 0
        self._best = (0, 1.0, self._losses[0])

    def epoch_ends(self):
        """Measures the weights after an epoch."""
        losses = self._measured()
        self._losses.append(losses)
        epoch = len(self._losses) - 1
        if losses[0] < self._losses[self._lowest][0]:
            self._lowest, self._last = epoch, self._model.get_weights()
            self._consider(epoch, 1.0, losses)

    def result(self):
        """Gives the model its weights, and returns an `Update`."""
        if self._best[0] != self._lowest:
            self._go_a_part_of_the_way()
        self._model.set_weights(self._kept)
        epoch, fraction, losses = self._best
        columns = [list(column) for column in zip(*self._losses, strict=True)]
        old = len(columns) > 1
        return Update(
            epoch,
            fraction,
            losses[0],
            losses[1] if old else None,
            columns[0],
            columns[1] if old else [],
        )

    def _go_a_part_of_the_way(self):
        """Looks between the start and the best weights for the new rows."""
        for fraction in _FRACTIONS:
            self._model.set_weights(
                [
                    _between(a, b, fraction)
                    for a, b in zip(self._start, self._last, strict=True)
                ]
            )
            self._consider(self._lowest, fraction, self._measured())

    def _consider(self, epoch, fraction, losses):
        """Keeps the model's weights, if they are the best that are allowed."""
        remembers = len(losses) == 1 or losses[1] <= self._losses[0][1] * (
            1 + self._tolerance
        )
        if remembers and losses[0] < self._best[2][0]:
            self._best = (epoch, fraction, losses)
            self._kept = self._model.get_weights()

    def _measured(self):
        """The loss on new rows, and that on old ones if there are any."""
        return [loss_of(self._model, d, self._batch_size) for d in self._devs]


def _between(start, end, fraction):
    """A weight a part of the way; what is no float is that of the end."""
    if not np.issubdtype(end.dtype, np.floating):
        return end
    return start + fraction * (end - start)


def _check_model(model):
    allowed = "a compiled Keras model with weights"
    instance_of(update, "model", model, keras.Model, allowed)
    if not model.compiled or not model.built:
        remedy = "Compile it, and build it or call it once."
        fail(update, "model", allowed, model, remedy)


def _pair(argument, data):
    """Inputs and targets as arrays of NumPy."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        fail(update, argument, _ALLOWED, type(data).__name__)
    arrays = keras.tree.map_structure(keras.ops.convert_to_numpy, tuple(data))
    lengths = {len(a) if a.ndim else 0 for a in keras.tree.flatten(arrays)}
    count = min(lengths)
    if len(lengths) != 1 or count < 2:
        allowed = f"{_ALLOWED}, of one number of rows, two or more"
        fail(update, argument, allowed, f"{sorted(lengths)} rows")
    return arrays


def _split(arrays, held_out, random):
    """Two pairs of inputs and targets: to train, and to measure."""
    count = len(keras.tree.flatten(arrays)[0])
    rows = random.permutation(count)
    held = min(max(round(held_out * count), 1), count - 1)
    return _rows(arrays, rows[held:]), _rows(arrays, rows[:held])


def _rows(arrays, rows):
    return keras.tree.map_structure(lambda array: array[rows], arrays)


def _with_replay(new, old, replay, random):
    """The rows of an epoch: all new ones, and some of the old ones."""
    if old is None or not replay:
        return new
    count = len(keras.tree.flatten(new)[0])
    pool = len(keras.tree.flatten(old)[0])
    wanted = max(round(count * replay / (1 - replay)), 1)
    drawn = random.choice(pool, wanted, replace=wanted > pool)
    return keras.tree.map_structure(
        lambda a, b: np.concatenate([a, b]), new, _rows(old, drawn)
    )


def _fresh_optimizer(model, learning_rate):
    """An optimizer of the model's kind, without its state."""
    config = model.optimizer.get_config()
    is_schedule = isinstance(config.get("learning_rate"), dict)
    if is_schedule and learning_rate is None:
        allowed = "given, as the model's is a schedule, which would begin again"
        fail(update, "learning_rate", allowed, None)
    if is_schedule:
        config["learning_rate"] = learning_rate
    fresh = type(model.optimizer).from_config(config)
    if learning_rate is not None and not is_schedule:
        fresh.learning_rate = learning_rate
    return fresh
